"""Who calls: the customers of routing.yaml, those of a table beside it, and whoever a look-up knows.

The first two are at hand and cost nothing. The look-up is asked before the caller's first menu, for a bounded time; a
source that is slow or has a fault leaves the caller unknown, and that is noted with the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from prometheus_client import CollectorRegistry, Counter

from config.customers import CUSTOMER_COLUMNS, CustomerTable
from config.schema.shared import LANGUAGES
from ivr.fields import clean
from ivr.lookups import FieldValue, LookUpAnswer, LookUpOutcome
from ivr.numbers import Numbering

__all__ = ["UNKNOWN", "Customer", "CustomerDesk", "CustomerSite"]

log = structlog.get_logger(__name__)

_VIP_MAX: Final = 10
_PRIORITY_MAX: Final = 1000
_MOST_POINTS: Final = 11_000
"""Priority and VIP level together."""
_STORED_TEXTS: Final = ("source", "failure", "id", "agent", "language", "name", "matter")
"""What matters most stands first: where there is no room, the last are forgotten."""
_DIALABLE: Final = re.compile(r"\+?[0-9]{3,24}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """What is known of a caller."""

    id: str = ""
    """The same for all numbers of one customer; what the last agent is remembered by. Empty: nothing to go by."""
    name: str = ""
    priority: int = 0
    """Points added to every call of theirs, those for the VIP level included."""
    agent: str = ""
    """The agent who is first offered their calls."""
    language: str = ""
    """What they are spoken to in; empty: as anybody else."""
    vip: int = 0
    """VIP level, 0 to 10."""
    matter: str = ""
    """What is open with them."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Whatever else is known."""
    source: str = ""
    """Where that is from: ``customers``, ``table``, ``lookup``; empty for one who is not known."""
    failure: str = ""
    """Why nothing is known although it could be: the look-up's outcome, such as ``timeout``."""

    @property
    def known(self) -> bool:
        """Whether anything is."""
        return bool(self.source)

    def stored(self) -> dict[str, str]:
        """Return what the channel has to remember: nothing of one who is at hand after a restart, too."""
        if self.source != "lookup" and not self.failure:
            return {}
        own = {
            "priority": str(self.priority) if self.priority else "",
            "vip": str(self.vip) if self.vip else "",
            **{name: getattr(self, name) for name in _STORED_TEXTS},
        }
        return {name: value for name, value in own.items() if value} | {
            f"data.{name}": value for name, value in self.data.items()
        }

    @classmethod
    def restored(cls, stored: Mapping[str, str]) -> Customer:
        """Make a customer of what the channel remembers. It cannot be trusted, so what is no number counts for none."""
        data = {name.removeprefix("data."): value for name, value in stored.items() if name.startswith("data.")}
        return cls(
            priority=_whole_number(stored.get("priority", ""), -_MOST_POINTS, _MOST_POINTS),
            vip=_whole_number(stored.get("vip", ""), 0, _VIP_MAX),
            data=data,
            **{name: stored.get(name, "") for name in _STORED_TEXTS},
        )

    def fields(self) -> dict[str, str]:
        """Return what ``{customer.NAME}`` stands for. The fields of one who is not known are empty."""
        return {
            **self.data,
            "known": "yes" if self.known else "no",
            "source": self.source or self.failure,
            "id": self.id,
            "name": self.name,
            "language": self.language,
            "vip": str(self.vip),
            "agent": self.agent,
            "matter": self.matter,
        }


UNKNOWN: Final = Customer()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSite:
    """The site's customers, and how others become known."""

    numbering: Numbering = field(default_factory=Numbering)
    listed: Mapping[str, Customer] = field(default_factory=dict)
    """Those of routing.yaml, by number in one way of writing."""
    table: CustomerTable = field(default_factory=CustomerTable)
    vip_points: int = 10
    lookup: str = ""
    """The look-up that is asked; empty for none."""
    timeout_s: float = 1.0
    agents: frozenset[str] = frozenset()
    """The agents there are."""

    def find(self, number: str) -> Customer | None:
        """Return who calls from a number, as far as that is at hand."""
        normal = self.numbering.normal(number)
        listed = self.listed.get(normal)
        if listed is not None:
            return listed
        row = self.table.find(normal)
        return self.of(row, normal, "table") if row is not None else None

    def who(self, number: str) -> Customer:
        """Return who calls from a number, as far as that is at hand; else somebody of whom only that is known."""
        return self.find(number) or self.stranger(number)

    def stranger(self, number: str, failure: str = "") -> Customer:
        """Return somebody of whom only the number is known: a customer of its own, if that can be dialled."""
        normal = self.numbering.normal(number)
        return Customer(id=normal if _DIALABLE.fullmatch(normal) else "", failure=failure)

    def of(self, values: Mapping[str, str], normal: str, source: str) -> Customer:
        """Make a customer of a row or an answer. What cannot be right is left out: callers are not to suffer for it."""
        vip = _whole_number(values.get("vip", ""), 0, _VIP_MAX)
        language, agent = values.get("language", ""), values.get("agent", "")
        return Customer(
            id=clean(values.get("id", "")) or normal,
            name=clean(values.get("name", "")),
            priority=_whole_number(values.get("priority", ""), -_PRIORITY_MAX, _PRIORITY_MAX) + vip * self.vip_points,
            agent=agent if agent in self.agents else "",
            language=language if language in LANGUAGES else "",
            vip=vip,
            matter=clean(values.get("matter", "")),
            data={name: clean(value) for name, value in values.items() if name not in CUSTOMER_COLUMNS},
            source=source,
        )


class AsksLookUps(Protocol):
    """See ``desk.LookUpDesk``."""

    async def ask(self, lookup: str, value: FieldValue, *, timeout_s: float | None = None) -> LookUpAnswer:
        """Carry out a look-up."""
        ...


class CustomerDesk:
    """Tells who calls. ``site`` are the customers as configured now."""

    def __init__(
        self, site: Callable[[], CustomerSite], lookups: AsksLookUps, registry: CollectorRegistry | None = None
    ) -> None:
        self._site = site
        self._lookups = lookups
        self._counts = Counter(
            "acd_callers", "Callers by how they became known, or why not.", ["known_by"], registry=registry
        )

    def normal(self, number: str) -> str:
        """Write a number in one way."""
        return self._site().numbering.normal(number)

    def at_hand(self, number: str) -> Customer | None:
        """Return who calls; None when a look-up has to tell."""
        site = self._site()
        found = site.find(number)
        if found is None and (not site.lookup or not number):
            found = site.stranger(number)
        if found is not None:
            self._counts.labels(found.source or "nothing").inc()
        return found

    async def ask(self, number: str, value: FieldValue, call_id: str) -> Customer:
        """Ask the look-up who calls, for as long as a caller may be held. Never raises but for a cancellation."""
        site = self._site()
        answer = await self._lookups.ask(site.lookup, value, timeout_s=site.timeout_s)
        if answer.outcome is LookUpOutcome.OK:
            self._counts.labels("lookup").inc()
            return site.of(answer.values, site.numbering.normal(number), "lookup")
        failure = answer.outcome.value
        self._counts.labels(failure).inc()
        if answer.outcome is not LookUpOutcome.NOT_FOUND:
            log.warning("caller not looked up", call_id=call_id, lookup=site.lookup, outcome=failure, why=answer.why)
        return site.stranger(number, failure)


def _whole_number(text: str, least: int, most: int) -> int:
    digits = text.strip().removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 6):
        return 0
    return min(max(int(text), least), most)
