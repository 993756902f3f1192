"""What makes a waiting caller leave the queue by own wish: a key, or an agent asked for who does not take the call.

The engine stays the judge. A phone that rings already wins: a key pressed then is void. When the caller leaves first,
the engine is told before anything else, so that no agent is reserved for somebody who has gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from acd.core.calls import Call
from acd.core.specs import OverflowAction
from acd.core.transitions import CallState
from acd.service.call_place import Wait
from acd.service.one_agent import OneAgent
from acd.service.queue_stay import QueueStay
from acd.service.waiting_keys import WaitingKeys
from ivr.outcome import AgentMiss, ToAgent

__all__ = ["WaitingCaller"]

log = structlog.get_logger(__name__)

_LOOK_AGAIN_S = 1.0
"""So often it is looked whether the one agent asked for is still to be waited for (seconds)."""


class WaitingCaller:
    """One caller's wishes, over all stays. ``calls`` are the engine's, ``now`` its clock (seconds)."""

    def __init__(
        self,
        calls: Mapping[str, Call],
        now: Callable[[], float],
        call_later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._calls = calls
        self._now = now
        self._call_later = call_later
        self._pressed = WaitingKeys()
        self._stay: QueueStay | None = None
        self._keys: Callable[[], Mapping[str, OverflowAction]] = dict
        self._one_agent: OneAgent | None = None
        self._wish: ToAgent | None = None
        self._since = 0.0
        self.chosen: OverflowAction | None = None
        """What the key does that has ended the last stay."""
        self.miss: AgentMiss | None = None
        """Why the agent has not taken the call, if that has ended the last stay."""

    def begin(
        self, stay: QueueStay, wait: Wait, one_agent: OneAgent, keys: Callable[[], Mapping[str, OverflowAction]]
    ) -> None:
        """A stay begins; the engine does not know of it yet."""
        self._stay = stay
        self._keys = keys
        self._one_agent, self._wish = one_agent, wait.only
        self._since = self._now()
        self.chosen = self.miss = None
        self._pressed.begin()
        if wait.only is not None:
            stay.ring_at_most_s = wait.only.ring_timeout_s
            stay.on_unanswered = self._unanswered

    def queued(self) -> None:
        """The engine knows that the caller waits, and has made its offer if it could."""
        if self._wish is not None and self._stay is not None:
            self._look(self._stay)

    def end(self) -> None:
        """The stay is over."""
        self._stay = self._wish = None

    # Keys.

    def key_from_line(self, key: str) -> None:
        """The line has told of a key."""
        if self._pressed.told_by_line(key, self._now()):
            self._press(key)

    def key_from_ami(self, key: str) -> None:
        """AMI has told of a key."""
        if self._pressed.told_by_ami(key, self._now()):
            self._press(key)

    def _press(self, key: str) -> None:
        stay = self._stay
        action = self._keys().get(key) if stay is not None else None
        if stay is None or action is None:
            return
        if self._waits(stay) and stay.leave(f"key {key}"):
            self.chosen = action
            log.info("key pressed while waiting", call_id=stay.call_id, key=key, to=action.kind.value)
        else:
            log.info("key pressed too late", call_id=stay.call_id, key=key)

    def _waits(self, stay: QueueStay) -> bool:
        call = self._calls.get(stay.call_id)
        return call is not None and call.state is CallState.WAITING

    # One agent.

    def _look(self, stay: QueueStay) -> None:
        """Leave if the agent is not to be waited for any longer."""
        if self._stay is not stay or self._wish is None or self._one_agent is None:
            return
        if self._waits(stay):
            miss = self._one_agent.miss_while_waiting(self._wish, self._now() - self._since)
            if miss is not None:
                if stay.leave(f"agent {self._wish.agent}: {miss.value}"):
                    self.miss = miss
                return
        self._call_later(_LOOK_AGAIN_S, lambda: self._look(stay))

    def _unanswered(self) -> None:
        """The agent's phone has rung in vain: that was it, even if the engine would ring it again."""
        stay = self._stay
        if stay is None or self._wish is None or self._one_agent is None:
            return
        miss = self._one_agent.miss_after_ringing(self._wish)
        if stay.leave(f"agent {self._wish.agent}: {miss.value}", although_offered=True):
            self.miss = miss
