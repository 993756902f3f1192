"""Comparing a secret with its hash: what a node needs of the world for that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Hashes", "NoHashes"]


class Hashes(Protocol):
    """Password hashes (argon2)."""

    async def matches(self, hashed: str, secret: str) -> bool | None:
        """Whether this is the hash of this secret; None when it is no hash that can be used."""
        ...


@dataclass(frozen=True, slots=True)
class NoHashes:
    """Knows no hash."""

    async def matches(self, hashed: str, secret: str) -> bool | None:  # noqa: ARG002 - nothing is known
        """See `Hashes`."""
        return None
