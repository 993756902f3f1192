"""The interpreter: walks one call through the forest until it is queued, ended or gone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ivr.context import CallContext
from ivr.line import Line, LineHungUp
from ivr.outcome import (
    Back,
    CallerGone,
    End,
    EndReason,
    GiveUp,
    Go,
    HangUp,
    Move,
    NodeId,
    Outcome,
    Repeat,
    Top,
)
from ivr.record import OnStep, StepOutcome
from ivr.speech import Prompt
from ivr.tools import Tools
from ivr.tree import Forest, Node
from ivr.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one call's walk, so that no configuration can hold a line for ever.

    `steps_without_key` catches trees that go round although nobody is listening; `steps` all others. The walk can
    pass a bound by the tries of the one menu in which it was reached.
    """

    steps: int = 1000
    steps_without_key: int = 100

    def __post_init__(self) -> None:
        if self.steps < 1 or self.steps_without_key < 1:
            raise ValueError("a bound on steps must be at least 1")


class Interpreter:
    """Walks calls through one forest. It holds no call's state: one interpreter serves any number of calls at once.

    Args:
        forest: the trees. A changed configuration means a new interpreter; calls under way finish with theirs.
        on_step: told of every step, see `ivr.record`.
        limits: bounds per call.
        goodbye: the prompt heard when a call is ended for want of a usable answer; empty for none.
        tools: what nodes ask of the world beside the line.
    """

    def __init__(
        self,
        forest: Forest,
        *,
        on_step: OnStep,
        limits: Limits | None = None,
        goodbye: str = "goodbye",
        tools: Tools | None = None,
    ) -> None:
        self._forest = forest
        self._on_step = on_step
        self._limits = limits or Limits()
        self._goodbye = (Prompt(goodbye),) if goodbye else ()
        self._tools = tools or Tools()

    async def run(self, line: Line, call: CallContext, at: NodeId) -> Outcome:
        """Walk `call` on `line` from node `at` on.

        Returns what it comes to: `Enqueue`; `HangUp`, when the tree ended the call (the line has been hung up);
        `CallerGone`, when the caller did. Never raises `LineHungUp`; a line's other errors pass through. A call that
        comes back from a queue is run again, with the same context.
        """
        step: NodeId | Outcome = at
        while isinstance(step, str):
            step = await self._step(line, call, step)
        return step

    async def _step(self, line: Line, call: CallContext, at: NodeId) -> NodeId | Outcome:
        node = self._forest.nodes.get(at)
        visit = Visit(
            line=line,
            call=call,
            node=at,
            node_type=node.type if node else "",
            on_step=self._on_step,
            tools=self._tools,
        )
        try:
            if not call.language:
                await visit.set_language(self._forest.language_at(at))
            if node is None:
                return await self._give_up(line, visit, EndReason.NO_SUCH_NODE, StepOutcome.NO_SUCH_NODE)
            if self._over_limit(call):
                return await self._give_up(line, visit, EndReason.STEP_LIMIT, StepOutcome.STEP_LIMIT)
            if node.landmark:
                _note_landmark(call, node.id)
            return await self._follow(line, visit, node, await node.step(visit))
        except LineHungUp:
            visit.finish(StepOutcome.CALLER_GONE, None)
            return CallerGone(at=at)

    async def _follow(self, line: Line, visit: Visit, node: Node, move: Move) -> NodeId | Outcome:
        match move:
            case Go(to, why):
                visit.finish(why, to)
                return to
            case Repeat():
                visit.finish(StepOutcome.REPEAT, node.id)
                return node.id
            case Back():
                return _finish_at(visit, StepOutcome.BACK, _back(visit.call, node.id))
            case Top():
                return _finish_at(visit, StepOutcome.TOP, _top(visit.call, node.id))
            case GiveUp(reason):
                return await self._give_up(line, visit, reason, StepOutcome.FAILED)
            case End(outcome, why):
                visit.finish(why, None)
                if isinstance(outcome, HangUp):
                    await _hang_up(line, outcome)
                return outcome

    async def _give_up(self, line: Line, visit: Visit, reason: EndReason, why: str) -> HangUp:
        await visit.play(self._goodbye, barge_in=False)
        visit.finish(why, None)
        outcome = HangUp(reason=reason)
        await _hang_up(line, outcome)
        return outcome

    def _over_limit(self, call: CallContext) -> bool:
        return call.steps >= self._limits.steps or call.steps_since_key >= self._limits.steps_without_key


async def _hang_up(line: Line, outcome: HangUp) -> None:
    # That the caller was a moment faster changes nothing: the tree had ended the call.
    with suppress(LineHungUp):
        await line.hangup(outcome.cause)


def _finish_at(visit: Visit, why: str, to: NodeId) -> NodeId:
    visit.finish(why, to)
    return to


def _note_landmark(call: CallContext, at: NodeId) -> None:
    # Coming to a menu again, by whatever way, goes back to where it was first: so the list has each menu once and
    # stays short.
    if at in call.menus:
        del call.menus[call.menus.index(at) :]
    call.menus.append(at)


def _back(call: CallContext, at: NodeId) -> NodeId:
    before = call.menus[: call.menus.index(at)] if at in call.menus else call.menus
    return before[-1] if before else at


def _top(call: CallContext, at: NodeId) -> NodeId:
    return call.menus[0] if call.menus else at
