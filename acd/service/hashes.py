"""Secrets compared with their argon2 hashes, beside the event loop and within bounds.

A hash says itself what its comparison costs, and it may come out of a look-up: one that asks for more than a large
machine's password check is refused, so that no answer of another system can fill the memory.
"""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

__all__ = ["Argon2Hashes"]

MEMORY_MAX_KIB = 256 * 1024
PASSES_MAX = 20
LANES_MAX = 16
AT_ONCE = 2
"""Comparisons at a time: each fills a core, and as much memory as its hash says."""


class Argon2Hashes:
    """Implements ``ivr.hashes.Hashes``."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(at_once)

    async def matches(self, hashed: str, secret: str) -> bool | None:
        """See ``Hashes``."""
        if not _affordable(hashed):
            return None
        async with self._slots:
            return await asyncio.to_thread(self._matches, hashed, secret)

    def _matches(self, hashed: str, secret: str) -> bool | None:
        try:
            return self._hasher.verify(hashed, secret)
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError):
            return None


def _affordable(hashed: str) -> bool:
    try:
        cost = extract_parameters(hashed)
    except InvalidHashError:
        return False
    return cost.memory_cost <= MEMORY_MAX_KIB and cost.time_cost <= PASSES_MAX and cost.parallelism <= LANES_MAX
