"""What a look-up is, compiled from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from acd.service.lookups.answers import AnswerField
from acd.service.lookups.templates import RequestTemplate

__all__ = ["LookUpSpec"]

_SAFE = frozenset({"GET", "HEAD"})
"""Methods that change nothing, so that asking twice does no harm (RFC 9110 section 9.2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpSpec:
    """One look-up. ``name`` is the label of its metrics: that of the configuration, never with data in it."""

    name: str
    request: RequestTemplate
    timeout_s: float = 5.0
    """For everything: names, connection, redirects, retries, and the whole answer."""
    retries: int = 0
    idempotent: bool = False
    """The site says that asking twice does no harm, whatever the method."""
    redirects: int = 3
    most_bytes: int = 100_000
    accepted: tuple[tuple[int, int], ...] = ((200, 299),)
    """Statuses that are an answer, as first and last of a range."""
    answer: Mapping[str, AnswerField] = field(default_factory=dict)

    @property
    def attempts(self) -> int:
        """How often it is tried at most."""
        return self.retries + 1 if self.idempotent or self.request.method in _SAFE else 1

    def accepts(self, status: int) -> bool:
        """Say whether a status is an answer."""
        return any(first <= status <= last for first, last in self.accepted)
