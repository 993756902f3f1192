"""What callbacks use of the process around them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from acd.core.calls import Call
from acd.core.events import Event
from acd.service.callbacks.agent_first import AgentFirst
from acd.service.callbacks.customer_first import CustomerDials
from acd.service.callbacks.expecting import Expecting
from acd.service.callbacks.policy import CallbackSite
from acd.service.clocks import Clocks
from acd.service.late_legs import LateLegs
from acd.service.live_site import AgentPhone
from acd.service.lookups.customers import Customer
from ivr.context import CallContext

__all__ = ["CallbackTools"]


@dataclass(frozen=True, slots=True)
class CallbackTools:
    """What callbacks use of the process around them."""

    post: Callable[[Event], None]
    late: LateLegs
    agents_side: AgentFirst
    dials: Callable[[Callable[[str], None]], CustomerDials]
    """Makes the customers' side; it is told whom to tell that a customer did not answer."""
    expecting: Expecting
    phones: Mapping[str, AgentPhone]
    calls: Mapping[str, Call]
    """The engine's live calls, to read."""
    site: Callable[[], CallbackSite]
    clocks: Clocks
    call_later: Callable[[float, Callable[[], None]], asyncio.TimerHandle]
    new_call_id: Callable[[], str]
    variables: Callable[[], tuple[tuple[str, str], ...]]
    customer: Callable[[CallContext], Customer]
    """Who calls."""
    has_line: Callable[[str], bool]
    """Whether the caller of this call is on a line to us."""
    opening: Callable[[str], tuple[bool, float | None]]
    """Whether a calendar says open now, and until when that holds (UNIX time), None if not for long."""
    let_go: Callable[[str], Awaitable[None]]
    """Tell the caller's channel that the call waits no longer, whatever becomes of the process."""
