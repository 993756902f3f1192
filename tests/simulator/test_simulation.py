"""The simulated world around the engine, on days so small that every figure can be worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from statistics import fmean, stdev

import pytest

from acd.core.commands import Command, Overflow
from acd.core.events import Event, LegAnswered, LegFailed, TimePassed
from acd.core.specs import (
    AgentSpec,
    BackOffSpec,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    QueueSpec,
    RelaxationStep,
    RoutingSpec,
    WaitingMessage,
    WaitingMessageKind,
    WrapUpMode,
    WrapUpSpec,
)
from acd.simulator import (
    AgentBehaviour,
    Constant,
    Empirical,
    Exponential,
    LogNormal,
    PlannedCall,
    QueueFigures,
    Results,
    Scenario,
    ShiftChange,
    Simulation,
    Stream,
    poisson_calls,
)
from routing.skills import Requirement


def _site(agents: int = 1, **queue: object) -> RoutingSpec:
    return RoutingSpec(
        {"q": QueueSpec("q", **queue)},  # type: ignore[arg-type]
        {f"a{number}": AgentSpec(f"a{number}", queues={"q": 0}) for number in range(agents)},
    )


def _run(site: RoutingSpec, calls: Sequence[PlannedCall], **options: object) -> Results:
    return Simulation(Scenario(site, calls, **options), strict=True).run()  # type: ignore[arg-type]


def _figures(site: RoutingSpec, calls: Sequence[PlannedCall], **options: object) -> QueueFigures:
    return _run(site, calls, **options).queues["q"]


def _calls(*moments: float, handle_s: float = 10.0, patience_s: float = float("inf")) -> list[PlannedCall]:
    return [PlannedCall(at, "q", handle_s, patience_s) for at in moments]


def test_one_agent_three_calls() -> None:
    """Calls of 10 s at 0, 4 and 30: waits of 0, 6 and 0; busy for 20 of the 30 s from the first to the last arrival."""
    figures = _figures(_site(service_level_s=5.0), _calls(0.0, 4.0, 30.0))
    assert figures == QueueFigures(
        offered=3,
        answered=3,
        abandoned=0,
        overflowed=0,
        unfinished=0,
        blocked=0,
        abandoned_within_threshold=0,
        asa_s=2.0,
        mean_wait_s=2.0,
        p_wait=1 / 3,
        service_level=2 / 3,
        service_level_threshold_s=5.0,
        occupancy=20 / 30,
        max_wait_s=6.0,
    )


def test_who_hangs_up_is_offered_and_not_answered() -> None:
    """At 0 answered; at 1 with 3 s of patience gone at 4; at 2 with 30 s answered at 10."""
    calls = [PlannedCall(0.0, "q", 10.0), PlannedCall(1.0, "q", 10.0, 3.0), PlannedCall(2.0, "q", 10.0, 30.0)]
    figures = _figures(_site(service_level_s=5.0), calls)
    assert (figures.offered, figures.answered, figures.abandoned, figures.abandoned_within_threshold) == (3, 2, 1, 1)
    assert figures.asa_s == 4.0
    assert figures.mean_wait_s == pytest.approx(11 / 3)
    assert figures.service_level == pytest.approx(1 / 3)
    assert figures.max_wait_s == 8.0


def test_patience_ends_while_the_phone_rings() -> None:
    slow = AgentBehaviour(answer_delay=Constant(4.0))
    figures = _figures(_site(), _calls(0.0, patience_s=3.0), default_behaviour=slow)
    assert (figures.answered, figures.abandoned, figures.max_wait_s) == (0, 1, 3.0)


def test_ringing_is_part_of_the_wait_and_of_being_busy() -> None:
    slow = AgentBehaviour(answer_delay=Constant(4.0))
    figures = _figures(_site(), _calls(0.0, 20.0), default_behaviour=slow)
    assert figures.asa_s == 4.0
    assert figures.p_wait == 1.0
    assert figures.occupancy == pytest.approx(14 / 20)


def test_wrap_up_is_work() -> None:
    figures = _figures(_site(wrap_up=WrapUpSpec(WrapUpMode.FIXED, 5.0)), _calls(0.0, 1.0, 40.0))
    assert figures.asa_s == pytest.approx(14 / 3)
    assert figures.occupancy == pytest.approx(30 / 40)


def test_work_until_done_takes_as_long_as_the_agent_says() -> None:
    site = _site(wrap_up=WrapUpSpec(WrapUpMode.UNTIL_DONE))
    figures = _figures(site, _calls(0.0, 1.0), default_behaviour=AgentBehaviour(after_call=Constant(7.0)))
    assert figures.max_wait_s == 16.0


def test_a_rejected_call_goes_to_the_other_agent() -> None:
    behaviour = {"a0": AgentBehaviour(answer_delay=Constant(2.0), reject_share=1.0)}
    figures = _figures(_site(agents=2), _calls(0.0), behaviour=behaviour)
    assert (figures.answered, figures.asa_s) == (1, 2.0)


def test_missed_rings_back_off_and_breaks() -> None:
    """Rings for 15 s three times with 5 s in between, then not ready for 300 s, and so on: nobody ever answers."""
    site = RoutingSpec(
        {"q": QueueSpec("q")}, {"a": AgentSpec("a", queues={"q": 0})}, BackOffSpec(missed_s=5.0, missed_in_row_limit=3)
    )
    offers = []

    def watch(event: Event, now: float, commands: list[Command]) -> None:
        if isinstance(event, LegFailed):
            offers.append(now)

    scenario = Scenario(
        site, _calls(0.0, patience_s=400.0), default_behaviour=AgentBehaviour(miss_share=1.0, break_s=300.0)
    )
    figures = Simulation(scenario, strict=True, watch=watch).run().queues["q"]
    assert figures.abandoned == 1
    assert offers == [15.0, 35.0, 55.0, 370.0, 390.0]


def test_whoever_answers_first_of_ring_all() -> None:
    behaviour = {f"a{number}": AgentBehaviour(answer_delay=Constant(3.0 + number)) for number in range(3)}
    answers = []

    def watch(event: Event, now: float, commands: list[Command]) -> None:
        if isinstance(event, LegAnswered):
            answers.append((now, event.agent_id))

    scenario = Scenario(_site(agents=3, strategy="ring-all"), _calls(0.0, 1.0), behaviour=behaviour)
    figures = Simulation(scenario, strict=True, watch=watch).run().queues["q"]
    # At 3 a0 has the first call, and at once the other two ring for the second: a1 answers 4 s later.
    assert answers == [(3.0, "a0"), (7.0, "a1")]
    assert (figures.answered, figures.asa_s) == (2, 4.5)


def test_progressive_ring_adds_phones() -> None:
    behaviour = {"a0": AgentBehaviour(answer_delay=Constant(30.0)), "a1": AgentBehaviour(answer_delay=Constant(1.0))}
    site = _site(agents=2, strategy="progressive-ring", strategy_options={"step_s": 4.0}, ring_timeout_s=20.0)
    assert _figures(site, _calls(0.0), behaviour=behaviour).asa_s == 5.0


def test_shifts() -> None:
    site = RoutingSpec({"q": QueueSpec("q")}, {"a": AgentSpec("a", queues={"q": 0}, start="logged-out")})
    shifts = (ShiftChange(50.0, "a", on=True), ShiftChange(55.0, "a", on=False), ShiftChange(100.0, "a", on=True))
    figures = _figures(site, _calls(0.0, 1.0), shifts=shifts)
    # The talk from 50 to 60 is finished, then the agent leaves until 100.
    assert figures.max_wait_s == 99.0
    assert figures.asa_s == pytest.approx((50 + 99) / 2)


def test_no_more_callers_than_lines() -> None:
    figures = _figures(_site(), _calls(0.0, 1.0, 2.0, 25.0), lines=2)
    assert (figures.offered, figures.blocked, figures.answered) == (3, 1, 3)


def test_overflow_counts_for_the_queue_entered_first() -> None:
    rules = (
        OverflowRule(OverflowCondition(waiting_s=5.0), OverflowAction(OverflowActionKind.QUEUE, "other")),
        OverflowRule(OverflowCondition(waiting_s=20.0), OverflowAction(OverflowActionKind.VOICEMAIL, "box")),
    )
    site = RoutingSpec(
        {"q": QueueSpec("q", overflow=rules), "other": QueueSpec("other", overflow=(rules[1],))},
        {"a": AgentSpec("a", queues={"other": 0})},
    )
    results = _run(site, _calls(0.0, 1.0, 2.0, handle_s=15.0))
    # Into the other queue at 5, 6 and 7: answered at 5 and at 20, and the third goes to voicemail at 22.
    assert (results.queues["q"].answered, results.queues["q"].overflowed) == (2, 1)
    assert results.queues["q"].max_wait_s == 20.0
    assert results.queues["other"].offered == 0


def test_callers_that_nobody_can_serve_do_not_go_on_for_ever() -> None:
    message = WaitingMessage(WaitingMessageKind.POSITION, 10.0, 10.0)
    site = RoutingSpec({"q": QueueSpec("q", messages=(message,))}, {})
    results = _run(site, _calls(0.0, 5.0), run_out_s=1000.0)
    assert results.queues["q"].unfinished == 2
    assert results.ended_at <= 1005.0
    quiet = _run(RoutingSpec({"q": QueueSpec("q")}, {}), _calls(0.0))
    assert quiet.queues["q"].unfinished == 1


def test_relaxation_is_waited_for() -> None:
    """Only a deadline of the engine's own is left, and it matters: the simulation goes on to it."""
    queue = QueueSpec(
        "q", requirement=Requirement.of({"cards": 1}), relaxation=(RelaxationStep(60.0, Requirement(), True),)
    )
    site = RoutingSpec({"q": queue}, {"a": AgentSpec("a", queues={"q": 0})})
    assert _figures(site, _calls(0.0)).asa_s == 60.0


def test_warm_up_calls_are_served_and_not_measured() -> None:
    calls = _calls(0.0, 1.0, 2.0, 100.0, 200.0, 300.0)
    figures = _figures(_site(), calls, warm_up_calls=3, measured_calls=2)
    assert (figures.offered, figures.answered, figures.max_wait_s) == (2, 2, 0.0)
    assert figures.occupancy == pytest.approx(10 / 100), "from the arrival at 100 to the one at 200"


def test_nothing_measured() -> None:
    figures = _figures(_site(), [])
    assert figures.offered == 0
    assert (figures.asa_s, figures.p_wait, figures.service_level, figures.occupancy) == (None, None, None, None)


def test_calls_must_come_in_order_of_time() -> None:
    with pytest.raises(ValueError, match=r"not in order of time: 3.0 after 5.0"):
        _run(_site(), _calls(5.0, 3.0))


def test_every_event_and_command_is_shown_to_the_watcher() -> None:
    seen: list[tuple[str, float]] = []

    def watch(event: Event, now: float, commands: list[Command]) -> None:
        seen.append((type(event).__name__, now))
        assert all(not isinstance(command, Overflow) for command in commands)

    simulation = Simulation(Scenario(_site(), _calls(0.0, 4.0)), watch=watch)
    results = simulation.run()
    assert results.events == len(seen) == simulation.engine.inputs
    assert [name for name, _ in seen if name != TimePassed.__name__] == [
        "AgentLoggedIn",
        "CallQueued",
        "OfferBridged",
        "CallQueued",
        "CallEnded",
        "OfferBridged",
        "CallEnded",
    ]
    assert results.calls == 2
    assert results.ended_at == 20.0


# Traffic.


def test_the_same_seed_gives_the_same_calls_whatever_the_staff() -> None:
    stream = Stream("q", 600.0, LogNormal(100.0, 50.0), Exponential(60.0))
    one, other = (list(poisson_calls([stream], 7, count=50)) for _ in range(2))
    assert one == other
    assert one != list(poisson_calls([stream], 8, count=50))


def test_streams_are_independent_of_each_other() -> None:
    """One more stream does not change the calls of the first."""
    first, second = Stream("q", 600.0, Exponential(60.0)), Stream("r", 300.0, Exponential(60.0))
    alone = list(poisson_calls([first], 3, until_s=3600.0))
    together = list(poisson_calls([first, second], 3, until_s=3600.0))
    assert [call for call in together if call.queue == "q"] == alone
    assert [call.at for call in together] == sorted(call.at for call in together)
    assert any(call.queue == "r" for call in together)


def test_rates() -> None:
    profile = [(0.0, 600.0), (36000.0, 0.0), (72000.0, 60.0)]
    calls = list(poisson_calls([Stream("q", profile, Constant(1.0))], 1, until_s=108000.0))
    busy = sum(call.at < 36000.0 for call in calls)
    quiet = sum(call.at >= 72000.0 for call in calls)
    # 6000 and 600 expected, a Poisson number each: four standard deviations either way.
    assert abs(busy - 6000) < 4 * 6000**0.5
    assert abs(quiet - 600) < 4 * 600**0.5
    assert busy + quiet == len(calls), "none while the rate is 0"


@pytest.mark.parametrize("profile", [[], [(5.0, 1.0)], [(0.0, 1.0), (0.0, 2.0)], [(0.0, -1.0)], -1.0])
def test_profiles_that_make_no_sense(profile: float | list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="the profile of q"):
        next(poisson_calls([Stream("q", profile, Constant(1.0))], 1))


def test_distributions() -> None:
    def drawn(distribution: Constant | Exponential | LogNormal | Empirical) -> list[float]:
        chance = Random(1)
        return [distribution.draw(chance) for _ in range(40_000)]

    assert set(drawn(Constant(3.0))) == {3.0}
    values = drawn(Exponential(50.0))
    assert fmean(values) == pytest.approx(50.0, rel=0.03)
    assert stdev(values) == pytest.approx(50.0, rel=0.03)
    values = drawn(LogNormal(200.0, 80.0))
    assert fmean(values) == pytest.approx(200.0, rel=0.03)
    assert stdev(values) == pytest.approx(80.0, rel=0.03)
    values = drawn(Empirical((1.0, 2.0, 6.0)))
    assert set(values) == {1.0, 2.0, 6.0}
    assert fmean(values) == pytest.approx(3.0, rel=0.03)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Constant(-1.0), "below 0"),
        (lambda: Exponential(0.0), "not above 0"),
        (lambda: LogNormal(1.0, 0.0), "above 0"),
        (lambda: Empirical(()), "must be given"),
        (lambda: Empirical((1.0, -2.0)), "none below 0"),
        (lambda: AgentBehaviour(reject_share=0.7, miss_share=0.7), "from 0 to 1"),
        (lambda: AgentBehaviour(miss_share=-0.1), "from 0 to 1"),
    ],
)
def test_what_cannot_be(make: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()  # type: ignore[operator]
