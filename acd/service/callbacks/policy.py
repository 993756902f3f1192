"""What the site has set for its callbacks, compiled from routing.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from acd.service.callbacks.ledger import Bounds
from acd.service.callbacks.numbers import NumberRules
from acd.service.outbound import Outbound
from config.schema import Routing
from config.schema.callbacks import CallbackSettings, settings_of

__all__ = ["CallbackSite", "QueueCallbacks", "compile_callbacks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCallbacks:
    """How the callers of one queue are called back; see ``config.schema.callbacks`` for each."""

    customer_first: bool = False
    confirm: bool = True
    other_number: bool = True
    accept: bool = False
    attempts: int = 3
    pause_s: float = 300.0
    ring_s: float = 45.0
    expires_after_s: float = 86_400.0
    calendar: str = ""
    """Empty: at any time."""
    silent_after_s: float = 8.0
    silent_limit: float = 0.03
    """Share, 0 to 1."""


@dataclass(frozen=True, slots=True)
class CallbackSite:
    """All of it."""

    numbers: NumberRules = NumberRules(Outbound())
    bounds: Bounds = Bounds()
    queues: Mapping[str, QueueCallbacks] = field(default_factory=dict)
    others: QueueCallbacks = QueueCallbacks()
    """What holds for a queue that is gone and has callbacks yet."""

    def of_queue(self, queue: str) -> QueueCallbacks:
        """What holds for a queue."""
        return self.queues.get(queue, self.others)


def compile_callbacks(routing: Routing) -> CallbackSite:
    """Compile the checked configuration."""
    site = routing.callbacks
    outbound = Outbound(routing.outbound.allowed, routing.outbound.trunk or "")
    return CallbackSite(
        NumberRules(outbound, site.home_country or "", site.countries),
        Bounds(site.open_limit, site.per_day_limit, site.per_number_per_day_limit, ZoneInfo(site.zone)),
        {
            name: _compile(settings_of(site, queue.callback), queue.opening_hours)
            for name, queue in routing.queues.items()
        },
        _compile(site),
    )


def _compile(settings: CallbackSettings, opening_hours: str | None = None) -> QueueCallbacks:
    return QueueCallbacks(
        customer_first=settings.first == "customer",
        confirm=settings.confirm,
        other_number=settings.other_number,
        accept=settings.accept,
        attempts=settings.attempts,
        pause_s=settings.pause_s,
        ring_s=settings.ring_s,
        expires_after_s=settings.expires_after_s,
        calendar=settings.hours or opening_hours or "",
        silent_after_s=settings.silent_after_s,
        silent_limit=settings.silent_limit_percent / 100,
    )
