"""The whole process but Asterisk, for tests: callers are scripted channels, AMI events are given by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from acd.core.calls import Call
from acd.core.events import OffersResumed
from acd.core.transitions import AgentState
from acd.service.parts import Parts
from acd.service.prompts.site import Voices
from ami_bridge.ami_codec import AmiMessage, HeaderValue
from tests.service.fake_channel import LIMIT_S, FakeChannel
from tests.service.sites import load_site

UNIQUEID = "1763757000.1"


class Site:
    """The process with a listening FastAGI and no AMI."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.sent: list[tuple[str, dict[str, HeaderValue]]] = []
        """AMI actions."""
        self.channels: list[FakeChannel] = []

    def send(self, name: str, headers: Mapping[str, HeaderValue] | None = None, timeout_s: float = 5.0) -> bool:
        self.sent.append((name, dict(headers or {})))
        return True

    @property
    def port(self) -> int:
        return self.parts.agi_server.port

    async def enter(self, uniqueid: str = UNIQUEID, *, call_id: str = "", **env: str) -> FakeChannel:
        return self._keep(await FakeChannel.enter(self.port, uniqueid, call_id=call_id, **env))

    async def dial_code(self, verb: str, channel: str) -> FakeChannel:
        return self._keep(await FakeChannel.enter(self.port, script=f"acd/agent/{verb}", channel=channel))

    def _keep(self, channel: FakeChannel) -> FakeChannel:
        self.channels.append(channel)
        return channel

    def ami(self, event: str, **headers: str) -> None:
        self.parts.link.on_event(AmiMessage({"Event": event, **headers}))

    def dial_begins(self, agent: str, leg: str, caller: str = UNIQUEID) -> None:
        self.ami("DialBegin", Uniqueid=caller, DestUniqueid=leg, DestChannel=f"PJSIP/{agent}-0000000a")

    def dial_ends(self, leg: str, status: str) -> None:
        self.ami("DialEnd", DestUniqueid=leg, DialStatus=status)

    def bridged(self, leg: str, caller: str = UNIQUEID) -> None:
        self.dial_ends(leg, "ANSWER")
        self.ami("BridgeEnter", Uniqueid=leg, BridgeUniqueid="b1")
        self.ami("BridgeEnter", Uniqueid=caller, BridgeUniqueid="b1")

    def agent(self, agent_id: str) -> AgentState:
        return self.parts.engine.agents[agent_id].state

    @property
    def call(self) -> Call:
        (call,) = self.parts.engine.calls.values()
        return call

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that the event loop is about to do."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110 - any state may be asked for, and none has an event
                await asyncio.sleep(0.001)


@asynccontextmanager
async def run(folder: Path) -> AsyncIterator[Site]:
    (folder / "state").mkdir(exist_ok=True)
    parts = Parts(load_site(folder), asyncio.get_running_loop(), Voices(()))
    site = Site(parts)
    parts.ami.send = site.send  # type: ignore[method-assign]
    parts.begin()
    await parts.agi_server.start()
    parts.host.post(OffersResumed())
    try:
        yield site
    finally:
        for channel in site.channels:
            await channel.close()
        await parts.agi_server.close()
        parts.close()
