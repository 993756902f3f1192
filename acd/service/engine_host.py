"""The engine in the running process: one inbox, one timer, one clock."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from acd.core.commands import Command
from acd.core.events import Event, TimePassed

__all__ = ["EngineHost", "HostedEngine", "InputObserver"]


class HostedEngine(Protocol):
    """What the host needs of ``acd.core.engine.Engine``."""

    def handle(self, event: Event, now: float) -> Sequence[Command]:
        """Take one input; deadlines due before ``now`` are acted on first."""
        ...

    def next_deadline(self) -> float | None:
        """When the engine wants to be called even if nothing happens."""
        ...


class InputObserver(Protocol):
    """Whoever wants to see every input with what came of it: metrics, a journal, status."""

    def __call__(self, sequence: int, event: Event, now: float, commands: Sequence[Command]) -> None:
        """Take note, at once and without raising. ``sequence`` counts inputs from 1, as commands' ``cause`` does."""


class EngineHost:
    """Feeds the engine and carries its commands to whoever executes them.

    ``post`` handles the event before it returns: between an agent's hang-up and the next caller's dial there is no
    hop through the event loop. An event posted by a command's executor waits until the commands before it are
    dispatched, so executors never see the engine in the middle of a decision. The clock is the event loop's.
    """

    def __init__(
        self, engine: HostedEngine, dispatch: Callable[[Command], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        self._engine = engine
        self._dispatch = dispatch
        self._loop = loop
        self._inbox: deque[Event] = deque()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._observers: list[InputObserver] = []
        self._closed = False
        self.inputs = 0
        """Inputs handled so far."""

    def observe(self, observer: InputObserver) -> None:
        """Let the observer see every input from now on."""
        self._observers.append(observer)

    def now(self) -> float:
        """The engine's time: monotonic seconds."""
        return self._loop.time()

    def post(self, event: Event) -> None:
        """Tell the engine, and dispatch what it decides. After ``close`` nothing is told any more."""
        self._inbox.append(event)
        if self._busy or self._closed:
            return
        self._busy = True
        try:
            while self._inbox:
                self._handle(self._inbox.popleft())
        finally:
            self._busy = False
            self._arm()

    def close(self) -> None:
        """Stop the timer and take no more events."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _handle(self, event: Event) -> None:
        now = self._loop.time()
        commands = self._engine.handle(event, now)
        self.inputs += 1
        for command in commands:
            self._dispatch(command)
        for observer in self._observers:
            observer(self.inputs, event, now, commands)

    def _arm(self) -> None:
        """Keep one timer. One that is set too early is left: when it fires, it finds nothing due and is set anew."""
        deadline = self._engine.next_deadline()
        if deadline is None or self._closed:
            return
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._fire)

    def _fire(self) -> None:
        self._timer = None
        self.post(TimePassed())
