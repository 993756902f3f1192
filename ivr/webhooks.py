"""Webhooks: telling another system of something, without waiting for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["NoWebhooks", "Webhooks"]


class Webhooks(Protocol):
    """The site's webhooks by name."""

    def post(self, target: str, event: str, payload: Mapping[str, str]) -> None:
        """Hand over an event for delivery, and return at once. Delivery is not the caller's affair."""


class NoWebhooks:
    """Where nobody has given any: what is posted is dropped."""

    def post(self, target: str, event: str, payload: Mapping[str, str]) -> None:
        """See `Webhooks`."""
