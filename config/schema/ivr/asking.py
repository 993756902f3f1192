"""Nodes that ask the caller for keys: menu, collect, pin."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from config.schema.ivr.values import Key, Line, PlayedPrompt, PromptNames, Retry
from config.schema.keys import NodeKeys
from config.schema.marks import Way
from config.schema.references import DatumName, Reference
from config.schema.shared import (
    FLAG_JSON_SCHEMA,
    Flag,
    FrozenMap,
    Model,
    Name,
    Number,
    ShortForm,
    Text,
    WholeNumber,
    refused,
    wrong,
)
from ivr.patterns import Pattern, PatternError

__all__ = ["Collect", "Confirm", "DirectDial", "Menu", "Pin", "Valid"]

Seconds: TypeAlias = Annotated[float, Number(0.5, 60, "seconds")]
DigitCount: TypeAlias = Annotated[int, WholeNumber(1, 40)]


def _none_is_empty(value: Any) -> Any:
    return "" if isinstance(value, str) and value.lower() in ("none", "off", "no") else value


Terminator: TypeAlias = Annotated[
    Literal["#", "*", ""],
    BeforeValidator(_none_is_empty),
    WithJsonSchema({"enum": ["#", "*", "none"]}),
]
"""The key that ends an entry; empty for none."""


def _is_pattern(value: str) -> str:
    """Refuse what cannot be matched in bounded time."""
    try:
        Pattern(value)
    except PatternError as error:
        raise refused(str(error)) from error
    return value


PatternText: TypeAlias = Annotated[str, AfterValidator(_is_pattern)]


def _flag_or_more(value: Any) -> Any:
    """Read yes as a mapping with all defaults, no as none."""
    if not isinstance(value, str):
        return value
    if value.lower() in ("yes", "true", "on"):
        return {}
    if value.lower() in ("no", "false", "off"):
        return None
    raise wrong("{value} is neither yes nor no; write yes or no, or how (key: value)", value)


class DirectDial(Model):
    """How extensions are dialled in a menu."""

    inter_digit_s: Seconds = 2.0
    """How long the caller has for the next digit."""

    not_reached: Annotated[Reference, Way.CHOICE] | None = None
    """Where the caller goes whose agent did not take the call; the menu if left out."""


class Menu(Model):
    """Plays a prompt and lets the caller choose with a key."""

    type: Literal["menu"]
    """Kind of node."""

    prompt: PromptNames = Field(examples=["main-menu"])
    """The prompt that names the choices, or a list of prompts played one after the other."""

    barge_in: Flag = True
    """May the caller choose before the prompt has ended?"""

    timeout_s: Annotated[float, Number(0.5, 60, "seconds")] = 5.0
    """How long the caller has for a key after the prompt."""

    choices: FrozenMap[Key, Annotated[Reference, Way.CHOICE]] = Field(
        examples=[{"1": "sales", "2": "support"}], json_schema_extra={"minProperties": 1}
    )
    """Where each key leads."""

    invalid: Retry = Field(default_factory=Retry)
    """After a key that is no choice."""

    no_input: Retry = Field(default_factory=Retry)
    """After no key at all."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the retries are used up; the call ends with a goodbye if left out."""

    direct_dial: Annotated[DirectDial | None, ShortForm(_flag_or_more, FLAG_JSON_SCHEMA)] = None
    """May the caller dial an extension instead, of routing.yaml or of an agent? yes, or how."""

    keys: NodeKeys | None = None
    """Other keys for repeat, back, top and operator here, or off."""


class Valid(Model):
    """What an entry must be like beside its length; all that is given has to hold."""

    pattern: PatternText | None = Field(default=None, examples=["[1-9]\\d{7}"])
    """A pattern for the whole entry: digits, [1-9], \\d, ?, *, +, {3}, and ways in brackets."""

    luhn: Flag = False
    """Is its last digit the check digit of payment cards?"""

    least: Annotated[int, WholeNumber(0, 10**15 - 1)] | None = None
    """As a number at least this."""

    most: Annotated[int, WholeNumber(0, 10**15 - 1)] | None = None
    """As a number at most this."""

    one_of: tuple[Annotated[str, Text(r"[0-9]{1,40}", "give digits")], ...] = ()
    """One of these and nothing else."""

    @model_validator(mode="after")
    def _some_number(self) -> Self:
        if self.least is not None and self.most is not None and self.least > self.most:
            raise refused(f"no number is at least {self.least} and at most {self.most}; swap them")
        return self


class Confirm(Model):
    """The caller hears the entry again and accepts it with a key."""

    before: PromptNames = Field(
        default=(PlayedPrompt(prompt="you-entered"),), json_schema_extra={"default": "you-entered"}
    )
    """Prompt (or list of prompts) before the entry."""

    kind: Literal["digits", "phone", "number"] = "digits"
    """How the entry is read: digits, phone (as a telephone number) or number."""

    after: PromptNames = Field(
        default=(PlayedPrompt(prompt="confirm-entry"),), json_schema_extra={"default": "confirm-entry"}
    )
    """Prompt (or list of prompts) after the entry, which names the two keys."""

    accept: Key = "1"
    """The key that accepts it."""

    again: Key = "2"
    """The key to enter it again."""

    retries: Annotated[int, WholeNumber(0, 20)] = 2
    """So many times the question is asked again, and an entry taken back."""

    @model_validator(mode="after")
    def _two_keys(self) -> Self:
        if self.accept == self.again:
            raise refused(f"key '{self.accept}' both accepts and takes back; give two different keys")
        if "after" not in self.model_fields_set and (self.accept, self.again) != ("1", "2"):
            raise refused("prompt 'confirm-entry' names the keys 1 and 2; give a prompt 'after' that names yours")
        return self


class Collect(Model):
    """Lets the caller key in a number, which goes to the call data."""

    type: Literal["collect"]
    """Kind of node."""

    prompt: PromptNames = Field(examples=["enter-account"])
    """The prompt that asks for it, or a list of prompts played one after the other."""

    name: DatumName = Field(examples=["account"])
    """The call datum that it becomes: {data.account}."""

    barge_in: Flag = True
    """May the caller begin before the prompt has ended?"""

    min_digits: DigitCount = 1
    """Fewer digits are not valid."""

    max_digits: DigitCount = 20
    """With so many the entry is complete."""

    terminator: Terminator = "#"
    """The key that ends the entry, # or *; none: there is no such key."""

    timeout_s: Seconds = 5.0
    """How long the caller has for the first digit after the prompt."""

    inter_digit_s: Seconds = 3.0
    """How long the caller has for each further digit; then the entry is complete."""

    valid: Valid = Field(default_factory=Valid)
    """What else the entry must be like."""

    invalid: Retry = Field(default_factory=Retry)
    """After an entry that is not valid."""

    no_input: Retry = Field(default_factory=Retry)
    """After no digit at all."""

    confirm: Annotated[Confirm | None, ShortForm(_flag_or_more, FLAG_JSON_SCHEMA)] = None
    """Is the entry read back to be accepted? yes, or how."""

    next: Annotated[Reference, Way.CHOICE] = Field(examples=["main"])
    """Where the caller goes with a valid entry."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the retries are used up; the call ends with a goodbye if left out."""

    keys: NodeKeys | None = None
    """Other keys for repeat, back, top and operator here, or off."""

    @model_validator(mode="after")
    def _some_length(self) -> Self:
        _check_lengths(self.min_digits, self.max_digits)
        return self


HASH_START = "$argon2"


def _is_hash(value: str) -> str:
    if "{" not in value and not value.startswith(HASH_START):
        raise refused("this is no argon2 hash; give one, or a field that holds one, such as {data.pin_hash}")
    return value


class Pin(Model):
    """Lets the caller key in a secret number, which no log, no call data and no page ever shows."""

    type: Literal["pin"]
    """Kind of node."""

    prompt: PromptNames = Field(examples=["enter-pin"])
    """The prompt that asks for it, or a list of prompts played one after the other."""

    name: Name = "pin"
    """Under this name look-ups may send it: {secret.pin}."""

    barge_in: Flag = True
    """May the caller begin before the prompt has ended?"""

    min_digits: DigitCount = 4
    """Fewer digits are a wrong attempt."""

    max_digits: DigitCount = 12
    """With so many the entry is complete."""

    terminator: Terminator = "#"
    """The key that ends the entry, # or *; none: there is no such key."""

    timeout_s: Seconds = 5.0
    """How long the caller has for the first digit after the prompt."""

    inter_digit_s: Seconds = 3.0
    """How long the caller has for each further digit; then the entry is complete."""

    hash: Annotated[Line, AfterValidator(_is_hash)] | None = Field(default=None, examples=["{data.pin_hash}"])
    """The argon2 hash that it must match, or a field that holds it; without one a look-up has to tell."""

    attempts: Annotated[int, WholeNumber(1, 10)] = 3
    """So many attempts a caller has in one call."""

    wrong: PromptNames = Field(default=(PlayedPrompt(prompt="pin-wrong"),), json_schema_extra={"default": "pin-wrong"})
    """Prompt (or list of prompts) after a wrong attempt."""

    no_input: Retry = Field(default_factory=Retry)
    """After no digit at all."""

    next: Annotated[Reference, Way.CHOICE] = Field(examples=["main"])
    """Where the caller goes with a PIN that matches, or that is to be looked up."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the attempts are used up; the call ends with a goodbye if left out."""

    on_no_input: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes who keys in nothing; as on_failure if left out."""

    keys: NodeKeys | None = None
    """Other keys for repeat, back, top and operator here, or off."""

    @model_validator(mode="after")
    def _some_length(self) -> Self:
        _check_lengths(self.min_digits, self.max_digits)
        return self


def _check_lengths(least: int, most: int) -> None:
    if least > most:
        raise refused(f"'min_digits' is {least}, more than 'max_digits', {most}; swap them, or raise 'max_digits'")
