"""The demo: SIPp callers go through the menu of the demo site, wait, and talk to SIPp phones, on a real Asterisk.

Every call is real SIP and RTP on loopback. What is shown comes from the engine's own ``GET /api/status``; whether a
caller was served is judged by the phones.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import config
from acd.lab.callers import Callers, CallPlan
from acd.lab.demo_engine import DemoEngine
from acd.lab.demo_screen import Screen
from acd.lab.demo_story import CallerStory, Stories
from acd.lab.errors import LabError
from acd.lab.lab import Lab, open_lab
from acd.lab.phones import Answer, Phones, Reject

__all__ = ["CALLERS", "DemoPlan", "DemoResult", "demo_site", "run_demo"]

AGENTS = ("anna", "bob", "chen", "dora", "emil")
CALLERS = 12
POLL_S = 0.2
# The site's menu offers 1 (sales), 2 (support) and 9 (Chinese, then the same).
CHOICES: Sequence[Sequence[tuple[float, str]]] = (
    ((2.0, "1"),),
    ((3.5, "2"),),
    ((1.0, "1"),),
    ((6.0, "2"),),
    ((2.5, "9"), (2.0, "1")),
    ((4.0, "2"),),
)


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
    """What came of it. ``served``: the numbers of the callers who talked to an agent; ``faults``: the engine's own."""

    stories: Sequence[CallerStory]
    served: frozenset[str]
    faults: int
    took_s: float

    @property
    def lost(self) -> int:
        """How many callers reached nobody."""
        return len(self.stories) - len(self.served)

    @property
    def succeeded(self) -> bool:
        """Whether every caller was served and the engine found no fault of its own."""
        return bool(self.stories) and self.lost == 0 and self.faults == 0

    def __str__(self) -> str:
        waits = [story.waited_s for story in self.stories if story.waited_s is not None]
        mean_s, longest_s = (statistics.fmean(waits), max(waits)) if waits else (0.0, 0.0)
        return (
            f"{len(self.stories)} calls: {len(self.served)} served, {self.lost} lost; "
            f"waited {mean_s:.1f} s on average, {longest_s:.1f} s at most; took {self.took_s:.0f} s"
            + (f"; the engine found {self.faults} faults of its own" if self.faults else "")
        )


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
    async with open_lab(run_dir / "lab", AGENTS) as lab, DemoEngine(lab.pbx, demo_site()) as engine:
        _set_behaviours(lab.phones)
        screen.say(
            f"{plan.callers} callers dial 100. Anna turns her first call down: the next agent's phone rings instead."
        )
        began = time.monotonic()
        with screen.live():
            stories, faults = await _watch(plan, screen, lab, engine)
        return DemoResult(stories, _served(lab.phones), faults, time.monotonic() - began)


def _set_behaviours(phones: Phones) -> None:
    for number, phone in enumerate(phones):
        phone.behaviour = Answer(after_s=1.0 + 0.4 * number, talk_s=6.0 + number)
    phones["anna"].script([Reject(486, after_s=1.0)])


def _plans(number: int) -> list[CallPlan]:
    chooser = random.Random(1)  # noqa: S311 - the same demo each time; nothing secret
    return [
        CallPlan(
            "100",
            caller_number=f"+49302001{index:02}",
            digits=tuple(
                (after_s + chooser.uniform(0, 0.5), digit) for after_s, digit in CHOICES[index % len(CHOICES)]
            ),
        )
        for index in range(1, number + 1)
    ]


async def _watch(plan: DemoPlan, screen: Screen, lab: Lab, engine: DemoEngine) -> tuple[list[CallerStory], int]:
    plans = _plans(plan.callers)
    stories = Stories()
    faults = 0
    over = asyncio.create_task(_calls_over(lab, plans, plan))
    try:
        is_over = False
        while not is_over:
            is_over = over.done()  # asked before the status, so that the last one is shown, too
            status = await engine.status()
            faults = status["faults"]
            screen.show(status, stories.take(status))
            await asyncio.wait({over}, timeout=POLL_S)
        await over
    finally:
        over.cancel()
        await asyncio.gather(over, return_exceptions=True)
    told = stories.by_caller
    return [told.get(each.caller_number, CallerStory(each.caller_number)) for each in plans], faults


async def _calls_over(lab: Lab, plans: Sequence[CallPlan], plan: DemoPlan) -> None:
    callers: Callers = await lab.place_all(plans, rate_per_s=plan.rate_per_s)
    try:
        await callers.finished(plan.limit_s)
    except TimeoutError as error:
        raise LabError(f"the demo did not end by itself: {error}") from None


def _served(phones: Phones) -> frozenset[str]:
    answered = (call for call in phones.calls if call.answered_at is not None and call.ended_at is not None)
    return frozenset(call.invite.from_user for call in answered)
