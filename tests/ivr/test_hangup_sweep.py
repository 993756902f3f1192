"""Callers hang up at every operation of every way through the example sites' menus: nothing goes on or is held."""

from __future__ import annotations

from pathlib import Path

import pytest

from acd.service.compile import Compiled, compile_config
from ivr.outcome import CallerGone, HangUp, Outcome
from ivr.record import StepOutcome
from tests.ivr.scripted_line import ScriptedLine
from tests.ivr.sweep import NO_KEY, SITES, Start, Way, places, walked, write
from tests.service.sites import load_site


@pytest.fixture(name="compiled", params=sorted(SITES))
def a_site(request: pytest.FixtureRequest, tmp_path: Path) -> Compiled:
    return compile_config(load_site(write(SITES[request.param], tmp_path / "site")))


@pytest.fixture(name="starts")
def all_starts(request: pytest.FixtureRequest, compiled: Compiled) -> list[Start]:
    """Those of the site, and the nodes that are reached from queues and agents' phones."""
    site = SITES[request.node.callspec.params["compiled"]]
    return [*site.starts, *(Start("100", node=node) for node in compiled.forest.nodes if node.startswith("@"))]


def line(way: Way, gone_after: int = 0) -> ScriptedLine:
    """A caller who presses the keys at once and then none, and talks for three seconds into each recording."""
    caller = ScriptedLine(talks_s=[3.0] * 9, work_s=[1.0] * 9, gone_after=gone_after)
    caller.buffer = list(way.keys.replace(NO_KEY, ""))
    return caller


async def test_every_node_is_reached(compiled: Compiled, starts: list[Start]) -> None:
    ways = await places(compiled, starts)
    assert {way.node for way in ways} == set(compiled.forest.nodes)


async def test_hanging_up_at_each_operation_ends_the_walk_and_holds_nothing(
    compiled: Compiled, starts: list[Start]
) -> None:
    ways = {(way.start, way.keys): way for way in await places(compiled, starts)}
    hung_up_at: set[str] = set()
    for way in ways.values():
        whole = line(way)
        await walked(compiled, way.start, whole)
        for operation in range(1, whole.operations + 1):
            caller = line(way, gone_after=operation)
            outcome, records, held, _ = await walked(compiled, way.start, caller)
            story = f"{way}, operation {operation}: {[f'{record.node} {record.outcome}' for record in records]}"
            assert ended(outcome, operation, whole.operations), story
            # Whoever keeps what was recorded until then is told again by the next operation.
            assert caller.operations <= operation + 1, f"went on without a caller: {story}"
            assert not held.left, f"{held.left}: {story}"
            if isinstance(outcome, CallerGone):
                assert records[-1].outcome == StepOutcome.CALLER_GONE, story
                assert outcome.at == records[-1].node, story
                hung_up_at.add(outcome.at)
    speaking = {way.node for way in ways.values() if way.heard}
    assert speaking <= hung_up_at


def ended(outcome: Outcome, operation: int, operations: int) -> bool:
    """The caller is gone; or was so at the very last operation, by which the menus hung up anyway."""
    return isinstance(outcome, CallerGone) or (isinstance(outcome, HangUp) and operation == operations)
