from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from ivr.context import CallContext
from ivr.entries import EntryRules
from ivr.interpreter import Interpreter
from ivr.keys import Keys
from ivr.nodes import Pin, Retries
from ivr.outcome import EndReason, HangUp
from ivr.record import ProblemKind, StepRecord
from ivr.tools import Tools
from tests.ivr.builders import at, call, end, forest, menu, play, prompts
from tests.ivr.scripted_line import ScriptedLine

PIN = "4711"


@dataclass
class Plain:
    """Hashes that are the secret backwards behind a word; the real ones have tests of their own."""

    asked: list[str] = field(default_factory=list)

    async def matches(self, hashed: str, secret: str) -> bool | None:
        self.asked.append(secret)
        return hashed == f"hash of {secret[::-1]}" if hashed.startswith("hash of ") else None


def pin(**more: object) -> Pin:
    settings: dict[str, object] = {
        "prompts": prompts("ask"),
        "name": "pin",
        "next": at("next"),
        "hash": "{data.pin_hash}",
        "attempts": 3,
        "wrong": prompts("wrong"),
        "no_input": Retries(prompts=prompts("no-input"), retries=1),
        "on_failure": at("failed"),
        "on_no_input": at("silent"),
        "rules": EntryRules(min_digits=4, max_digits=6),
    } | more
    return Pin(id=at("start"), **settings)  # type: ignore[arg-type]


ENDS = [end(name) for name in ("next", "failed", "silent")]


class Run:
    """One call through a tree with a pin."""

    def __init__(self, *nodes: object, data: dict[str, str] | None = None) -> None:
        self.records: list[StepRecord] = []
        self.hashes = Plain()
        self.context: CallContext = call()
        self.context.data.update({"pin_hash": f"hash of {PIN[::-1]}"} if data is None else data)
        self.interpreter = Interpreter(
            forest(*nodes, *ENDS),  # type: ignore[arg-type]
            on_step=self.records.append,
            tools=Tools(hashes=self.hashes),
        )

    async def keys(self, *asked: str, early: str = "") -> ScriptedLine:
        """Press keys at each time that the PIN is asked for."""
        line = ScriptedLine(
            [(0.0, key) for key in early],
            reactions={"ask": [[(0.1 * n, key) for n, key in enumerate(keys, 1)] for keys in asked]},
        )
        self.outcome = await self.interpreter.run(line, self.context, at("start"))
        return line

    @property
    def story(self) -> list[str]:
        return [f"{record.node.partition('.')[2]} {record.outcome}" for record in self.records]

    def told(self) -> str:
        """Everything that anybody is told of the call."""
        return repr((self.records, self.context))


async def test_the_right_pin_goes_on_and_is_kept_for_look_ups() -> None:
    run = Run(pin())

    line = await run.keys(f"{PIN}#")

    assert run.story == ["start entered", "next hang-up"]
    assert run.context.secrets == {"pin": PIN}
    assert line.heard_parts == ["ask…", "next"]


async def test_nobody_is_told_the_digits() -> None:
    run = Run(play("start", "pin"), _named(pin(), "pin"))

    await run.keys("9876#", f"{PIN}#", early="92")

    assert PIN in run.context.secrets.values()
    assert all(record.key == "" for record in run.records)
    told = run.told()
    for digits in (PIN, "9876", "92"):
        assert digits not in told.replace("+49301234567", "")


async def test_wrong_ones_are_told_and_counted() -> None:
    run = Run(pin())

    line = await run.keys("1111#", "22#", "3333#", "4444#")

    assert run.story == ["start wrong", "start wrong", "start wrong", "start failed", "failed hang-up"]
    assert line.heard_parts == ["ask…", "wrong", "ask…", "wrong", "ask…", "wrong", "failed"]
    assert run.hashes.asked == ["1111", "3333"], "what is too short is not even compared"
    assert run.context.secrets == {}


async def test_attempts_are_the_calls_however_often_the_caller_comes_back() -> None:
    node = pin(keys=Keys(repeat="*"), attempts=2, on_failure=at("again"))
    run = Run(node, menu({"1": "start"}, name="again"))

    await run.keys("1111#", "*", "2222#")

    assert run.story[:4] == ["start wrong", "start repeat", "start wrong", "start failed"]
    again = ScriptedLine([(0.5, "1")])
    again.answered_at_s = 0.0
    run.records.clear()
    await run.interpreter.run(again, run.context, at("again"))
    assert run.story[:2] == ["again choice", "start failed"], "it is not even asked for again"


async def test_the_right_pin_gives_all_attempts_back() -> None:
    run = Run(pin())
    await run.keys("1111#", f"{PIN}#")

    assert run.context.attempts == {}


async def test_no_key_at_all() -> None:
    run = Run(pin())

    line = await run.keys()

    assert line.heard_parts == ["ask", "no-input", "ask", "no-input", "silent"]
    assert run.story == ["start no-input", "start no-input", "start no-input", "silent hang-up"]


async def test_nobody_who_is_silent_has_a_node_of_their_own_unless_it_is_named() -> None:
    run = Run(pin(on_no_input=None))
    await run.keys()
    assert run.story[-1] == "failed hang-up"

    run = Run(pin(on_no_input=None, on_failure=None))
    await run.keys()
    assert run.outcome == HangUp(reason=EndReason.MENU_FAILED)


@pytest.mark.parametrize("data", [{}, {"pin_hash": ""}, {"pin_hash": "4711"}])
async def test_a_hash_that_cannot_be_used_matches_nothing(data: dict[str, str]) -> None:
    run = Run(pin(attempts=1), data=data)

    await run.keys(f"{PIN}#")

    assert run.story[-1] == "failed hang-up"
    assert ProblemKind.NO_USABLE_HASH in [problem.kind for problem in run.records[0].problems]
    assert "4711" not in str(run.records)


async def test_without_a_hash_a_look_up_has_to_tell_and_attempts_are_counted_all_the_same() -> None:
    run = Run(pin(hash=None, attempts=2, next=at("look-up")), play("look-up", "start"))

    await run.keys("1111#", "2222#", "3333#")

    assert run.story == [
        "start entered",
        "look-up next",
        "start entered",
        "look-up next",
        "start failed",
        "failed hang-up",
    ]
    assert run.context.secrets == {"pin": "2222"}


async def test_digits_beyond_are_not_the_next_nodes() -> None:
    run = Run(pin(attempts=1, on_failure=at("menu")), menu({"9": "next"}, name="menu"))

    await run.keys("123456999")

    assert "menu choice" not in run.story


async def test_a_template_cannot_reach_the_secret() -> None:
    run = Run(pin())
    await run.keys(f"{PIN}#")

    assert run.context.lookup("secret.pin") is None


def test_attempts_are_bounded() -> None:
    with pytest.raises(ValueError, match="attempts must be 1 to 10"):
        pin(attempts=0)


def _named(node: Pin, name: str) -> Pin:
    return replace(node, id=at(name))
