"""The customer's side of a callback that rings the customer first.

The customer's phone is rung by AMI ``Originate`` into the dialplan's ``acd-call``, with the call's id and place on the
channel: picked up, the customer enters the engine as a caller does who was with an engine before, and goes on in the
old place. So whatever survives a restart for callers does for these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from acd.service.call_state import CALL_VARIABLE, STATE_VARIABLE, CallPhase, StoredCall
from acd.service.callbacks.entries import Callback
from ami_bridge.translation import is_surrogate

__all__ = ["CustomerDials"]

_MARGIN_S = 15.0
"""So long after the ringing time a dial of which nothing was heard is taken for failed (seconds)."""

Headers = Mapping[str, str | tuple[str, ...]]


@dataclass(slots=True, eq=False)
class _Dial:
    call_id: str
    exists: bool = False


class CustomerDials:
    """Customers whose phones ring.

    ``originate(headers)`` sends the AMI action and tells whether it went out, ``hang_up`` ends a channel by its
    Uniqueid. ``failed(call_id)`` is told that the customer did not answer.
    """

    def __init__(
        self,
        originate: Callable[[Headers], bool],
        hang_up: Callable[[str], None],
        call_later: Callable[[float, Callable[[], None]], object],
        failed: Callable[[str], None],
    ) -> None:
        self._originate = originate
        self._hang_up = hang_up
        self._call_later = call_later
        self._failed = failed
        self._dials: dict[str, _Dial] = {}

    def ring(self, entry: Callback, device: str, ring_s: float, variables: tuple[tuple[str, str], ...]) -> bool:
        """Ring the customer; False when that is not possible now."""
        uniqueid = f"acd-cb-{entry.id}-{entry.attempts}"
        state = StoredCall(
            phase=CallPhase.QUEUE,
            arrived_at=entry.entered_at,
            language=entry.language,
            dialled=entry.dialled,
            queue=entry.queue,
            entered_at=entry.entered_at,
            priority=entry.priority,
            requires=dict(entry.requires),
            customer=entry.customer,
            agent=entry.agent,
            caller=entry.number,
            data=entry.data,
        )
        headers: dict[str, str | tuple[str, ...]] = {
            "Channel": device,
            "Context": "acd-call",
            "Exten": "s",
            "Priority": "1",
            "Timeout": str(round(ring_s * 1000)),
            "CallerID": entry.dialled if entry.dialled.lstrip("+").isdigit() else "",
            "Async": "true",
            "ChannelId": uniqueid,
            "Variable": (
                f"{CALL_VARIABLE}={entry.id}",
                f"{STATE_VARIABLE}={state.encode()}",
                *(f"{name}={value}" for name, value in variables),
            ),
        }
        if not self._originate(headers):
            return False
        self._dials[uniqueid] = _Dial(entry.id)
        self._call_later(ring_s + _MARGIN_S, lambda: self._gone(uniqueid))
        return True

    def answered(self, call_id: str) -> None:
        """The customer has come in: the channel is followed as a caller's from now on."""
        for uniqueid in [key for key, dial in self._dials.items() if dial.call_id == call_id]:
            del self._dials[uniqueid]

    def cancel(self, call_id: str) -> None:
        """Stop ringing."""
        for uniqueid, dial in self._dials.items():
            if dial.call_id == call_id:
                self._hang_up(uniqueid)

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event; those of other channels are ignored."""
        dial = self._dials.get(event.get("Uniqueid", ""))
        if dial is None or is_surrogate(event.get("Channel", "")):
            return
        match event.get("Event", ""):
            case "Newchannel":
                dial.exists = True
            case "Hangup":
                self._gone(event.get("Uniqueid", ""))
            case "OriginateResponse" if event.get("Response") == "Failure" and not dial.exists:
                self._gone(event.get("Uniqueid", ""))

    def _gone(self, uniqueid: str) -> None:
        dial = self._dials.pop(uniqueid, None)
        if dial is not None:
            self._failed(dial.call_id)
