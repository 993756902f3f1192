"""One test's stage: the session's Asterisk, phones with no past, an engine of its own, and callers that end with it."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acd.lab import engine
from acd.lab.callers import Call, Callers, CallPlan
from acd.lab.lab import Lab
from acd.lab.pbx import Pbx
from acd.lab.phones import Behaviour, PhoneCall, Phones, Ring

TOKEN = "token-of-the-test"
LIMIT_S = 15.0
POLL_S = 0.01

Status = Mapping[str, Any]


class EngineProcess:
    """``acd run`` as a process of its own, and what it says over HTTP."""

    def __init__(self, site: Path, env: Mapping[str, str], log: Path) -> None:
        self.site = site
        self.log = log
        self.env = {**env, "ACD_API_TOKEN": TOKEN}
        self._process = engine.EngineProcess((*engine.acd_command(), "run", "--config", str(site)), self.env, log)
        self._started_at = 0.0
        self.came_up_after_s = 0.0
        """From the last start to the first answer over HTTP: how fast this machine is at present."""

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.returncode

    async def start(self) -> None:
        """Start the process; it is not ready yet."""
        self._started_at = time.monotonic()
        self.came_up_after_s = 0.0
        await self._process.start()

    async def ready(self, timeout_s: float = 100.0) -> None:
        """Wait until callers are served; on a first run all prompts are spoken before."""
        await self.until_http("/readyz", lambda code, _: code == 200, timeout_s)

    async def until_http(
        self, path: str, condition: Callable[[int, str], bool], timeout_s: float = LIMIT_S
    ) -> tuple[int, str]:
        """Ask again and again until the answer (status, body) is as wanted. Raises TimeoutError with the last one."""
        code, body = 0, "(no answer)"
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    if self._process.pid is None:
                        raise AssertionError(f"the engine has ended:\n{self.log.read_text()}")
                    code, body = await asyncio.to_thread(self._get, path)
                    if code and not self.came_up_after_s:
                        self.came_up_after_s = time.monotonic() - self._started_at
                    if condition(code, body):
                        return code, body
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            raise TimeoutError(f"{path}: last answer {code} {body}\n{self.log.read_text()[-5000:]}") from None

    async def status(self) -> Status:
        """``/api/status``."""
        _, body = await self.until_http("/api/status", lambda code, _: code == 200)
        status: Status = json.loads(body)
        return status

    async def until(self, condition: Callable[[Status], bool], timeout_s: float = LIMIT_S) -> Status:
        """Wait for a state of the engine."""
        _, body = await self.until_http(
            "/api/status", lambda code, body: code == 200 and condition(json.loads(body)), timeout_s
        )
        status: Status = json.loads(body)
        return status

    async def agent(self, agent_id: str, state: str, reason: str | None = None, timeout_s: float = LIMIT_S) -> None:
        """Wait until an agent is in a state."""

        def is_so(status: Status) -> bool:
            found = by_id(status["agents"], agent_id)
            return found["state"] == state and (reason is None or found["reason"] == reason)

        await self.until(is_so, timeout_s)

    async def metric(self, sample: str) -> float:
        """The value of a sample such as ``acd_calls_total{queue="cards",result="served"}``; 0 when there is none."""
        _, body = await self.until_http("/metrics", lambda code, _: code == 200)
        found = re.search(rf"^{re.escape(sample)} (\S+)$", body, re.MULTILINE)
        return float(found[1]) if found else 0.0

    async def post(self, path: str) -> tuple[int, str]:
        """POST with the token."""
        return await asyncio.to_thread(self._get, path, "POST")

    def kill(self) -> None:
        """``kill -9``."""
        self._process.crash()

    def terminate(self) -> None:
        """SIGTERM: drain."""
        self._process.ask_to_stop()

    async def wait(self, timeout_s: float = LIMIT_S) -> int:
        """Wait for the end; the exit code."""
        async with asyncio.timeout(timeout_s):
            return await self._process.wait()

    async def stop(self) -> None:
        """End it however it is."""
        await self._process.kill()

    def logged(self, *words: str) -> list[dict[str, Any]]:
        """Log lines in which all these words occur."""
        return [
            json.loads(line) if line.startswith("{") else {"event": line}
            for line in self.log.read_text().splitlines()
            if all(word in line for word in words)
        ]

    def _get(self, path: str, method: str = "GET") -> tuple[int, str]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.env['ACD_WEB_PORT']}{path}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            method=method,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=LIMIT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except (OSError, urllib.error.URLError) as error:
            return 0, str(error)


@dataclass
class Stage:
    """See the module."""

    lab: Lab
    engine: EngineProcess
    stack: AsyncExitStack
    callers: list[Callers] = field(default_factory=list)

    @property
    def pbx(self) -> Pbx:
        return self.lab.pbx

    @property
    def phones(self) -> Phones:
        return self.lab.phones

    async def place(self, plan: CallPlan) -> Call:
        """Let one caller call; the INVITE has left when this returns."""
        callers = await self.place_all([plan])
        await callers.calls[0].wait_for(lambda message: message.is_request("INVITE"))
        return callers.calls[0]

    async def place_all(self, plans: Sequence[CallPlan], rate_per_s: float = 10.0) -> Callers:
        """Let several callers call one after the other."""
        callers = Callers(self.pbx.install.sipp, self.pbx.sip_port, plans, rate_per_s=rate_per_s)
        await self.stack.enter_async_context(callers)
        self.callers.append(callers)
        return callers

    async def rings(self, agent: str, number: int = 1, timeout_s: float = LIMIT_S) -> PhoneCall:
        """Wait until an agent's phone rings for its ``number``-th call; from then on it can be answered or rejected."""
        offer = await self.phones[agent].offered(number, timeout_s)
        await offer.wait_for(lambda message: message.is_response(180, sent=True), timeout_s)
        return offer

    async def waiting(self, number: int, timeout_s: float = LIMIT_S) -> Status:
        """Wait until so many callers wait."""
        return await self.engine.until(lambda status: count(status, "waiting") == number, timeout_s)

    async def talking(self, number: int, timeout_s: float = LIMIT_S) -> Status:
        """Wait until so many callers talk."""
        return await self.engine.until(lambda status: count(status, "talking") == number, timeout_s)

    async def empty(self, timeout_s: float = LIMIT_S) -> Status:
        """Wait until the engine has no call, and no agent anything to do with one."""

        def is_empty(status: Status) -> bool:
            busy = [agent["id"] for agent in status["agents"] if agent["state"] in ("reserved", "talking")]
            return not status["calls"] and not busy

        return await self.engine.until(is_empty, timeout_s)


def by_id(entries: Sequence[Mapping[str, Any]], wanted: str) -> Mapping[str, Any]:
    """The entry with this id."""
    return next(entry for entry in entries if entry["id"] == wanted)


def count(status: Status, state: str) -> int:
    """How many calls are in a state."""
    return sum(1 for call in status["calls"] if call["state"] == state)


async def eventually(condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float = LIMIT_S) -> None:
    """Ask again and again until it is so. Raises TimeoutError."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await condition():  # noqa: ASYNC110 - what is asked has no event
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        raise TimeoutError(f"not so within {timeout_s} s: {what}") from None


async def no_channels(pbx: Pbx) -> bool:
    """Whether Asterisk has no call left."""
    return "0 active channels" in await pbx.cli("core show channels count")


async def _asterisk_runs(pbx: Pbx) -> None:
    """A test that failed may have left Asterisk dead: the next one needs it."""
    if pbx.pid is None:
        await pbx.start()


@asynccontextmanager
async def open_stage(
    lab: Lab, site: Path, cache: Path, *, behaviour: Behaviour = Ring(), env: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """Set the stage; the engine is not started. At the end nothing may be left in Asterisk."""
    state = site / "state"
    state.mkdir()
    process = EngineProcess(
        site,
        {
            **lab.pbx.engine_env(),
            "ACD_STATE_DIR": str(state),
            "ACD_RECORDINGS_DIR": str(site / "recordings"),
            "ACD_CACHE_DIR": str(cache),
            "ACD_ESPEAK_NG": shlex.join(lab.pbx.install.espeak_ng),
            **(env or {}),
        },
        site / "engine.log",
    )
    await lab.phones.stop()
    await lab.phones.start()
    for phone in lab.phones:
        phone.behaviour = behaviour
    async with AsyncExitStack() as stack:
        stack.push_async_callback(_asterisk_runs, lab.pbx)
        stack.push_async_callback(process.stop)
        yield Stage(lab, process, stack)
    await eventually(lambda: no_channels(lab.pbx), "Asterisk without channels")
    assert not process.logged("engine fault"), "the engine found a fault of its own"
    assert not process.logged("Traceback"), process.log.read_text()
