"""A queue, and the demands it splits into: calls of one queue that ask for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.core.arrivals import Arrivals
from acd.core.calls import Call
from acd.core.specs import QueueSpec
from routing.idle_orders import IdleOrder
from routing.skills import Requirement
from routing.strategies import Strategy
from routing.waiting import WaitingLine

if TYPE_CHECKING:
    from acd.core.agents import Agent
    from acd.core.estimates import Staffing
    from acd.core.offers import Offer

__all__ = ["Demand", "Queue"]


class Demand:
    """Calls of one queue with one requirement, and the idle agents who may take them.

    Grouping calls like this is what makes a decision cheap: an agent who becomes free looks at the heads of the
    demands he or she may serve, a call that arrives at the head of one index of idle agents, and nobody at anyone else.
    """

    __slots__ = ("idle", "joinable", "line", "queue", "requirement", "ringing")

    def __init__(self, queue: Queue, requirement: Requirement) -> None:
        self.queue = queue
        self.requirement = requirement
        self.line: WaitingLine[Call] = WaitingLine(queue.spec.priority)
        self.idle: IdleOrder = queue.strategy.new_order(requirement)
        self.ringing: dict[str, Offer] = {}
        """Offers under way to which agents may be added (ring-all, progressive ring), by offer id."""
        self.joinable: WaitingLine[Call] = WaitingLine(queue.spec.priority)
        """Calls of those of them that whoever becomes idle may join now, in the total order."""

    def __repr__(self) -> str:
        return f"<demand {self.queue.spec.id} ({self.requirement})>"


class Queue:
    """One queue: its configuration, its strategy with what that remembers, its demands and members."""

    __slots__ = (
        "arrivals",
        "demands",
        "handled",
        "handling_s",
        "handlings",
        "hang_ups",
        "hours_why",
        "is_open",
        "members",
        "offered",
        "retired",
        "spec",
        "staffing",
        "staffing_viewed",
        "strategy",
        "waited_s",
        "waiting",
    )

    def __init__(self, spec: QueueSpec, strategy: Strategy) -> None:
        self.spec = spec
        self.strategy = strategy
        self.demands: dict[Requirement, Demand] = {}
        self.members: dict[str, Agent] = {}
        self.waiting: dict[str, Call] = {}
        """Calls waiting now, by id, in no promised order (offered ones are not here)."""
        self.offered = 0
        """Calls being offered now."""
        self.is_open = True
        self.hours_why = ""
        """Open or closed, until when and why; empty for a queue without opening hours."""
        self.retired = False
        """No longer in the configuration: serves those who wait, takes no new calls."""
        self.handled = 0
        """Calls talked since the start."""
        self.handlings = 0
        self.handling_s = 0.0
        """Mean handling time, ring to end of wrap-up (seconds), of ``handlings`` calls, the latest counting most."""
        self.arrivals = Arrivals()
        self.waited_s = 0.0
        self.hang_ups = 0.0
        """Seconds that callers waited, and how many of them hung up before they were answered: the latest of them."""
        self.staffing: dict[Requirement, Staffing] = {}
        self.staffing_viewed: dict[Requirement, Staffing] = {}
        """Staff as last counted for estimates, for decisions and for readers."""

    def __repr__(self) -> str:
        return f"<queue {self.spec.id}>"
