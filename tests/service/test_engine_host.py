"""The host: handles at once, keeps order when executors post back, keeps one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from acd.core.commands import AgentStateChanged, Command
from acd.core.events import AgentLoggedOut, AgentReady, Event, TimePassed
from acd.service.engine_host import EngineHost


@dataclass
class ScriptedEngine:
    """Answers each event with what the script has for it; remembers what it was told."""

    script: dict[Event, list[Command]] = field(default_factory=dict)
    deadline: float | None = None
    handled: list[tuple[Event, float]] = field(default_factory=list)
    on_handle: Callable[[Event], None] = lambda _: None

    def handle(self, event: Event, now: float) -> Sequence[Command]:
        self.handled.append((event, now))
        self.on_handle(event)
        return self.script.get(event, [])

    def next_deadline(self) -> float | None:
        return self.deadline


def changed(agent_id: str) -> Command:
    return AgentStateChanged(1, agent_id, "ready", "", None)


async def test_commands_are_out_when_post_returns() -> None:
    dispatched: list[Command] = []
    engine = ScriptedEngine({AgentReady("anna"): [changed("anna"), changed("bob")]})
    host = EngineHost(engine, dispatched.append, asyncio.get_running_loop())
    host.post(AgentReady("anna"))
    assert dispatched == [changed("anna"), changed("bob")]


async def test_an_event_posted_by_an_executor_waits_for_the_commands_before_it() -> None:
    happened: list[object] = []
    first, second = AgentReady("first"), AgentReady("second")
    engine = ScriptedEngine({first: [changed("a"), changed("b")], second: [changed("c")]}, on_handle=happened.append)

    def dispatch(command: Command) -> None:
        happened.append(command)
        if command == changed("a"):
            host.post(second)

    host = EngineHost(engine, dispatch, asyncio.get_running_loop())
    host.post(first)
    assert happened == [first, changed("a"), changed("b"), second, changed("c")]


async def test_an_executor_that_raises_does_not_block_the_inbox() -> None:
    engine = ScriptedEngine({AgentReady("bad"): [changed("bad")]})

    def dispatch(command: Command) -> None:
        raise LookupError("executor broken")

    host = EngineHost(engine, dispatch, asyncio.get_running_loop())
    with pytest.raises(LookupError):
        host.post(AgentReady("bad"))
    host.post(AgentLoggedOut("anna"))
    assert [event for event, _ in engine.handled] == [AgentReady("bad"), AgentLoggedOut("anna")]


async def test_the_timer_fires_at_the_deadline_and_is_set_anew() -> None:
    loop = asyncio.get_running_loop()
    fired = asyncio.Event()
    engine = ScriptedEngine()

    def on_handle(event: Event) -> None:
        if isinstance(event, TimePassed):
            engine.deadline = loop.time() + 0.02 if len(engine.handled) < 3 else None
            if engine.deadline is None:
                fired.set()

    engine.on_handle = on_handle
    engine.deadline = due = loop.time() + 0.02
    host = EngineHost(engine, lambda _: None, loop)
    host.post(AgentReady("anna"))
    await asyncio.wait_for(fired.wait(), 5)
    assert [type(event) for event, _ in engine.handled] == [AgentReady, TimePassed, TimePassed]
    assert engine.handled[1][1] >= due


async def test_an_earlier_deadline_replaces_the_timer() -> None:
    loop = asyncio.get_running_loop()
    fired = asyncio.Event()
    engine = ScriptedEngine(deadline=loop.time() + 3600)
    engine.on_handle = lambda event: fired.set() if isinstance(event, TimePassed) else None
    host = EngineHost(engine, lambda _: None, loop)
    host.post(AgentReady("anna"))
    engine.deadline = loop.time() + 0.01
    host.post(AgentReady("anna"))
    await asyncio.wait_for(fired.wait(), 5)


async def test_observers_see_inputs_in_order_with_numbers() -> None:
    seen: list[tuple[int, Event, Sequence[Command]]] = []
    engine = ScriptedEngine({AgentReady("b"): [changed("b")]})
    host = EngineHost(engine, lambda _: None, asyncio.get_running_loop())
    host.observe(lambda sequence, event, now, commands: seen.append((sequence, event, commands)))
    host.post(AgentReady("a"))
    host.post(AgentReady("b"))
    assert seen == [(1, AgentReady("a"), []), (2, AgentReady("b"), [changed("b")])]


async def test_nothing_is_told_after_close() -> None:
    loop = asyncio.get_running_loop()
    engine = ScriptedEngine(deadline=loop.time() + 0.01)
    host = EngineHost(engine, lambda _: None, loop)
    host.post(AgentReady("a"))
    host.close()
    host.post(AgentReady("b"))
    await asyncio.sleep(0.03)
    assert [event for event, _ in engine.handled] == [AgentReady("a")]
