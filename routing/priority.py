"""Which call first: one total order over all calls that an agent may take, whatever queue they wait in.

At any instant a waiting call has

- a tier: 0 once it has waited longer than its queue's starvation limit (overdue), 1 before;
- points: base priority + ageing, that is ``points_per_minute`` for each minute waited, at most ``ageing_cap``.

Lower tier first; in tier 1 more points first; then whoever entered earlier; then whoever was seen first. Overdue
calls go by time of entry alone, so the bound against starvation is: once overdue, a call can only be preceded by
calls that entered before it. Hence it waits at most its limit plus the time its agents need for the overdue calls
that entered earlier, whatever arrives after it and with whatever priority.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OrderKey", "PriorityRule"]

OrderKey = tuple[int, float, float, int]
"""(tier, minus points, time of entry, sequence number): the smallest goes first."""


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """A queue's part in the total order.

    ``base``: points every call of the queue starts with. ``points_per_minute``: ageing. ``ageing_cap``: the most
    that ageing adds (points). ``starvation_limit_s``: waited longer than this, a call is overdue (seconds).
    """

    base: int = 0
    points_per_minute: float = 0.0
    ageing_cap: float = 0.0
    starvation_limit_s: float = 1800.0

    def capped_after_s(self) -> float:
        """Seconds of waiting after which ageing adds nothing more (0 when it never adds)."""
        if self.points_per_minute <= 0 or self.ageing_cap <= 0:
            return 0.0
        return 60.0 * self.ageing_cap / self.points_per_minute

    def points(self, extra: int, waited_s: float) -> float:
        """Points of a call with ``extra`` points of its own after ``waited_s`` seconds."""
        # Written without min and max: this is asked for every line that an agent may serve, on each decision.
        aged = self.points_per_minute * waited_s / 60.0 if waited_s > 0.0 else 0.0
        cap = self.ageing_cap if self.ageing_cap > 0.0 else 0.0
        return self.base + extra + (aged if aged < cap else cap)

    def key(self, extra: int, entered_at: float, sequence: int, now: float) -> OrderKey:
        """Return the call's place in the total order at ``now``, by the definition above.

        This is the definition itself; ``routing.waiting`` keeps the same order without computing it for each call.
        """
        if now >= entered_at + self.starvation_limit_s:
            return (0, 0.0, entered_at, sequence)
        return (1, -self.points(extra, now - entered_at), entered_at, sequence)

    def overdue_at(self, entered_at: float) -> float:
        """When a call that entered at ``entered_at`` becomes overdue."""
        return entered_at + self.starvation_limit_s
