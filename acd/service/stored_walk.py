"""What the channel remembers of a call's way through the trees: subtrees under way, what nodes gave the call, and who
has served it.

Of a state that is too long the end is left out first (see ``acd.service.call_state``): call data, then what the
calendar said, then subtrees, the outermost first. A caller who then returns from the last subtree that is known goes on
where callers of the dialled number enter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr.context import CallContext, Frame
from ivr.outcome import NodeId

__all__ = ["MOST_MENUS", "StoredWalk"]

MOST_MENUS = 8
"""So many menus of the way back are kept, the last ones."""


@dataclass(frozen=True, slots=True)
class StoredWalk:
    """See the module. ``frames``: the innermost last, as in the call's context."""

    frames: tuple[Frame, ...] = ()
    frames_lost: bool = False
    """Subtrees further out are not known any more."""
    priority: int = 0
    requires: Mapping[str, int] = field(default_factory=dict)
    agent: str = ""
    served_by: str = ""
    """The agent who talked to the caller last."""
    served_in: str = ""
    """The queue of that talk."""
    hours: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, call: CallContext) -> StoredWalk:
        """Return what is to be kept of a call."""
        dropped = max(0, len(call.menus) - MOST_MENUS)
        served_by = call.facts.get("agent", "")
        return cls(
            frames=tuple(Frame(frame.caller, frame.params, max(0, frame.menus - dropped)) for frame in call.frames),
            frames_lost=call.frames_lost,
            priority=call.priority,
            requires=call.requires,
            agent=call.agent,
            served_by=served_by,
            served_in=call.facts.get("queue", "") if served_by else "",
            hours=call.hours,
        )

    def restore(self, call: CallContext) -> None:
        """Give a call back what was kept; its menus must be there already."""
        call.frames.extend(
            Frame(frame.caller, frame.params, min(frame.menus, len(call.menus))) for frame in self.frames
        )
        call.frames_lost = self.frames_lost
        call.priority, call.agent = self.priority, self.agent
        call.requires.update(self.requires)
        if self.served_by:
            call.facts |= {"agent": self.served_by, "queue": self.served_in}
        call.hours = dict(self.hours)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield this as pairs of key and value, the most needed first."""
        if self.frames or self.frames_lost:
            # One more than there are tells that some were lost before.
            yield "fn", str(len(self.frames) + self.frames_lost)
        if self.priority:
            yield "gp", str(self.priority)
        if self.agent:
            yield "ga", self.agent
        if self.served_by:
            yield "sa", self.served_by
        if self.served_in:
            yield "sq", self.served_in
        for skill, level in self.requires.items():
            yield f"s.{skill}", str(level)
        for number, frame in enumerate(reversed(self.frames)):
            yield f"f{number}", f"{frame.caller} {frame.menus} {len(frame.params)}"
            for name, value in frame.params.items():
                yield f"f{number}.{name}", value
        for name, value in self.hours.items():
            if value:
                yield f"h.{name}", value

    @classmethod
    def from_pairs(cls, pairs: Mapping[str, str]) -> StoredWalk:
        """Build this from what is left of the pairs. Raises ValueError."""
        frames = tuple(_frames(pairs))
        return cls(
            frames=frames[::-1],
            frames_lost=len(frames) < int(pairs.get("fn", "0")),
            priority=int(pairs.get("gp", "0")),
            requires={key[2:]: int(level) for key, level in pairs.items() if key.startswith("s.")},
            agent=pairs.get("ga", ""),
            served_by=pairs.get("sa", ""),
            served_in=pairs.get("sq", ""),
            hours={key[2:]: value for key, value in pairs.items() if key.startswith("h.")},
        )


def _frames(pairs: Mapping[str, str]) -> Iterator[Frame]:
    """Yield the subtrees that are known whole, the innermost first."""
    number = 0
    while (text := pairs.get(f"f{number}")) is not None:
        caller, menus, count = text.split(" ")
        start = f"f{number}."
        params = {key[len(start) :]: value for key, value in pairs.items() if key.startswith(start)}
        if len(params) < int(count):
            return
        yield Frame(NodeId(caller), params, int(menus))
        number += 1
