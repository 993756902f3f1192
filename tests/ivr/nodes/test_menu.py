from __future__ import annotations

import pytest

from ivr.nodes import Keys, Retries
from ivr.outcome import CallerGone, EndReason, HangUp, NodeId
from tests.ivr.builders import Walk, at, end, forest, menu, play, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine


async def test_a_key_during_the_prompt_stops_it_and_is_the_choice() -> None:
    walk = Walk(forest(menu({"1": "cards", "2": "general"}), end("cards"), end("general")))
    line = ScriptedLine([(0.5, "2")], part_s={"start": 10})

    outcome = await walk.run(line)

    assert outcome == HangUp()
    assert line.heard_parts == ["start…", "general"]
    assert line.heard[0].end_s == 0.5
    assert walk.story == ["start choice 2 -> general", "general hang-up"]


async def test_without_barge_in_the_prompt_is_heard_to_its_end_and_the_early_key_counts_then() -> None:
    walk = Walk(forest(menu({"1": "cards"}, barge_in=False), end("cards")))
    line = ScriptedLine([(0.5, "1")], part_s={"start": 10})

    await walk.run(line)

    assert line.heard_parts == ["start", "cards"]
    assert line.heard[1].start_s == 10
    assert line.waits == [(10, 10)]


async def test_a_key_pressed_while_waiting_is_the_choice() -> None:
    walk = Walk(forest(menu({"1": "cards"}, timeout_s=5), end("cards")))
    line = ScriptedLine([(2 + 4.9, "1")])

    await walk.run(line)

    assert line.heard_parts == ["start", "cards"]
    assert walk.story[0] == "start choice 1 -> cards"


async def test_the_time_out_starts_when_the_prompt_has_been_heard() -> None:
    walk = Walk(forest(menu({"1": "cards"}, timeout_s=3, on_failure="bye", no_input=Retries(retries=0)), end("bye")))
    line = ScriptedLine(part_s={"start": 10})

    await walk.run(line)

    assert line.waits == [(10, 13)]


async def test_a_wrong_key_is_told_and_the_menu_offered_again() -> None:
    walk = Walk(forest(menu({"1": "cards"}), end("cards")))
    line = ScriptedLine(reactions={"start": [[(0.5, "9")], [(0.5, "1")]]})

    await walk.run(line)

    assert line.heard_parts == ["start…", "not-valid", "start…", "cards"]
    assert walk.story == ["start invalid 9", "start choice 1 -> cards", "cards hang-up"]


async def test_no_key_is_told_and_the_menu_offered_again() -> None:
    walk = Walk(forest(menu({"1": "cards"}), end("cards")))
    line = ScriptedLine(reactions={"start": [[], [(0.5, "1")]]})

    await walk.run(line)

    assert line.heard_parts == ["start", "no-input", "start…", "cards"]
    assert walk.story == ["start no-input", "start choice 1 -> cards", "cards hang-up"]


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_wrong_keys_beyond_the_retries_lead_to_the_failure_node(retries: int) -> None:
    invalid = Retries(prompts=prompts("not-valid"), retries=retries)
    walk = Walk(forest(menu({"1": "cards"}, on_failure="operator", invalid=invalid), end("operator")))
    line = ScriptedLine(reactions={"start": [[(0.5, "9")]] * 9})

    await walk.run(line)

    assert line.heard_parts == ["start…", "not-valid"] * (retries + 1) + ["operator"]
    assert walk.story == ["start invalid 9"] * (retries + 1) + ["start failed -> operator", "operator hang-up"]


@pytest.mark.parametrize("retries", [0, 1, 3])
async def test_silence_beyond_the_retries_leads_to_the_failure_node(retries: int) -> None:
    no_input = Retries(prompts=prompts("no-input"), retries=retries)
    walk = Walk(forest(menu({"1": "cards"}, on_failure="operator", no_input=no_input), end("operator")))
    line = ScriptedLine()

    await walk.run(line)

    assert line.heard_parts == ["start", "no-input"] * (retries + 1) + ["operator"]
    assert walk.story == ["start no-input"] * (retries + 1) + ["start failed -> operator", "operator hang-up"]


async def test_wrong_keys_and_silence_are_counted_apart() -> None:
    once = Retries(retries=1)
    node = menu({"1": "cards"}, on_failure="operator", invalid=once, no_input=once)
    walk = Walk(forest(node, end("operator"), end("cards")))
    line = ScriptedLine(reactions={"start": [[(0.5, "9")], [], [(0.5, "1")]]})

    await walk.run(line)

    assert walk.story[:3] == ["start invalid 9", "start no-input", "start choice 1 -> cards"]


async def test_a_menu_without_failure_node_says_goodbye_and_hangs_up() -> None:
    walk = Walk(forest(menu({"1": "cards"}, no_input=Retries(prompts=prompts("no-input"), retries=0))))
    line = ScriptedLine()

    outcome = await walk.run(line)

    assert outcome == HangUp(reason=EndReason.MENU_FAILED)
    assert line.heard_parts == ["start", "no-input", "goodbye"]
    assert line.hung_up_with == "normal"
    assert walk.story == ["start no-input", "start failed"]


async def test_keys_pressed_before_the_menu_choose_without_a_word_being_heard() -> None:
    walk = Walk(forest(menu({"1": "second"}), menu({"2": "cards"}, name="second"), end("cards")))
    line = ScriptedLine([(0.0, "1"), (0.0, "2")])

    await walk.run(line)

    assert line.heard_parts == ["cards"]
    assert walk.story[:2] == ["start choice 1 -> second", "second choice 2 -> cards"]


async def test_two_keys_during_one_prompt_count_for_two_menus() -> None:
    walk = Walk(forest(menu({"1": "second"}, barge_in=False), menu({"2": "cards"}, name="second"), end("cards")))
    line = ScriptedLine([(0.5, "1"), (0.6, "2")])

    await walk.run(line)

    assert line.heard_parts == ["start", "cards"]


async def test_a_key_pressed_while_not_valid_is_heard_is_the_next_try() -> None:
    walk = Walk(forest(menu({"1": "cards"}), end("cards")))
    line = ScriptedLine(reactions={"start": [[(0.5, "9")]], "not-valid": [[(0.2, "1")]]})

    await walk.run(line)

    assert line.heard_parts == ["start…", "not-valid…", "cards"]


async def test_a_key_pressed_during_the_last_message_is_kept_for_the_failure_node() -> None:
    once = Retries(prompts=prompts("not-valid"), retries=0)
    walk = Walk(
        forest(
            menu({"1": "cards"}, on_failure="second", invalid=once), menu({"2": "cards"}, name="second"), end("cards")
        )
    )
    line = ScriptedLine(reactions={"start": [[(0.5, "9")]], "not-valid": [[(0.2, "2")]]})

    await walk.run(line)

    assert line.heard_parts == ["start…", "not-valid", "cards"]


@pytest.mark.parametrize("key", ["*", "#", "0", "A"])
async def test_every_key_of_a_phone_can_be_a_choice(key: str) -> None:
    walk = Walk(forest(menu({key: "cards"}), end("cards")))

    await walk.run(ScriptedLine([(0.5, key)]))

    assert walk.story[0] == f"start choice {key} -> cards"


def deep_menus(top: NodeId | None = None) -> Walk:
    common = Keys(repeat="*", back="#", top="8", top_node=top, operator="0", operator_node=at("operator"))
    return Walk(
        forest(
            menu({"1": "second"}, keys=common),
            menu({"1": "third", "2": "second"}, name="second", keys=common),
            menu({"1": "cards"}, name="third", keys=common),
            end("cards"),
            end("operator"),
        )
    )


@pytest.mark.parametrize(
    ("keys", "story"),
    [
        ("*1", ["start repeat * -> start", "start choice 1 -> second"]),
        ("#1", ["start back # -> start", "start choice 1 -> second"]),
        ("81", ["start top 8 -> start", "start choice 1 -> second"]),
        ("0", ["start operator 0 -> operator", "operator hang-up"]),
        ("1#1", ["start choice 1 -> second", "second back # -> start", "start choice 1 -> second"]),
        ("11##1", ["start choice 1 -> second", "second choice 1 -> third", "third back # -> second"]),
        ("118", ["start choice 1 -> second", "second choice 1 -> third", "third top 8 -> start"]),
        # A menu that leads to itself does not make the way longer: back leads out of it.
        ("122#", ["start choice 1 -> second", "second choice 2 -> second", "second choice 2 -> second"]),
    ],
)
async def test_keys_for_repeat_back_top_and_operator(keys: str, story: list[str]) -> None:
    walk = deep_menus()

    await walk.run(ScriptedLine([(float(index), key) for index, key in enumerate(keys)]))

    assert walk.story[: len(story)] == story


@pytest.mark.parametrize(
    ("keys", "story"),
    [
        # The top is the second menu, behind a choice of language: from below, from before it, and from within itself.
        (
            "118#1",
            ["start choice 1 -> second", "second choice 1 -> third", "third top 8 -> second", "second back # -> start"],
        ),
        ("8#", ["start top 8 -> second", "second back # -> second"]),
        ("18#", ["start choice 1 -> second", "second top 8 -> second", "second back # -> start"]),
    ],
)
async def test_the_top_may_be_another_menu_than_the_first(keys: str, story: list[str]) -> None:
    walk = deep_menus(top=at("second"))

    await walk.run(ScriptedLine([(float(index), key) for index, key in enumerate(keys)]))

    assert walk.story[: len(story)] == story


async def test_back_leaves_a_menu_that_was_entered_three_times_in_one_go() -> None:
    walk = deep_menus()

    await walk.run(ScriptedLine([(0.0, key) for key in "122#"]))

    assert walk.story[3] == "second back # -> start"


async def test_a_menus_own_choice_goes_before_the_common_keys() -> None:
    keys = Keys(operator="0", operator_node=at("operator"))
    walk = Walk(forest(menu({"0": "cards"}, keys=keys), end("cards"), end("operator")))

    await walk.run(ScriptedLine([(0.0, "0")]))

    assert walk.story[0] == "start choice 0 -> cards"


async def test_repeating_starts_the_retries_afresh() -> None:
    once = Retries(retries=1)
    walk = Walk(forest(menu({"1": "cards"}, keys=Keys(repeat="*"), invalid=once), end("cards")))

    await walk.run(ScriptedLine([(0.0, key) for key in "9*9*1"]))

    assert walk.story[-2:] == ["start choice 1 -> cards", "cards hang-up"]


@pytest.mark.parametrize("moment", [0.0, 1.0, 3.0, 7.5, 8.0])
async def test_the_caller_may_hang_up_at_any_moment(moment: float) -> None:
    walk = Walk(forest(menu({"1": "cards"})))

    outcome = await walk.run(ScriptedLine([(moment, HANG_UP)]))

    assert outcome == CallerGone(at=at("start"))
    assert walk.records[-1].outcome == "caller-gone"


async def test_a_menu_whose_prompts_are_missing_still_takes_a_key() -> None:
    walk = Walk(forest(menu({"1": "cards"}), end("cards")))
    line = ScriptedLine([(3.0, "1")], missing={"start"})

    await walk.run(line)

    assert line.heard_parts == ["cards"]
    assert [problem.subject for problem in walk.records[0].problems] == ["start"]


def test_what_a_menu_may_lead_to_and_say() -> None:
    node = menu({"1": "a", "2": "b", "3": "a"}, on_failure="c", keys=Keys(operator="0", operator_node=at("op")))

    assert node.targets() == (at("a"), at("b"), at("c"))
    assert node.speech() == prompts("start", "not-valid", "no-input")


@pytest.mark.parametrize("key", ["", "10", "x", "１", "+"])
def test_a_choice_must_be_a_key(key: str) -> None:
    with pytest.raises(ValueError, match="a choice is one of the keys"):
        menu({key: "cards"})


@pytest.mark.parametrize("timeout_s", [-1.0, 301.0, float("nan")])
def test_the_time_out_is_bounded(timeout_s: float) -> None:
    with pytest.raises(ValueError, match="timeout_s"):
        menu({"1": "cards"}, timeout_s=timeout_s)


@pytest.mark.parametrize("retries", [-1, 21])
def test_retries_are_bounded(retries: int) -> None:
    with pytest.raises(ValueError, match="retries must be 0 to 20"):
        Retries(retries=retries)


def test_common_keys_are_checked() -> None:
    with pytest.raises(ValueError, match="one of"):
        Keys(repeat="12")
    with pytest.raises(ValueError, match="two meanings"):
        Keys(repeat="*", back="*")
    with pytest.raises(ValueError, match="operator's node"):
        Keys(operator="0")


async def test_a_further_play_before_the_menu_is_cut_short_by_the_key_that_the_menu_then_takes() -> None:
    walk = Walk(forest(play("start", "choose"), menu({"1": "cards"}, name="choose"), end("cards")))
    line = ScriptedLine([(0.5, "1")])

    await walk.run(line)

    assert line.heard_parts == ["start…", "cards"]
    assert walk.records[0].interrupted
    assert walk.story == ["start next -> choose", "choose choice 1 -> cards", "cards hang-up"]
