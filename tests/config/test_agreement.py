"""What the schema names must be what the other parts know by these names."""

from __future__ import annotations

from typing import get_args

from acd.service.prompts.defaults import DEFAULT_TEXTS
from acd.service.prompts.recorded import NATIVE_ENDINGS
from acd.service.prompts.synthesis import TEXT_LENGTH_MAX
from config.checks.trees import CALL_FIELDS
from config.schema.ivr import BUILT_IN_PROMPTS, RECORDING_ENDINGS, Hangup, Menu, Node, Prompt, Retry, Say
from config.schema.shared import LANGUAGES, Language
from config.schema.walk import choices, models_of
from ivr.context import CallContext
from ivr.languages import LANGUAGES as SPOKEN
from ivr.line import KEYS
from ivr.nodes import NODE_TYPES, SayKind
from ivr.nodes.menu import RETRIES_MAX, TIMEOUT_S_MAX
from ivr.outcome import HangUpCause


def test_node_types() -> None:
    assert set(models_of(Node)) == set(NODE_TYPES)


def test_words() -> None:
    assert set(choices(Hangup.model_fields["cause"].annotation)) == {cause.value for cause in HangUpCause}
    assert set(choices(Say.model_fields["kind"].annotation)) == {kind.value for kind in SayKind}


def test_languages() -> None:
    assert set(LANGUAGES) == set(get_args(Language)) == set(SPOKEN)


def test_keys() -> None:
    for key in KEYS:
        Menu.model_validate({"type": "menu", "prompt": "p", "choices": {key: "n"}})


def test_bounds() -> None:
    assert Retry.model_validate({"retries": str(RETRIES_MAX)}).retries == RETRIES_MAX
    menu = {"type": "menu", "prompt": "p", "choices": {"1": "n"}, "timeout_s": "60"}
    assert Menu.model_validate(menu).timeout_s <= TIMEOUT_S_MAX
    longest = Prompt.model_validate({"text": "x" * TEXT_LENGTH_MAX}).text
    assert longest is not None
    assert len(longest) == TEXT_LENGTH_MAX


def test_fields_of_the_call() -> None:
    """The call's own are known to the menus; the others are facts that its owner adds."""
    call = CallContext(call_id="1")
    own = {name for name in CALL_FIELDS if call.lookup(f"call.{name}") is not None}
    assert own == CALL_FIELDS - {"caller_number", "queue", "agent", "waited_s"}


def test_prompts() -> None:
    assert set(DEFAULT_TEXTS) == BUILT_IN_PROMPTS
    assert all(set(texts) == set(LANGUAGES) for texts in DEFAULT_TEXTS.values())
    assert {f".{ending}" for ending in RECORDING_ENDINGS} <= NATIVE_ENDINGS | {".wav"}
