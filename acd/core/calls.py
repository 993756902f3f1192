"""A call as the engine sees it: where it is, what it asks for, since when it waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acd.core.events import MenuStepped
from acd.core.stories import Story
from acd.core.timers import Timer
from acd.core.transitions import CALL_TRANSITIONS, CallState, IllegalTransition
from routing.skills import ONE_AGENT, Requirement

if TYPE_CHECKING:
    from acd.core.agents import Agent
    from acd.core.offers import Offer
    from acd.core.queues import Demand, Queue
    from routing.priority import OrderKey

__all__ = ["Call"]

_STORY_LIMIT = 48
_PATH_LIMIT = 48
"""Steps in the menus that are kept apart from what queues did: who goes round in menus must not push that out."""


class Call:
    """One caller's call (implements ``routing.waiting.Waiting`` while it waits)."""

    __slots__ = (
        "agent",
        "answered_at",
        "arrived_at",
        "caller",
        "customer",
        "demand",
        "dialled",
        "entered_at",
        "extra_priority",
        "held_for",
        "id",
        "language",
        "moved_at",
        "moves",
        "moves_at_once",
        "offer",
        "offers_made",
        "overflowed",
        "path",
        "queue",
        "quoted_wait_s",
        "requires",
        "sequence",
        "since",
        "state",
        "stays",
        "step",
        "story",
        "talking_since",
        "timers",
        "turned_away",
        "wanted_agent",
    )

    def __init__(self, call_id: str, sequence: int, caller: str, dialled: str, now: float) -> None:
        self.id = call_id
        self.sequence = sequence
        self.caller = caller
        self.dialled = dialled
        self.state = CallState.MENU
        self.since = now
        self.arrived_at = now
        self.queue: Queue | None = None
        """The queue it waits in, is offered or talked for; kept after the talk until it goes elsewhere."""
        self.entered_at = now
        self.extra_priority = 0
        self.requires: tuple[tuple[str, int], ...] = ()
        self.customer = ""
        self.wanted_agent = ""
        self.language = ""
        self.stays = False
        """No join or overflow rule moves it."""
        self.turned_away = False
        """A join rule has sent it elsewhere when it came to its queue."""
        self.demand: Demand | None = None
        self.held_for: Agent | None = None
        """While it waits for one agent alone."""
        self.step = 0
        """How many relaxation steps have been taken."""
        self.offer: Offer | None = None
        self.offers_made = 0
        self.moves = 0
        """Moves from queue to queue by overflow rules, and how many of them at the instant of the last one."""
        self.moves_at_once = 0
        self.moved_at = float("-inf")
        self.overflowed: set[tuple[str, int]] | None = None
        """Overflow rules that have acted on it: (queue, number of the rule)."""
        self.agent: Agent | None = None
        """Whom it talks to."""
        self.talking_since: float | None = None
        self.answered_at: float | None = None
        self.quoted_wait_s: float | None = None
        self.timers: tuple[Timer, ...] = ()
        """Deadlines that hold while it is in the queue."""
        self.story = Story(_STORY_LIMIT)
        self.path: Story | None = None
        """Steps in the menus (``MenuStepped``), once there is one."""

    def requirement(self) -> Requirement:
        """Return what it asks for now: the queue's requirement or the relaxation step reached, and its own skills.

        A step that names a skill sets its level for the call's own requirement, too (that is what "lower level" means).
        """
        queue = self.queue
        if queue is None or (self.requires and self.requires[0][0].startswith(ONE_AGENT)):
            return Requirement.of(self.requires)  # a call for one agent asks for nothing else
        if not self.step:
            return queue.spec.requirement.plus(self.requires)
        step = queue.spec.relaxation[self.step - 1]
        if not step.keep_call_skills:
            return step.requirement
        named = {skill for skill, _ in step.requirement.skills}
        return step.requirement.plus(pair for pair in self.requires if pair[0] not in named)

    def order_key(self, now: float) -> OrderKey:
        """Return its place in the total order. Raises LookupError when it is in no queue."""
        if self.queue is None:
            raise LookupError(f"call {self.id} waits in no queue")
        return self.queue.spec.priority.key(self.extra_priority, self.entered_at, self.sequence, now)

    def step_in_menus(self, step: MenuStepped, now: float, cause: int) -> None:
        """Note a step; the oldest make room."""
        if self.path is None:
            self.path = Story(_PATH_LIMIT)
        self.path.tell(now, cause, "step", step)

    def change(self, state: CallState, now: float, cause: int, detail: object = "") -> None:
        """Go to another state. Raises IllegalTransition when the table does not allow it."""
        if state not in CALL_TRANSITIONS[self.state]:
            raise IllegalTransition(f"call {self.id}", self.state, state, self.story.lines())
        self.state = state
        self.since = now
        self.story.tell(now, cause, state, detail)

    def __repr__(self) -> str:
        return f"<call {self.id} {self.state}>"
