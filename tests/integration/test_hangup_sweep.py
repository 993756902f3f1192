"""Callers hang up at each prompt of the example sites, on the real Asterisk, many at once: nothing is left of them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from acd.cli.client import ApiClient
from acd.lab.callers import Call, CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import Ring
from acd.service.compile import compile_config
from acd.service.voicemail.pins import hash_pin
from config import load
from tests.integration.stage import TOKEN, Stage, eventually, open_stage
from tests.ivr.sweep import (
    BOX_NUMBER,
    BOX_PIN,
    BROKEN,
    NO_KEY,
    RIGHT,
    SITES,
    SLOW,
    Site,
    Start,
    Way,
    places,
    write,
)

pytestmark = [pytest.mark.pbx, pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

RATE_PER_S = 7.0
LIMIT_S = 40.0
"""So long may the way to a place take."""
LATE_S = 1.2
"""Hanging up in the middle of a prompt, or of what follows it, instead of at its very beginning."""
ASKING = ("menu", "collect", "pin", "callback", "voicemail", "survey", "http", "enqueue", "voicemail-access")
SPOKEN_BYTES = 50_000
"""Three seconds of sound."""
SECRET = "secret-of-the-test"


@dataclass
class Bank:
    """The other system's answers; ``hanging``: who is waiting for one that does not come."""

    hanging: int = 0
    given_up: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        account = (await request.json())["account"]
        if account == SLOW:
            self.hanging += 1
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up += 1
        if account == BROKEN:
            return web.Response(status=500)
        if account != RIGHT:
            return web.Response(status=404)
        return web.json_response({"balance": 1280.50, "booked": "2026-11-20"})


@asynccontextmanager
async def bank_server(bank: Bank) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/balance", bank.answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/balance"
    finally:
        await runner.cleanup()


@dataclass
class Sweep:
    """One engine, and how far its callers have come, by what its log tells."""

    stage: Stage
    steps: Counter[str] = field(default_factory=Counter)
    """Steps that are over, by the caller's number."""
    queued: set[str] = field(default_factory=set)
    missed: list[str] = field(default_factory=list)
    placed: int = 0
    _callers: dict[str, str] = field(default_factory=dict)
    _read: int = 0

    def look(self) -> None:
        """Read on in the log."""
        with self.stage.engine.log.open("rb") as log:
            log.seek(self._read)
            text = log.read()
        whole = text.rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        for line in whole.splitlines():
            told = json.loads(line) if line.startswith(b"{") else {}
            match told.get("event"):
                case "call arrived":
                    self._callers[told["call_id"]] = told["caller"]
                case "menu step":
                    self.steps[self._callers.get(told["call_id"], "")] += 1
                case "call queued":
                    self.queued.add(self._callers.get(told["call_id"], ""))

    async def hang_up_at(self, ways: Iterable[tuple[Way, float]], rate_per_s: float = RATE_PER_S) -> None:
        """Let a caller go each of these ways, and hang up so many seconds after coming there; all at the same time."""
        going = []
        plans = []
        for way, after_s in ways:
            self.placed += 1
            number = way.start.caller(self.placed)
            digits = ((0.05, way.keys),) if way.keys else ()
            plans.append(CallPlan(way.start.dialled, number, digits=digits, listens=True))
            going.append((way, after_s))
        callers = await self.stage.place_all(plans, rate_per_s)
        async with asyncio.timeout(LIMIT_S + len(plans) / rate_per_s), asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch())
            walks = [
                group.create_task(self._one(call, way, after_s))
                for call, (way, after_s) in zip(callers.calls, going, strict=True)
            ]
            await asyncio.wait(walks)
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(0.03)

    async def _one(self, call: Call, way: Way, after_s: float) -> None:
        while self.steps[call.plan.caller_number] < way.steps or call.answer_message is None:
            if call.end is not None:
                self.missed.append(f"{way}: the call ended after {self.steps[call.plan.caller_number]} steps")
                return
            await asyncio.sleep(0.02)
        if after_s:
            await asyncio.sleep(after_s)
            if call.end is None:
                await call.press("1#")  # keys for what will not come any more
        await call.hang_up()


@asynccontextmanager
async def swept(
    lab: Lab, cache: Path, site: Site, folder: Path, *edits: tuple[str, str, str]
) -> AsyncIterator[tuple[Sweep, list[Way]]]:
    """The engine with an example site, and all ways through it. At the end nothing may be left."""
    write(site, folder, *edits)
    (folder / "followup.yaml").unlink(missing_ok=True)
    compiled = compile_config(load(folder, {"ACD_AMI_PASSWORD": SECRET, "ACD_SECRET_CORE_BANK": SECRET}))
    ways = await places(compiled, site.starts)
    env = {"ACD_LOG_LEVEL": "debug", "ACD_LOG_FORMAT": "json", "ACD_DRAIN_TIMEOUT_S": "5"}
    env |= {"ACD_SECRET_CORE_BANK": SECRET}
    async with open_stage(lab, folder, cache, behaviour=Ring(), env=env) as stage:
        await stage.engine.start()
        await stage.engine.ready()
        yield Sweep(stage), [way for way in ways if way.heard and NO_KEY not in way.keys]
        await nothing_left(stage)


def api(s: Stage) -> ApiClient:
    return ApiClient("127.0.0.1", int(s.engine.env["ACD_WEB_PORT"]), TOKEN)


def twice(ways: Iterable[Way]) -> list[tuple[Way, float]]:
    """At the beginning of each prompt, and later where callers are asked, recorded or kept waiting."""
    once = list(ways)
    asking = [way for way in once if way.node_type in ASKING]
    return [*((way, 0.0) for way in once), *((way, LATE_S) for way in asking)]


async def speak(sweep: Sweep, dialled: str, keys: str, *, review: bool) -> None:
    """A caller who leaves a message and hangs up in the middle of a word, or while asked whether to send it."""
    s = sweep.stage
    sweep.placed += 1
    number = Start(dialled).caller(sweep.placed)
    call = await s.place(CallPlan(dialled, number, digits=((0.05, keys),), speaks=True))
    folder = s.engine.site / "recordings"

    async def spoken() -> bool:
        return any(path.stat().st_size > SPOKEN_BYTES for path in folder.glob("draft-*.wav"))

    await eventually(spoken, "something is recorded", LIMIT_S)
    if review:
        await call.press("#")
    await call.hang_up()
    await s.engine.until(lambda status: all(one["caller"] != number for one in status["calls"]))


def messages(s: Stage) -> list[str]:
    """The callers of the messages that are kept."""
    return sorted(message["call"]["caller"] for message in api(s).get("voicemail", "messages")["messages"])


async def ask_for_a_callback_while_waiting(sweep: Sweep, dialled: str, keys: str, key: str) -> None:
    """A caller who waits in a queue, presses the key for a callback, and hangs up when asked for the number."""
    sweep.placed += 1
    number = Start(dialled).caller(sweep.placed)
    call = await sweep.stage.place(CallPlan(dialled, number, digits=((0.05, keys),), listens=True))

    async def waits() -> bool:
        sweep.look()
        return number in sweep.queued

    await eventually(waits, f"{number} waits in a queue")
    await call.press(key)
    await eventually(lambda: _is_menu(sweep.stage, number), f"{number} is asked for the number")
    await call.hang_up()


async def _is_menu(s: Stage, number: str) -> bool:
    return any(call["caller"] == number and call["state"] == "menu" for call in (await s.engine.status())["calls"])


async def nothing_left(s: Stage) -> None:
    """No call, no session, no file, no complaint, and a quick end."""
    for callback in api(s).get("callbacks")["callbacks"]:  # promised before the caller hung up: as it should be
        api(s).delete("callbacks", callback["id"])
    await s.empty()

    async def no_session() -> bool:
        return await s.engine.metric("acd_agi_sessions") == 0

    await eventually(no_session, "no session is left")

    async def no_file() -> bool:
        return not files(s)

    try:
        await eventually(no_file, "no file is left")
    except TimeoutError:
        raise AssertionError(f"files are left: {files(s)}") from None
    s.engine.terminate()
    assert await s.engine.wait(10) == 0
    for words in ('"level":"error"', '"level":"critical"', "Traceback", "was never", "was destroyed"):
        assert not s.engine.logged(words), s.engine.logged(words)


def files(s: Stage) -> list[str]:
    """Files that are not kept for good: everything in the folder of recordings, notes and drafts of the state."""
    recordings = [path for path in (s.engine.site / "recordings").rglob("*") if path.is_file()]
    state = s.engine.site / "state"
    passing = ("draft", "tmp", ".new", ".part")
    notes = [
        path
        for path in state.rglob("*")
        if path.is_file() and any(word in str(path.relative_to(state)) for word in passing)
    ]
    return sorted(str(path.relative_to(s.engine.site)) for path in (*recordings, *notes))


async def test_demo(lab: Lab, cache: Path, tmp_path: Path) -> None:
    async with swept(lab, cache, SITES["demo"], tmp_path / "site") as (sweep, ways):
        await sweep.hang_up_at(twice(ways))
        assert not sweep.missed, sweep.missed
        assert messages(sweep.stage) == [], "nobody has said anything"
        await speak(sweep, "100", "3#", review=False)
        await speak(sweep, "100", "3#", review=True)
        await ask_for_a_callback_while_waiting(sweep, "100", "1", "4")
        assert len(set(messages(sweep.stage))) == len(messages(sweep.stage)) == 2


async def test_bank(lab: Lab, cache: Path, tmp_path: Path) -> None:
    bank = Bank()
    async with bank_server(bank) as url:
        edits = (
            ("routing.yaml", "https://core.bank.example/telephone/balance", url),
            ("acd.yaml", "secrets:\n", 'http: {allow_private: ["127.0.0.1"], breaker: {failures: 50}}\n\nsecrets:\n'),
            (
                "voicemail.yaml",
                f'    number: "{BOX_NUMBER}"\n',
                f'    number: "{BOX_NUMBER}"\n    pin_hash: {hash_pin(BOX_PIN)}\n',
            ),
            ("voicemail.yaml", "    email: [service@bank.example]", "    email: []"),
        )
        async with swept(lab, cache, SITES["bank"], tmp_path / "site", *edits) as (sweep, ways):
            s = sweep.stage
            await override(s, "closed")
            async with asyncio.TaskGroup() as group:
                group.create_task(sweep.hang_up_at(twice(way for way in ways if way.start.closed)))
                for review in (False, True):
                    await speak(sweep, "902", "1#", review=review)
            await override(s, "open")
            look_up = next(way for way in ways if way.node_type == "http")
            slow = replace(look_up, keys=look_up.keys.replace(RIGHT, SLOW))
            in_hours = [*twice(way for way in ways if not way.start.closed), (slow, LATE_S)]
            in_hours.sort(key=lambda each: each[0].start.dialled != "199")  # listening to the messages takes longest
            await sweep.hang_up_at(in_hours)
            assert not sweep.missed, sweep.missed
            assert len(set(messages(s))) == len(messages(s)) == 2
            await ask_for_a_callback_while_waiting(sweep, "100", "10", "1")
            assert bank.hanging == bank.given_up == 1


async def override(s: Stage, state: str) -> None:
    until = (datetime.now(UTC) + timedelta(hours=9)).isoformat(timespec="minutes")
    body = {"state": state, "until": until, "reason": "test"}
    await asyncio.to_thread(lambda: api(s).put("calendars", "telephone", "override", body=body))
