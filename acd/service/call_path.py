"""What a call's story tells of its steps in the menus: the way, and no data that were keyed in."""

from __future__ import annotations

from acd.core.events import MenuStepped
from ivr.context import CallContext
from ivr.nodes.hours import Hours
from ivr.nodes.menu import Menu
from ivr.outcome import AgentMiss, NodeId, ToAgent
from ivr.record import StepOutcome, StepRecord

__all__ = ["told_miss", "told_step"]

_COMMON_KEYS = frozenset({StepOutcome.REPEAT, StepOutcome.BACK, StepOutcome.TOP, StepOutcome.OPERATOR})


def told_step(step: StepRecord, call: CallContext) -> MenuStepped:
    """Put a step into the engine's words.

    Keys are told where they choose a way. What is keyed in elsewhere are the caller's data (account numbers, cards) or
    the answers of a survey, and is told to nobody; a secret is no part of the record anyway.
    """
    chosen = step.type == Menu.type or step.outcome in _COMMON_KEYS
    detail = [problem.kind.value for problem in step.problems]
    if step.type == Hours.type and call.hours:
        detail.insert(0, f"calendar {call.hours['calendar']}: {call.hours['why']}")
    return MenuStepped(
        step.call_id, step.node, str(step.outcome), step.key if chosen else "", step.to or "", "; ".join(detail)
    )


def told_miss(wish: ToAgent, miss: AgentMiss, call_id: str, to: NodeId | None) -> MenuStepped:
    """Tell that the one agent whom a node asked for does not take the call, and where the caller goes on."""
    return MenuStepped(call_id, wish.node or "", miss.value, to=to or "", detail=f"agent {wish.agent} is not reached")
