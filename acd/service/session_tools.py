"""What a caller's session uses of the process around it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass

from acd.core.calls import Call
from acd.core.events import Event
from acd.core.specs import OverflowAction
from acd.service.agi_line import Sounds
from acd.service.clocks import Clocks
from acd.service.lookups.customers import Customer, CustomerDesk
from acd.service.one_agent import OneAgent
from acd.service.overflow import OverflowActions
from acd.service.stay_tools import StayTools
from ivr.interpreter import Interpreter
from ivr.outcome import NodeId
from ivr.record import OnStep

__all__ = ["SessionTools"]


@dataclass(frozen=True, slots=True)
class SessionTools:
    """What a session uses of the process around it."""

    post: Callable[[Event], None]
    calls: Mapping[str, Call]
    """The engine's live calls, to read."""
    clocks: Clocks
    new_call_id: Callable[[], str]
    interpreter: Callable[[OnStep], Interpreter]
    entry_node: Callable[[str], NodeId]
    """Where a caller who dialled this number enters the menus."""
    nodes: Callable[[], Container[NodeId]]
    """All nodes of the menus."""
    sounds: Sounds
    came_in: Callable[[str], None]
    """Told of a call that an engine has known before, when its caller is on a line to us again."""
    taken_over: Callable[[str], None]
    """Told when a caller (Uniqueid) comes in whose talk was being followed without a line to us."""
    stay: StayTools
    overflow: OverflowActions
    customers: CustomerDesk
    """Tells who calls."""
    customer: Callable[[str], Customer]
    """Who calls from this number, as far as that is at hand."""
    survey: Callable[[str], NodeId | None]
    """The survey of a queue, for who is still there when the agent has hung up."""
    one_agent: OneAgent
    keys: Callable[[str], Mapping[str, OverflowAction]]
    """What the keys do that a caller waiting in this queue may press."""
    promised_since: Callable[[str, str, str], float | None]
    """Since when the caller of this call (id, number) waits to be called back by this queue (UNIX time), which rests
    from now on; None: was promised nothing."""
    call_later: Callable[[float, Callable[[], None]], object]
