from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.context import CallContext
from ivr.entries import EntryCheck, EntryRules, luhn
from ivr.keys import Keys
from ivr.nodes import Collect, Confirmation, Retries
from ivr.outcome import CallerGone, EndReason, HangUp
from ivr.patterns import Pattern
from ivr.values import SayKind
from tests.ivr.builders import Walk, at, call, end, forest, menu, play, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine

CONFIRM = Confirmation(before=prompts("you-entered"), after=prompts("confirm"), retries=1)


def collect(**more: object) -> Collect:
    """A node that says `ask` and leads to `next` and `failed`."""
    settings: dict[str, object] = {
        "prompts": prompts("ask"),
        "name": "account",
        "next": at("next"),
        "on_failure": at("failed"),
        "rules": EntryRules(min_digits=3, max_digits=5),
        "invalid": Retries(prompts=prompts("not-valid"), retries=1),
        "no_input": Retries(prompts=prompts("no-input"), retries=1),
    } | more
    return Collect(id=at("start"), **settings)  # type: ignore[arg-type]


def pressed(keys: str) -> list[tuple[float, str]]:
    """One key after the other, quickly."""
    return [(0.1 * number, key) for number, key in enumerate(keys, start=1)]


async def walked(
    keys: str | list[tuple[float, str]], node: Collect | None = None, keys_everywhere: Keys | None = None
) -> tuple[Walk, ScriptedLine, CallContext]:
    """Walk one node; a text of keys is pressed a second apart, as soon as it asks."""
    trees = forest(node or collect(keys=keys_everywhere), end("next"), end("failed"), end("operator"))
    walk, context = Walk(trees), call()
    script = [(0.5 + index, key) for index, key in enumerate(keys)] if isinstance(keys, str) else keys
    line = ScriptedLine(script)
    await walk.run(line, context)
    return walk, line, context


@pytest.mark.parametrize(
    ("keys", "account"),
    [
        ("123#", "123"),
        ("12345", "12345"),
        ("123", "123"),
        ("12345#", "12345"),
        ("007#", "007"),
    ],
)
async def test_an_entry_ends_by_its_length_the_terminator_or_a_pause(keys: str, account: str) -> None:
    walk, line, context = await walked(keys)

    assert context.data == {"account": account}
    assert line.heard_parts == ["ask…", "next"]
    assert walk.story[-2:] == [f"start entered {keys[:5]} -> next", "next hang-up"]


async def test_each_digit_has_its_own_time() -> None:
    rules = EntryRules(min_digits=1, max_digits=9, first_digit_s=5, inter_digit_s=3)
    # The prompt takes two seconds.
    _, line, context = await walked([(6.9, "1"), (9.8, "2"), (12.7, "3"), (15.8, "4")], collect(rules=rules))

    assert context.data == {"account": "123"}
    assert line.waits[-1][1] == pytest.approx(15.7)


async def test_digits_keyed_before_the_node_count() -> None:
    node = replace(collect(), id=at("ask"))
    trees = forest(play("start", "ask"), node, end("next"), end("failed"))
    walk, context = Walk(trees), call()
    line = ScriptedLine([(0.1 * index, key) for index, key in enumerate("123#", start=1)])

    await walk.run(line, context)

    assert context.data == {"account": "123"}
    assert line.heard_parts == ["start…", "next"]


async def test_a_terminator_that_comes_after_all_is_not_the_next_nodes() -> None:
    trees = forest(
        collect(next=at("choose")), menu({"#": "failed", "1": "next"}, name="choose"), end("next"), end("failed")
    )
    walk = Walk(trees)

    await walk.run(ScriptedLine([(0.1 * index, key) for index, key in enumerate("12345#1")]))

    assert walk.story[1] == "choose choice 1 -> next"


async def test_a_terminator_pressed_later_on_is_a_key_again() -> None:
    trees = forest(
        collect(next=at("choose")), menu({"#": "failed", "1": "next"}, name="choose"), end("next"), end("failed")
    )
    walk = Walk(trees)
    line = ScriptedLine([(0.1 * index, key) for index, key in enumerate("12345")], reactions={"choose": [[(2.5, "#")]]})

    await walk.run(line)

    assert walk.story[1] == "choose choice # -> failed", "the menu's prompt had been heard to its end"


@pytest.mark.parametrize("keys", ["12#", "#", "1*3#", "98#"])
async def test_an_entry_that_is_not_valid_is_asked_for_again(keys: str) -> None:
    node = collect(check=EntryCheck(pattern=Pattern("[1-6].*")))
    line = ScriptedLine(
        reactions={
            "ask": [[(0.1 * n, key) for n, key in enumerate(keys, 1)], [(0.1, "4"), (0.2, "5"), (0.3, "6"), (0.4, "#")]]
        }
    )
    walk, context = Walk(forest(node, end("next"), end("failed"))), call()

    await walk.run(line, context)

    assert context.data == {"account": "456"}
    assert line.heard_parts == ["ask…", "not-valid", "ask…", "next"]
    assert walk.story[0] == f"start invalid {keys}"


async def test_too_many_entries_that_are_not_valid() -> None:
    walk, line, context = await walked([(0.5, "1"), (0.6, "#"), (5.0, "2"), (5.1, "#")])

    assert context.data == {}
    assert line.heard_parts[-2:] == ["not-valid", "failed"]
    assert walk.story == ["start invalid 1#", "start invalid 2#", "start failed -> failed", "failed hang-up"]


async def test_no_entry_at_all() -> None:
    walk, line, _ = await walked([])

    assert line.heard_parts == ["ask", "no-input", "ask", "no-input", "failed"]
    assert walk.story == ["start no-input", "start no-input", "start failed -> failed", "failed hang-up"]


async def test_without_a_node_for_failure_the_call_ends() -> None:
    node = collect(on_failure=None, no_input=Retries(retries=0))

    assert await Walk(forest(node, end("next"))).run(ScriptedLine()) == HangUp(reason=EndReason.MENU_FAILED)


@pytest.mark.parametrize(
    ("check", "accepted", "refused"),
    [
        (EntryCheck(), ["0", "99"], []),
        (EntryCheck(pattern=Pattern(r"[1-9]\d{2}")), ["123"], ["012", "1234", "12"]),
        (EntryCheck(luhn=True), ["4539578763621486", "0"], ["4539578763621487", "1"]),
        (EntryCheck(least=1, most=31), ["1", "031", "31"], ["0", "32"]),
        (EntryCheck(one_of=frozenset({"100", "200"})), ["100"], ["300", "0100"]),
        (EntryCheck(luhn=True, most=20), ["18"], ["26", "19"]),
    ],
)
def test_which_entries_are_accepted(check: EntryCheck, accepted: list[str], refused: list[str]) -> None:
    assert [check.accepts(entry) for entry in accepted] == [True] * len(accepted)
    assert [check.accepts(entry) for entry in refused] == [False] * len(refused)


@given(st.text(alphabet="0123456789", min_size=1, max_size=30))
def test_luhn_has_one_check_digit_and_notices_a_wrong_digit(digits: str) -> None:
    right = [check for check in "0123456789" if luhn(digits + check)]

    assert len(right) == 1
    whole = digits + right[0]
    for place in range(len(whole)):
        wrong = whole[:place] + str((int(whole[place]) + 1) % 10) + whole[place + 1 :]
        assert not luhn(wrong)


# Confirmation.


async def confirmed(
    answers: list[list[tuple[float, str]]], kind: SayKind = SayKind.DIGITS
) -> tuple[Walk, ScriptedLine, CallContext]:
    node = collect(confirm=Confirmation(before=prompts("you-entered"), after=prompts("confirm"), kind=kind, retries=1))
    line = ScriptedLine(
        reactions={
            "ask": [pressed("123#"), pressed("456#")],
            "confirm": answers,
        }
    )
    walk, context = Walk(forest(node, end("next"), end("failed"))), call()
    await walk.run(line, context)
    return walk, line, context


async def test_an_entry_is_read_back_and_accepted() -> None:
    walk, line, context = await confirmed([[(0.5, "1")]])

    assert context.data == {"account": "123"}
    assert line.heard_parts == ["ask…", "you-entered", "digits 123", "confirm…", "next"]
    assert walk.story[:2] == ["start entered 123#", "start confirmed 1 -> next"]


async def test_an_entry_is_taken_back_and_entered_again() -> None:
    walk, _, context = await confirmed([[(0.5, "2")], [(0.5, "1")]])

    assert context.data == {"account": "456"}
    assert walk.story[:4] == [
        "start entered 123#",
        "start again 2",
        "start entered 456#",
        "start confirmed 1 -> next",
    ]


async def test_an_entry_that_is_taken_back_too_often_fails() -> None:
    walk, _, context = await confirmed([[(0.5, "2")], [(0.5, "2")]])

    assert context.data == {}
    assert walk.story[-2:] == ["start failed -> failed", "failed hang-up"]


async def test_the_question_is_asked_again_and_then_no_more() -> None:
    walk, line, context = await confirmed([[(0.5, "7")], []])

    assert context.data == {}
    assert line.heard_parts.count("confirm") + line.heard_parts.count("confirm…") == 2
    assert walk.story == [
        "start entered 123#",
        "start invalid 7",
        "start no-input",
        "start failed -> failed",
        "failed hang-up",
    ]


async def test_an_entry_can_be_read_as_a_number() -> None:
    _, line, _ = await confirmed([[(0.5, "1")]], SayKind.NUMBER)

    assert "number 123" in line.heard_parts


# Keys that mean the same everywhere.

COMMON = Keys(repeat="*", back="7", operator="0", operator_node=at("operator"))


async def test_the_star_throws_an_entry_away() -> None:
    walk, _, context = await walked("12*345#", keys_everywhere=COMMON)

    assert context.data == {"account": "345"}
    assert walk.story[0] == "start repeat * -> start"


async def test_digits_are_the_entrys_own() -> None:
    _, _, context = await walked("070#", keys_everywhere=COMMON)

    assert context.data == {"account": "070"}


async def test_the_operator_may_have_a_key_that_is_no_digit() -> None:
    walk, _, context = await walked("12*", keys_everywhere=Keys(operator="*", operator_node=at("operator")))

    assert context.data == {}
    assert walk.story[0] == "start operator * -> operator"


@pytest.mark.parametrize("moment", [0.0, 1.0, 2.5, 3.4, 6.9])
async def test_the_caller_may_hang_up_at_any_moment(moment: float) -> None:
    walk = Walk(forest(collect(), end("next"), end("failed")))

    assert await walk.run(ScriptedLine([(2.2, "1"), (moment, HANG_UP)])) == CallerGone(at=at("start"))


def test_what_is_known_beforehand() -> None:
    node = collect(confirm=CONFIRM)

    assert node.targets() == (at("next"), at("failed"))
    assert [str(part) for part in node.speech()] == [
        "ask",
        "not-valid",
        "no-input",
        "you-entered",
        "digits 0123456789",
        "confirm",
    ]


@pytest.mark.parametrize(
    "rules",
    [
        {"min_digits": 0},
        {"min_digits": 5, "max_digits": 4},
        {"max_digits": 41},
        {"terminator": "1"},
        {"inter_digit_s": -1},
    ],
)
def test_rules_are_bounded(rules: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"digits must|terminator|time-out"):
        EntryRules(**rules)  # type: ignore[arg-type]


def test_two_different_keys_confirm() -> None:
    with pytest.raises(ValueError, match="two different keys"):
        Confirmation(before=(), after=(), accept="1", again="1")
