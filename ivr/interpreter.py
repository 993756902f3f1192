"""The interpreter: walks one call through the forest until it is queued, ended or gone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ivr import frames
from ivr.context import CallContext
from ivr.line import KEYS, Line, LineHungUp
from ivr.outcome import (
    Back,
    CallerGone,
    End,
    EndReason,
    Enter,
    GiveUp,
    Go,
    HangUp,
    Move,
    NodeId,
    Outcome,
    Repeat,
    Return,
    Top,
)
from ivr.record import OnStep, ProblemKind, StepOutcome
from ivr.speech import Prompt
from ivr.tools import Tools
from ivr.tree import Forest, Node
from ivr.visit import KeyPressed, Visit

STEPS_GRANTED = 50
"""So many more steps has a call that goes on at the site's node after a bound was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one call's walk, so that no configuration can hold a line for ever.

    `steps_without_key` catches trees that go round although nobody is listening; `steps` all others. The walk can
    pass a bound by the tries of the one menu in which it was reached.
    """

    steps: int = 1000
    steps_without_key: int = 100
    subtree_depth: int = 20
    """So many subtrees may be under way in each other."""
    then: NodeId | None = None
    """Where a call goes that has reached a bound, once, with `STEPS_GRANTED` more steps; None ends it."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.steps_without_key < 1 or self.subtree_depth < 1:
            raise ValueError("a bound must be at least 1")


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
            keys=self._forest.keys_at(at),
            own_keys=node.own_keys() if node else KEYS,
        )
        try:
            if not call.language:
                await visit.set_language(self._forest.language_at(at))
            if node is None:
                return await self._give_up(line, visit, EndReason.NO_SUCH_NODE, StepOutcome.NO_SUCH_NODE)
            if self._over_limit(call):
                return await self._end_at_limit(line, visit, EndReason.STEP_LIMIT)
            if node.landmark:
                frames.note_menu(call, node.id)
            return await self._follow(line, visit, node, await _move(node, visit))
        except LineHungUp:
            visit.finish(StepOutcome.CALLER_GONE, None)
            return CallerGone(at=at)

    async def _follow(self, line: Line, visit: Visit, node: Node, move: Move) -> NodeId | Outcome:
        match move:
            case Go(to, why):
                frames.leave_for(visit.call, node.id, to)
                visit.finish(why, to)
                return to
            case Enter(to, params):
                if len(visit.call.frames) >= self._limits.subtree_depth:
                    return await self._end_at_limit(line, visit, EndReason.DEPTH_LIMIT)
                frames.enter(visit.call, node.id, params)
                return _finish_at(visit, StepOutcome.CALL, to)
            case Return(result):
                return await self._return(line, visit, node.id, result)
            case Repeat():
                visit.finish(StepOutcome.REPEAT, node.id)
                return node.id
            case Back():
                return _finish_at(visit, StepOutcome.BACK, frames.back(visit.call, node.id))
            case Top(to):
                return _finish_at(visit, StepOutcome.TOP, frames.top(visit.call, node.id, to))
            case GiveUp(reason):
                return await self._give_up(line, visit, reason, StepOutcome.FAILED)
            case End(outcome, why):
                visit.call.unread.clear()  # meant for a menu, not for what a queue or an agent leads to
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

    async def _return(self, line: Line, visit: Visit, at: NodeId, result: str) -> NodeId | Outcome:
        """Go back to where the innermost subtree was called."""
        call = visit.call
        if not call.frames:
            if call.frames_lost and call.entry is not None:
                # Who called the subtree is forgotten: better the beginning than the end of the call.
                visit.problem(ProblemKind.SUBTREES_FORGOTTEN, str(at))
                call.frames_lost = False
                call.menus.clear()
                return _finish_at(visit, StepOutcome.RETURN, call.entry)
            return await self._give_up(line, visit, EndReason.NOTHING_TO_RETURN_TO, StepOutcome.RETURN)
        caller = self._forest.nodes.get(frames.leave(call))
        to = caller.returns_to(result) if caller is not None else None
        if to is None:
            return await self._give_up(line, visit, EndReason.NO_SUCH_NODE, StepOutcome.NO_SUCH_NODE)
        return _finish_at(visit, f"{StepOutcome.RETURN}:{result}" if result else StepOutcome.RETURN, to)

    def _over_limit(self, call: CallContext) -> bool:
        granted = STEPS_GRANTED if call.limit_reached_at is not None else self._limits.steps
        made = call.steps - (call.limit_reached_at or 0)
        return made >= granted or call.steps_since_key >= self._limits.steps_without_key

    async def _end_at_limit(self, line: Line, visit: Visit, reason: EndReason) -> NodeId | Outcome:
        """End a call that has reached a bound, or let it go to the site's node for that: once."""
        call, to = visit.call, self._limits.then
        why = StepOutcome(reason.value)
        if to is None or call.limit_reached_at is not None:
            return await self._give_up(line, visit, reason, why)
        call.frames.clear()
        call.menus.clear()
        visit.finish(why, to)
        call.limit_reached_at = call.steps
        call.steps_since_key = 0
        return to


async def _move(node: Node, visit: Visit) -> Move:
    try:
        return await node.step(visit)
    except KeyPressed as pressed:
        return pressed.move


async def _hang_up(line: Line, outcome: HangUp) -> None:
    # That the caller was a moment faster changes nothing: the tree had ended the call.
    with suppress(LineHungUp):
        await line.hangup(outcome.cause)


def _finish_at(visit: Visit, why: str, to: NodeId) -> NodeId:
    visit.finish(why, to)
    return to
