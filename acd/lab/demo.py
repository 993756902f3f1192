"""The demo: SIPp callers go through the menu of the demo site, on a real Asterisk. Most wait and talk to SIPp phones,
some leave a message, one is called back, and who has talked is asked how it was.

Every call is real SIP and RTP on loopback. What is shown comes from the engine's own web port; whether a caller was
served is judged by the phones.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import config
from acd.lab.callers import Callers
from acd.lab.demo_cast import Cast, Part, Role, roles
from acd.lab.demo_engine import DemoEngine, Status
from acd.lab.demo_screen import Screen
from acd.lab.demo_story import CallerStory, Stories
from acd.lab.errors import LabError
from acd.lab.lab import Lab, open_lab
from acd.lab.phones import Answer, PhoneCall, Phones, Reject

__all__ = ["CALLERS", "DemoPlan", "DemoResult", "demo_site", "missing", "run_demo"]

AGENTS = ("anna", "bob", "chen", "dora", "emil")
OUTSIDE_LINE = "caller"
"""The phone by which numbers outside are reached (outbound.trunk of the demo's site)."""
CALLERS = 12
POLL_S = 0.2
KEPT_S = 3.0
"""What callers have left is seen on the web port that long after the last call at the latest."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """How large the demo is: callers, and callers per second."""

    callers: int = CALLERS
    rate_per_s: float = 0.8

    @property
    def limit_s(self) -> float:
        """The demo ends after so long, whatever has happened."""
        return 120.0 + 10.0 * self.callers


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What came of it. ``served``: the numbers of the callers who talked to an agent; ``faults``: the engine's own;
    ``missing``: what should have happened and did not; ``stories`` are in the order of ``cast``."""

    stories: Sequence[CallerStory]
    served: frozenset[str]
    missing: Sequence[str]
    faults: int
    took_s: float

    @property
    def succeeded(self) -> bool:
        """Whether every caller got what he or she had come for and the engine found no fault of its own."""
        return bool(self.stories) and not self.missing and self.faults == 0

    def __str__(self) -> str:
        waits = [story.waited_s for story in self.stories if story.waited_s is not None]
        mean_s, longest_s = (statistics.fmean(waits), max(waits)) if waits else (0.0, 0.0)
        messages = [story.message_s for story in self.stories if story.message_s is not None]
        called_back = sum(story.called_back and story.caller in self.served for story in self.stories)
        surveys = sum(bool(story.survey) for story in self.stories)
        sums = [
            f"{_count(len(self.stories), 'call')}: {len(self.served)} served",
            f"waited {mean_s:.1f} s on average, {longest_s:.1f} s at most",
            f"{_count(len(messages), 'message')} left ({sum(messages):.1f} s of sound)",
            f"{_count(called_back, 'callback')} done",
            f"{_count(surveys, 'survey')} answered",
            f"took {self.took_s:.0f} s",
            *(f"MISSING: {what}" for what in self.missing),
            *((f"the engine found {_count(self.faults, 'fault')} of its own",) if self.faults else ()),
        ]
        return "; ".join(sums)


def demo_site() -> Path:
    """The folder of the demo's configuration."""
    return Path(config.__file__).parent / "examples" / "demo"


async def run_demo(plan: DemoPlan, screen: Screen) -> DemoResult:
    """Run the demo from beginning to end. Raises LabError when it can't be run at all.

    The run folder, with all logs, is kept when a call was lost or something failed; its name is told.
    """
    run_dir = Path(tempfile.mkdtemp(prefix="acd-demo-"))
    keep = True
    try:
        result = await _run(plan, screen, run_dir)
        keep = not result.succeeded
    finally:
        if keep:
            screen.say(f"The logs are in {run_dir}")
        else:
            await asyncio.to_thread(shutil.rmtree, run_dir, ignore_errors=True)
    return result


async def _run(plan: DemoPlan, screen: Screen, run_dir: Path) -> DemoResult:
    screen.say("Starting Asterisk, the phones of five agents, and the engine …")
    cast = roles(plan.callers)
    called_back = [role.number for role in cast if role.part is Part.CALL_BACK]
    names = (*AGENTS, OUTSIDE_LINE)
    async with (
        open_lab(run_dir / "lab", names, outside=called_back) as lab,
        DemoEngine(lab.pbx, demo_site()) as engine,
    ):
        _set_behaviours(lab.phones, called_back)
        screen.say(_announcement(cast))
        began = time.monotonic()
        with screen.live():
            last, stories = await _watch(plan, cast, screen, lab, engine)
        told = [stories.by_caller.get(role.number, CallerStory(role.number)) for role in cast]
        served = _served(lab.phones, called_back)
        return DemoResult(told, served, missing(cast, told, served), last["faults"], time.monotonic() - began)


def _announcement(cast: Sequence[Role]) -> str:
    messages = sum(role.part is Part.MESSAGE for role in cast)
    does = [f"{messages} of them to leave a message"] if messages else []
    does += ["one to be called back"] if any(role.part is Part.CALL_BACK for role in cast) else []
    callers = f"{len(cast)} callers dial 100{', ' if does else ''}{' and '.join(does)}."
    return f"{callers} Anna turns her first call down: the next agent's phone rings instead."


def _set_behaviours(phones: Phones, called_back: Iterable[str]) -> None:
    for number, agent in enumerate(AGENTS):
        phones[agent].behaviour = Answer(after_s=1.0 + 0.4 * number, talk_s=6.0 + number)
    phones["anna"].script([Reject(486, after_s=1.0)])
    for customer in called_back:
        phones[customer].behaviour = Answer(after_s=1.0, talk_s=3.0)


async def _watch(
    plan: DemoPlan, cast: Sequence[Role], screen: Screen, lab: Lab, engine: DemoEngine
) -> tuple[Status, Stories]:
    stories = Stories()
    callers: Callers = await lab.place_all([role.plan for role in cast], rate_per_s=plan.rate_per_s)
    players = Cast(cast, callers.calls)
    limit_s = time.monotonic() + plan.limit_s
    idle_since: float | None = None
    while True:
        status = await engine.status()
        players.see(status)
        screen.show(status, stories.take(status))
        now_s = time.monotonic()
        busy = any(call.end is None for call in callers.calls) or status["calls"] or status["callbacks"]
        idle_since = None if busy else idle_since or now_s
        if idle_since is not None and (now_s - idle_since > KEPT_S or not _unheard(cast, stories)):
            return status, stories
        if now_s > limit_s:
            raise LabError(f"the demo did not end by itself within {plan.limit_s:.0f} s")
        await asyncio.sleep(POLL_S)


def _unheard(cast: Sequence[Role], stories: Stories) -> bool:
    """Whether somebody's message or survey has not been seen yet."""
    told = [stories.by_caller.get(role.number, CallerStory(role.number)) for role in cast]
    return any(_left_out(role, story) for role, story in zip(cast, told, strict=True))


def _left_out(role: Role, story: CallerStory) -> str:
    """What this caller was to leave behind and has not; empty when there is nothing."""
    match role.part:
        case Part.MESSAGE if not story.message_s:
            return f"the message of {role.number}"
        case Part.CALL_BACK if not story.called_back:
            return f"the promise to call {role.number} back"
        case Part.TALK if not story.survey:
            return f"the survey of {role.number}"
    return ""


def missing(cast: Sequence[Role], stories: Sequence[CallerStory], served: frozenset[str]) -> list[str]:
    """What should have come of these callers and has not; ``served``: the numbers of those who talked to an agent."""
    absent = [_left_out(role, story) for role, story in zip(cast, stories, strict=True)]
    absent += [
        f"the {'callback to' if role.part is Part.CALL_BACK else 'talk of'} {role.number}"
        for role in cast
        if role.part is not Part.MESSAGE and role.number not in served
    ]
    return [what for what in absent if what]


def _served(phones: Phones, called_back: Iterable[str]) -> frozenset[str]:
    """Who has talked to an agent; who was called back, too, must have answered."""
    at_agents = [call for agent in AGENTS for call in phones[agent].calls if _talked(call)]
    served = {call.invite.from_user for call in at_agents}
    return frozenset(served - {number for number in called_back if not _reached(number, phones, at_agents)})


def _reached(number: str, phones: Phones, at_agents: Iterable[PhoneCall]) -> bool:
    """Whether somebody outside answered while the agent who was to be connected was still there."""
    return any(
        (customer.answered_at or 0.0) < (agent.ended_at or 0.0)
        for customer in phones[number].calls
        for agent in at_agents
        if _talked(customer) and agent.invite.from_user == number
    )


def _talked(call: PhoneCall) -> bool:
    return call.answered_at is not None and call.ended_at is not None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
