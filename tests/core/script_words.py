"""Commands in words, for the scripted scenarios."""

from __future__ import annotations

from acd.core.commands import (
    AddLeg,
    AgentStateChanged,
    Announce,
    CancelLeg,
    CancelOffer,
    ChangeQueue,
    Command,
    FaultFound,
    OfferCall,
    Overflow,
    VerifyOffer,
)
from acd.core.specs import WaitingMessageKind


def command_words(command: Command) -> str:
    """Say what is to be done; the number of the causing input is left out."""
    match command:
        case OfferCall(_, offer_id, call_id, agent_ids, queue, ring_timeout_s):
            return f"offer {offer_id}: {call_id} of {queue} to {', '.join(agent_ids)} for {ring_timeout_s:g} s"
        case AddLeg(_, offer_id, _, agent_id, ring_timeout_s):
            return f"ring too {offer_id}: {agent_id} for {ring_timeout_s:g} s"
        case CancelLeg(_, offer_id, _, agent_id, reason):
            return f"cancel {offer_id} at {agent_id}: {reason}"
        case CancelOffer(_, offer_id, _, reason):
            return f"cancel {offer_id}: {reason}"
        case VerifyOffer(_, offer_id, _, agent_ids):
            return f"verify {offer_id} with {', '.join(agent_ids)}"
        case Announce():
            return _announcement(command)
        case Overflow(_, call_id, action, reason):
            return f"overflow {call_id} to {action.kind} {action.target or '-'}: {reason}"
        case ChangeQueue(_, call_id, queue, entered_at, reason):
            return f"move {call_id} to {queue}, waiting since {entered_at:g}: {reason}"
        case AgentStateChanged(_, agent_id, state, reason, until):
            return f"{agent_id} {state}{f' {reason}' if reason else ''}{'' if until is None else f' until {until:g}'}"
        case FaultFound(_, _, message, _):
            return f"fault: {message}"


def _announcement(command: Announce) -> str:
    if command.kind is WaitingMessageKind.PROMPT:
        return f"tell {command.call_id} {command.prompt}"
    estimate = command.estimated_wait_s
    return f"tell {command.call_id} {command.kind}: place {command.position}, " + (
        "wait unknown" if estimate is None else f"wait {estimate:.1f} s"
    )
