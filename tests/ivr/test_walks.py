"""Random trees and random callers: whatever was configured and whatever is keyed, a call comes to an end."""

from __future__ import annotations

import itertools

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from config.checks.rings import rings
from ivr.interpreter import Limits
from ivr.nodes import NODE_TYPES, EnqueueNode, HangUpNode, LanguageNode, Menu, Play, Say
from ivr.outcome import CallerGone, EndReason, Enqueue, HangUp, NodeId, Outcome, ToAgent, WaitOn
from ivr.tools import Tools
from ivr.tree import Forest, Node
from tests.ivr.any_node import RETRIES_MAX, STRATEGIES, any_prompts, any_tools, forests
from tests.ivr.builders import Walk, at, call, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine

LIMITS = Limits(steps=60, steps_without_key=25)
TRIES_MAX = 3 * RETRIES_MAX + 12
"""So many steps one visit can make beyond the bound: its tries."""
LEAVES = 200
"""So often a call may come back into the menus."""

any_forests = forests(any_prompts, beyond=["nowhere"])
tidy_forests = forests(
    st.sampled_from([prompts("p1"), prompts("p1", "p2")]),
    types=(Play, Menu, Say, LanguageNode, EnqueueNode, HangUpNode),
)
callers = st.lists(
    st.tuples(st.floats(0, 120, allow_nan=False), st.sampled_from([*"0123456789*#ABCD"] * 4 + [HANG_UP])), max_size=30
)


def test_there_are_random_nodes_of_every_type() -> None:
    assert {node.type for node in STRATEGIES} == set(NODE_TYPES)


@given(trees=any_forests, keys=callers, tools=any_tools)
@settings(max_examples=250, deadline=None)
async def test_every_call_comes_to_an_end_within_its_bounds(
    trees: Forest, keys: list[tuple[float, str]], tools: Tools
) -> None:
    walk = Walk(trees, LIMITS, tools=tools)
    line, context = ScriptedLine(keys, missing={"gone"}), call()

    start: NodeId | None = at("start")
    for _ in range(LEAVES):
        before = len(walk.records)
        assert start is not None
        outcome = await walk.interpreter.run(line, context, start)
        end_of_walk(walk, before, outcome)
        start = comes_back_to(outcome)
        if start is None:
            break

    assert isinstance(outcome, Enqueue | ToAgent | WaitOn | HangUp | CallerGone)
    assert start is None, "the call was in and out of the menus for ever"
    assert len(walk.records) == context.steps <= LIMITS.steps + TRIES_MAX
    assert [record.number for record in walk.records] == list(range(1, len(walk.records) + 1))
    assert (line.hung_up_with is not None) == (isinstance(outcome, HangUp) and not line.gone)
    levels = itertools.pairwise([0, *(frame.menus for frame in context.frames), len(context.menus)])
    for first, last in levels:  # a subtree that is within itself has menus of its own each time
        assert len(context.menus[first:last]) == len(set(context.menus[first:last]))


def comes_back_to(outcome: Outcome) -> NodeId | None:
    """Where a call comes back into the menus: after the talk, or because the agent did not take it."""
    match outcome:
        case Enqueue(then=then):
            return then
        case ToAgent(not_reached=not_reached, then=then):
            return not_reached or then
        case _:
            return None


def end_of_walk(walk: Walk, before: int, outcome: object) -> None:
    """The records of one walk hang together, and each tells of something: no path without prompt, action or end."""
    records = walk.records[before:]
    for record, following in itertools.pairwise(records):
        assert following.node == (record.to or record.node)
        told = record.heard or record.problems or record.to or record.key
        # Of a secret no key is told; who is not asked for an opinion hears nothing.
        assert told or record.outcome in ("no-input", "wrong", "skipped")
    assert records[-1].to is None
    ends = {"enqueue": Enqueue, "caller-gone": CallerGone}
    assert isinstance(outcome, ends.get(records[-1].outcome, HangUp | ToAgent | WaitOn))


def goes_on_by_itself(node: Node) -> list[tuple[NodeId, NodeId]]:
    """The steps of a node that neither asks its caller nor lets the walk end."""
    return [] if node.asks or node.leaves else [(to, to) for to in node.targets()]


@given(trees=tidy_forests, keys=callers)
@settings(max_examples=200, deadline=None)
async def test_a_forest_without_faults_sends_no_call_astray(trees: Forest, keys: list[tuple[float, str]]) -> None:
    assume(not any(rings(trees.nodes, lambda node: goes_on_by_itself(trees.nodes[node]))))
    walk = Walk(trees, Limits(steps=100_000, steps_without_key=100_000))
    # Whoever keeps silent for long enough and hangs up at last must have met a menu, not a ring of prompts.
    line = ScriptedLine([*keys, (5_000.0, HANG_UP)])

    outcome = await walk.run(line)

    assert not isinstance(outcome, HangUp) or outcome.reason not in {EndReason.NO_SUCH_NODE, EndReason.STEP_LIMIT}
    assert not any(problem.kind == "speech-missing" for record in walk.records for problem in record.problems)
