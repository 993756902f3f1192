"""What a caller's stay in a queue uses of the process around it, and how it dials."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from acd.core.events import Event
from acd.core.specs import QueueSpec
from acd.service.late_legs import LateLegs
from acd.service.legs import LegTracker
from acd.service.live_site import AgentPhone

__all__ = ["StayTools", "dial_arguments"]


@dataclass(frozen=True, slots=True)
class StayTools:
    """What a stay uses of the process around it."""

    tracker: LegTracker
    post: Callable[[Event], None]
    late: LateLegs
    phones: Mapping[str, AgentPhone]
    queues: Mapping[str, QueueSpec]
    stop_playback: Callable[[str], None]
    """Stop, through AMI, what is being played on this channel."""
    can_stop_playback: Callable[[], bool]
    """Whether that is possible now; otherwise nothing is announced, as it would delay an offer."""
    variables: Callable[[], Sequence[tuple[str, str]]]
    """Variables of channels that the dialplan needs for agents' phones."""


def dial_arguments(
    phones: Sequence[AgentPhone],
    ring_timeout_s: float,
    queue: QueueSpec | None,
    memory: tuple[str, str] | None = None,
) -> tuple[str, str, str]:
    """Write the arguments of ``Dial``.

    ``g``: when the agent hangs up the caller stays with us. ``i``: a phone that forwards its calls has rejected, it
    does not take the caller elsewhere. ``m(class)`` or ``r``: what the caller hears meanwhile. ``b``: phones that are
    to answer by themselves are told so. ``B``: before any phone rings, the caller's channel is told its ``memory``
    (call and state, see ``call_state``: neither holds what means anything to ``Dial``).
    """
    ringing = queue is not None and queue.while_ringing == "ringing"
    heard = "r" if ringing else f"m({queue.music if queue is not None else 'default'})"
    answering = "".join(phone.marked for phone in phones if phone.auto_answer)
    told = f"b(acd-pre-dial^s^1({answering}))" if answering else ""
    remembered = f"B(acd-place^s^1({'^'.join(memory)}))" if memory is not None else ""
    return "&".join(phone.dial for phone in phones), f"{ring_timeout_s:g}", f"gi{heard}{told}{remembered}"
