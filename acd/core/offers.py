"""An offer: one call, the agents reserved for it, and what became of each phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.core.timers import Timer

if TYPE_CHECKING:
    from acd.core.agents import Agent
    from acd.core.calls import Call

__all__ = ["Offer"]


class Offer:
    """Phones that ring for a call. Ends when one is connected or none is left."""

    __slots__ = ("call", "cancelled", "hungry", "id", "lease", "legs", "made_at", "ring_until", "step_timer", "winner")

    def __init__(self, offer_id: str, call: Call, now: float, ring_timeout_s: float) -> None:
        self.id = offer_id
        self.call = call
        self.made_at = now
        self.ring_until = now + ring_timeout_s
        self.legs: dict[str, Agent] = {}
        """Agents still reserved for it, by id, in the order in which they were rung."""
        self.winner: Agent | None = None
        """Who picked up; the others stay reserved until the two are connected."""
        self.hungry = False
        """A step found nobody to add: whoever becomes idle joins at once (progressive and ring-all)."""
        self.cancelled = ""
        """Why it is being taken back; empty when it is not."""
        self.lease: Timer | None = None
        self.step_timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<offer {self.id} of {self.call.id} to {','.join(self.legs)}>"
