"""The keys that a waiting caller presses, told by two mouths: AMI tells every key, the line those that it listened to.

While nothing is played the line is silent, and only AMI tells; while a message is played both do, in any order. AMI may
be late by seconds, and tell of a key only now that was pressed in the menus before. So each key told by one is held
against those told by the other, and counts once: in the queue where it was first told of there.
"""

from __future__ import annotations

from collections import deque

__all__ = ["WaitingKeys"]

_AT_MOST = 32
_LATE_S = 5.0
"""What one mouth has told, and the other has not for so long, it will not tell any more (seconds)."""


class WaitingKeys:
    """One caller's keys. ``now`` is any clock that does not go backwards (seconds)."""

    def __init__(self) -> None:
        self._by_line: deque[tuple[float, str]] = deque(maxlen=_AT_MOST)
        """Told by the line, not by AMI yet."""
        self._by_ami: deque[tuple[float, str]] = deque(maxlen=_AT_MOST)

    def begin(self) -> None:
        """The caller begins to wait: keys told before were not meant for the queue, whoever has yet to tell of them."""
        self._by_ami.clear()

    def told_by_line(self, key: str, now: float) -> bool:
        """Take a key from the line; True: it is a new one."""
        return self._told(key, now, self._by_line, self._by_ami)

    def told_by_ami(self, key: str, now: float) -> bool:
        """Take a key from AMI; True: it is a new one."""
        return self._told(key, now, self._by_ami, self._by_line)

    @staticmethod
    def _told(key: str, now: float, by_this: deque[tuple[float, str]], by_other: deque[tuple[float, str]]) -> bool:
        while by_other and by_other[0][0] <= now - _LATE_S:
            by_other.popleft()
        for place, (_, known) in enumerate(by_other):
            if known == key:
                # What the other told before it was lost on this one's way.
                for _ in range(place + 1):
                    by_other.popleft()
                return False
        by_this.append((now, key))
        return True
