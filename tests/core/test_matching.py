"""What a decision looks at: never more the more calls ring or agents are idle."""

from __future__ import annotations

from random import Random

import pytest

from acd.core.commands import AddLeg
from acd.core.engine import Engine
from acd.core.events import AgentReady, CallQueued, LegAnswered, OfferBridged
from acd.core.matching import Matching
from acd.core.offers import Offer
from acd.core.specs import AgentSpec, QueueSpec, RoutingSpec

_CALLS = 300
_MAX_LEGS = 30


def _ring_all(agents: int) -> Engine:
    names = [f"a{number}" for number in range(agents)]
    specs = {name: AgentSpec(name, queues={"q": 0}) for name in names}
    queues = {"q": QueueSpec("q", strategy="ring-all")}
    return Engine(RoutingSpec(queues, specs, max_legs=_MAX_LEGS), Random(1), 0.0)


def test_who_joins_looks_at_the_first_call_that_rings_and_at_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a call that rang at many phones each one is free for another call when it is answered."""
    engine = _ring_all(_CALLS + _MAX_LEGS)
    for number in range(_CALLS):
        engine.handle(CallQueued(f"c{number}", "q"), 1.0)
    for agent_id in engine.agents:  # one for each call, and the last ones join the first call
        engine.handle(AgentReady(agent_id), 2.0)
    first = engine.calls["c0"].offer
    assert first is not None
    assert len(first.legs) == _MAX_LEGS
    looked_at: list[str] = []
    takes_more = Matching._takes_more

    def counted(matching: Matching, offer: Offer, now: float) -> bool:
        looked_at.append(offer.id)
        return takes_more(matching, offer, now)

    monkeypatch.setattr(Matching, "_takes_more", counted)
    engine.handle(LegAnswered(first.id, "a0"), 3.0)
    joined = [made for made in engine.handle(OfferBridged(first.id, "a0"), 3.0) if isinstance(made, AddLeg)]
    assert len(joined) == _MAX_LEGS - 1
    assert len(looked_at) < 4 * _MAX_LEGS
