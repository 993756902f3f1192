"""Callers who are called back: they keep their place in a queue without a line to us.

The place is a call of the engine like any other, only without a channel. When its turn has come the agent's phone rings
first (as a phone beside a dial does, see ``late_legs``); picked up, it dials the customer's number by the trunk, within
``outbound``. A customer who is not reached is tried again after a pause, three times in all. What has been promised is
kept in the state folder, so a restart forgets nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import structlog

from acd.core.commands import AddLeg, CancelLeg, CancelOffer, Command, FaultFound, OfferCall, Overflow, VerifyOffer
from acd.core.events import CallArrived, CallEnded, CallQueued, Event, LegFailed, LegFailure, OfferEnded
from acd.service.agi_line import AgiLine, Sounds
from acd.service.clocks import Clocks
from acd.service.kept_file import KeptFile
from acd.service.late_legs import CallerId, LateLeg, LateLegs
from acd.service.live_site import AgentPhone
from acd.service.outbound import Outbound
from ami_bridge.agi_session import AgiError
from ami_bridge.translation import ANSWERED
from ivr.line import LineHungUp
from ivr.speech import Prompt

__all__ = ["Callback", "CallbackTools", "Callbacks"]

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 3
PAUSE_S = 300.0
"""After a customer was not reached (seconds)."""
_NO_LINE_PAUSE_S = 5.0
"""While no agent's phone can be rung (seconds)."""
_RING_CUSTOMER_S = 45
_LONGEST_CALL_S = 4 * 3600
_MOST_OPEN = 10_000
_FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What was promised. Times are wall-clock seconds: the engine's own clock does not survive it."""

    id: str
    number: str
    queue: str
    entered_at: float
    dialled: str = ""
    """The number that the customer called: who calls back."""
    priority: int = 0
    requires: tuple[tuple[str, int], ...] = ()
    customer: str = ""
    agent: str = ""
    language: str = ""
    attempts: int = 0
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class CallbackTools:
    """What callbacks use of the process around them."""

    post: Callable[[Event], None]
    late: LateLegs
    phones: Mapping[str, AgentPhone]
    outbound: Callable[[], Outbound]
    clocks: Clocks
    call_later: Callable[[float, Callable[[], None]], object]
    new_call_id: Callable[[], str]
    sounds: Sounds
    agents_language: Callable[[], str]
    variables: Callable[[], tuple[tuple[str, str], ...]]


class Callbacks:
    """All callbacks. ``take`` gets the engine's commands for the calls that ``owns`` knows."""

    def __init__(self, path: Path, tools: CallbackTools) -> None:
        self._tools = tools
        self._open: dict[str, Callback] = {}
        self._file = KeptFile(path, "callbacks", self._encode)
        self._talks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._open)

    def owns(self, call_id: str) -> bool:
        """Tell whether this call is one without a line."""
        return call_id in self._open

    def promise(self, wanted: Callback) -> Callback | None:
        """Note a callback; None when the number may not be dialled. One for each number: the older one stays."""
        if self._tools.outbound().device(wanted.number) is None or len(self._open) >= _MOST_OPEN:
            return None
        known = next((entry for entry in self._open.values() if entry.number == wanted.number), None)
        if known is not None:
            return known
        entry = replace(wanted, id=self._tools.new_call_id())
        self._keep(entry)
        log.info("callback promised", call_id=entry.id, number=entry.number, queue=entry.queue)
        return entry

    def begin(self, entry: Callback) -> None:
        """Let the callback wait in its queue from now on, in its old place. Does nothing if it does already."""
        post, clocks = self._tools.post, self._tools.clocks
        if self._open.get(entry.id) is not entry:
            return
        post(CallArrived(entry.id, entry.number, entry.dialled))
        post(
            CallQueued(
                entry.id,
                entry.queue,
                priority=entry.priority,
                requires=entry.requires,
                entered_at=clocks.to_monotonic(entry.entered_at),
                customer=entry.customer,
                agent=entry.agent,
                language=entry.language,
                stays=True,
            )
        )

    def restore(self) -> None:
        """Take over what was promised before a restart."""
        content = self._file.read()
        try:
            entries = _decode(content) if content is not None else ()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            self._file.unusable(error)
            return
        for entry in entries:
            self._open[entry.id] = entry
            self._begin_later(entry, entry.not_before - self._tools.clocks.wall())

    async def run(self) -> None:
        """Keep the file, see ``KeptFile``."""
        await self._file.run()

    def take(self, command: Command, call_id: str) -> None:
        """Carry out a command of the engine for one of these calls."""
        late, post = self._tools.late, self._tools.post
        match command:
            case OfferCall():
                self._offer(command)
            case AddLeg():
                if not self._ring(command.offer_id, call_id, command.agent_id, command.ring_timeout_s):
                    failed = LegFailed(command.offer_id, command.agent_id, LegFailure.CANCELLED)
                    self._tools.call_later(command.ring_timeout_s, lambda: post(failed))
            case CancelLeg():
                late.cancel_leg(command.offer_id, command.agent_id)
            case CancelOffer():
                late.cancel_offer(command.offer_id)
            case VerifyOffer():
                late.cancel_offer(command.offer_id)
                post(OfferEnded(command.offer_id, LegFailure.CANCELLED))
            case Overflow():
                log.error("callback given up", call_id=call_id, why=command.reason)
                self._drop(call_id)
                post(CallEnded(call_id))

    def fault(self, command: FaultFound, call_id: str) -> None:
        """The engine has let go of the call after a fault: queue it again."""
        log.error("engine fault", entity=command.entity, fault=command.message, story=command.story)
        self._tools.late.call_gone(call_id)
        self._begin_later(self._open[call_id], _NO_LINE_PAUSE_S)

    # The agent's side.

    def _offer(self, command: OfferCall) -> None:
        rung = [
            self._ring(command.offer_id, command.call_id, agent_id, command.ring_timeout_s)
            for agent_id in command.agent_ids
        ]
        if all(rung):
            return
        # No phone can be rung now. To end the offer alone would have it made again at once, and again.
        self._tools.late.cancel_offer(command.offer_id)
        self._tools.post(CallEnded(command.call_id))
        self._begin_later(self._open[command.call_id], _NO_LINE_PAUSE_S)

    def _ring(self, offer_id: str, call_id: str, agent_id: str, timeout_s: float) -> bool:
        entry = self._open[call_id]
        tools = self._tools
        return tools.late.ring(
            (offer_id, call_id, agent_id),
            tools.phones[agent_id],
            timeout_s,
            CallerId(entry.number, ""),
            self._picked_up,
            tools.variables(),
        )

    def _picked_up(self, leg: LateLeg) -> None:
        """The agent has picked up, and is busy with this call from now on."""
        entry = self._open.get(leg.call_id)
        if entry is None:
            return
        attempt = replace(
            entry, attempts=entry.attempts + 1, not_before=self._tools.clocks.wall() + PAUSE_S
        )  # kept before the customer's phone rings: an engine after us must not ring it again at once
        self._keep(attempt)
        leg.on_talk = partial(self._drop, entry.id)  # reached: not to be called again, whatever becomes of us
        self._tools.late.connecting(leg)
        self._tools.late.bridged(leg)
        task = asyncio.get_running_loop().create_task(self._talk(leg, attempt))
        self._talks.add(task)
        task.add_done_callback(self._talks.discard)

    async def _talk(self, leg: LateLeg, entry: Callback) -> None:
        reached = False
        try:
            reached = await self._dial(leg, entry)
        except LineHungUp:
            reached = await _was_answered(leg)
        finally:
            self._tools.late.talk_ended(leg)
            self._tools.post(CallEnded(entry.id))
            self._settle(entry, reached=reached or leg.talked)
        if leg.line is not None:
            leg.line.close()

    async def _dial(self, leg: LateLeg, entry: Callback) -> bool:
        device = self._tools.outbound().device(entry.number)
        if device is None or leg.line is None:
            log.error("callback not dialled: outbound does not allow it", call_id=entry.id, number=entry.number)
            return False
        line = AgiLine(leg.line, self._tools.sounds, _nowhere, answered=True)
        await line.set_language(self._tools.agents_language())
        await line.play((Prompt("callback-agent"),))
        site = entry.dialled if entry.dialled.lstrip("+").isdigit() else ""
        await line.set_variable("CALLERID(num)", site)
        log.info("customer is called back", call_id=entry.id, number=entry.number, attempt=entry.attempts)
        await line.run_application("Dial", f"{device},{_RING_CUSTOMER_S},grL({_LONGEST_CALL_S * 1000})")
        (status,) = await line.read_variables(("DIALSTATUS",))
        return status == ANSWERED

    # What follows.

    def _settle(self, entry: Callback, *, reached: bool) -> None:
        if reached:
            log.info("callback done", call_id=entry.id)
            self._drop(entry.id)
        elif entry.attempts >= MOST_ATTEMPTS:
            log.warning("callback given up: customer not reached", call_id=entry.id, attempts=entry.attempts)
            self._drop(entry.id)
        else:
            log.info("customer not reached", call_id=entry.id, again_in_s=PAUSE_S)
            self._begin_later(entry, PAUSE_S)

    def _begin_later(self, entry: Callback, seconds: float) -> None:
        if seconds > 0:
            self._tools.call_later(seconds, lambda: self.begin(entry))
        else:
            self.begin(entry)

    def _keep(self, entry: Callback) -> None:
        self._open[entry.id] = entry
        self._file.changed()

    def _drop(self, call_id: str) -> None:
        if self._open.pop(call_id, None) is not None:
            self._file.changed()

    def _encode(self) -> bytes:
        entries = [asdict(entry) for entry in self._open.values()]
        return orjson.dumps({"format": _FORMAT, "callbacks": entries})


def _decode(content: bytes) -> tuple[Callback, ...]:
    document = orjson.loads(content)
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ValueError(f"not a file of format {_FORMAT}")
    return tuple(_entry(found) for found in document["callbacks"])


def _entry(found: dict[str, Any]) -> Callback:
    requires = tuple((str(skill), int(level)) for skill, level in found.pop("requires"))
    return Callback(requires=requires, **found)


async def _was_answered(leg: LateLeg) -> bool:
    """The agent hung up first: ask the line, which still tells, whether the customer had answered."""
    if leg.line is None:
        return False
    try:
        reply = await leg.line.command("GET VARIABLE", "DIALSTATUS", timeout_s=2.0, even_if_dead=True)
    except AgiError:
        return False
    return reply.value == ANSWERED


async def _nowhere() -> None:
    """There is no place to be noted."""
