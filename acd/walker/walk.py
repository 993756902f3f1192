"""One walk of a call through a site's menus, with the interpreter that serves real calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry

from acd.service.compile import Compiled
from acd.service.lookups.customers import AsksLookUps, CustomerDesk
from acd.service.prompts.defaults import with_defaults
from acd.service.prompts.wording import worded
from acd.walker.callers import Caller
from acd.walker.clock import VirtualClock
from acd.walker.line import WalkLine
from acd.walker.steps import Step, StepTeller
from acd.walker.tools import Acts, walk_tools
from ivr.context import CallContext
from ivr.interpreter import Interpreter
from ivr.outcome import Enqueue, Outcome, ToAgent
from ivr.speech import Speech

__all__ = ["Call", "Teller", "walk"]

FALLBACK_LANGUAGES = ("en",)
CALL_ID = "walk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who calls, which number, when (with a zone)."""

    caller: str
    caller_name: str = ""
    dialled: str
    at: datetime


class Teller(Protocol):
    """Is told of a walk."""

    holds: bool
    """Each step is told when the next one is over, so that the last one comes with the end."""

    def hear(self, text: str) -> None:
        """The caller hears this now."""

    def step(self, step: Step) -> None:
        """A step is over."""

    def end(self, outcome: Outcome) -> None:
        """The walk, or a part of it before a queue, has come to this."""


async def walk(
    site: Compiled,
    call: Call,
    caller: Caller,
    teller: Teller,
    *,
    lookups: AsksLookUps,
    talked: bool = False,
) -> Outcome:
    """Walk `call` through the menus of `site` and tell each step; returns what it comes to.

    Args:
        site: the compiled configuration.
        call: the call.
        caller: presses the keys.
        teller: is told of it.
        lookups: answers look-ups, that of who calls among them.
        talked: a queue does not end the walk where the menus say how it goes on when the agent has hung up.
    """
    clock = VirtualClock(call.at)
    prompts = with_defaults(site.prompts)

    def word(speech: Speech, language: str) -> str | None:
        return worded(speech, language, prompts, FALLBACK_LANGUAGES)

    entry = site.entry_node(call.dialled)
    context = CallContext(
        call_id=CALL_ID, caller=call.caller, caller_name=call.caller_name, dialled=call.dialled, entry=entry
    )
    acts = Acts()
    steps = StepTeller(context, clock, word, acts.take, teller.step, hold=teller.holds)
    line = WalkLine(caller, clock, word, teller.hear, acts.note)
    tools = walk_tools(site, clock, lookups, acts)
    interpreter = Interpreter(site.forest, on_step=steps.on_step, limits=site.limits, tools=tools)
    await _identify(site, context, line, lookups)
    at = entry
    while True:
        outcome = await interpreter.run(line, context, at)
        steps.finish(outcome)
        teller.end(outcome)
        if not (talked and isinstance(outcome, Enqueue | ToAgent)) or outcome.then is None:
            return outcome
        at = outcome.then


async def _identify(site: Compiled, context: CallContext, line: WalkLine, lookups: AsksLookUps) -> None:
    """Find out who calls, as is done before a caller's first menu."""
    desk = CustomerDesk(lambda: site.customers, lookups, CollectorRegistry())
    context.facts["caller_number"] = desk.normal(context.caller)
    found = desk.at_hand(context.caller)
    if found is None:
        found = await desk.ask(context.caller, context.lookup, context.call_id)
    context.customer.update(found.fields())
    if found.language:
        context.language = found.language
        await line.set_language(found.language)
