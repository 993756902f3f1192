"""The client and the server on a real Asterisk, with the product's own manager user and dialplan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from acd.lab.callers import CallPlan
from acd.lab.lab import Lab, open_lab
from acd.lab.phones import Answer
from ami_bridge.agi_server import AgiServer
from ami_bridge.agi_session import AgiSession
from ami_bridge.ami_client import AmiClient, AmiState, AmiStatus, AmiTimings
from ami_bridge.ami_codec import AmiMessage
from ami_bridge.ami_connection import AmiTrouble
from ami_bridge.ami_protocol import AmiRefused

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_factories=["uvloop"])]
LIMIT_S = 15.0


class Link:
    """Client and server of an engine that does only what the test tells it."""

    def __init__(self, lab: Lab, secret: str | None = None) -> None:
        pbx = lab.pbx
        self.events: list[AmiMessage] = []
        self.statuses: list[AmiStatus] = []
        self.rtts: list[float] = []
        self.sessions: asyncio.Queue[AgiSession] = asyncio.Queue()
        self.devices: set[str] = set()
        self._changed = asyncio.Event()
        self.client = AmiClient(
            "127.0.0.1",
            pbx.ami_port,
            pbx.ami_user,
            secret or pbx.ami_secret,
            on_event=self._on_event,
            resync=self._resync,
            on_state=self._on_state,
            on_rtt=self.rtts.append,
            timings=AmiTimings(ping_interval_s=0.2),
        )
        self.server = AgiServer("127.0.0.1", pbx.agi_port, self._hold, scripts=["acd/call", "acd/agent/*"])

    async def __aenter__(self) -> Link:
        await self.server.start()
        self._running = asyncio.create_task(self.client.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        await self._running
        await self.server.close()

    async def _hold(self, session: AgiSession) -> None:
        self.sessions.put_nowait(session)
        await session.wait_closed()

    async def _resync(self, client: AmiClient) -> None:
        self.devices = {item["Device"] for item in await client.list_action("DeviceStateList")}

    def _on_event(self, event: AmiMessage) -> None:
        self.events.append(event)
        self._changed.set()

    def _on_state(self, status: AmiStatus) -> None:
        self.statuses.append(status)
        self._changed.set()

    async def wait(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def ready(self, times: int = 1) -> None:
        await self.wait(lambda: len([s for s in self.statuses if s.state is AmiState.READY]) >= times)

    def named(self, name: str) -> list[AmiMessage]:
        return [event for event in self.events if event.event == name]

    async def session(self) -> AgiSession:
        async with asyncio.timeout(LIMIT_S):
            return await self.sessions.get()


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    async with open_lab(tmp_path / "run", ["anna"], behaviour=Answer(talk_s=0.3)) as opened:
        yield opened


async def test_a_call_from_both_sides(lab: Lab) -> None:
    async with Link(lab) as link:
        await link.ready()
        assert "PJSIP/anna" in link.devices
        call = await lab.place(CallPlan("100", caller_name='李"安"娜'))
        session = await link.session()
        assert session.env["agi_calleridname"] == r"李\"安\"娜"  # as it stood between SIP's quotes
        assert session.args == ("",)
        await session.exec("Answer", "", "i", timeout_s=LIMIT_S)
        await call.answered()
        held = {item["Uniqueid"]: item for item in await link.client.list_action("CoreShowChannels")}
        assert held[session.uniqueid]["CallerIDName"] == r"李\\\"安\\\"娜"  # AMI escapes once more
        await session.command("SET VARIABLE", "NOTE", 'a "q" \\ b (c)', timeout_s=LIMIT_S)
        assert (await session.command("GET VARIABLE", "NOTE", timeout_s=LIMIT_S)).value == 'a "q" \\ b (c)'
        long = "x" * 7000
        await session.command("SET VARIABLE", "LONG", long, timeout_s=LIMIT_S)
        assert (await session.command("GET FULL VARIABLE", "${LONG}", timeout_s=LIMIT_S)).value == long
        await session.exec("Dial", "PJSIP/anna", "10", "g", timeout_s=LIMIT_S)
        assert (await session.command("GET VARIABLE", "DIALSTATUS", timeout_s=LIMIT_S)).value == "ANSWER"
        await link.wait(lambda: bool(link.named("BridgeLeave")))
        (begun, *_) = link.named("DialBegin")
        assert begun["Uniqueid"] == session.uniqueid
        assert begun["DestChannel"].startswith("PJSIP/anna-")
        over = asyncio.Event()
        session.on_hangup(over.set)
        await call.hang_up()
        async with asyncio.timeout(LIMIT_S):
            await over.wait()  # told although nothing was asked
        assert session.hangup_seen
        await session.command("SET VARIABLE", "ACD_DONE", "hangup", even_if_dead=True, timeout_s=LIMIT_S)
        session.close()
        await link.wait(lambda: any(event["Uniqueid"] == session.uniqueid for event in link.named("Hangup")))
        assert link.client.stats.garbage == 0
        assert link.rtts
        with pytest.raises(AmiRefused):
            await link.client.action("Hangup", {"Channel": "PJSIP/nobody-1"})


async def test_a_caller_who_forges_events_and_environment(lab: Lab) -> None:
    forged = "10%0D%0A%0D%0AEvent%3A%20Hangup%0D%0APrivilege%3A%20a%0D%0AUniqueid%3A%201.1%0D%0A%0D%0A"
    async with Link(lab) as link:
        await link.ready()
        call = await lab.place(CallPlan("100", caller_number=forged))
        session = await link.session()
        assert session.args == ("",)
        assert session.env["agi_callerid"].startswith("10 ")
        await session.exec("Answer", "", "i", timeout_s=LIMIT_S)
        await call.hang_up()
        session.close()
        await link.wait(lambda: any(event["Uniqueid"] == session.uniqueid for event in link.named("Hangup")))
        assert not any(event.get("Uniqueid") == "1.1" for event in link.events)
        assert link.client.stats.forged > 0
        assert link.client.stats.garbage == 0


async def test_asterisk_restarted_under_the_client(lab: Lab) -> None:
    async with Link(lab) as link:
        await link.ready()
        await lab.pbx.kill()
        await link.wait(lambda: link.client.state is AmiState.DISCONNECTED)
        await lab.pbx.start()
        await link.ready(2)
        assert "PJSIP/anna" in link.devices


async def test_a_wrong_password(lab: Lab) -> None:
    async with Link(lab, "wrong") as link:
        await link.wait(lambda: link.client.state is AmiState.DISCONNECTED and len(link.statuses) > 1)
        assert link.statuses[-1].trouble is AmiTrouble.LOGIN_REFUSED
        assert link.statuses[-1].text == "Asterisk refuses user 'acd': Authentication failed"
