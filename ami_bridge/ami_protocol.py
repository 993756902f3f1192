"""The actions under way on one AMI connection, without I/O: who asked what, until when, and which reply is whose.

Replies are matched by ActionID, never by their order. Each action has its own deadline. An action that was written and
not answered when the connection ends, or that ran out of time, may or may not have been carried out: its outcome is
unknown, and nothing here ever sends an action twice (a repeated ``Originate`` would call twice).

Duties of the caller: write the bytes that :meth:`ActionTracker.start` gives, in order; hand every message with an
ActionID to :meth:`ActionTracker.receive`; call :meth:`ActionTracker.expire` at :meth:`ActionTracker.next_deadline`;
call :meth:`ActionTracker.disconnected` once at the end and make a new tracker for the next connection.
"""

from __future__ import annotations

import enum
import heapq
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ami_bridge.ami_codec import AmiMessage, HeaderValue, encode_action

MAX_PENDING: Final = 10_000
"""Most actions under way at once."""
MAX_LIST_ITEMS: Final = 200_000
"""Most events kept of one list."""
_MAX_ABANDONED: Final = 1_000


class AmiError(Exception):
    """An action did not succeed. The subclasses say what is known about it."""


class AmiNotConnected(AmiError):
    """The action was not sent: there is no connection that could carry it."""


class AmiOverload(AmiError):
    """The action was not sent: too many are under way, or Asterisk does not read."""


class AmiRefused(AmiError):
    """Asterisk refused the action. :attr:`reply` is its answer."""

    def __init__(self, action: str, reply: AmiMessage) -> None:
        reason = " ".join(reply.all("Output")[:3]) or reply.get("Message", "no reason given")
        super().__init__(f"Asterisk refused {action}: {reason.strip()}")
        self.action = action
        self.reply = reply

    @property
    def channel_gone(self) -> bool:
        """Whether the channel in question has ended before Asterisk read the action: nothing is wrong with that."""
        return self.reply.get("Message", "") == "No such channel"


class AmiTimeout(AmiError):
    """The answer did not come in time. Whether Asterisk carried the action out is unknown."""


class AmiUnknown(AmiError):
    """The connection ended before the answer. Whether Asterisk carried the action out is unknown."""


class ActionResult(enum.Enum):
    """How an action ended."""

    ANSWERED = "answered"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    UNKNOWN = "unknown"


@dataclass(slots=True, eq=False)
class PendingAction:
    """An action and what came back for it. Times are seconds on the caller's clock."""

    action_id: str
    action: str
    is_list: bool
    sent_at: float
    deadline: float
    result: ActionResult | None = None
    """None while the action is under way."""
    reply: AmiMessage | None = None
    items: list[AmiMessage] = field(default_factory=list)
    """The events of a list, without the one that completes it."""
    complete: AmiMessage | None = None
    """The event that completed a list."""
    took_s: float = 0.0

    def outcome(self) -> AmiMessage:
        """The reply of an answered action; raises the :class:`AmiError` that fits for any other."""
        if self.result is ActionResult.ANSWERED and self.reply is not None:
            return self.reply
        if self.result is ActionResult.REFUSED and self.reply is not None:
            raise AmiRefused(self.action, self.reply)
        if self.result is ActionResult.TIMED_OUT:
            raise AmiTimeout(f"no answer to {self.action} within {self.deadline - self.sent_at:g} s")
        raise AmiUnknown(f"connection lost before the answer to {self.action}")


class ActionTracker:
    """The actions of one connection.

    `id_prefix` must differ between connections and between clients of one Asterisk: events that answer an earlier
    connection's action, or another client's, come to everyone.
    """

    def __init__(self, id_prefix: str, *, max_pending: int = MAX_PENDING, max_list_items: int = MAX_LIST_ITEMS) -> None:
        self._id_prefix = id_prefix
        self._max_pending = max_pending
        self._max_list_items = max_list_items
        self._sequence = 0
        self._pending: dict[str, PendingAction] = {}
        self._deadlines: list[tuple[float, int, PendingAction]] = []
        self._abandoned: OrderedDict[str, None] = OrderedDict()
        self._closed = False
        self.late = 0
        """Messages that came for actions which had already run out of time."""

    def __len__(self) -> int:
        return len(self._pending)

    def start(
        self,
        action: str,
        headers: Mapping[str, HeaderValue] | None,
        *,
        now: float,
        timeout_s: float,
        is_list: bool = False,
    ) -> tuple[PendingAction, bytes]:
        """Begin an action; the bytes are to be written at once.

        Raises :class:`~ami_bridge.ami_codec.AmiValueError` when it cannot be written as AMI, :class:`AmiNotConnected`
        after the end of the connection and :class:`AmiOverload` when too many are under way; nothing is begun then.
        """
        if self._closed:
            raise AmiNotConnected(f"{action} not sent: the connection has ended")
        if len(self._pending) >= self._max_pending:
            raise AmiOverload(f"{action} not sent: {len(self._pending)} actions are under way")
        self._sequence += 1
        action_id = f"{self._id_prefix}-{self._sequence}"
        data = encode_action(action, headers, action_id)
        pending = PendingAction(action_id, action, is_list, sent_at=now, deadline=now + timeout_s)
        self._pending[action_id] = pending
        heapq.heappush(self._deadlines, (pending.deadline, self._sequence, pending))
        return pending, data

    def receive(self, message: AmiMessage, now: float) -> tuple[bool, PendingAction | None]:
        """Take a message that has an ActionID.

        Gives whether the message belonged to an action of ours (if not, it is an event for everyone, like
        ``OriginateResponse``), and the action if this message ended it.
        """
        action_id = message.action_id
        pending = self._pending.get(action_id)
        if pending is None:
            if action_id in self._abandoned:
                self._receive_late(action_id, message)
                return True, None
            return not message.is_event, None
        if message.is_event:
            return self._receive_item(pending, message, now)
        if message.response == "Error":
            pending.reply = message
            return True, self._end(pending, ActionResult.REFUSED, now)
        pending.reply = message
        return True, None if pending.is_list else self._end(pending, ActionResult.ANSWERED, now)

    def _receive_item(
        self, pending: PendingAction, message: AmiMessage, now: float
    ) -> tuple[bool, PendingAction | None]:
        if not pending.is_list:
            return False, None  # an event that this action caused, not a part of its answer
        # Only the last event of a list has the header: "Complete", or "Cancelled" for a list that Asterisk gives up.
        completion = message.get("EventList", "").lower()
        if completion == "complete":
            pending.complete = message
            pending.reply = pending.reply or message
            return True, self._end(pending, ActionResult.ANSWERED, now)
        if completion == "cancelled":
            pending.reply = message
            return True, self._end(pending, ActionResult.REFUSED, now)
        pending.items.append(message)
        if len(pending.items) > self._max_list_items:
            pending.reply = AmiMessage(
                {"Response": "Error", "Message": f"over {self._max_list_items} items in the list"}
            )
            self._abandon(pending.action_id)
            return True, self._end(pending, ActionResult.REFUSED, now)
        return True, None

    def _receive_late(self, action_id: str, message: AmiMessage) -> None:
        self.late += 1
        if "EventList" in message and message.is_event:
            del self._abandoned[action_id]

    def next_deadline(self) -> float | None:
        """When :meth:`expire` has something to do; None while nothing is under way."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][2].result is not None:
            heapq.heappop(deadlines)
        return deadlines[0][0] if deadlines else None

    def expire(self, now: float) -> list[PendingAction]:
        """End the actions whose deadline has passed."""
        expired: list[PendingAction] = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            _, _, pending = heapq.heappop(self._deadlines)
            self._abandon(pending.action_id)
            expired.append(self._end(pending, ActionResult.TIMED_OUT, now))
        return expired

    def disconnected(self, now: float) -> list[PendingAction]:
        """End everything under way with its outcome unknown; nothing can be begun afterwards."""
        self._closed = True
        ended = [self._end(pending, ActionResult.UNKNOWN, now) for pending in list(self._pending.values())]
        self._deadlines.clear()
        return ended

    def _abandon(self, action_id: str) -> None:
        self._abandoned[action_id] = None
        if len(self._abandoned) > _MAX_ABANDONED:
            self._abandoned.popitem(last=False)

    def _end(self, pending: PendingAction, result: ActionResult, now: float) -> PendingAction:
        del self._pending[pending.action_id]
        pending.result = result
        pending.took_s = now - pending.sent_at
        return pending
