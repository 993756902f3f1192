"""The boxes of voicemail.yaml, as the running process works with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

from acd.service.menus.context import speech
from config import Config
from config.schema.voicemail import Box
from ivr.line import RecordLimits
from ivr.nodes import Voicemail, VoicemailAccess
from ivr.outcome import NodeId
from ivr.recordings import Manner
from ivr.speech import Prompt, Speech
from ivr.tree import Tree, node_id

__all__ = [
    "ACCESS_NUMBER",
    "ITEM_PROMPTS",
    "BoxSpec",
    "Boxes",
    "LockOut",
    "QueueItems",
    "access_node",
    "box_node",
    "built_in_tree",
    "compile_boxes",
]

ACCESS_NUMBER = "*27"
"""What agents dial to listen to their boxes, as the dialplan's feature codes have it."""
TREE = "@voicemail"
"""The tree of the nodes that every box has of its own; no file can have this name."""
_ACCESS = "@access"
ITEM_PROMPTS = ("voicemail-item", "voicemail-item-keys", "voicemail-item-closed", "voicemail-item-kept")
"""What agents hear who are offered a message like a call."""
DEFAULT_GREETING: tuple[Speech, ...] = (Prompt("voicemail-greeting"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueItems:
    """A box whose messages are offered to agents like calls."""

    queue: str
    requires: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOut:
    """After so many wrong PINs, for a box or from a caller, nothing is compared for so long (seconds)."""

    tries: int = 5
    seconds: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSpec:
    """One box."""

    name: str
    title: str
    number: str
    greeting: tuple[Speech, ...] = DEFAULT_GREETING
    manner: Manner
    agents: frozenset[str] = frozenset()
    """Who may listen from the own phone: agents named, and those of the groups named."""
    pin_hash: str = ""
    pin_inside: bool = False
    email: tuple[str, ...] = ()
    webhook: str = ""
    lamps: tuple[str, ...] = ()
    """Mailboxes as Asterisk's endpoints name them, whose lamps show this box."""
    items: QueueItems | None = None
    most_messages: int = 100
    most_bytes: int = 200_000_000
    keep_days: int = 0
    """0: for ever."""
    zone: tzinfo | None = None
    """Where the owner's clock stands; None: the machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """All boxes by name, and what holds for all of them."""

    by_name: Mapping[str, BoxSpec] = field(default_factory=dict)
    lock_out: LockOut = LockOut()

    def by_number(self, number: str) -> BoxSpec | None:
        """The box that is keyed in by this number."""
        return next((box for box in self.by_name.values() if number and box.number == number), None)

    def of_agent(self, agent: str) -> tuple[BoxSpec, ...]:
        """The boxes that an agent may listen to."""
        return tuple(box for box in self.by_name.values() if agent and agent in box.agents)


def compile_boxes(config: Config) -> Boxes:
    """Compile what voicemail.yaml says."""
    written = config.voicemail
    groups: dict[str, set[str]] = {}
    for agent_id, agent in config.agents.items():
        for group in agent.groups:
            groups.setdefault(group, set()).add(agent_id)
    return Boxes(
        by_name={name: _box(name, box, groups) for name, box in written.boxes.items()},
        lock_out=LockOut(tries=written.lock_out.tries, seconds=written.lock_out.minutes * 60.0),
    )


def _box(name: str, box: Box, groups: Mapping[str, Iterable[str]]) -> BoxSpec:
    limits = RecordLimits(longest_s=box.longest_s, silence_s=box.silence_s)
    items = None if box.queue is None else QueueItems(queue=box.queue, requires=dict(box.requires))
    return BoxSpec(
        name=name,
        title=box.title or name,
        number=box.number or name,
        greeting=speech(box.greeting) or DEFAULT_GREETING,
        manner=Manner(limits=limits, shortest_s=box.shortest_s, review=box.review, urgent=box.urgent),
        agents=frozenset({*box.agents, *(agent for group in box.groups for agent in groups.get(group, ()))}),
        pin_hash=box.pin_hash or "",
        pin_inside=box.pin_inside,
        email=box.email,
        webhook=box.webhook or "",
        lamps=box.lamps,
        items=items,
        most_messages=box.most_messages,
        most_bytes=box.most_mb * 1_000_000,
        keep_days=box.keep_days,
        zone=ZoneInfo(box.zone) if box.zone is not None else None,
    )


def box_node(box: str) -> NodeId:
    """The node where a caller leaves a message in a box without a tree of the site leading there."""
    return node_id(TREE, box)


def access_node() -> NodeId:
    """The node where a box is listened to, if no tree of the site has one."""
    return node_id(TREE, _ACCESS)


def built_in_tree(boxes: Boxes, language: str) -> Tree | None:
    """The tree of these nodes; None on a site without boxes."""
    if not boxes.by_name:
        return None
    nodes = tuple(Voicemail(id=box_node(name), box=name) for name in boxes.by_name)
    return Tree(name=TREE, start=access_node(), nodes=(VoicemailAccess(id=access_node()), *nodes), language=language)
