"""The site that is in force, as the parts of the process look at it: one view, changed in place by a reload."""

from __future__ import annotations

from collections.abc import Collection

from acd.core.specs import QueueSpec
from acd.service.compile import Compiled
from ami_bridge.translation import device_word
from ivr.outcome import NodeId

__all__ = ["LiveSite"]


class LiveSite:
    """Holds the compiled site; ``phones``, ``agents_by_phone`` and ``queues`` stay the same objects for ever."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.phones: dict[str, str] = {}
        """Phone of each agent, as ``Dial`` takes it."""
        self.agents_by_phone: dict[str, str] = {}
        """Agent of each phone, the phone as ``device_word`` writes it."""
        self.queues: dict[str, QueueSpec] = {}
        self._merge(compiled)

    def take(self, compiled: Compiled, agents_left: Collection[str], queues_left: Collection[str]) -> set[str]:
        """Use this site from now on. Agents and queues still in use stay known, though the site has them no longer.

        Returns the agents whose phone is new.
        """
        before = dict(self.phones)
        for agent_id in [name for name in self.phones if name not in agents_left]:
            del self.phones[agent_id]
        for queue in [name for name in self.queues if name not in queues_left]:
            del self.queues[queue]
        for phone in [phone for phone, agent_id in self.agents_by_phone.items() if agent_id not in self.phones]:
            del self.agents_by_phone[phone]
        self.compiled = compiled
        self._merge(compiled)
        return {agent_id for agent_id, phone in self.phones.items() if before.get(agent_id) != phone}

    def entry_node(self, dialled: str) -> NodeId:
        """See ``Compiled``."""
        return self.compiled.entry_node(dialled)

    @property
    def agents_language(self) -> str:
        """The language in which agents are told what their feature codes did."""
        return next(iter(sorted(self.compiled.languages)), "en")

    def _merge(self, compiled: Compiled) -> None:
        agents = compiled.routing.agents
        self.queues.update(compiled.routing.queues)
        self.phones.update({agent.id: agent.phone for agent in agents.values()})
        for phone in [phone for phone, agent_id in self.agents_by_phone.items() if agent_id in agents]:
            del self.agents_by_phone[phone]
        self.agents_by_phone.update({device_word(agent.phone): agent.id for agent in agents.values() if agent.phone})
