"""The invariant checks notice what they are there for: a healthy engine is damaged in one way at a time."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from acd.core.engine import Engine
from acd.core.events import AgentReady, CallQueued, OfferBridged
from acd.core.invariants import BrokenInvariant, check
from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec
from acd.core.transitions import AgentState, CallState


def _engine() -> Engine:
    """Anna talks (c1), Ben rings (c2), Carl is idle, Dora has another queue and is idle; c3 and c4 wait elsewhere."""
    routing = RoutingSpec(
        {"cards": QueueSpec("cards"), "loans": QueueSpec("loans"), "empty": QueueSpec("empty")},
        {
            "anna": AgentSpec("anna", queues={"cards": 0}),
            "ben": AgentSpec("ben", queues={"cards": 0}),
            "carl": AgentSpec("carl", queues={"cards": 0}),
            "dora": AgentSpec("dora", queues={"empty": 0}),
        },
    )
    engine = Engine(routing, Random(1), 0.0)
    for agent_id in routing.agents:
        engine.handle(AgentReady(agent_id), 1.0)
    engine.handle(CallQueued("c1", "cards"), 2.0)
    engine.handle(OfferBridged("c1.1", "anna"), 3.0)
    engine.handle(CallQueued("c2", "cards"), 4.0)
    engine.handle(CallQueued("c3", "loans"), 5.0)
    engine.handle(CallQueued("c4", "loans"), 6.0)
    return engine


def _steal_agent(engine: Engine) -> None:
    engine.agents["anna"].call = None


def _forget_offer(engine: Engine) -> None:
    engine.world.offers.clear()


def _lose_lease(engine: Engine) -> None:
    engine.world.timers.cancel(engine.offers["c2.1"].lease)


def _empty_offer(engine: Engine) -> None:
    engine.offers["c2.1"].legs.clear()


def _strange_winner(engine: Engine) -> None:
    engine.offers["c2.1"].winner = engine.agents["carl"]


def _not_in_the_list(engine: Engine) -> None:
    engine.queues["loans"].waiting.pop("c3")


def _not_in_the_line(engine: Engine) -> None:
    call = engine.calls["c3"]
    assert call.demand is not None
    call.demand.line.remove(call)


def _not_indexed(engine: Engine) -> None:
    engine.agents["carl"].is_idle = False


def _indexed_while_talking(engine: Engine) -> None:
    engine.agents["anna"].is_idle = True


def _idle_beside_waiting(engine: Engine) -> None:
    engine.queues["loans"].members["carl"] = engine.agents["carl"]


def _back_off_for_ever(engine: Engine) -> None:
    engine.agents["carl"].is_idle = False
    engine.agents["carl"].state = AgentState.BACK_OFF


def _miscounted(engine: Engine) -> None:
    engine.queues["cards"].offered = 5


def _retired_and_empty(engine: Engine) -> None:
    engine.queues["empty"].retired = True


def _waits_with_deadlines_in_the_menu(engine: Engine) -> None:
    call = engine.calls["c3"]
    assert call.demand is not None
    call.demand.line.remove(call)
    engine.queues["loans"].waiting.pop("c3")
    call.state = CallState.MENU
    call.timers += (engine.world.timers.set(99.0, lambda subject, now: None, call),)


_DAMAGES = [
    (_steal_agent, "agent talks to another"),
    (_forget_offer, "is unknown"),
    (_lose_lease, "has no lease"),
    (_empty_offer, "is no leg of|rings nobody"),
    (_strange_winner, "was answered by nobody"),
    (_not_in_the_list, "and its queue's list disagree"),
    (_not_in_the_line, "is in no line"),
    (_not_indexed, "is idle and not indexed"),
    (_indexed_while_talking, "is indexed as idle"),
    (_idle_beside_waiting, "waits although .*carl"),
    (_back_off_for_ever, "would stay for ever"),
    (_miscounted, "counts 5 offers, there are 1"),
    (_retired_and_empty, "is retired and empty"),
    (_waits_with_deadlines_in_the_menu, "has deadlines of a queue"),
]


def test_a_healthy_engine_passes() -> None:
    check(_engine().world, 7.0)


@pytest.mark.parametrize(("damage", "says"), _DAMAGES, ids=lambda value: getattr(value, "__name__", "").strip("_"))
def test_damage_is_noticed(damage: Callable[[Engine], None], says: str) -> None:
    engine = _engine()
    damage(engine)
    with pytest.raises(BrokenInvariant, match=says):
        check(engine.world, 7.0)


def test_strict_engines_check_themselves() -> None:
    engine = _engine()
    engine._strict = True
    _miscounted(engine)
    with pytest.raises(BrokenInvariant):
        engine.handle(CallQueued("c5", "loans"), 8.0)


def test_the_message_tells_the_story() -> None:
    engine = _engine()
    _not_in_the_list(engine)
    with pytest.raises(BrokenInvariant, match=r"(?s)c3.*arrived.*waiting loans"):
        check(engine.world, 7.0)
