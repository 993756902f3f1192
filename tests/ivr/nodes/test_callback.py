"""The callback's questions, each way through them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from ivr.callbacks import AskedHow, CallbackWish, Promise
from ivr.interpreter import Interpreter
from ivr.nodes import CallbackNode
from ivr.outcome import HangUp, Outcome, WaitOn
from ivr.record import StepRecord
from ivr.tools import Tools
from tests.ivr.builders import at, call, end, forest
from tests.ivr.scripted_line import ScriptedLine

NUMBER = "+49301234567"
READ_BACK = ["callback-number", f"digits {NUMBER}", "callback-confirm"]


@dataclass
class Desk:
    """Takes German numbers of more than five digits."""

    how: AskedHow = AskedHow()
    made: Promise = Promise.PROMISED
    wishes: list[CallbackWish] = field(default_factory=list)

    def asked_how(self, queue: str) -> AskedHow:
        assert queue == "cards"
        return self.how

    def number(self, text: str) -> str:
        digits = text.replace("+49", "0", 1)
        return f"+49{digits[1:]}" if digits.startswith("0") and digits.isdigit() and len(digits) > 5 else ""

    async def promise(self, wish: CallbackWish) -> Promise:
        self.wishes.append(wish)
        return self.made


async def walked(
    desk: Desk, keys: dict[str, list[str]], *, caller: str = NUMBER, **node: object
) -> tuple[ScriptedLine, Outcome, list[StepRecord]]:
    """Walk one caller who presses ``keys`` on hearing a part, the n-th time the n-th."""
    reactions = {
        part: [[(0.1 * place, key) for place, key in enumerate(pressed, start=1)] for pressed in each]
        for part, each in keys.items()
    }
    for part, each in reactions.items():
        each.extend([[] for _ in range(9 - len(each))])
        assert part
    line = ScriptedLine(reactions=reactions)
    settings: dict[str, object] = {"on_refused": at("refused"), "on_failure": at("without"), **node}
    offer = CallbackNode(id=at("start"), queue="cards", **settings)  # type: ignore[arg-type]
    records: list[StepRecord] = []
    trees = forest(offer, end("refused"), end("without"), end("done"))
    interpreter = Interpreter(trees, on_step=records.append, tools=Tools(callbacks=desk))
    context = call()
    context.caller = caller
    return line, await interpreter.run(line, context, at("start")), records


def parts(line: ScriptedLine) -> list[str]:
    return [part.removesuffix("…") for part in line.heard_parts]


async def test_the_own_number_is_read_back_and_confirmed() -> None:
    desk = Desk()
    line, outcome, records = await walked(desk, {"callback-confirm": ["1"]})
    assert parts(line) == [*READ_BACK, "callback-promised"]
    assert [wish.number for wish in desk.wishes] == [NUMBER]
    assert (outcome, records[-1].outcome) == (HangUp(), "promised")


async def test_with_a_next_node_the_caller_goes_on() -> None:
    line, _, records = await walked(Desk(), {"callback-confirm": ["1"]}, next=at("done"))
    assert parts(line)[-1] == "done"
    assert records[0].to == at("done")


async def test_another_number_keyed_in_is_checked_and_read_back_too() -> None:
    desk = Desk()
    keys = {"callback-confirm": ["2", "1"], "callback-enter": ["999#", "0301234#"]}
    line, _, records = await walked(desk, keys)
    assert parts(line) == [
        *READ_BACK,
        "callback-enter",
        "callback-not-possible",
        "callback-enter",
        "callback-number",
        "digits +49301234",
        "callback-confirm",
        "callback-promised",
    ]
    assert [wish.number for wish in desk.wishes] == ["+49301234"]
    assert [record.outcome for record in records] == ["invalid", "promised"]


@pytest.mark.parametrize(
    ("keys", "caller"),
    [
        ({"callback-confirm": ["*"]}, NUMBER),
        ({}, NUMBER),
        ({"callback-confirm": ["5", "6", "7"]}, NUMBER),
        ({"callback-enter": ["*"]}, "anonymous"),
        ({}, "anonymous"),
    ],
)
async def test_who_does_without_or_answers_nothing_goes_to_on_failure(keys: dict[str, list[str]], caller: str) -> None:
    desk = Desk()
    line, _, _ = await walked(desk, keys, caller=caller)
    assert parts(line)[-1] == "without"
    assert not desk.wishes


async def test_numbers_that_cannot_be_called_go_to_on_refused() -> None:
    line, _, _ = await walked(Desk(), {"callback-enter": ["1#", "22#", "333#"]}, caller="anonymous")
    assert parts(line)[-1] == "refused"
    line, _, _ = await walked(Desk(AskedHow(other_number=False)), {}, caller="anonymous")
    assert parts(line) == ["callback-not-possible", "refused"]


async def test_keys_beyond_the_longest_number_are_not_taken_for_the_next_one() -> None:
    keys = {"callback-enter": ["9" * 40 + "#", "0301234#"], "callback-confirm": ["1"]}
    line, _, records = await walked(Desk(), keys, caller="anonymous", timeout_s=20.0)
    assert parts(line).count("callback-not-possible") == 1
    assert [record.outcome for record in records] == ["invalid", "promised"]


async def test_when_no_more_are_promised_the_caller_is_told() -> None:
    line, _, _ = await walked(Desk(made=Promise.REFUSED), {"callback-confirm": ["1"]})
    assert parts(line)[-2:] == ["callback-refused", "refused"]
    line, _, _ = await walked(Desk(made=Promise.ALREADY), {"callback-confirm": ["1"]})
    assert parts(line)[-1] == "callback-already"


async def test_unasked_where_the_site_wants_it_so() -> None:
    desk = Desk(AskedHow(confirm=False))
    line, _, _ = await walked(desk, {})
    assert parts(line) == ["callback-promised"]
    line, _, _ = await walked(desk, {"callback-enter": ["0301234#"], "callback-confirm": ["1"]}, caller="")
    assert parts(line)[-1] == "callback-promised", "a number that was keyed in is confirmed all the same"


@pytest.mark.parametrize("keys", [{}, {"callback-confirm": ["*"]}])
async def test_a_waiting_caller_who_does_without_waits_on(keys: dict[str, list[str]]) -> None:
    _, outcome, _ = await walked(Desk(), keys, waiting=True, on_refused=None, on_failure=None)
    assert outcome == WaitOn()


async def test_what_the_call_has_been_given_goes_with_it() -> None:
    desk = Desk()
    await walked(desk, {"callback-confirm": ["1"]}, priority=5, requires={"english": 2})
    (wish,) = desk.wishes
    assert (wish.priority, wish.requires, wish.queue) == (5, {"english": 2}, "cards")
