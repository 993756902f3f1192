"""A caller and an agent's phone at the terminal, for those who have no softphone at hand."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from acd.lab.callers import Call, Callers, CallPlan
from acd.lab.children import stop_signals
from acd.lab.errors import LabError
from acd.lab.notes import LabNotes
from acd.lab.phones import AgentPhone, Answer, Phones
from acd.lab.rtp import DIGITS
from acd.lab.sip_trace import SipMessage
from acd.lab.wav import write_mulaw

COMMA_S = 1.0
FOREVER_S = 86_400.0
TYPED_AT_MOST = 1024
LOOK_FOR_LAB_S = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class CallWish:
    """What ``acd lab call`` was asked for; ``digits`` may hold commas, each a pause of a second. ``speak``: with a
    tone for a voice, so that there is something to be recorded."""

    number: str
    caller_number: str
    caller_name: str
    digits: str
    seconds: float | None
    record: Path | None
    speak: bool = False


@dataclass(frozen=True, slots=True)
class PhoneWish:
    """What ``acd lab phone`` was asked for; seconds."""

    name: str
    answer_after_s: float
    talk_s: float | None


class Keys(Protocol):
    """The keys of a telephone in a call."""

    async def press(self, digits: str) -> None:
        """Presses one key after the other. Raises TimeoutError when the call was not answered."""


async def run_call(sipp: Sequence[str], notes: LabNotes, wish: CallWish, say: Say) -> int:
    """Places a call, tells what happens, presses the digits typed at the terminal; Ctrl-C hangs up.

    Returns 0 when the call was answered, 1 when not. Raises LabError.
    """
    plan = CallPlan(
        wish.number,
        wish.caller_number,
        wish.caller_name,
        digits=planned_digits(wish.digits),
        hang_up_after_s=wish.seconds,
        listens=True,
        steady_media=True,
        speaks=wish.speak,
    )
    stop = _stop_on_signals()
    async with Callers(sipp, notes.sip_port, [plan], host=notes.sip_host) as callers:
        call = callers.calls[0]
        if call.rtp is not None:
            call.rtp.keep = wish.record is not None
        teller = asyncio.create_task(_tell(call, say))
        keys = asyncio.create_task(press_typed(call, say))
        try:
            await _first_of(call.ended(FOREVER_S), stop.wait())
            if call.end is None:
                await call.hang_up()
                say("You have hung up")
        finally:
            keys.cancel()
            teller.cancel()
            await asyncio.gather(keys, teller, return_exceptions=True)
        _tell_the_end(call, wish, say)
        return 0 if call.answered_at is not None else 1


async def run_phone(sipp: Sequence[str], notes: LabNotes, wish: PhoneWish, say: Say) -> int:
    """Registers a phone and answers what comes until Ctrl-C. Raises LabError, also when the lab ends meanwhile."""
    if wish.name not in notes.passwords:
        raise LabError(f"the lab has no phone {wish.name!r}; its phones are {', '.join(notes.passwords)}")
    phones = Phones(
        sipp,
        [wish.name],
        notes.sip_port,
        behaviour=Answer(after_s=wish.answer_after_s, talk_s=wish.talk_s),
        others=wish.name,  # of the phone `caller`: whatever number is called back
        host=notes.sip_host,
    )
    await phones.register(wish.name, notes.passwords[wish.name])
    stop = _stop_on_signals()
    async with phones:
        say(f"Phone {wish.name} is registered; it answers {wish.answer_after_s:g} s after it rings. Ctrl-C ends it.")
        telling = asyncio.create_task(_tell_phone(phones[wish.name], say))
        try:
            await _first_of(stop.wait(), telling, _lab_ended(notes))
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
    return 0


def planned_digits(text: str) -> tuple[tuple[float, str], ...]:
    """Pairs of seconds to wait and digits, of a text such as ``1,,22`` (a comma waits a second). Raises LabError."""
    steps: list[tuple[float, str]] = []
    wait_s = COMMA_S
    for character in text:
        if character == ",":
            wait_s += COMMA_S
        elif character in DIGITS:
            steps.append((wait_s, character))
            wait_s = 0.0
        else:
            raise LabError(f"{character!r} is no key of a phone; digits, *, # and commas (a second each) are")
    return tuple(steps)


async def _tell(call: Call, say: Say) -> None:
    last: SipMessage | None = None
    while True:
        last = await call.wait_for(lambda message: not message.sent, FOREVER_S, after=last)
        if last.is_response(180):
            say("Ringing")
        elif last.is_response(200):
            since = last.time_s - call.messages[0].time_s
            say(f"Answered after {since:.2f} s; type digits and Enter to press keys, Ctrl-C to hang up")
        elif last.is_request("BYE"):
            say("The other end has hung up")
        elif last.status is not None and last.status >= 300 and last.cseq_method == "INVITE":
            say(f"Refused: {last.first_line.removeprefix('SIP/2.0 ')}")


def _tell_the_end(call: Call, wish: CallWish, say: Say) -> None:
    if call.rtp is None or call.answered_at is None or call.ended_at is None:
        return
    lasted = call.ended_at - call.answered_at
    silence = call.rtp.longest_silence_s(call.answered_at, call.ended_at)
    say(f"The call lasted {lasted:.1f} s; the longest silence was {silence:.1f} s")
    if wish.record is not None:
        try:
            write_mulaw(wish.record, call.rtp.recording())
        except OSError as failed:
            raise LabError(f"{wish.record} can't be written: {failed.strerror}") from failed
        say(f"What was heard is in {wish.record}")


async def press_typed(keys: Keys, say: Say) -> None:
    """Presses what is typed at the terminal or comes through a pipe, until it ends."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Queue[bytes] = asyncio.Queue()
    try:
        source = sys.stdin.fileno()
        loop.add_reader(source, lambda: typed.put_nowait(os.read(source, TYPED_AT_MOST)))
    except OSError:  # nothing that can be waited for, such as /dev/null: nobody types there
        return
    try:
        while text := await typed.get():
            digits = "".join(text.decode(errors="replace").split())
            if all(digit in DIGITS for digit in digits):
                with suppress(TimeoutError):
                    await keys.press(digits)
            else:
                say("only 0-9, * and # are keys")
    finally:
        loop.remove_reader(source)


async def _tell_phone(phone: AgentPhone, say: Say) -> None:
    last: SipMessage | None = None
    while True:
        last = await phone.wait_for(lambda _message: True, FOREVER_S, after=last)
        if last.is_request("INVITE", sent=False):
            say(f"A call from {last.from_user or 'unknown'}")
        elif last.is_request("ACK", sent=False):
            say("Talking")
        elif last.is_request("CANCEL"):
            say("The call was taken back")
        elif last.is_request("BYE"):
            say("The call has ended")


async def _lab_ended(notes: LabNotes) -> None:
    """Raises LabError when the lab is gone: no call comes any more, and nothing on the line says so."""
    while notes.running:  # noqa: ASYNC110 - the end of another terminal's process has no event
        await asyncio.sleep(LOOK_FOR_LAB_S)
    raise LabError("the lab has ended, so no call comes any more: start it again with `acd lab run`, then this phone")


async def _first_of(*work: Coroutine[Any, Any, Any] | asyncio.Task[Any]) -> None:
    """Returns when one of them is done, with its error if it has one."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, stop.set)
    return stop
