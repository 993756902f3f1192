"""Webhooks: telling another system of something, without waiting for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeAlias

__all__ = ["NoWebhooks", "Payload", "Webhooks"]

Payload: TypeAlias = Mapping[str, str | Mapping[str, str]]
"""What is told: texts, and texts by name."""


class Webhooks(Protocol):
    """The site's webhooks by name."""

    def post(self, target: str, event: str, payload: Payload, *, key: str) -> None:
        """Hand over an event for delivery, and return at once. Delivery is not the caller's affair.

        `key` is one of a kind: an event handed over twice with the same one is sent once.
        """


class NoWebhooks:
    """Where nobody has given any: what is posted is dropped."""

    def post(self, target: str, event: str, payload: Payload, *, key: str) -> None:
        """See `Webhooks`."""
