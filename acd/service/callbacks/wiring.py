"""The parts of callbacks, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from acd.core.engine import Engine
from acd.core.events import Event
from acd.service.agi_line import Sounds
from acd.service.asterisk_link import AsteriskLink
from acd.service.callbacks.agent_first import AgentFirst
from acd.service.callbacks.customer_first import CustomerDials
from acd.service.callbacks.desk import Callbacks
from acd.service.callbacks.expecting import Expecting
from acd.service.callbacks.tools import CallbackTools
from acd.service.clocks import Clocks
from acd.service.compile import Customer
from acd.service.late_legs import LateLegs
from acd.service.live_site import LiveSite
from ivr.opening import Calendars

__all__ = ["Surroundings", "customer_of", "make_callbacks"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What callbacks are made of that others use as well."""

    engine: Engine
    post: Callable[[Event], None]
    site: LiveSite
    link: AsteriskLink
    late: LateLegs
    clocks: Clocks
    sounds: Sounds
    calendars: Calendars
    new_call_id: Callable[[], str]
    variables: Callable[[], tuple[tuple[str, str], ...]]
    let_go: Callable[[str], Awaitable[None]]
    customer: Callable[[str], Customer | None]
    """Who the caller of a call is, if the line is with us."""


def make_callbacks(path: Path, around: Surroundings, loop: asyncio.AbstractEventLoop) -> Callbacks:
    """Make them; ``path`` is the file in which they survive a restart."""
    engine, site, link = around.engine, around.site, around.link

    def opening(calendar: str) -> tuple[bool, float | None]:
        state = around.calendars.opening(calendar)
        if state is None:
            return True, None
        return state.is_open, state.until.timestamp() if state.until is not None else None

    return Callbacks(
        path,
        CallbackTools(
            post=around.post,
            late=around.late,
            agents_side=AgentFirst(
                around.late, lambda: site.compiled.outbound, around.sounds, lambda: site.agents_language
            ),
            dials=lambda failed: CustomerDials(link.originate, link.hang_up, loop.call_later, failed),
            expecting=Expecting(
                engine.calls, engine.queues, around.clocks, loop.call_later, can_dial=lambda: link.connected
            ),
            phones=site.phones,
            calls=engine.calls,
            site=lambda: site.compiled.callbacks,
            clocks=around.clocks,
            call_later=loop.call_later,
            new_call_id=around.new_call_id,
            variables=around.variables,
            customer=lambda call: around.customer(call.call_id) or customer_of(site, call.caller),
            has_line=lambda call_id: around.customer(call_id) is not None,
            opening=opening,
            let_go=around.let_go,
        ),
    )


def customer_of(site: LiveSite, number: str) -> Customer:
    """Who calls. A number that is not known is a customer of its own, if it is one that can be dialled."""
    return site.compiled.customers.who(number)
