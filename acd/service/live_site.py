"""The site that is in force, as the parts of the process look at it: one view, changed in place by a reload."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote

from acd.core.specs import AgentSpec, QueueSpec
from acd.service.compile import Compiled
from ami_bridge.translation import device_word
from ivr.outcome import NodeId

__all__ = ["AgentPhone", "LiveSite"]


@dataclass(frozen=True, slots=True)
class AgentPhone:
    """How an agent is rung. An agent who confirms with a key is rung by way of the dialplan, which asks for it."""

    dial: str
    """What ``Dial`` and ``Originate`` take."""
    device: str
    """What the channel's name begins with, as ``phone_of_channel`` gives it."""
    auto_answer: bool = False

    @classmethod
    def of(cls, agent: AgentSpec) -> AgentPhone:
        """Return how this agent is rung."""
        if not agent.confirm:
            return cls(agent.phone, device_word(agent.phone), agent.auto_answer)
        local = f"Local/{quote(agent.phone, safe='')}@acd-confirm"
        return cls(f"{local}/n", device_word(local))

    @property
    def marked(self) -> str:
        """The phone between bars, as the dialplan's ``acd-pre-dial`` looks for it."""
        return f"|{self.device}|"


class LiveSite:
    """Holds the compiled site; the mappings stay the same objects for ever."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.phones: dict[str, AgentPhone] = {}
        self.agents_by_phone: dict[str, str] = {}
        """Agent by what the names of channels begin with: the phone, and the way by which it is rung."""
        self.agents_by_device: dict[str, str] = {}
        """Agent by device, of whose state Asterisk tells."""
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
        for agents in (self.agents_by_phone, self.agents_by_device):
            for phone in [phone for phone, agent_id in agents.items() if agent_id not in self.phones]:
                del agents[phone]
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
        self.phones.update({agent.id: AgentPhone.of(agent) for agent in agents.values()})
        for known in (self.agents_by_phone, self.agents_by_device):
            for phone in [phone for phone, agent_id in known.items() if agent_id in agents]:
                del known[phone]
        self.agents_by_device.update({device_word(agent.phone): agent.id for agent in agents.values() if agent.phone})
        self.agents_by_phone.update(self.agents_by_device)
        self.agents_by_phone.update({self.phones[agent_id].device: agent_id for agent_id in agents})
