"""Look-ups: requests to other systems over HTTP, by name in routing.yaml or within a node; and who calls."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from config.schema.marks import Refers, Templated
from config.schema.references import DatumName
from config.schema.shared import Flag, FrozenMap, Model, Name, Number, Text, WholeNumber, refused, wrong
from ivr import numbers

__all__ = ["AnswerValue", "BodyValue", "CallerLookUp", "LookUp", "LookUpName", "Numbering", "SentText", "Statuses"]

LookUpName: TypeAlias = Annotated[Name, Refers("look-up")]
"""A look-up of routing.yaml."""

_SENT: Final = Text(r"[^\x00-\x1f\x7f]{0,1000}", "give one line of at most 1000 characters")

SentText: TypeAlias = Annotated[str, _SENT, Templated(secrets=True)]
"""One line with fields, {secret.…} among them."""

_LABEL: Final = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_AUTHORITY: Final = rf"{_LABEL}(?:\.{_LABEL}){{0,30}}\.?|\[[0-9A-Fa-f:.]{{2,45}}\]"
_URL: Final = rf"https?://(?:{_AUTHORITY})(?::[0-9]{{1,5}})?(?:[/?][!$-;=?-\[\]-~]{{0,1500}})?"


def _possible_host(url: str) -> str:
    host, port = re.match(rf"https?://({_AUTHORITY})(?::([0-9]+))?", url).groups()  # type: ignore[union-attr]
    if port and not 1 <= int(port) <= 65535:
        raise wrong("{value} cannot be used here; a port is 1 to 65535", url)
    if host.startswith("["):
        try:
            IPv6Address(host.strip("[]"))
        except ValueError:
            raise wrong("{value} cannot be used here; what stands in brackets is no address", url) from None
    return url


def _without_user(value: Any) -> Any:
    """Refuse a user and password, and do not show them."""
    if isinstance(value, str) and re.match(r"https?://[^/?]*@", value):
        raise refused("an address with a user in it cannot be used here; give a header Authorization with a secret")
    return value


Url: TypeAlias = Annotated[
    str,
    Text(
        _URL,
        "give an address such as https://crm.example/accounts/{data.account}: http or https, a host without fields and "
        "without a user, no spaces and no #",
    ),
    BeforeValidator(_without_user),
    AfterValidator(_possible_host),
    Templated(secrets=True),
]
"""An address with fields in its path and query."""

_PATH: Final = r"(?:[A-Za-z0-9_$@-]{1,64}|\[[0-9]{1,4}\])(?:\.[A-Za-z0-9_$@-]{1,64}|\[[0-9]{1,4}\]){0,11}"

Path: TypeAlias = Annotated[str, Text(_PATH, "give a path of at most 12 steps, such as account.entries[0].amount")]
"""Where a value stands in an answer."""

HeaderName: TypeAlias = Annotated[
    str, Text(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", "give the name of a header, such as Authorization")
]
FieldName: TypeAlias = Annotated[
    str, Text(r"[A-Za-z0-9_$@.\[\]-]{1,64}", "give a name of letters, digits, '_', '-', '$', '@' and '.'")
]

_STATUSES: Final = r"[1-5][0-9]{2}(?:-[1-5][0-9]{2})?"
Statuses: TypeAlias = Annotated[
    str, Text(rf"{_STATUSES}(?:, ?{_STATUSES}){{0,9}}", "give statuses such as 200-299 or 200, 204")
]
"""HTTP statuses: single ones and ranges."""


class AnswerValue(Model):
    """A value of an answer: its path, or path with type and default."""

    path: Path = Field(examples=["account.balance"])
    """Where it stands: names with dots between, places in lists in brackets, from 0."""

    type: Literal["text", "number", "whole-number", "flag"] = "text"
    """What it must be; a flag is true or false and becomes yes or no. Another type is a bad answer."""

    default: Annotated[str, Text(r"[^\x00-\x1f\x7f]{0,200}", "give one line of text")] | None = None
    """What holds where there is none; without a default that is a bad answer."""

    @model_validator(mode="before")
    @classmethod
    def _by_path(cls, value: Any) -> Any:
        """Read a path alone as a value of type text."""
        return {"path": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "pattern": f"^(?:{_PATH})$"}, handler(schema)], "description": cls.__doc__}


class BodyValue(Model):
    """A value of a body: a text, or exactly one of the three."""

    indivisible: ClassVar[bool] = True

    text: SentText | None = None
    """A text."""

    number: SentText | None = None
    """A number."""

    flag: SentText | None = None
    """Yes or no, sent as true or false."""

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Read a text alone as a value that is sent as text."""
        return {"text": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len([kind for kind in (self.text, self.number, self.flag) if kind is not None]) != 1:
            raise refused("give exactly one of text, number and flag")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": ["string", "number", "boolean"]}, handler(schema)], "description": cls.__doc__}


class LookUp(Model):
    """A request to another system, and what is taken from its answer."""

    url: Url = Field(examples=["https://crm.example/accounts/{data.account}"])
    """Where to ask. {call.caller}, {data.account} and the like are filled in, each in its place; not in the host."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"] = "GET"
    """HTTP method."""

    query: FrozenMap[FieldName, SentText] = Field(default_factory=dict)
    """Added to the address behind the question mark."""

    headers: FrozenMap[HeaderName, SentText] = Field(default_factory=dict)
    """Headers. {secret.NAME} stands for a secret of acd.yaml, or for a PIN that a pin node has kept."""

    body: FrozenMap[FieldName, BodyValue] = Field(default_factory=dict)
    """What is sent in the body: texts, or {number: …} or {flag: …}. A name with dots goes into objects in objects."""

    body_type: Literal["json", "form"] = "json"
    """How the body is written."""

    timeout_s: Annotated[float, Number(0.1, 60, "seconds")] = 5.0
    """For everything together: name, connection, redirects, retries and the whole answer."""

    retries: Annotated[int, WholeNumber(0, 5)] = 0
    """So often it is tried again within timeout_s: no connection, 5xx, 429. Only GET and HEAD, or with idempotent."""

    idempotent: Flag = False
    """Does sending it twice do no more than sending it once? Then other methods are tried again, too."""

    redirects: Annotated[int, WholeNumber(0, 5)] = 3
    """So many redirects of a GET or HEAD are followed; to another host without the headers."""

    answer_bytes: Annotated[int, WholeNumber(100, 1_000_000)] = 100_000
    """A larger answer is a bad one, and is not read."""

    ok: Statuses = "200-299"
    """Statuses that are an answer."""

    answer: FrozenMap[DatumName, AnswerValue] = Field(default_factory=dict)
    """What becomes call data, by its name there: a path in the JSON, or path with type and default."""


class Numbering(Model):
    """How telephone numbers are written at the site, so that customers are found however their number arrives."""

    country_code: Annotated[str, Text(r"[1-9][0-9]{0,3}", "give digits, such as 49")] | None = None
    """The site's own country; without it national numbers are not told from others."""

    national_prefix: Annotated[str, Text(r"[0-9]{0,3}", "give digits, or nothing")] = "0"
    """What stands before a number of the same country."""

    international_prefix: Annotated[str, Text(r"[0-9]{1,5}", "give digits, such as 00")] = "00"
    """What stands before a number of another country."""

    least_national_digits: Annotated[int, WholeNumber(5, 20)] = 10
    """Numbers without any prefix count as the country's own from so many digits on; shorter ones are extensions."""

    def rule(self) -> numbers.Numbering:
        """Return the rule that writes numbers in one way."""
        return numbers.Numbering(
            country_code=self.country_code or "",
            national_prefix=self.national_prefix,
            international_prefix=self.international_prefix,
            least_national_digits=self.least_national_digits,
        )


class CallerLookUp(Model):
    """Who calls, asked before the first menu: those in customers come first, then the table, then the look-up."""

    table: (
        Annotated[str, Text(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\.csv", "name a CSV file in the folder of routing.yaml")]
        | None
    ) = None
    """CSV file beside this one: number, name, language, vip, agent, matter, priority, and further columns at will."""

    lookup: LookUpName | None = None
    """The look-up that is asked about everybody else; {call.caller} and {call.caller_number} are known."""

    timeout_s: Annotated[float, Number(0.1, 10, "seconds")] = 1.0
    """A caller waits no longer for the look-up, and then goes on as unknown."""

    vip_points: Annotated[int, WholeNumber(0, 1000)] = 10
    """Points of priority for each VIP level."""
