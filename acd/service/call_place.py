"""Where a call is, as far as its channel must remember it: in the menus, in a queue, or connected elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from acd.service.call_state import CallPhase, StoredCall
from acd.service.stored_walk import StoredWalk
from ivr.context import CallContext
from ivr.dialling import Dial
from ivr.outcome import Enqueue, NodeId, ToAgent
from routing.skills import ONE_AGENT

__all__ = ["CallPlace", "Wait", "served"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A wait in a queue, for any agent or for one alone."""

    queue: str
    priority: int = 0
    requires: dict[str, int] = field(default_factory=dict)
    agent: str = ""
    """Who is first offered the call."""
    then: NodeId | None = None
    language: str = ""
    keep_wait: bool = True
    only: ToAgent | None = None
    """The call is for one agent alone, who is asked for like this."""
    lasts: bool = False
    """No rule of the queue moves the call: the caller was promised a callback by this queue."""

    @classmethod
    def of(cls, enqueue: Enqueue) -> Wait:
        """Return the wait that a node asked for."""
        return cls(
            queue=enqueue.queue,
            priority=enqueue.priority,
            requires=dict(enqueue.requires),
            agent=enqueue.agent,
            then=enqueue.then,
            language=enqueue.language,
            keep_wait=enqueue.keep_wait,
        )

    @classmethod
    def for_agent(cls, wish: ToAgent, agent: str, queue: str, priority: int) -> Wait:
        """Return the wait for one agent, as a call of this queue."""
        skill = f"{ONE_AGENT}{agent}"
        return cls(
            queue=queue, priority=priority, requires={skill: 1}, then=wish.then, language=wish.language, only=wish
        )

    @classmethod
    def resumed(cls, stored: StoredCall) -> Wait:
        """Return the wait that a channel remembers."""
        return cls(
            queue=stored.queue,
            priority=stored.priority,
            requires=dict(stored.requires),
            agent=stored.agent,
            then=NodeId(stored.node) if stored.node else None,
            language=stored.language,
            lasts=bool(stored.caller),
        )


@dataclass(slots=True)
class CallPlace:
    """Where the call is. Times are wall-clock seconds."""

    arrived_at: float
    dialled: str
    node: str = ""
    saved: str = ""
    """The node that the channel remembers."""
    queued: Wait | None = None
    entered_at: float = 0.0
    dial: Dial | None = None
    """A node connects the caller with somebody who is no agent."""
    caller: str = ""
    """The customer's number, where we have called."""
    customer: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    """What a look-up has told of the caller."""

    def survey(self, of_queue: Callable[[str], NodeId | None]) -> NodeId | None:
        """The survey behind a talk from here; None for a call that was for one agent alone."""
        return of_queue(self.queued.queue) if self.queued is not None and self.queued.only is None else None

    def state(self, context: CallContext) -> StoredCall:
        """Return what the channel is to remember, which is told so now."""
        common = StoredCall(
            phase=CallPhase.MENU,
            arrived_at=self.arrived_at,
            language=context.language,
            dialled=self.dialled,
            caller=self.caller,
            customer=self.customer,
            menus=tuple(context.menus),
            walk=StoredWalk.of(context),
            known=self.known,
            data=context.data,
        )
        if self.dial is not None:
            self.saved = ""
            return replace(
                common, phase=CallPhase.DIALLED, node=self.dial.then or "", again=self.dial.node or self.node
            )
        queued = self.queued
        if queued is None:
            self.saved = self.node
            return replace(common, node=self.node)
        self.saved = ""
        return replace(
            common,
            phase=CallPhase.QUEUE,
            node=queued.then or "",
            queue=queued.queue,
            entered_at=self.entered_at,
            priority=queued.priority,
            requires=queued.requires,
            agent=queued.agent,
            again=(queued.only.node or "") if queued.only is not None else "",
        )


def served(stored: StoredCall) -> StoredCall:
    """What is left of a state when the caller has talked: where to go on."""
    return replace(stored, phase=CallPhase.SERVED, queue="", entered_at=0.0, priority=0, requires={}, again="")
