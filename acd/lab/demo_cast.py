"""The callers of the demo: what each of them does, and how they react to what happens to them."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from acd.lab.callers import Call, CallPlan
from acd.lab.demo_engine import Status
from acd.lab.errors import SippError

__all__ = ["Cast", "Part", "Role", "roles"]

NUMBER = "100"
CALL_BACK_INDEX = 3
MESSAGE_INDICES = (2, 7)
"""Of every ten callers these leave a message; the first ends it with the hash key, the other hangs up in mid-word."""
ANSWERS = ("1", "5")
"""To the survey's two questions."""
SPEAKS_S = 5.0
TONE_OVER_S = 1.2
"""So long nothing is heard once the greeting and the tone are over; between two sentences it is less."""
TONE_LIMIT_S = 20.0
POLL_S = 0.1
# The site's menu offers 1 (sales), 2 (support), 3 (message), 4 (call back) and 9 (Chinese, then the same).
CHOICES: Sequence[Sequence[tuple[float, str]]] = (
    ((4.0, "2"),),
    ((2.0, "1"),),
    ((3.5, "2"),),
    ((1.0, "1"),),
    ((6.0, "2"),),
    ((2.5, "9"), (2.0, "1")),
)


class Part(Enum):
    """What a caller has come for."""

    TALK = auto()
    """To talk to an agent, and to answer the survey afterwards."""
    MESSAGE = auto()
    CALL_BACK = auto()


@dataclass(frozen=True, slots=True)
class Role:
    """One caller. ``hangs_up``: in the middle of a word, instead of ending the message with a key."""

    part: Part
    plan: CallPlan
    hangs_up: bool = False

    @property
    def number(self) -> str:
        """The caller's number."""
        return self.plan.caller_number


def roles(count: int) -> list[Role]:
    """The first so many callers of the demo. The third is the one who is called back."""
    chooser = random.Random(1)  # noqa: S311 - the same demo each time; nothing secret
    return [_role(index, chooser.uniform(0, 0.5)) for index in range(1, count + 1)]


def _role(index: int, later_s: float) -> Role:
    number = f"+49302001{index:02}"
    if index == CALL_BACK_INDEX:
        # The second key confirms the number that is read back.
        return Role(Part.CALL_BACK, CallPlan(NUMBER, number, digits=((1.5 + later_s, "4"), (4.0, "1"))))
    if index % 10 in MESSAGE_INDICES:
        plan = CallPlan(NUMBER, number, digits=((2.0 + later_s, "3"),), steady_media=True)
        return Role(Part.MESSAGE, plan, hangs_up=index % 10 != MESSAGE_INDICES[0])
    digits = tuple((after_s + later_s, digit) for after_s, digit in CHOICES[index % len(CHOICES)])
    return Role(Part.TALK, CallPlan(NUMBER, number, digits=digits))


class Cast:
    """Plays the roles: looks at each status of the engine, and lets the callers do what they do then."""

    def __init__(self, played: Sequence[Role], calls: Sequence[Call]) -> None:
        self._by_number = {role.number: (role, call) for role, call in zip(played, calls, strict=True)}
        self._states: Mapping[str, str] = {}
        for role, call in self._by_number.values():
            if role.part is Part.MESSAGE:
                call.later(_leave_message(call, hangs_up=role.hangs_up))

    def see(self, status: Status) -> None:
        """Take the next status."""
        states = {call["caller"]: call["state"] for call in status["calls"]}
        for number, (role, call) in self._by_number.items():
            if self._states.get(number) == "talking" and states.get(number) == "menu" and role.part is Part.TALK:
                call.later(_answer_survey(call))
        promised = {callback["number"] for callback in status["callbacks"]}
        for number in promised & self._by_number.keys():
            call = self._by_number[number][1]
            if states.get(number) == "waiting" and self._states.get(number) != "waiting" and call.end is None:
                call.later(call.hang_up())
        self._states = states


async def _answer_survey(call: Call) -> None:
    for answer in ANSWERS:
        await asyncio.sleep(1.5)
        await call.press(answer)


async def _leave_message(call: Call, *, hangs_up: bool) -> None:
    rtp = call.rtp
    if rtp is None:
        raise SippError("who leaves a message needs a media end")
    await call.answered(TONE_LIMIT_S + 60.0)
    await asyncio.sleep(sum(after_s for after_s, _ in call.plan.digits) + 1.0)
    give_up_at_s = time.monotonic() + TONE_LIMIT_S
    while time.monotonic() < give_up_at_s:
        now_s = time.time()
        if rtp.longest_silence_s(now_s - TONE_OVER_S, now_s) >= TONE_OVER_S:
            break
        await asyncio.sleep(POLL_S)
    rtp.talking = True
    await asyncio.sleep(SPEAKS_S)
    if hangs_up:
        await call.hang_up()
        return
    rtp.talking = False
    await call.press("#")
    await asyncio.sleep(1.0)
    await call.press("1")  # in the review: send it
