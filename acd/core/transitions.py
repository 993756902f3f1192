"""The states of a call and of an agent, and the only ways from one to another.

A transition that is not in the table is a fault of the program, never of the caller: it carries the entity's own
story so that it can be understood from the log alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

__all__ = ["AGENT_TRANSITIONS", "CALL_TRANSITIONS", "AgentState", "CallState", "IllegalTransition"]


class CallState(StrEnum):
    """Where a call is."""

    MENU = "menu"
    """In the menus, or elsewhere outside a queue."""
    WAITING = "waiting"
    OFFERED = "offered"
    """At least one phone rings for it."""
    TALKING = "talking"
    ENDED = "ended"


class AgentState(StrEnum):
    """What an agent does; one state for all queues, never one per queue."""

    LOGGED_OUT = "logged-out"
    NOT_READY = "not-ready"
    READY = "ready"
    """Idle, or would be but for the phone (in use elsewhere, unreachable)."""
    RESERVED = "reserved"
    """The phone rings, or was answered and is not connected yet."""
    TALKING = "talking"
    WRAP_UP = "wrap-up"
    BACK_OFF = "back-off"
    """After a missed or rejected offer: no new one for a while."""


CALL_TRANSITIONS: Mapping[CallState, frozenset[CallState]] = {
    CallState.MENU: frozenset({CallState.WAITING, CallState.TALKING, CallState.ENDED}),
    CallState.WAITING: frozenset({CallState.OFFERED, CallState.MENU, CallState.TALKING, CallState.ENDED}),
    CallState.OFFERED: frozenset({CallState.WAITING, CallState.TALKING, CallState.MENU, CallState.ENDED}),
    CallState.TALKING: frozenset({CallState.MENU, CallState.ENDED}),
    CallState.ENDED: frozenset(),
}

_A = AgentState
AGENT_TRANSITIONS: Mapping[AgentState, frozenset[AgentState]] = {
    _A.LOGGED_OUT: frozenset({_A.READY, _A.NOT_READY, _A.TALKING}),
    _A.NOT_READY: frozenset({_A.READY, _A.LOGGED_OUT, _A.TALKING, _A.NOT_READY}),
    _A.READY: frozenset({_A.RESERVED, _A.NOT_READY, _A.LOGGED_OUT, _A.TALKING}),
    _A.RESERVED: frozenset({_A.READY, _A.BACK_OFF, _A.NOT_READY, _A.LOGGED_OUT, _A.TALKING}),
    _A.TALKING: frozenset({_A.WRAP_UP, _A.READY, _A.NOT_READY, _A.LOGGED_OUT}),
    _A.WRAP_UP: frozenset({_A.READY, _A.NOT_READY, _A.LOGGED_OUT, _A.TALKING}),
    _A.BACK_OFF: frozenset({_A.READY, _A.NOT_READY, _A.LOGGED_OUT, _A.TALKING}),
}


class IllegalTransition(Exception):
    """A transition that must not happen. ``story``: the entity's last happenings, oldest first."""

    def __init__(self, entity: str, before: str, after: str, story: tuple[str, ...]) -> None:
        super().__init__(f"{entity}: {before} -> {after} is not allowed")
        self.entity = entity
        self.story = story
