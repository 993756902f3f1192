"""What Asterisk says of the agents' phones, cleared of what we do to them ourselves.

A phone that rings or talks for us is in use, and Asterisk says so, and says when it no longer is, a few milliseconds
after we know. The engine's own reservation is the truth there: told of each of these changes it would wait for them
between two calls. So ``in use`` is told only when it is somebody else's doing: while a phone of ours is busy for us
and a moment after, it is kept back, and told at the end of that moment if it still holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from acd.core.events import DeviceChanged, DeviceState, Event
from ami_bridge.translation import device_state, device_word

__all__ = ["DeviceWatch"]

SETTLE_S = 0.5
"""So long after a phone's part in a call of ours its ``in use`` may still be ours (seconds)."""


class DeviceWatch:
    """The phones' states. ``agents``: phone (as ``device_word`` writes it) to agent, looked at anew each time.
    ``call_later(seconds, action)`` is the event loop's.
    """

    def __init__(
        self,
        agents: Mapping[str, str],
        post: Callable[[Event], None],
        call_later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self._agents = agents
        self._post = post
        self._call_later = call_later
        self._said: dict[str, DeviceState] = {}
        """What Asterisk said last, by agent."""
        self._told: dict[str, DeviceState] = {}
        """What the engine was told last, by agent."""
        self._legs: dict[str, int] = {}
        """Phones of ours that are busy for us, and when the moment after counts, by agent: how many reasons."""

    def said(self, device: str, state: str) -> None:
        """Take what Asterisk says of a device (AMI DeviceStateChange, DeviceStateList); it need not be an agent's."""
        agent_id = self._agents.get(device_word(device))
        if agent_id is not None:
            self._said[agent_id] = device_state(state)
            self._tell(agent_id)

    def on_activity(self, agent_id: str, busy: bool) -> None:
        """A phone begins (``busy``) or ends to ring or talk for us."""
        if busy:
            self._legs[agent_id] = self._legs.get(agent_id, 0) + 1
        else:
            self._call_later(SETTLE_S, lambda: self._settled(agent_id))

    def forget(self, agent_ids: Collection[str]) -> None:
        """These agents have other phones now, of which nothing is known yet."""
        for agent_id in agent_ids:
            self._said.pop(agent_id, None)
            if self._told.pop(agent_id, DeviceState.UNKNOWN) is not DeviceState.UNKNOWN:
                self._post(DeviceChanged(agent_id, DeviceState.UNKNOWN))

    def _settled(self, agent_id: str) -> None:
        left = self._legs.pop(agent_id, 1) - 1
        if left > 0:
            self._legs[agent_id] = left
        self._tell(agent_id)

    def _tell(self, agent_id: str) -> None:
        state = self._said.get(agent_id)
        if state is None or self._told.get(agent_id) is state:
            return
        if state is DeviceState.INUSE and agent_id in self._legs:
            return
        self._told[agent_id] = state
        self._post(DeviceChanged(agent_id, state))
