"""The way out of the house: takes messages, keeps them on disk, delivers them, tries again."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from acd.service.messages.dead_letters import DeadLetter
from acd.service.messages.failures import DestinationDown, PermanentFailure, TemporaryFailure
from acd.service.messages.lane import BackOff, Lane
from acd.service.messages.message import Message, OutgoingHook, OutgoingMail
from acd.service.messages.spool import HOOK_LANE, Entry, Spool, SpoolFull, SpoolLimits

__all__ = ["BackOff", "Backlog", "Outbox", "Senders"]

log = structlog.get_logger(__name__)

_WORKERS: Final = 4
"""Messages under way to one destination at the same time."""
_GRACE_S: Final = 1.5
"""At the end of the process, what is under way has so long to be told from what is not (seconds)."""


class MailSending(Protocol):
    """See ``mail.MailSender``."""

    async def send(self, mail: OutgoingMail, created: float) -> None:
        """Deliver one mail."""


class HookSending(Protocol):
    """See ``hook.HookSender``."""

    async def send(self, hook: OutgoingHook, created: float) -> None:
        """Deliver one document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """The messages that wait for one destination."""

    kind: str
    """``mail`` or ``hook``."""
    to: str
    """The webhook's name; of all mails ``mail``, the mail server."""
    messages: int
    oldest: float
    """When the one that waits longest was handed in (UNIX time, seconds)."""
    last_failure: str
    """Why the last try since the start failed; empty when none did."""


@dataclass(slots=True)
class Senders:
    """What delivers; exchanged when the configuration changes. ``mail`` None: no mail server is configured."""

    mail: MailSending | None
    hooks: HookSending


class Outbox:
    """See the package. ``put`` from any thread or ``post`` from the event loop; ``run`` delivers until cancelled."""

    def __init__(
        self,
        folder: Path,
        senders: Senders,
        limits: SpoolLimits | None = None,
        *,
        wall: Callable[[], float] = time.time,
        back_off: BackOff | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.senders = senders
        self._spool = Spool(folder, limits or SpoolLimits(), wall)
        self._back_off = back_off or BackOff()
        self._uniform = uniform
        self._lanes: dict[str, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._counts: Counter[tuple[str, str]] = Counter()

    def put(self, message: Message) -> bool:
        """Take a message. It is on disk when this returns; False: its id is known, it is not sent (again).

        Blocks on the disk: from the event loop use ``post``.

        Raises:
            SpoolFull: too many wait.
            OSError: it cannot be written (a full disk, a folder that is not ours). Nothing of it is kept.
        """
        kind = _kind(message)
        try:
            entry = self._spool.add(message)
        except (SpoolFull, OSError):
            self._counts[kind, "refused"] += 1
            raise
        if entry is None:
            self._counts[kind, "known"] += 1
            return False
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._enter, entry)
        return True

    async def post(self, message: Message) -> bool:
        """As ``put``, without blocking. A message that cannot be taken is told in the log, and False is returned."""
        try:
            return await asyncio.to_thread(self.put, message)
        except (SpoolFull, OSError) as error:
            log.error("a message cannot be kept and is lost", message=message.id, why=str(error))  # noqa: TRY400
            return False

    async def run(self) -> None:
        """Deliver what waits and what comes, until cancelled; what is under way then has a moment to end.

        Raises:
            OSError: the spool's folder cannot be used.
        """
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._spool.open)
        for entry in self._spool.entries:
            self._enter(entry)
        try:
            await self._loop.create_future()  # until cancelled
        finally:
            self._loop = None
            await self._close()

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._spool.entries)

    # What is seen and done by hand.

    def backlogs(self) -> list[Backlog]:
        """What waits, by destination."""
        waiting: dict[str, list[Entry]] = {}
        for entry in self._spool.entries:
            waiting.setdefault(entry.lane, []).append(entry)
        return [
            Backlog(
                to=lane.removeprefix(HOOK_LANE),
                kind=_kind_of_lane(lane),
                messages=len(entries),
                oldest=min(entry.created for entry in entries),
                last_failure=self._lanes[lane].last_failure if lane in self._lanes else "",
            )
            for lane, entries in sorted(waiting.items())
        ]

    async def dead_letters(self) -> list[DeadLetter]:
        """What was given up, the last first."""
        return await asyncio.to_thread(self._spool.dead_letters)

    async def send_again(self, key: str) -> bool:
        """Deliver a message after all that was given up; False: there is none.

        Raises:
            SpoolFull: too many wait. OSError: it cannot be written. ValueError: what lies there is no message.
        """
        entry = await asyncio.to_thread(self._spool.send_again, key)
        if entry is None:
            return False
        log.info("message to be sent again", message=key, lane=entry.lane)
        self._enter(entry)
        return True

    async def drop(self, key: str) -> bool:
        """Remove a message that was given up for good; False: there is none. Raises OSError."""
        dropped = await asyncio.to_thread(self._spool.drop, key)
        if dropped:
            log.info("message dropped", message=key)
        return dropped

    def metrics(self) -> Iterator[Metric]:
        """Read the counts for a scrape."""
        total = CounterMetricFamily(
            "acd_messages", "Mails and webhooks by what became of them.", labels=["kind", "outcome"]
        )
        for (kind, outcome), count in sorted(self._counts.items()):
            total.add_metric([kind, outcome], count)
        yield total
        waiting = GaugeMetricFamily("acd_messages_waiting", "Messages still to be delivered.", labels=["kind"])
        kinds = Counter(_kind_of_lane(entry.lane) for entry in self._spool.entries)
        for kind in ("hook", "mail"):
            waiting.add_metric([kind], kinds[kind])
        yield waiting
        yield GaugeMetricFamily("acd_messages_dead", "Messages given up and kept for the operator.", self._spool.dead)

    # Delivering.

    def _enter(self, entry: Entry) -> None:
        """Let a message wait in its lane, unless it does (one put while ``run`` takes stock comes twice)."""
        if self._closing:
            return
        lane = self._lanes.get(entry.lane)
        if lane is None:
            lane = self._lanes[entry.lane] = Lane(self._back_off, self._uniform)
            for _ in range(_WORKERS):
                task = asyncio.get_running_loop().create_task(self._work(lane))
                self._tasks.add(task)
        lane.enter(entry)

    async def _work(self, lane: Lane) -> None:
        while not self._closing:
            entry = await lane.next()
            if entry is None:
                return
            try:
                await self._deliver(lane, entry)
            except Exception:
                # A fault of ours in one message must not stop the others.
                log.exception("message not delivered", message=entry.key)
                lane.again(entry, self._uniform(0.5, 1.0) * self._back_off.most_s)

    async def _deliver(self, lane: Lane, entry: Entry) -> None:
        kind, attempt = _kind_of_lane(entry.lane), lane.attempt
        if self._spool.is_too_old(entry):
            await self._give_up(lane, entry, f"not delivered in time; the last failure: {lane.last_failure or 'none'}")
            return
        message = await asyncio.to_thread(self._spool.read, entry)
        if message is None:
            lane.settle(entry)
            self._counts[kind, "dead"] += 1
            return
        try:
            await self._send(message, entry.created)
        except PermanentFailure as failure:
            await self._give_up(lane, entry, str(failure))
        except TemporaryFailure as failure:
            self._counts[kind, "retried"] += 1
            down = isinstance(failure, DestinationDown)
            news = not down or attempt == lane.attempt  # of a destination that is down, one line each time is enough
            wait_s = lane.failed(entry, failure, attempt, down=down)
            tell = log.warning if news else log.debug
            tell("message not delivered yet", message=entry.key, lane=entry.lane, why=str(failure), again_in_s=wait_s)
        else:
            # Not to be torn by a cancellation: what is sent and not marked so is sent again after a restart.
            await asyncio.shield(asyncio.to_thread(self._spool.done, entry))
            lane.succeeded(entry)
            self._counts[kind, "sent"] += 1
            log.info("message delivered", message=entry.key, lane=entry.lane)

    async def _send(self, message: Message, created: float) -> None:
        if isinstance(message, OutgoingHook):
            await self.senders.hooks.send(message, created)
        elif self.senders.mail is None:
            raise PermanentFailure("acd.yaml has no mail server (any more)")
        else:
            await self.senders.mail.send(message, created)

    async def _give_up(self, lane: Lane, entry: Entry, why: str) -> None:
        await asyncio.shield(asyncio.to_thread(self._spool.give_up, entry, why))
        lane.settle(entry)
        self._counts[_kind_of_lane(entry.lane), "dead"] += 1

    async def _close(self) -> None:
        self._closing = True
        for lane in self._lanes.values():
            lane.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _kind(message: Message) -> str:
    return "mail" if isinstance(message, OutgoingMail) else "hook"


def _kind_of_lane(lane: str) -> str:
    return lane.partition(":")[0]
