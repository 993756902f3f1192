"""What a call's story and the log tell of its steps in the menus: the way, and no data that were keyed in."""

from __future__ import annotations

import structlog
from structlog.typing import FilteringBoundLogger

from acd.core.events import MenuStepped
from ivr.context import CallContext
from ivr.nodes.hours import Hours
from ivr.nodes.menu import Menu
from ivr.outcome import AgentMiss, NodeId, ToAgent
from ivr.record import StepOutcome, StepRecord

__all__ = ["log_step", "told_miss", "told_step"]

log: FilteringBoundLogger = structlog.get_logger(__name__)

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


def log_step(step: StepRecord) -> None:
    """Note a step in the log, and warn of what was amiss."""
    log.debug("menu step", call_id=step.call_id, node=step.node, outcome=str(step.outcome), to=step.to)
    for problem in step.problems:
        log.warning("menu", call_id=step.call_id, node=step.node, problem=problem.kind, subject=problem.subject)
    if step.outcome in (StepOutcome.STEP_LIMIT, StepOutcome.DEPTH_LIMIT):
        log.warning(
            "a call has reached a bound in the menus",
            call_id=step.call_id,
            node=step.node,
            bound=step.outcome,
            steps=step.number,
            goes_to=step.to or "",
        )
