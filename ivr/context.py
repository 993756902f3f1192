"""What a menu tree knows of the call it handles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ivr.languages import reason
from ivr.outcome import NodeId


@dataclass(frozen=True, slots=True)
class Frame:
    """A subtree under way: where it was called from, and what it was given."""

    caller: NodeId
    """The `subtree` node to which it returns."""
    params: Mapping[str, str] = field(default_factory=dict)
    """As `{param.NAME}`, within the subtree alone."""
    menus: int = 0
    """How long `CallContext.menus` was then: menus before are outside of the subtree."""


@dataclass(slots=True, kw_only=True)
class CallContext:
    """One call as its trees see it. It lives as long as the call, over all its walks, so that bounds are per call.

    The caller's number and name are what the network sent: hostile until shown otherwise.
    """

    call_id: str
    caller: str = ""
    """The caller's number."""
    caller_name: str = ""
    dialled: str = ""
    """The number that was called."""
    language: str = ""
    """Empty until the first tree sets its own."""
    data: dict[str, str] = field(default_factory=dict)
    """Call data, as `{data.NAME}`. Nodes add to them."""
    customer: dict[str, str] = field(default_factory=dict)
    """Who calls, as `{customer.NAME}`: what is known about the number."""
    facts: dict[str, str] = field(default_factory=dict)
    """Further facts of the call, kept up to date by its owner, as `{call.NAME}` (queue, waited_s …)."""
    answered: bool = False
    steps: int = 0
    """Steps made so far."""
    steps_since_key: int = 0
    """Steps made since the caller last pressed a key."""
    menus: list[NodeId] = field(default_factory=list)
    """The way down to where the caller is: what `back` and `top` go by."""
    priority: int = 0
    """Points that the trees have given this call, added to those of any queue it enters."""
    requires: dict[str, int] = field(default_factory=dict)
    """Skills (and their lowest levels) that the trees have given this call, asked for in any queue it enters."""
    agent: str = ""
    """The agent who is first offered the call in any queue it enters; empty for none."""
    hours: dict[str, str] = field(default_factory=dict)
    """What the last `hours` node found, as `{hours.NAME}`."""
    frames: list[Frame] = field(default_factory=list)
    """The subtrees under way, the innermost last."""
    frames_lost: bool = False
    """Subtrees further out are no longer known: the engine was killed, and the channel could not hold them all."""
    entry: NodeId | None = None
    """Where a caller of this number enters the trees."""
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    """What must not be told to anybody but a look-up (PINs), as `{secret.NAME}` where a template may hold secrets."""
    attempts: dict[NodeId, int] = field(default_factory=dict)
    """How often a wrong secret was keyed in at a node: counted for the call, so that coming again does not help."""
    unread: list[str] = field(default_factory=list, repr=False)
    """Keys taken from the line that turned out to be meant for what follows; they go before the line's own."""
    late_terminator: str = field(default="", repr=False)
    """A key that may still come because an entry was complete without it; it means nothing then."""
    limit_reached_at: int | None = None
    """After how many steps a bound on them was reached first."""
    waiting_since: float | None = None
    """Since when the caller waits for an agent (UNIX time), kept while back in the menus; None before and after."""

    def lookup(self, name: str) -> str | None:
        """The value of the field `name` (`call.caller`, `data.topic`); None for a name that is not known."""
        space, _, key = name.partition(".")
        if space == "data":
            return self.data.get(key)
        if space == "customer":
            return self.customer.get(key, "")  # further columns are empty for who is not known, or has no value there
        if space == "call":
            return self._own_fields().get(key, self.facts.get(key))
        if space == "param":
            return self.frames[-1].params.get(key) if self.frames else None
        if space == "hours":
            return self._why() if key == "why" else self.hours.get(key)
        return None

    def _why(self) -> str | None:
        """Why the calendar said so, in the caller's language as far as it is known in that."""
        why = self.hours.get("why")
        return self.hours.get(f"why.{self.language}", reason(why, self.language)) if why is not None else None

    def lookup_with_secrets(self, name: str) -> str | None:
        """As `lookup`, and `secret.NAME` too: for what goes to a look-up and nowhere else."""
        space, _, key = name.partition(".")
        return self.secrets.get(key) if space == "secret" else self.lookup(name)

    def _own_fields(self) -> Mapping[str, str]:
        return {
            "id": self.call_id,
            "caller": self.caller,
            "caller_name": self.caller_name,
            "dialled": self.dialled,
            "language": self.language,
        }
