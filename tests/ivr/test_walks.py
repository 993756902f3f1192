"""Random trees and random callers: whatever was configured and whatever is keyed, a call comes to an end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from config.checks.rings import rings
from ivr.interpreter import Limits
from ivr.nodes import EnqueueNode, HangUpNode, Keys, LanguageNode, Menu, Play, Retries, Say, SayKind
from ivr.outcome import CallerGone, EndReason, Enqueue, HangUp, NodeId
from ivr.speech import Speech
from ivr.tree import Forest, Node
from tests.ivr.builders import Walk, at, call, forest, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine

LIMITS = Limits(steps=60, steps_without_key=25)
RETRIES_MAX = 3
NAMES = ["start", "a", "b", "c", "d", "e", "f"]

Said = st.SearchStrategy[tuple[Speech, ...]]
common_keys = st.sampled_from([Keys(), Keys(repeat="*", back="#", top="8", operator="0", operator_node=at("start"))])


def nodes_named(
    name: str, targets: list[NodeId], said: st.SearchStrategy[tuple[Speech, ...]]
) -> st.SearchStrategy[Node]:
    """Nodes of every type, which lead to `targets`."""
    identity, node_ids = st.just(at(name)), st.sampled_from(targets)
    following = st.none() | node_ids
    retries = st.builds(Retries, prompts=said, retries=st.integers(0, RETRIES_MAX))
    values = st.sampled_from(["42", "{call.caller}", "{data.nothing}", "words", "", "{data.topic}"])
    data = st.just({"topic": "{call.caller}"})
    return st.one_of(
        st.builds(Play, id=identity, prompts=said, next=following, barge_in=st.booleans()),
        st.builds(
            Menu,
            id=identity,
            prompts=said,
            choices=st.dictionaries(st.sampled_from("01239*#"), node_ids, max_size=4),
            barge_in=st.booleans(),
            timeout_s=st.sampled_from([0.0, 1.0, 5.0]),
            invalid=retries,
            no_input=retries,
            on_failure=following,
            keys=common_keys,
        ),
        st.builds(Say, id=identity, kind=st.sampled_from(SayKind), value=values, next=following),
        st.builds(LanguageNode, id=identity, language=st.sampled_from(["en", "zh"]), next=following),
        st.builds(EnqueueNode, id=identity, queue=st.just("q"), data=data, next=following),
        st.builds(HangUpNode, id=identity, prompts=said),
    )


def forests(said: Said, beyond: Sequence[str] = ()) -> st.SearchStrategy[Forest]:
    """Forests of one tree, whose nodes lead to each other and to the names `beyond` them."""

    def of(count: int) -> st.SearchStrategy[Forest]:
        targets = [at(name) for name in (*NAMES[:count], *beyond)]
        nodes = st.tuples(*(nodes_named(name, targets, said) for name in NAMES[:count]))
        return nodes.map(lambda made: forest(*made))

    return st.integers(1, len(NAMES)).flatmap(of)


any_forests = forests(
    st.lists(st.sampled_from(["p1", "p2", "gone"]), max_size=2).map(lambda names: prompts(*names)), beyond=["nowhere"]
)
tidy_forests = forests(st.sampled_from([prompts("p1"), prompts("p1", "p2")]))
callers = st.lists(
    st.tuples(st.floats(0, 120, allow_nan=False), st.sampled_from([*"0123456789*#ABCD"] * 4 + [HANG_UP])), max_size=30
)


@given(trees=any_forests, keys=callers)
@settings(max_examples=400, deadline=None)
async def test_every_call_comes_to_an_end_within_its_bounds(trees: Forest, keys: list[tuple[float, str]]) -> None:
    walk = Walk(trees, LIMITS)
    line, context = ScriptedLine(keys, missing={"gone"}), call()
    steps_max = LIMITS.steps + 2 * RETRIES_MAX + 3

    start: NodeId | None = at("start")
    while start is not None:
        before = len(walk.records)
        outcome = await walk.interpreter.run(line, context, start)
        start = outcome.then if isinstance(outcome, Enqueue) else None
        end_of_walk(walk, before, outcome)

    assert isinstance(outcome, Enqueue | HangUp | CallerGone)
    assert len(walk.records) == context.steps <= steps_max
    assert [record.number for record in walk.records] == list(range(1, len(walk.records) + 1))
    assert (line.hung_up_with is not None) == (isinstance(outcome, HangUp) and not line.gone)
    assert len(context.menus) == len(set(context.menus))


def end_of_walk(walk: Walk, before: int, outcome: object) -> None:
    """The records of one walk hang together, and each tells of something: no path without prompt, action or end."""
    records = walk.records[before:]
    for record, following in itertools.pairwise(records):
        assert following.node == (record.to or record.node)
        assert record.heard or record.problems or record.to or record.key or record.outcome == "no-input"
    assert records[-1].to is None
    ends = {"enqueue": Enqueue, "caller-gone": CallerGone}
    assert isinstance(outcome, ends.get(records[-1].outcome, HangUp))


def goes_on_by_itself(node: Node) -> list[tuple[NodeId, NodeId]]:
    """The steps of a node that neither asks its caller nor lets the walk end."""
    return [] if node.asks or node.leaves else [(to, to) for to in node.targets()]


@given(trees=tidy_forests, keys=callers)
@settings(max_examples=300, deadline=None)
async def test_a_forest_without_faults_sends_no_call_astray(trees: Forest, keys: list[tuple[float, str]]) -> None:
    assume(not any(rings(trees.nodes, lambda node: goes_on_by_itself(trees.nodes[node]))))
    walk = Walk(trees, Limits(steps=100_000, steps_without_key=100_000))
    # Whoever keeps silent for long enough and hangs up at last must have met a menu, not a ring of prompts.
    line = ScriptedLine([*keys, (5_000.0, HANG_UP)])

    outcome = await walk.run(line)

    assert not isinstance(outcome, HangUp) or outcome.reason not in {EndReason.NO_SUCH_NODE, EndReason.STEP_LIMIT}
    assert not any(problem.kind == "speech-missing" for record in walk.records for problem in record.problems)
