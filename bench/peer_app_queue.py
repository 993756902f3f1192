"""How Asterisk's app_queue finds an agent or a call, step by step, in the same language as the engine.

Written from reading ``apps/app_queue.c`` of Asterisk 22 (``device_state_cb``, ``update_queue``, ``join_queue``,
``is_our_turn``, ``num_available_members``, ``try_calling``, ``calc_metric``, ``find_best``, ``ring_one``,
``can_ring_entry``), for strategy ``leastrecent`` with ``autofill=yes``, ``ringinuse=no`` and ``wrapuptime=0``:

- when a device's state changes, every queue is gone through, member by member, until the device and one available
  member have been found;
- a waiting caller's own thread counts the available members of its queue and walks the queue from its head to see
  whether it stands among so many first ones;
- if so, every member gets a metric, and the smallest one is searched for; a member who can't be rung is set aside and
  the search begins anew.

To app_queue's advantage, neither the second is counted for which a caller's thread sleeps between two looks, nor the
looks of all the other waiting callers, nor the state changes (ringing, in use) that follow from the offer.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.peers import Match, PeerQueue

__all__ = ["AppQueue"]

_NOT_INUSE, _INUSE = 1, 2


class _Member:
    """An agent in one queue: app_queue keeps a member object per queue."""

    __slots__ = ("calls", "interface", "lastcall", "name", "paused", "ringinuse", "status")

    def __init__(self, name: str) -> None:
        self.name = name
        self.interface = f"PJSIP/{name}"
        self.status = _NOT_INUSE
        self.paused = False
        self.ringinuse = False
        self.lastcall = 0
        self.calls = 0


class _Entry:
    """A waiting caller in a queue's linked list."""

    __slots__ = ("call", "next", "parent", "pending", "pos", "prio")

    def __init__(self, call: str, parent: _Queue) -> None:
        self.call = call
        self.parent = parent
        self.next: _Entry | None = None
        self.pending = False
        self.pos = 0
        self.prio = 0


class _Attempt:
    """A member as a caller's thread looks at it."""

    __slots__ = ("member", "metric", "still_going")

    def __init__(self, member: _Member, metric: int) -> None:
        self.member = member
        self.metric = metric
        self.still_going = True


class _Queue:
    __slots__ = ("head", "members")

    def __init__(self, members: Sequence[str]) -> None:
        self.members = {name: _Member(name) for name in members}
        self.head: _Entry | None = None


class AppQueue:
    """app_queue's lists (implements ``bench.peers.Centre``)."""

    name = "app_queue"

    def __init__(self, queues: Sequence[PeerQueue]) -> None:
        self._queues = {queue.name: _Queue(queue.members) for queue in queues}
        self._of_agent: dict[str, list[_Queue]] = {}
        for queue in self._queues.values():
            for name in queue.members:
                self._of_agent.setdefault(name, []).append(queue)
        self._entries: dict[str, _Entry] = {}

    def wait(self, call: str, queue: PeerQueue, entered_at: float) -> None:  # noqa: ARG002
        """Let the call wait."""
        self._join(call, self._queues[queue.name])

    def occupy(self, agent: str, queue: PeerQueue, now: float) -> None:  # noqa: ARG002
        """Put the agent into a talk."""
        for its in self._of_agent[agent]:
            its.members[agent].status = _INUSE

    def free(self, agent: str, queue: PeerQueue, now: float, deadline: float) -> Match | None:  # noqa: ARG002
        """Free the agent, and let the callers at the heads of the agent's queues have their look."""
        member = self._queues[queue.name].members[agent]
        member.lastcall = int(now)
        member.calls += 1
        self._device_state(member.interface, _NOT_INUSE)
        for its in self._of_agent[agent]:
            entry = its.head
            if entry is not None and self._is_our_turn(entry):
                found = self._try_calling(entry, now)
                if found is not None:
                    return found
        return None

    def arrive(self, call: str, queue: PeerQueue, now: float, deadline: float) -> Match | None:  # noqa: ARG002
        """Let the caller join the queue and have the first look."""
        entry = self._join(call, self._queues[queue.name])
        return self._try_calling(entry, now) if self._is_our_turn(entry) else None

    def connect(self, match: Match, now: float) -> None:  # noqa: ARG002
        """Connect the two."""
        agent, call = match
        for its in self._of_agent[agent]:
            its.members[agent].status = _INUSE
        self.give_up(call)

    def give_up(self, call: str) -> None:
        """Take the caller out of the list."""
        gone = self._entries.pop(call)
        entry, before = gone.parent.head, None
        while entry is not None and entry is not gone:
            before, entry = entry, entry.next
        if before is None:
            gone.parent.head = gone.next
        else:
            before.next = gone.next

    def look(self, call: str) -> bool:
        """Let one waiting caller have the look that its thread has once a second."""
        return self._is_our_turn(self._entries[call])

    def _device_state(self, device: str, status: int) -> None:
        for queue in self._queues.values():
            available = found = False
            for member in queue.members.values():
                if not found and member.interface == device:
                    found = True
                    member.status = status
                if not available:
                    available = self._is_available(member)
                if available and found:
                    break

    @staticmethod
    def _is_available(member: _Member) -> bool:
        return (member.status == _NOT_INUSE or member.ringinuse) and not member.paused

    def _join(self, call: str, queue: _Queue) -> _Entry:
        new = self._entries[call] = _Entry(call, queue)
        before: _Entry | None = None
        entry, position, inserted = queue.head, 0, False
        while entry is not None:
            if not inserted and new.prio > entry.prio:
                position = self._insert(queue, before, new, position)
                inserted = True
            position += 1
            entry.pos = position
            before, entry = entry, entry.next
        if not inserted:
            self._insert(queue, before, new, position)
        return new

    @staticmethod
    def _insert(queue: _Queue, before: _Entry | None, new: _Entry, position: int) -> int:
        if before is None:
            new.next, queue.head = queue.head, new
        else:
            new.next, before.next = before.next, new
        new.pos = position + 1
        return new.pos

    def _is_our_turn(self, caller: _Entry) -> bool:
        available = 0
        for member in caller.parent.members.values():
            available += self._is_available(member)
        index = 0
        entry = caller.parent.head
        while index < available and entry is not None and entry is not caller:
            if not entry.pending:
                index += 1
            entry = entry.next
        return entry is not None and index < available

    def _try_calling(self, caller: _Entry, now: float) -> Match | None:
        at = int(now)
        attempts = []
        for member in caller.parent.members.values():
            metric = 1_000_000 - (at - member.lastcall) if member.lastcall else 0
            attempts.append(_Attempt(member, metric))
        caller.pending = True
        while True:
            best: _Attempt | None = None
            for attempt in attempts:
                if attempt.still_going and (best is None or attempt.metric < best.metric):
                    best = attempt
            if best is None:
                caller.pending = False
                return None
            if self._can_ring(best.member):
                return best.member.name, caller.call
            best.still_going = False

    @staticmethod
    def _can_ring(member: _Member) -> bool:
        return not member.paused and (member.ringinuse or member.status == _NOT_INUSE)
