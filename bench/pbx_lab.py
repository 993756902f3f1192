"""The lab of ``bench.pbx``: one Asterisk, phones, and the three systems that distribute calls on it, one at a time."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from acd.lab.children import dies_with_parent, end_process
from acd.lab.engine import EngineProcess, acd_command
from acd.lab.errors import LabError
from acd.lab.pbx import Pbx
from acd.lab.ports import choose_ports
from acd.lab.render import Phone
from acd.lab.sipp import free_udp_port
from bench.pbx_capture import Capture
from bench.pbx_measure import Round, caller_entries, phone_calls
from bench.pbx_sipp import BenchPhones, call
from bench.pbx_site import ACD, APP_QUEUE, FLOOR, add_to_asterisk, write_engine_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acd.lab.install import AsteriskInstall
    from acd.lab.sip_trace import SipMessage

__all__ = ["SYSTEMS", "BenchLab", "open_bench_lab"]

SYSTEMS = {"app_queue": APP_QUEUE, "acd": ACD, "floor": FLOOR}
"""Each system and the number under which callers reach it."""
CAPTURE_CLOCK = "packet capture on the loopback interface, the kernel's time stamps"
SIPP_CLOCK = "SIPp's message traces, as packets may not be captured; may be a millisecond late on a busy machine"
PAUSE_S = 0.5
TIMEOUT_S = 60.0


class BenchLab:
    """What ``open_bench_lab`` gives. ``messages``: the SIP messages of callers and phones, ``clock``: by what clock."""

    def __init__(
        self,
        pbx: Pbx,
        phones: BenchPhones,
        *,
        agents: Sequence[str],
        site: Path,
        messages: list[SipMessage],
        clock: str,
    ) -> None:
        self.clock = clock
        self._pbx = pbx
        self._phones = phones
        self._agents = agents
        self._site = site
        self._messages = messages
        self._floor_port = 0

    async def configure(self) -> None:
        """Give all three systems the same agents. Raises LabError."""
        self._floor_port = (await asyncio.to_thread(choose_ports, usual=False)).agi
        write_engine_site(self._site, self._agents)
        await asyncio.to_thread(add_to_asterisk, self._pbx.run_dir / "etc", self._agents, self._floor_port)
        await self._pbx.cli("dialplan reload")
        await self._pbx.cli("queue reload all")
        shown = await self._pbx.cli("queue show bench")
        if shown.count("PJSIP/") < len(self._agents):
            raise LabError(f"app_queue has not taken its configuration:\n{shown}")

    @asynccontextmanager
    async def running(self, system: str) -> AsyncIterator[None]:
        """Run what the system needs beside Asterisk, and nothing else. Raises LabError."""
        if system == "acd":
            async with self._engine():
                yield
        elif system == "floor":
            async with self._floor():
                yield
        else:
            yield

    async def round(self, system: str, callers: int, rate_per_s: float, talk_s: float) -> Round:
        """Let so many callers call the system, until all have been served. Raises LabError, TimeoutError."""
        self._messages.clear()
        await call(
            self._pbx.install.sipp,
            self._pbx.sip_port,
            SYSTEMS[system],
            calls=callers,
            rate_per_s=rate_per_s,
            timeout_s=callers / rate_per_s + callers * talk_s / len(self._agents) + TIMEOUT_S,
            on_message=self._messages.append if self.clock == SIPP_CLOCK else _ignore,
        )
        await asyncio.sleep(PAUSE_S)  # the last channels end, so that no leftovers are in the next one's way
        found = Round(phone_calls(self._messages, self._agents), caller_entries(self._messages))
        served = {each.caller for each in found.calls} & set(found.entries)
        if len(served) != callers:
            raise LabError(f"{system}: {callers} callers, {len(served)} got to a phone.\n{self._phones.errors()}")
        return found

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[None]:
        command = (*acd_command(), "run", "--config", str(self._site))
        engine = EngineProcess(command, self._pbx.engine_env(), self._pbx.log_dir / "engine.log")
        await engine.start()
        try:
            await engine.ready(self._pbx.host, self._pbx.ports.web)
            yield
        finally:
            await engine.stop()

    @asynccontextmanager
    async def _floor(self) -> AsyncIterator[None]:
        command = (sys.executable, "-m", "bench.pbx_floor", str(self._floor_port), *self._agents)
        process = await asyncio.create_subprocess_exec(
            *dies_with_parent(), *command, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parent.parent
        )
        try:
            if process.stdout is None or await process.stdout.readline() != b"ready\n":
                raise LabError("the floor's responder did not start")
            yield
        finally:
            end_process(process, signal.SIGTERM)
            await process.wait()


@asynccontextmanager
async def open_bench_lab(
    install: AsteriskInstall, folder: Path, agents: Sequence[str], talk_s: float
) -> AsyncIterator[BenchLab]:
    """Start Asterisk and the phones, which talk for ``talk_s`` and hang up. Raises LabError."""
    phone_port = free_udp_port()
    ports = await asyncio.to_thread(choose_ports, usual=False)
    phones = [Phone(agent, contact=f"sip:{agent}@127.0.0.1:{phone_port}") for agent in agents]
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(Pbx(install, folder / "asterisk", phones=phones, ports=ports))
        messages: list[SipMessage] = []
        try:
            capture = Capture(pbx.sip_port, messages.append)
            stack.callback(capture.close)
            clock = CAPTURE_CLOCK
        except PermissionError:
            clock = SIPP_CLOCK
        sipp = BenchPhones(
            install.sipp, pbx.sip_port, phone_port, talk_s, messages.append if clock == SIPP_CLOCK else _ignore
        )
        await stack.enter_async_context(sipp)
        lab = BenchLab(
            pbx,
            sipp,
            agents=agents,
            site=folder / "site",
            messages=messages,
            clock=clock,
        )
        await lab.configure()
        yield lab


def _ignore(message: SipMessage) -> None:
    """The capture has it already."""
