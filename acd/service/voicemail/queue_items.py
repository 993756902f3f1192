"""Messages that are offered to agents like calls, while agents are idle and nobody waits.

A message whose box names a queue waits there for a moment, as a call without a line: only when no caller waits in that
queue and an agent of it is idle, at the lowest priority there is, and it is taken back as soon as a caller comes. So no
caller ever waits for a message. The agent's phone rings; picked up, it tells what it is, plays it, and the agent says
by a key what becomes of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog

from acd.core.agents import Agent
from acd.core.calls import Call
from acd.core.commands import AddLeg, CancelLeg, CancelOffer, Command, FaultFound, OfferCall, Overflow, VerifyOffer
from acd.core.events import CallArrived, CallEnded, CallLeftQueue, CallQueued, Event, LegFailed, LegFailure, OfferEnded
from acd.core.queues import Queue
from acd.core.transitions import CallState
from acd.service.agi_line import AgiLine, Sounds
from acd.service.late_legs import CallerId, LateLeg, LateLegs
from acd.service.live_site import AgentPhone
from acd.service.outbound import Outbound
from acd.service.voicemail.boxes import Boxes, BoxSpec
from acd.service.voicemail.desk import VoicemailDesk
from acd.service.voicemail.message import CALL_PREFIX, MessageState, StoredMessage
from ami_bridge.translation import ANSWERED
from ivr.line import KEYS, LineHungUp
from ivr.speech import Date, Digits, DigitStyle, Prompt, Recording, Speech, TimeOfDay

__all__ = ["ItemTools", "QueueItems"]

log = structlog.get_logger(__name__)

LOWEST_PRIORITY = -1_000_000
"""Below what any configuration can give a caller."""
LONGEST_WAIT_S = 10.0
"""A message that no agent was offered within so long is taken back, and tried again after ``PAUSE_S`` (seconds)."""
PAUSE_S = 30.0
_LOOK_S = 0.5
_KEY_TIMEOUT_S = 8.0
_KEY_TRIES = 3
_RING_S = 45
_LONGEST_CALL_S = 4 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTools:
    """What is used of the process around."""

    boxes: Callable[[], Boxes]
    desk: VoicemailDesk
    queues: Mapping[str, Queue]
    calls: Mapping[str, Call]
    """The engine's, to read."""
    post: Callable[[Event], None]
    late: LateLegs
    phones: Mapping[str, AgentPhone]
    outbound: Callable[[], Outbound]
    sounds: Sounds
    language: Callable[[], str]
    """Of the agents."""
    variables: Callable[[], tuple[tuple[str, str], ...]]
    now: Callable[[], float]
    """The engine's clock."""


@dataclass(slots=True)
class _Item:
    message: StoredMessage
    queue: str
    since: float
    talking: bool = False
    tasks: set[asyncio.Task[None]] = field(default_factory=set)


class QueueItems:
    """See the module. ``take`` gets the engine's commands for the calls that ``owns`` knows."""

    def __init__(self, tools: ItemTools) -> None:
        self._tools = tools
        self._open: dict[str, _Item] = {}
        self._not_before: dict[str, float] = {}

    def owns(self, call_id: str) -> bool:
        """Tell whether this call of the engine is a message."""
        return call_id in self._open

    async def run(self) -> None:
        """Offer what is to be offered, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """Take back what is in the way of a caller; let a message wait where nobody does and somebody is idle."""
        now = self._tools.now()
        for call_id, item in list(self._open.items()):
            if self._is_in_the_way(call_id, item, now):
                self._withdraw(call_id, item, now)
        for box in self._tools.boxes().by_name.values():
            if box.items is None or any(item.queue == box.items.queue for item in self._open.values()):
                continue
            message = self._next(box, now)
            if message is not None and self._has_time(box.items.queue):
                self._offer_message(message, box)

    def _is_in_the_way(self, call_id: str, item: _Item, now: float) -> bool:
        call = self._tools.calls.get(call_id)
        if item.talking or call is None:
            return False
        if call.offer is not None:
            return any(self._is_awaited(agent) for agent in call.offer.legs.values())
        if call.state is not CallState.WAITING:
            return False
        queue = self._tools.queues.get(item.queue)
        others = queue is not None and len(queue.waiting) > 1
        return others or now - item.since > LONGEST_WAIT_S

    def _is_awaited(self, agent: Agent) -> bool:
        """Tell whether a caller waits, in whatever queue, whom this agent would be offered if no message rang."""
        items = Counter(
            id(call.demand)
            for call_id in self._open
            if (call := self._tools.calls.get(call_id)) is not None and call.state is CallState.WAITING
        )
        return bool(agent.personal) or any(demand.line.size > items[id(demand)] for demand in agent.demands)

    def _has_time(self, queue_id: str) -> bool:
        queue = self._tools.queues.get(queue_id)
        if queue is None or queue.retired or queue.waiting or queue.offered:
            return False
        return any(agent.is_idle for agent in queue.members.values())

    def _next(self, box: BoxSpec, now: float) -> StoredMessage | None:
        """The message to be offered next: an urgent one first, then the oldest."""
        found = [
            message
            for message in self._tools.desk.store.of_box(box.name)
            if message.state is MessageState.NEW and now >= self._not_before.get(message.id, 0.0)
        ]
        return min(found, key=lambda message: (not message.urgent, message.left_at), default=None)

    def _offer_message(self, message: StoredMessage, box: BoxSpec) -> None:
        if box.items is None:
            return
        call_id = f"{CALL_PREFIX}{message.id}"
        self._open[call_id] = _Item(message, box.items.queue, self._tools.now())
        post = self._tools.post
        post(CallArrived(call_id, message.call.caller, message.call.dialled, line=False))
        post(
            CallQueued(
                call_id,
                box.items.queue,
                priority=LOWEST_PRIORITY,
                requires=tuple(sorted(box.items.requires.items())),
                language=message.call.language,
                stays=True,
            )
        )
        log.info("voicemail message waits for an agent", box=box.name, message=message.id, queue=box.items.queue)

    def _withdraw(self, call_id: str, item: _Item, now: float) -> None:
        self._not_before[item.message.id] = now + PAUSE_S
        self._tools.late.call_gone(call_id)
        self._tools.post(CallLeftQueue(call_id, "callers come first"))
        self._end(call_id)

    def _end(self, call_id: str) -> None:
        if self._open.pop(call_id, None) is not None:
            self._tools.post(CallEnded(call_id))

    # What the engine commands.

    def take(self, command: Command, call_id: str) -> None:
        """Carry out a command of the engine for one of these calls."""
        late, post = self._tools.late, self._tools.post
        match command:
            case OfferCall():
                rung = [
                    self._ring(command.offer_id, call_id, agent, command.ring_timeout_s) for agent in command.agent_ids
                ]
                if not all(rung):
                    self._withdraw(call_id, self._open[call_id], self._tools.now())
            case AddLeg():
                if not self._ring(command.offer_id, call_id, command.agent_id, command.ring_timeout_s):
                    post(LegFailed(command.offer_id, command.agent_id, LegFailure.CANCELLED))
            case CancelLeg():
                late.cancel_leg(command.offer_id, command.agent_id)
            case CancelOffer():
                late.cancel_offer(command.offer_id)
            case VerifyOffer():
                late.cancel_offer(command.offer_id)
                post(OfferEnded(command.offer_id, LegFailure.CANCELLED))
            case Overflow():
                self._withdraw(call_id, self._open[call_id], self._tools.now())

    def fault(self, command: FaultFound, call_id: str) -> None:
        """The engine has let go of it after a fault: it is offered again later."""
        log.error("engine fault", entity=command.entity, fault=command.message, story=command.story)
        item = self._open.pop(call_id)
        self._not_before[item.message.id] = self._tools.now() + PAUSE_S
        self._tools.late.call_gone(call_id)

    def _ring(self, offer_id: str, call_id: str, agent_id: str, timeout_s: float) -> bool:
        tools = self._tools
        return tools.late.ring(
            (offer_id, call_id, agent_id),
            tools.phones[agent_id],
            timeout_s,
            CallerId(self._open[call_id].message.call.caller, "Voicemail"),
            self._picked_up,
            tools.variables(),
        )

    # The agent's line.

    def _picked_up(self, leg: LateLeg) -> None:
        item = self._open.get(leg.call_id)
        if item is None:
            return
        item.talking = True
        self._tools.late.connecting(leg)
        self._tools.late.bridged(leg)
        task = asyncio.get_running_loop().create_task(self._talk(leg, item))
        item.tasks.add(task)
        task.add_done_callback(partial(_done, item.tasks))

    async def _talk(self, leg: LateLeg, item: _Item) -> None:
        store, message = self._tools.desk.store, item.message
        state: MessageState | None = None
        try:
            taken = await store.change(
                message.id, only_from=(MessageState.NEW,), state=MessageState.ASSIGNED, agent=leg.agent_id
            )
            if taken is not None and leg.line is not None:
                state = await self._listened(leg, taken)
                if state is not MessageState.ASSIGNED:
                    await store.change(message.id, state=state, agent=leg.agent_id if state.value == "closed" else "")
        except OSError as error:
            log.error("what became of a voicemail message cannot be kept", message=message.id, why=str(error))  # noqa: TRY400
        finally:
            if state is None or state is MessageState.NEW:
                self._not_before[message.id] = self._tools.now() + PAUSE_S
            self._tools.late.talk_ended(leg)
            self._end(leg.call_id)
            if leg.line is not None:
                leg.line.close()
        told = state.value if state is not None else "new"
        log.info("voicemail message taken by an agent", message=message.id, agent=leg.agent_id, state=told)

    async def _listened(self, leg: LateLeg, message: StoredMessage) -> MessageState:
        """Play it and ask what becomes of it. An agent who hangs up before it has ended has not taken it."""
        if leg.line is None:
            return MessageState.NEW
        desk = self._tools.desk
        path = await desk.make_playable(message)
        heard = False
        line = AgiLine(leg.line, self._tools.sounds, _nowhere, answered=True)
        try:
            await line.set_language(self._tools.language())
            sound = Recording(str(path.with_suffix("")), message.seconds)
            await line.play((Prompt("voicemail-item"), *self._envelope(message)), KEYS)
            await line.play((sound,), KEYS)
            heard = True
            return await self._asked(line, message, sound)
        except LineHungUp:
            return MessageState.ASSIGNED if heard else MessageState.NEW
        finally:
            await desk.drop_playable(path)

    async def _asked(self, line: AgiLine, message: StoredMessage, sound: Recording) -> MessageState:
        for _ in range(_KEY_TRIES):
            key = await line.read_digit(0.001) or ""
            if not key:
                await line.play((Prompt("voicemail-item-keys"),), KEYS)
                key = await line.read_digit(_KEY_TIMEOUT_S)
            match key:
                case "1":
                    await line.play((Prompt("voicemail-item-closed"),))
                    return MessageState.CLOSED
                case "9":
                    await line.play((Prompt("voicemail-item-kept"),))
                    return MessageState.ASSIGNED
                case "5":
                    await line.play((sound,), KEYS)
                case "8":
                    await self._call_back(line, message)
        return MessageState.ASSIGNED

    async def _call_back(self, line: AgiLine, message: StoredMessage) -> None:
        device = self._tools.outbound().device(message.call.caller)
        if device is None:
            await line.play((Prompt("voicemail-no-callback"),))
            return
        await line.play((Prompt("voicemail-calling"),))
        # No option lets either end transfer; g: the agent stays with us afterwards.
        await line.run_application("Dial", f"{device},{_RING_S},grL({_LONGEST_CALL_S * 1000})")
        (status,) = await line.read_variables(("DIALSTATUS",))
        log.info("sender of a voicemail message called back", message=message.id, status=status)
        if status != ANSWERED:
            await line.play((Prompt("voicemail-not-reached"),))

    def _envelope(self, message: StoredMessage) -> tuple[Speech, ...]:
        at = self._tools.desk.left_at(message)
        when = (Prompt("voicemail-received"), Date(at.date(), year=False), TimeOfDay(at.hour, at.minute))
        if not message.call.caller:
            return (*when, Prompt("voicemail-from-unknown"))
        return (*when, Prompt("voicemail-from"), Digits(message.call.caller, DigitStyle.PHONE))


def _done(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        log.error("a voicemail message could not be told to an agent", exc_info=task.exception())


async def _nowhere() -> None:
    """There is no place to be noted."""
