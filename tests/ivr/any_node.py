"""Random nodes of every registered type, random trees of them, and tools that answer them at random."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from hypothesis import strategies as st

from ivr import nodes
from ivr.conditions import FieldTest
from ivr.directory import Directory
from ivr.entries import EntryCheck, EntryRules
from ivr.keys import Keys
from ivr.line import RecordLimits
from ivr.lookups import LookUpAnswer, LookUpOutcome
from ivr.nodes import http, survey
from ivr.outcome import AgentMiss, NodeId
from ivr.patterns import Pattern
from ivr.recordings import Manner
from ivr.speech import Prompt, Speech
from ivr.tools import Tools
from ivr.tree import Forest, Node
from ivr.values import Wording
from tests.ivr.builders import at, forest, prompts

RETRIES_MAX = 3
NAMES = ["start", "a", "b", "c", "d", "e", "f"]

Said = st.SearchStrategy[tuple[Speech, ...]]
common_keys = st.sampled_from([Keys(), Keys(repeat="*", back="#", top="8", operator="0", operator_node=at("start"))])


@dataclass(frozen=True)
class Around:
    """What a random node is made of: its name, where it may lead, what it may say."""

    id: NodeId
    targets: Sequence[NodeId]
    said: Said

    @property
    def to(self) -> st.SearchStrategy[NodeId]:
        return st.sampled_from(self.targets)

    @property
    def maybe(self) -> st.SearchStrategy[NodeId | None]:
        return st.none() | self.to

    @property
    def retries(self) -> st.SearchStrategy[nodes.Retries]:
        return st.builds(nodes.Retries, prompts=self.said, retries=st.integers(0, RETRIES_MAX))

    @property
    def rules(self) -> st.SearchStrategy[EntryRules]:
        return st.builds(
            EntryRules,
            min_digits=st.integers(1, 3),
            max_digits=st.integers(3, 6),
            terminator=st.sampled_from(["", "#", "*"]),
            first_digit_s=st.sampled_from([0.0, 2.0]),
            inter_digit_s=st.sampled_from([0.0, 1.0]),
        )

    def some(self, words: type[StrEnum]) -> st.SearchStrategy[Mapping[str, NodeId]]:
        return st.dictionaries(st.sampled_from(list(words)), self.to, max_size=2)


data = st.just({"topic": "{call.caller}"})
values = st.sampled_from(
    ["42", "{call.caller}", "{data.nothing}", "words", "", "{data.topic}", "12.5 USD", "2026-11-21", "9:30", "PT5M"]
)
conditions = st.builds(FieldTest, name=st.sampled_from(["data.topic", "call.caller"]), present=st.booleans())
limits = st.builds(RecordLimits, longest_s=st.just(5.0))


def _menu(around: Around) -> st.SearchStrategy[Node]:
    choices = st.dictionaries(st.sampled_from("01239*#"), around.to, max_size=4)
    directories = st.none() | st.builds(
        Directory, st.dictionaries(st.sampled_from(["12", "123", "1234", "99"]), around.to), st.just({"31": "anna"})
    )
    return st.builds(
        nodes.Menu,
        id=st.just(around.id),
        prompts=around.said,
        choices=choices,
        barge_in=st.booleans(),
        timeout_s=st.sampled_from([0.0, 1.0, 5.0]),
        invalid=around.retries,
        no_input=around.retries,
        on_failure=around.maybe,
        directory=directories,
        on_not_reached=around.maybe,
        keys=common_keys,
    )


def _collect(around: Around) -> st.SearchStrategy[Node]:
    confirm = st.none() | st.builds(
        nodes.Confirmation, before=around.said, after=around.said, retries=st.integers(0, RETRIES_MAX)
    )
    return st.builds(
        nodes.Collect,
        id=st.just(around.id),
        prompts=around.said,
        name=st.sampled_from(["topic", "account"]),
        next=around.to,
        rules=around.rules,
        check=st.sampled_from([EntryCheck(), EntryCheck(pattern=Pattern("1.*"), most=200), EntryCheck(luhn=True)]),
        invalid=around.retries,
        no_input=around.retries,
        confirm=confirm,
        on_failure=around.maybe,
        keys=common_keys,
    )


def _pin(around: Around) -> st.SearchStrategy[Node]:
    return st.builds(
        nodes.Pin,
        id=st.just(around.id),
        prompts=around.said,
        name=st.just("pin"),
        next=around.to,
        rules=around.rules,
        hash=st.sampled_from([None, "{data.topic}", "hash"]),
        attempts=st.integers(1, 3),
        wrong=around.said,
        no_input=around.retries,
        on_failure=around.maybe,
        on_no_input=around.maybe,
        keys=common_keys,
    )


def _survey(around: Around) -> st.SearchStrategy[Node]:
    return st.builds(
        nodes.Survey,
        id=st.just(around.id),
        questions=st.dictionaries(
            st.sampled_from(["friendly", "solved"]), st.builds(survey.Question, prompts=around.said), min_size=1
        ),
        opt_in=st.sampled_from(survey.OptIn),
        invitation=around.said,
        comment=st.none() | st.builds(survey.Comment, prompts=around.said, limits=limits),
        invalid=around.retries,
        no_input=around.retries,
        next=around.maybe,
    )


def _http(around: Around) -> st.SearchStrategy[Node]:
    case = st.builds(
        http.HttpCase, next=around.to, status=st.sampled_from([(), ((200, 299),)]), when=st.none() | conditions
    )
    return st.builds(
        nodes.HttpNode,
        id=st.just(around.id),
        lookup=st.just("balance"),
        prompts=around.said,
        music=st.just("default"),
        cases=st.lists(case, max_size=2).map(tuple),
        next=around.to,
        branches=around.some(LookUpOutcome),
        on_failure=around.maybe,
    )


Part = Callable[[Around], st.SearchStrategy[object]]
Whole = Callable[[Around], st.SearchStrategy[Node]]


def _simple(type_: type[Node], **more: Part) -> Whole:
    """A type whose `next` may be missing."""

    def of(around: Around) -> st.SearchStrategy[Node]:
        given = {name: make(around) for name, make in more.items()}
        return st.builds(type_, id=st.just(around.id), **{"next": around.maybe, **given})

    return of


def _without_next(type_: type[Node], **more: Part) -> Whole:
    def of(around: Around) -> st.SearchStrategy[Node]:
        return st.builds(type_, id=st.just(around.id), **{name: make(around) for name, make in more.items()})

    return of


_said: Part = lambda around: around.said  # noqa: E731
_to: Part = lambda around: around.to  # noqa: E731
_maybe: Part = lambda around: around.maybe  # noqa: E731


def _just(strategy: st.SearchStrategy[object]) -> Part:
    return lambda _: strategy


STRATEGIES: Mapping[type[Node], Whole] = {
    nodes.Play: _simple(nodes.Play, prompts=_said, barge_in=_just(st.booleans()), keys=_just(common_keys)),
    nodes.Say: _simple(
        nodes.Say,
        kind=_just(st.sampled_from(nodes.SayKind)),
        value=_just(values),
        wording=_just(st.sampled_from([Wording(), Wording(currency="CNY", weekday=True, clock_h=24)])),
        keys=_just(common_keys),
    ),
    nodes.LanguageNode: _simple(nodes.LanguageNode, language=_just(st.sampled_from(["en", "zh"]))),
    nodes.HangUpNode: _without_next(nodes.HangUpNode, prompts=_said),
    nodes.Menu: _menu,
    nodes.Collect: _collect,
    nodes.Pin: _pin,
    nodes.Branch: _without_next(
        nodes.Branch,
        cases=lambda around: st.lists(st.builds(nodes.Case, conditions, around.to), max_size=2).map(tuple),
        default=_to,
    ),
    nodes.Hours: _without_next(
        nodes.Hours, calendar=_just(st.just("office")), open=_to, closed=_to, holiday=_maybe, override=_maybe
    ),
    nodes.SetNode: _simple(
        nodes.SetNode,
        data=_just(data),
        language=_just(st.sampled_from([None, "zh"])),
        priority=_just(st.sampled_from([None, "5", "{data.topic}"])),
    ),
    nodes.Subtree: _without_next(nodes.Subtree, start=_to, next=_to, params=_just(data), on=_just(st.just({}))),
    nodes.ReturnNode: _without_next(nodes.ReturnNode, result=_just(st.sampled_from(["", "done"]))),
    nodes.HttpNode: _http,
    nodes.WebhookNode: _simple(
        nodes.WebhookNode, target=_just(st.just("crm")), event=_just(st.just("called")), data=_just(data)
    ),
    nodes.Survey: _survey,
    nodes.EnqueueNode: _simple(nodes.EnqueueNode, queue=_just(st.just("q")), data=_just(data), prompts=_said),
    nodes.AgentNode: _simple(
        nodes.AgentNode,
        agent=_just(st.just("anna")),
        prompts=_said,
        on=lambda around: around.some(AgentMiss),
        on_failure=_maybe,
    ),
    nodes.TransferNode: _simple(
        nodes.TransferNode,
        number=_just(st.sampled_from(["", "+4930123"])),
        extension=_just(st.sampled_from(["", "12"])),
        prompts=_said,
        on_busy=_maybe,
        on_no_answer=_maybe,
        on_refused=_maybe,
        on_failure=_maybe,
    ),
    nodes.CallbackNode: _simple(
        nodes.CallbackNode, queue=_just(st.just("q")), prompts=_said, on_refused=_maybe, on_failure=_maybe
    ),
    nodes.Record: _simple(
        nodes.Record,
        prompts=_said,
        into=_just(st.just("message")),
        manner=_just(st.builds(Manner, limits=limits)),
        too_short=_maybe,
        on_cancel=_maybe,
        on_failure=_maybe,
    ),
    nodes.Voicemail: _simple(
        nodes.Voicemail, box=_just(st.just("sales")), greeting=_said, no_message=_maybe, on_failure=_maybe
    ),
    nodes.VoicemailAccess: _simple(nodes.VoicemailAccess, on_failure=_maybe),
}
"""How a random node of each type is made. Every registered type must be here."""


def forests(
    said: Said, beyond: Sequence[str] = (), types: Sequence[type[Node]] = tuple(STRATEGIES)
) -> st.SearchStrategy[Forest]:
    """Forests of one tree, whose nodes lead to each other and to the names `beyond` them."""

    def of(count: int) -> st.SearchStrategy[Forest]:
        targets = [at(name) for name in (*NAMES[:count], *beyond)]
        each = (
            st.sampled_from(types).flatmap(lambda type_, name=name: STRATEGIES[type_](Around(at(name), targets, said)))  # type: ignore[misc]
            for name in NAMES[:count]
        )
        return st.tuples(*each).map(lambda made: forest(*made))

    return st.integers(1, len(NAMES)).flatmap(of)


any_prompts: Said = st.lists(
    st.sampled_from([*prompts("p1", "p2", "gone"), Prompt("law", barge_in=False)]), max_size=2
).map(tuple)


@dataclass
class AnyLookUps:
    """Look-ups that come to one thing after the other."""

    outcomes: Sequence[LookUpOutcome]
    _turn: itertools.count[int] = field(default_factory=itertools.count)

    async def ask(self, lookup: str, value: Callable[[str], str | None]) -> LookUpAnswer:
        outcome = self.outcomes[next(self._turn) % len(self.outcomes)]
        return LookUpAnswer(outcome=outcome, status=200 if outcome is LookUpOutcome.OK else 0, values={"topic": "x"})


@dataclass
class AnyHashes:
    """Hashes that match one time, not the next, and are no hashes the third."""

    _turn: itertools.count[int] = field(default_factory=itertools.count)

    async def matches(self, hashed: str, secret: str) -> bool | None:
        return (True, False, None)[next(self._turn) % 3]


any_tools = st.lists(st.sampled_from(LookUpOutcome), min_size=1, max_size=4).map(
    lambda outcomes: Tools(lookups=AnyLookUps(outcomes), hashes=AnyHashes())
)
