"""What the callback node asks of the world: which numbers may be called back, and the promise itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from ivr.context import CallContext

__all__ = ["AskedHow", "CallbackDesk", "CallbackWish", "NoCallbacks", "Promise"]


class Promise(StrEnum):
    """What became of a caller's wish to be called back."""

    PROMISED = "promised"
    ALREADY = "already"
    """This number is to be called back already: the older place counts."""
    REFUSED = "refused"
    """So many have been promised that it would be more than the site allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedHow:
    """How callers of a queue are asked for their number."""

    confirm: bool = True
    """The number is read back and confirmed with a key."""
    other_number: bool = True
    """Another number may be keyed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackWish:
    """A callback that the caller has agreed to. `number` is as `CallbackDesk.number` gave it."""

    call: CallContext
    number: str
    queue: str
    priority: int = 0
    """Added to the queue's own."""
    requires: Mapping[str, int] = field(default_factory=dict)


class CallbackDesk(Protocol):
    """Takes promises of callbacks."""

    def asked_how(self, queue: str) -> AskedHow:
        """How callers of this queue are asked."""
        ...

    def number(self, text: str) -> str:
        """The number as it is dialled; empty when it may not be called back, whatever the reason."""
        ...

    async def promise(self, wish: CallbackWish) -> Promise:
        """Promise it: kept from here on, whatever becomes of the process."""
        ...


@dataclass(frozen=True, slots=True)
class NoCallbacks:
    """A desk that calls nobody back."""

    def asked_how(self, queue: str) -> AskedHow:  # noqa: ARG002
        """See `CallbackDesk`."""
        return AskedHow()

    def number(self, text: str) -> str:  # noqa: ARG002
        """See `CallbackDesk`."""
        return ""

    async def promise(self, wish: CallbackWish) -> Promise:  # noqa: ARG002
        """See `CallbackDesk`."""
        return Promise.REFUSED
