"""PINs of boxes: their hashes, and the lock-out after wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog
from argon2 import PasswordHasher

from acd.service.kept_file import KeptFile
from acd.service.voicemail.boxes import LockOut

__all__ = ["LONGEST_PIN", "SHORTEST_PIN", "Lockouts", "hash_pin"]

log = structlog.get_logger(__name__)

SHORTEST_PIN, LONGEST_PIN = 4, 16
_MOST_ENTRIES = 10_000
_FORMAT = 1


def hash_pin(pin: str) -> str:
    """Make the hash that voicemail.yaml holds (argon2id, with a salt of its own). Takes a tenth of a second.

    Raises:
        ValueError: it is no PIN.
    """
    if not (pin.isascii() and pin.isdigit() and SHORTEST_PIN <= len(pin) <= LONGEST_PIN):
        raise ValueError(f"a PIN has {SHORTEST_PIN} to {LONGEST_PIN} digits and nothing else")
    return PasswordHasher().hash(pin)


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last_at: float = 0.0
    locked_until: float = 0.0


class Lockouts:
    """Who has given wrong PINs: boxes (``box:NAME``) and callers (``caller:NUMBER``). Survives the process.

    Args:
        path: the file in the state folder.
        wall: UNIX time (seconds).
        rule: what holds now.
    """

    def __init__(self, path: Path, wall: Callable[[], float], rule: Callable[[], LockOut]) -> None:
        self._wall = wall
        self._rule = rule
        self._failures: dict[str, _Failures] = {}
        self._file = KeptFile(path, "wrong PINs of before", self._encode)

    def load(self) -> None:
        """Read what is kept. Blocks on the disk. What cannot be read is said, and forgotten."""
        content = self._file.read()
        try:
            self._failures = _decode(content) if content is not None else {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._file.unusable(error)

    def is_locked(self, *keys: str) -> bool:
        """Tell whether one of these is locked now."""
        now = self._wall()
        return any(key in self._failures and self._failures[key].locked_until > now for key in keys)

    async def wrong(self, *keys: str) -> bool:
        """Count a wrong PIN; returns whether one of these is locked by it. On the disk before this returns."""
        now, rule = self._wall(), self._rule()
        for key in keys:
            failures = self._failures.setdefault(key, _Failures())
            if now - failures.last_at > rule.seconds:
                failures.count = 0
            failures.count += 1
            failures.last_at = now
            if failures.count >= rule.tries:
                failures.count, failures.locked_until = 0, now + rule.seconds
                log.warning("voicemail locked after wrong PINs", what=key, seconds=rule.seconds)
        self._forget(now, rule)
        await self._file.write_now()
        return self.is_locked(*keys)

    async def right(self, *keys: str) -> None:
        """Forget what was wrong before."""
        if any([self._failures.pop(key, None) is not None for key in keys]):  # noqa: C419 - each is to be forgotten
            await self._file.write_now()

    def _forget(self, now: float, rule: LockOut) -> None:
        """Keep what matters: the file must not grow with everybody who ever calls."""
        for key, failures in list(self._failures.items()):
            if failures.locked_until <= now and now - failures.last_at > rule.seconds:
                del self._failures[key]
        while len(self._failures) > _MOST_ENTRIES:
            del self._failures[next(iter(self._failures))]

    def _encode(self) -> bytes:
        failures = {key: (entry.count, entry.last_at, entry.locked_until) for key, entry in self._failures.items()}
        return orjson.dumps({"format": _FORMAT, "failures": failures})


def _decode(content: bytes) -> dict[str, _Failures]:
    found = orjson.loads(content)
    if found["format"] != _FORMAT:
        raise ValueError(f"not a file of format {_FORMAT}")
    return {
        str(key): _Failures(int(count), float(last_at), float(until))
        for key, (count, last_at, until) in found["failures"].items()
    }
