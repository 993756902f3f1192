"""The other side of ``bench.menus``: a scripted Asterisk full of callers who press a key every second.

A process of its own, so that its cost is not counted: ``python -m bench.menus_callers AGI_PORT SECRET SEED``. It says
on its standard output at which port its AMI is, then answers each line of its standard input with one line of JSON:

- ``callers NUMBER INTERVAL_S KEYS``: so many callers, each of whom presses a key every so many seconds and gives up
  after so many keys; who ends is replaced. Answered when so many are in.
- ``ended NUMBER``: answered when so many calls more have ended.
- ``window SECONDS``: measure; answered with what a ``Window`` holds.
- ``quit``: the end.

Its AMI is the tests' ``FakeManager``, which tells of each call and key what a real one does; its channels are written
for this, because a test's would cost more than what is measured.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import uvloop

from bench.menus_site import END_KEY, INVALID_KEY, NUMBER, UP_KEY
from bench.stats import summary
from tests.ami_bridge.fake_asterisk import FakeManager, channel_headers, event, parse_args

__all__ = ["HANG_UP", "KEYS", "Caller", "Exchange", "Window"]

HANG_UP = "h"
"""In place of a key: the caller gives up."""
KEYS: Mapping[str, int] = {"1": 23, "2": 23, "3": 23, "4": 23, UP_KEY: 4, INVALID_KEY: 1, END_KEY: 2, HANG_UP: 1}
"""What a caller presses, and how often of a hundred times: a call has 33 keys on average."""
RAMP_S = 3.0
"""New callers come in spread over so long (seconds)."""

_SOUND_HEADER_BYTES = 44
_SAMPLE_BYTES = 2
_SAMPLES_PER_S = 8000
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_OK = "200 result=0"
_DONE_AT_ONCE = frozenset({"EXEC Ringing", "SET MUSIC"})


@dataclass(slots=True)
class Window:
    """What was seen during a time of measuring. Times in milliseconds, from a key's reply on."""

    next_command_ms: list[float] = field(default_factory=list)
    """To the next command."""
    next_sound_ms: list[float] = field(default_factory=list)
    """To the next command by which the caller hears something or is listened to."""
    keys: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    """Calls that began."""
    dropped: int = 0
    """Calls that the other side refused, or gave up without a word to the dialplan: there must be none."""
    not_understood: Counter[str] = field(default_factory=Counter)
    """Commands that this Asterisk does not know, sounds that are not there: there must be none."""


class Exchange:
    """All callers, and what they have in common."""

    def __init__(self, agi_port: int, manager: FakeManager, seed: int) -> None:
        self.manager = manager
        self.random = random.Random(seed)
        self.interval_s = 1.0
        self.most_keys = 0
        self.window = Window()
        self.ended = 0
        self.callers: set[Caller] = set()
        self._agi_port = agi_port
        self._wanted = 0
        self._connecting = 0
        self._number = 0
        self._lengths_s: dict[str, float | None] = {}
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    async def have(self, wanted: int, interval_s: float, most_keys: int) -> None:
        """Let so many callers be in, who press a key every ``interval_s``; returns when they are."""
        self._wanted, self.interval_s, self.most_keys = wanted, interval_s, most_keys
        missing = max(0, wanted - len(self.callers))
        loop = asyncio.get_running_loop()
        for index in range(missing):
            self._connecting += 1
            loop.call_later(index / missing * RAMP_S, self._spawn_call)
        for caller in list(self.callers)[wanted:]:
            caller.hang_up()
        await self._until(lambda: len(self.callers) == wanted and not self._connecting)

    async def see_ended(self, calls: int) -> None:
        """Return when so many calls more have ended."""
        until = self.ended + calls
        await self._until(lambda: self.ended >= until)

    async def measure(self, seconds: float) -> Window:
        """Return what is seen from now on for so long."""
        self.window = Window()
        await asyncio.sleep(seconds)
        return self.window

    def length_s(self, sound: str) -> float | None:
        """How long a sound file (without its ending) plays; None: there is none."""
        if sound not in self._lengths_s:
            file = Path(f"{sound}.wav")
            samples = (file.stat().st_size - _SOUND_HEADER_BYTES) / _SAMPLE_BYTES if file.exists() else None
            self._lengths_s[sound] = None if samples is None else samples / _SAMPLES_PER_S
        return self._lengths_s[sound]

    def tell(self, name: str, caller: Caller, more: Mapping[str, str]) -> None:
        """Send an event of a caller's channel to the AMI's clients."""
        headers = [*channel_headers(caller.uniqueid, caller.channel, number=caller.number), *more.items()]
        self.manager.send(event(name, headers))

    def came_in(self, caller: Caller) -> None:
        """Count a caller."""
        self._connecting -= 1
        self.window.calls += 1
        self.callers.add(caller)
        self._tell_changed()

    def gone(self, caller: Caller) -> None:
        """Count one less, and let another one call."""
        self.callers.discard(caller)
        self.ended += 1
        if len(self.callers) + self._connecting < self._wanted:
            self._connecting += 1
            self._spawn_call()
        self._tell_changed()

    def _spawn_call(self) -> None:
        self._number += 1
        caller = Caller(self, f"1767225600.{self._number}", f"PJSIP/trunk-{self._number:08x}", f"+49301{self._number}")
        self._spawn(self._call(caller))

    async def _call(self, caller: Caller) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: caller, "127.0.0.1", self._agi_port)
        except OSError:
            self._connecting -= 1
            self.window.dropped += 1

    def _tell_changed(self) -> None:
        self._spawn(self._notify())

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(condition)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Caller(asyncio.Protocol):
    """One caller's channel in ``AGI()``, and the finger on the keys.

    A key pressed while no command listens waits for the next one that does, as in a real channel's queue of frames.
    """

    def __init__(self, exchange: Exchange, uniqueid: str, channel: str, number: str) -> None:
        self.uniqueid = uniqueid
        self.channel = channel
        self.number = number
        self.variables: dict[str, str] = {}
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._keys: list[str] = []
        self._pressed = 0
        self._listening: Callable[[str], str] | None = None
        """The answer to the command under way, which listens; told the key, empty: its time is over."""
        self._ends: asyncio.TimerHandle | None = None
        self._next_key: asyncio.TimerHandle | None = None
        self._keyed_at = 0.0
        """When the last key was told, until the next sound."""
        self._command_due = False
        self._hung_up = False

    # The socket.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write the environment, and begin to press keys somewhere within an interval."""
        self._transport = cast("asyncio.Transport", transport)
        exchange = self._exchange
        exchange.tell("Newchannel", self, {})
        self._transport.write(_environment(self))
        exchange.came_in(self)
        first_s = exchange.random.random() * exchange.interval_s
        self._next_key = self._loop.call_later(first_s, self._press, self._loop.time() + first_s)

    def data_received(self, data: bytes) -> None:
        """Carry out each command."""
        now = time.perf_counter()
        self._buffer += data
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._carry_out(line.decode(), now)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - any end is an end
        """The other side has given the call up."""
        for timer in (self._ends, self._next_key):
            if timer is not None:
                timer.cancel()
        if not self._hung_up and self.variables.get("ACD_DONE") != "hangup":
            self._exchange.window.dropped += 1
        self._exchange.tell("Hangup", self, {"Cause": "16", "Cause-txt": "Normal Clearing"})
        self._exchange.gone(self)

    # Commands.

    def _carry_out(self, line: str, now: float) -> None:
        words = parse_args(line) if '"' in line else line.split(" ")
        name = " ".join(words[:3]) if words[0] in ("WAIT", "GET") else " ".join(words[:2])
        listens = name in ("STREAM FILE", "WAIT FOR DIGIT")
        self._exchange.window.commands[name] += 1
        self._note_latency(now, listens=listens)
        if self._hung_up:
            self._write("511 Command Not Permitted on a dead channel or intercept routine")
        elif name == "STREAM FILE":
            self._stream(words[2], int(words[4]) if len(words) > 4 else 0)
        elif name == "WAIT FOR DIGIT":
            self._listen(int(words[3]) / 1000, lambda key: f"200 result={ord(key) if key else 0}")
        else:
            self._write(self._answer(name, words))

    def _note_latency(self, now: float, *, listens: bool) -> None:
        window = self._exchange.window
        if self._command_due:
            window.next_command_ms.append((now - self._keyed_at) * 1000)
            self._command_due = False
        if listens and self._keyed_at:
            window.next_sound_ms.append((now - self._keyed_at) * 1000)
            self._keyed_at = 0.0

    def _stream(self, sound: str, offset: int) -> None:
        length_s = self._exchange.length_s(sound)
        if length_s is None:
            self._exchange.window.not_understood[f"no sound {sound}"] += 1
            self._write(f"200 result=0 endpos={offset}")
            return
        began = self._loop.time() - offset / _SAMPLES_PER_S

        def answer(key: str) -> str:
            endpos = round(min(length_s, self._loop.time() - began) * _SAMPLES_PER_S)
            return f"200 result={ord(key) if key else 0} endpos={endpos}"

        self._listen(max(0.0, length_s - offset / _SAMPLES_PER_S), answer)

    def _answer(self, name: str, words: list[str]) -> str:
        """What a command that is done at once answers."""
        if name == "SET VARIABLE":
            self.variables[words[2]] = words[3]
        elif name == "EXEC MSet":
            self.variables.update(pair.partition("=")[::2] for pair in words[2].split(","))
        elif name == "GET FULL VARIABLE":
            value = _VARIABLE.sub(lambda found: self.variables.get(found[1], ""), words[3])
            return f"200 result=1 ({value})" if value else _OK
        elif name == "EXEC Answer":
            self._exchange.tell("Newstate", self, {})
        elif name not in _DONE_AT_ONCE:
            self._exchange.window.not_understood[name] += 1
            return "200 result=-2" if words[0] == "EXEC" else "510 Invalid or unknown command"
        return _OK

    # Keys.

    def hang_up(self) -> None:
        """Give up, as Asterisk tells it: the command under way fails, then ``HANGUP``."""
        if self._hung_up or self._transport is None:
            return
        self._hung_up = True
        self._keyed_at, self._command_due = 0.0, False
        if self._listening is not None:
            self._stop_listening()
            self._write("200 result=-1 endpos=0")
        self._write("HANGUP")

    def _press(self, due: float) -> None:
        """Press the key that is due, and plan the next one on the same beat."""
        exchange = self._exchange
        [key] = exchange.random.choices(tuple(KEYS), tuple(KEYS.values()))
        if key == HANG_UP or self._pressed >= exchange.most_keys:
            self.hang_up()
            return
        due += exchange.interval_s
        self._next_key = self._loop.call_at(due, self._press, due)
        self._pressed += 1
        exchange.window.keys += 1
        exchange.tell("DTMFEnd", self, {"Digit": key, "DurationMs": "100", "Direction": "Received"})
        self._keys.append(key)
        self._give_key()

    def _listen(self, seconds: float, answer: Callable[[str], str]) -> None:
        self._listening = answer
        self._ends = self._loop.call_later(seconds, self._over)
        self._give_key()

    def _give_key(self) -> None:
        if self._listening is not None and self._keys:
            answer = self._stop_listening()(self._keys.pop(0))
            self._keyed_at, self._command_due = time.perf_counter(), True
            self._write(answer)

    def _over(self) -> None:
        self._write(self._stop_listening()(""))

    def _stop_listening(self) -> Callable[[str], str]:
        answer, self._listening = self._listening, None
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
        if answer is None:
            raise RuntimeError("no command listens")
        return answer

    def _write(self, line: str) -> None:
        if self._transport is not None:
            self._transport.write(f"{line}\n".encode())


def _environment(caller: Caller) -> bytes:
    values = {
        "network": "yes",
        "network_script": "acd/call",
        "request": "agi://127.0.0.1/acd/call",
        "channel": caller.channel,
        "language": "en",
        "type": "PJSIP",
        "uniqueid": caller.uniqueid,
        "version": "22.10.1",
        "callerid": caller.number,
        "calleridname": "Anna Li",
        "callingpres": "0",
        "callingani2": "0",
        "callington": "0",
        "callingtns": "0",
        "dnid": NUMBER,
        "rdnis": "unknown",
        "context": "acd-call",
        "extension": NUMBER,
        "priority": "5",
        "enhanced": "0.0",
        "accountcode": "",
        "threadid": "140123456789",
        "arg_1": "",
    }
    return "".join(f"agi_{name}: {value}\n" for name, value in values.items()).encode() + b"\n"


async def _serve(agi_port: int, secret: str, seed: int) -> None:
    manager = FakeManager({"acd": secret})
    manager.answers["Status"] = lambda session, action: session.reply_list(action, "Status", [], "StatusComplete")
    exchange = Exchange(agi_port, manager, seed)
    print(await manager.start(), flush=True)
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    async for order in orders:
        answer = await _obey(exchange, order.decode().split())
        if answer is None:
            break
        print(json.dumps(answer), flush=True)
    await exchange.have(0, 1.0, 0)
    await manager.stop()


async def _obey(exchange: Exchange, order: Sequence[str]) -> Mapping[str, Any] | None:
    match order:
        case "callers", number, interval_s, most_keys:
            await exchange.have(int(number), float(interval_s), int(most_keys))
        case "ended", number:
            await exchange.see_ended(int(number))
        case "window", seconds:
            return _told(await exchange.measure(float(seconds)))
        case _:
            return None
    return {}


def _told(window: Window) -> Mapping[str, Any]:
    return {
        "next_command_ms": summary(window.next_command_ms),
        "next_sound_ms": summary(window.next_sound_ms),
        "keys": window.keys,
        "commands": window.commands,
        "calls": window.calls,
        "dropped": window.dropped,
        "not_understood": window.not_understood,
    }


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
