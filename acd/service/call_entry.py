"""Who comes in, and what the caller's channel remembers of an engine before us. What the network tells is hostile."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import replace

import structlog
from structlog.typing import FilteringBoundLogger

from acd.service.agi_line import AgiLine
from acd.service.call_place import served
from acd.service.call_state import STATE_VARIABLE, CallPhase, CallStateError, StoredCall, is_call_id
from ami_bridge.agi_session import AgiSession
from ami_bridge.translation import ANSWERED, BRIDGED
from ivr.context import CallContext
from ivr.outcome import NodeId

__all__ = ["dialled_number", "fitted", "new_context", "read_stored"]

log: FilteringBoundLogger = structlog.get_logger(__name__)

_RESUME = (STATE_VARIABLE, "DIALSTATUS", "ANSWEREDTIME", "BRIDGERESULT", "DIALEDPEERNAME", "BLINDTRANSFER")
_LONGEST_CALLER_CHARS = 80
_QUOTED_PAIR = re.compile(r"\\(.)")


async def read_stored(agi: AgiSession, line: AgiLine) -> StoredCall | None:
    """Read what an engine before us has left on the channel; None for a caller who is new to us."""
    call_id = agi.args[0] if agi.args else ""
    if not is_call_id(call_id):
        return None
    text, status, answered_s, bridged, peer, transferrer = await line.read_variables(_RESUME)
    log.debug(
        "channel remembers", status=status, answered_s=answered_s, bridged=bridged, peer=peer, transferrer=transferrer
    )
    try:
        stored = StoredCall.decode(text)
    except CallStateError as error:
        log.warning("the state of a call on its channel cannot be used", call_id=call_id, why=str(error))
        return None
    connected = bridged == BRIDGED  # with a phone that was picked up beside a dial
    if stored.phase not in (CallPhase.QUEUE, CallPhase.DIALLED) or not (connected or status == ANSWERED):
        return stored
    if transferrer and transferrer == peer:
        return None  # the agent has transferred the caller to us (ANSWEREDTIME is not set then): a new call
    return served(stored) if connected or answered_s else stored


def fitted(stored: StoredCall, queues: Container[str], nodes: Container[NodeId]) -> StoredCall:
    """Return what is left of a state in a site with these queues and nodes, which may be another one than before.

    Who waits goes on waiting; who was at what is gone begins at the start of the menus, with the time waited so far.
    """
    named = (stored.node, stored.again, *stored.menus, *(frame.caller for frame in stored.walk.frames))
    waits = stored.phase is CallPhase.QUEUE and stored.queue in queues
    if (waits or stored.phase is not CallPhase.QUEUE) and all(not node or node in nodes for node in named):
        return stored
    log.warning("the site has no longer what a call on its way in was at", queue=stored.queue, nodes=named)
    way_lost = replace(
        stored,
        node=stored.node if stored.node in nodes else "",
        again="",
        menus=(),
        walk=replace(stored.walk, frames=(), frames_lost=False),
    )
    if stored.phase is CallPhase.SERVED or (waits and not stored.again):
        return way_lost
    return replace(way_lost, phase=CallPhase.MENU, node="", queue="", priority=0, requires={}, agent="")


def new_context(agi: AgiSession, call_id: str, dialled: str) -> CallContext:
    """Return what the menus know of a caller at first."""
    return CallContext(
        call_id=call_id,
        caller=_printable(agi.env.get("agi_callerid", "")),
        caller_name=_printable(_caller_name(agi)),
        dialled=dialled,
    )


def _caller_name(agi: AgiSession) -> str:
    """Return the caller's name as it was meant.

    PJSIP takes what stands between the quotes of a display name as it is (``set_id_from_hdr`` of ``res_pjsip.c``), with
    the backslashes that RFC 3261 (25.1, quoted-pair) has there before quotes and backslashes.
    """
    name = agi.env.get("agi_calleridname", "")
    return _QUOTED_PAIR.sub(r"\1", name) if agi.env.get("agi_type") == "PJSIP" else name


def dialled_number(agi: AgiSession) -> str:
    """The number that the caller dialled: the dialplan's extension, ``s`` for a line without numbers."""
    extension = agi.env.get("agi_extension", "")
    return _printable(agi.env.get("agi_dnid", "") if extension in ("", "s") else extension)


def _printable(text: str) -> str:
    """Make a text of the caller's harmless to logs and pages: no control characters, of bounded length."""
    if text == "unknown":
        return ""
    return "".join(char if char.isprintable() else " " for char in text[:_LONGEST_CALLER_CHARS])
