"""Random events: what agents and the site do, and nonsense that a confused wire may bring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from acd.core.events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentNotReady,
    AgentReady,
    CallLeftQueue,
    CallQueued,
    CountsReset,
    DeviceChanged,
    DeviceState,
    Event,
    HoursChanged,
    LegAnswered,
    LegFailed,
    LegFailure,
    OfferBridged,
    OfferEnded,
    OffersResumed,
    OffersSuspended,
    TalkEnded,
    TalkRestored,
    WrapUpDone,
    WrapUpExtended,
)


def random_event(chance: Random, agent_ids: Sequence[str], queue_ids: Sequence[str], calls: int) -> Event:
    """Mostly what an agent does, at times what the site does, at times nonsense about calls up to number ``calls``."""
    kind = chance.random()
    if kind < 0.72:
        return _agent_event(chance, chance.choice(agent_ids))
    if kind < 0.89:
        return _site_event(chance, chance.choice(queue_ids))
    return _nonsense(chance, agent_ids, queue_ids, calls)


_AGENT_EVENTS: tuple[Callable[[str], Event], ...] = (
    *[AgentReady] * 8,
    AgentLoggedIn,
    AgentLoggedOut,
    lambda agent_id: AgentNotReady(agent_id, "tea"),
    WrapUpDone,
    WrapUpExtended,
    lambda agent_id: DeviceChanged(agent_id, DeviceState.INUSE),
    lambda agent_id: DeviceChanged(agent_id, DeviceState.UNAVAILABLE),
    lambda agent_id: DeviceChanged(agent_id, DeviceState.UNKNOWN),
    lambda agent_id: DeviceChanged(agent_id, DeviceState.NOT_INUSE),
    lambda agent_id: DeviceChanged(agent_id, DeviceState.NOT_INUSE),
)


def _agent_event(chance: Random, agent_id: str) -> Event:
    return chance.choice(_AGENT_EVENTS)(agent_id)


def _site_event(chance: Random, queue_id: str) -> Event:
    events: tuple[Event, ...] = (
        OffersSuspended("test"),
        *[OffersResumed()] * 3,
        HoursChanged(queue_id, is_open=True),
        HoursChanged(queue_id, is_open=False),
        CountsReset(),
    )
    return chance.choice(events)


def _nonsense(chance: Random, agent_ids: Sequence[str], queue_ids: Sequence[str], calls: int) -> Event:
    call_id = f"c{chance.randint(1, calls + 1)}"
    offer_id = f"{call_id}.{chance.randint(1, 3)}"
    agent_id = chance.choice([*agent_ids, "nobody"])
    return chance.choice(
        (
            LegAnswered(offer_id, agent_id),
            LegFailed(offer_id, agent_id, chance.choice(list(LegFailure))),
            OfferBridged(offer_id, agent_id),
            OfferEnded(offer_id),
            TalkEnded(call_id),
            CallLeftQueue(call_id),
            CallQueued(call_id, chance.choice([*queue_ids, "nowhere"])),
            TalkRestored(call_id, agent_id, chance.choice(queue_ids), 0.0),
        )
    )
