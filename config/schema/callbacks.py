"""How callers are called back: who is rung first, how often and when it is tried, and what bounds it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from config.schema.references import CalendarName
from config.schema.shared import Flag, Model, Number, Text, WholeNumber

__all__ = ["CallbackSettings", "Callbacks", "CountryCode", "Zone", "settings_of"]

CountryCode: TypeAlias = Annotated[str, Text(r"[A-Z]{2}", "give a country's two capital letters, such as DE or CN")]
"""ISO 3166-1."""

Zone: TypeAlias = Annotated[
    str, Text(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,2}", "name a time zone, such as Europe/Berlin")
]
"""An IANA time zone; whether there is such a one is checked later."""


class CallbackSettings(Model):
    """How one queue's callers are called back."""

    first: Literal["agent", "customer"] = "agent"
    """Whose phone rings first. customer: only when an agent is expected to be free by then, and while too few of those
    who answered had to wait for one."""

    confirm: Flag = True
    """Is the caller's number read back, to be confirmed with a key? If not, the number that the caller calls from is
    taken without a question, wherever there is one."""

    other_number: Flag = True
    """May the caller key in another number? Goes with confirm."""

    accept: Flag = False
    """Does the agent press 1 before the customer is dialled? Any other key, or none, and the next agent is rung."""

    attempts: Annotated[int, WholeNumber(1, 10)] = 3
    """So often the customer's phone is rung at most."""

    pause_s: Annotated[float, Number(1, 86_400, "seconds")] = 300.0
    """So long after an attempt that did not reach the customer."""

    ring_s: Annotated[float, Number(5, 120, "seconds")] = 45.0
    """The customer's phone rings so long."""

    expires_after_s: Annotated[float, Number(60, 2_592_000, "seconds")] = 86_400.0
    """A callback that has not come about so long after it was promised is given up; time outside the hours does not
    count."""

    hours: CalendarName | None = None
    """The calendar that says when customers may be rung; the queue's opening_hours if left out, else at any time."""

    silent_after_s: Annotated[float, Number(0.5, 60, "seconds")] = 8.0
    """With customer first: an answer counts as silent if the customer has not got an agent so long after it."""

    silent_limit_percent: Annotated[float, Number(0, 100)] = 3.0
    """With customer first: at most so many in a hundred answers of the last 24 hours may be silent, counted over all
    queues; while one more could break that, the agent is rung first. 0: always."""


class Callbacks(CallbackSettings):
    """What holds for the callbacks of every queue whose ``callback`` does not say otherwise, and the site's bounds."""

    home_country: CountryCode | None = None
    """Where the site is: numbers are read as they are dialled there, and no number elsewhere is called back."""

    countries: tuple[CountryCode, ...] = ()
    """Further countries whose numbers may be called back."""

    open_limit: Annotated[int, WholeNumber(1, 10_000)] = 1000
    """At most so many callbacks wait at a time."""

    per_day_limit: Annotated[int, WholeNumber(1, 1_000_000)] = 1000
    """At most so many are promised a day."""

    per_number_per_day_limit: Annotated[int, WholeNumber(1, 1000)] = 5
    """At most so many are promised a day to one number, and to a caller of this number to be called on others."""

    zone: Zone = "UTC"
    """The time zone of the day that the limits speak of."""


def settings_of(site: Callbacks, queue: CallbackSettings | None) -> CallbackSettings:
    """Return what holds for a queue: its own settings, and the site's where it has none."""
    own = {} if queue is None else {name: getattr(queue, name) for name in queue.model_fields_set}
    values: dict[str, Any] = {name: own.get(name, getattr(site, name)) for name in CallbackSettings.model_fields}
    return CallbackSettings.model_construct(**values)
