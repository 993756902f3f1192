"""Extensions dialled in a menu, beside its choices."""

from __future__ import annotations

import pytest

from ivr.directory import Directory
from ivr.keys import Keys
from ivr.nodes import Menu
from ivr.outcome import Outcome, ToAgent
from tests.ivr.builders import Walk, at, end, forest, menu
from tests.ivr.scripted_line import ScriptedLine

NODES = {"31": at("short"), "3456": at("long"), "70": at("seventy")}
AGENTS = {"3457": "anna", "81": "bob"}


def dial_menu(choices: dict[str, str] | None = None, **more: object) -> Menu:
    return menu(
        {"2": "two", "3": "three"} if choices is None else choices,
        on_failure="failed",
        **{"directory": Directory(NODES, AGENTS), **more},  # type: ignore[arg-type]
    )


async def dialled(keys: str, *, apart_s: float = 0.2, node: Menu | None = None) -> tuple[list[str], Outcome]:
    ends = [end(name) for name in ("two", "three", "short", "long", "seventy", "failed", "operator")]
    walk = Walk(forest(node or dial_menu(), menu({"9": "two"}, name="deeper", on_failure="failed"), *ends))
    line = ScriptedLine([(0.5 + apart_s * index, key) for index, key in enumerate(keys)])
    outcome = await walk.run(line)
    return walk.story, outcome


@pytest.mark.parametrize(
    ("keys", "first"),
    [
        ("3456", "start extension 3456 -> long"),
        ("31", "start extension 31 -> short"),
        ("31#", "start extension 31 -> short"),
        ("3457", "start extension 3457"),
        ("81", "start extension 81"),
        ("70", "start extension 70 -> seventy"),
        ("2", "start choice 2 -> two"),
        ("3", "start choice 3 -> three"),
        ("3#", "start choice 3# -> three"),
        ("39", "start choice 3 -> three"),
        ("3456789", "start extension 3456 -> long"),
        ("34", "start invalid 34"),
        ("7", "start invalid 7"),
        ("34#", "start invalid 34#"),
        ("3458", "start invalid 3458"),
        ("3499", "start invalid 3499"),
        ("8", "start invalid 8"),
        ("#", "start invalid #"),
    ],
)
async def test_what_the_keys_mean(keys: str, first: str) -> None:
    story, _ = await dialled(keys)

    assert story[0] == first


async def test_a_choice_that_could_begin_an_extension_is_taken_after_a_pause() -> None:
    story, _ = await dialled("34", apart_s=2.5)

    assert story[:2] == ["start choice 3 -> three", "three hang-up"]


async def test_each_digit_of_an_extension_has_its_own_time() -> None:
    story, _ = await dialled("3456", apart_s=1.9)

    assert story[0] == "start extension 3456 -> long"


async def test_a_key_that_continues_no_extension_is_for_the_menu_chosen_by_those_before() -> None:
    story, _ = await dialled("39", node=dial_menu({"3": "deeper"}))

    assert story[:2] == ["start choice 3 -> deeper", "deeper choice 9 -> two"]


async def test_the_hash_key_after_a_whole_extension_is_not_the_next_menus() -> None:
    trees = forest(
        menu({}, directory=Directory({"31": at("deeper")}, {})), menu({"9": "two"}, name="deeper"), end("two")
    )
    walk = Walk(trees)

    await walk.run(ScriptedLine([(0.5 + 0.2 * index, key) for index, key in enumerate("31#9")]))

    assert walk.story[:2] == ["start extension 31 -> deeper", "deeper choice 9 -> two"]


async def test_a_longer_extension_goes_before_a_shorter_one_that_it_begins_with() -> None:
    directory = Directory({"31": at("short"), "315": at("long")}, {})
    node = menu({}, directory=directory, on_failure="failed")

    assert (await dialled("315", node=node))[0][0] == "start extension 315 -> long"
    assert (await dialled("31", node=node))[0][0] == "start extension 31 -> short"
    assert (await dialled("317", node=node))[0][0] == "start extension 31 -> short"


async def test_a_wrong_number_is_read_to_its_end_and_not_taken_for_the_next_try() -> None:
    # Of 3492 the 2 would be a choice.
    story, _ = await dialled("3492")

    assert story[:2] == ["start invalid 3492", "start no-input"]


async def test_an_agents_extension_leads_to_the_agent() -> None:
    _, outcome = await dialled("3457")
    assert outcome == ToAgent(agent="anna", not_reached=at("start"), node=at("start"), language="en")

    _, outcome = await dialled("81", node=dial_menu(on_not_reached=at("failed")))
    assert isinstance(outcome, ToAgent)
    assert (outcome.agent, outcome.not_reached) == ("bob", at("failed"))


async def test_common_keys_work_where_no_extension_begins_with_them() -> None:
    keys = Keys(operator="0", operator_node=at("operator"), repeat="7")

    assert (await dialled("0", node=dial_menu(keys=keys)))[0][0] == "start operator 0 -> operator"
    assert (await dialled("7", node=dial_menu(keys=keys)))[0][0] == "start repeat 7 -> start"
    assert (await dialled("70", node=dial_menu(keys=keys)))[0][0] == "start extension 70 -> seventy"


def test_a_menu_leads_to_all_extensions() -> None:
    assert set(NODES.values()) < set(dial_menu().targets())


@pytest.mark.parametrize("extension", ["", "1", "1x", "٣٤"])
def test_extensions_are_digits(extension: str) -> None:
    with pytest.raises(ValueError, match="two digits or more"):
        Directory({extension: at("x")}, {})


def test_an_extension_is_one_thing() -> None:
    with pytest.raises(ValueError, match="extension 31 stands for"):
        Directory({"31": at("x")}, {"31": "anna"})


def test_an_empty_directory_knows_nothing() -> None:
    empty = Directory({}, {})

    assert not empty.begins("1")
    assert "11" not in empty
    assert empty.longest == 0
