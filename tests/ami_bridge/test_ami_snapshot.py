from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from ami_bridge.ami_client import AmiClient, AmiState, AmiStatus
from ami_bridge.ami_codec import AmiMessage
from ami_bridge.ami_protocol import AmiRefused
from ami_bridge.ami_snapshot import AsteriskSnapshot, build_snapshot, snapshot
from tests.ami_bridge.fake_asterisk import LIMIT_S, FakeManager, channel_headers, swallow
from tests.ami_bridge.recordings import MIXED, parse


def listed(name: str) -> list[AmiMessage]:
    """The items of a kind that the recording holds."""
    messages, _ = parse(MIXED)
    return [message for message in messages if message.event == name]


class TestRecorded:
    def test_channels_are_as_asterisk_listed_them(self) -> None:
        taken = build_snapshot(listed("CoreShowChannel"), [], [])
        assert len(taken.channels) == 4
        chinese = next(channel for channel in taken.channels.values() if channel.caller_name == "李安娜")
        assert chinese.caller_number == "+493012345"
        assert chinese.channel.startswith("PJSIP/anonymous-")
        assert chinese.uniqueid == chinese.linkedid
        assert (chinese.state, chinese.state_text) == (6, "Up")
        assert (chinese.context, chinese.extension, chinese.application) == ("in", "101", "AGI")
        assert chinese.application_data == "agi://127.0.0.1:15573/acd/call,,x"
        assert chinese.bridge_id == ""
        assert chinese.variables == {"ACD_CALL": "call-1", "ACD_NOTE": 'a "q" \\ b (c) , ; ü'}

    def test_device_states(self) -> None:
        listed_states = [message for message in listed("DeviceStateChange") if message.action_id]
        states = build_snapshot([], [], listed_states).device_states
        assert states["PJSIP/anna"] == "NOT_INUSE"
        assert states["PJSIP/callers"] == "UNAVAILABLE"


def make_client(
    manager: FakeManager,
    resync: Callable[[AmiClient], Awaitable[None]],
    on_state: Callable[[AmiStatus], None] = swallow,
) -> AmiClient:
    """A client with its own resync."""
    return AmiClient(
        "127.0.0.1",
        manager.port,
        "acd",
        "s3cret",
        on_event=swallow,
        resync=resync,
        on_state=on_state,
        on_rtt=swallow,
    )


async def take(manager: FakeManager) -> AsteriskSnapshot | Exception:
    """A snapshot as a client's resync takes it; the error when there is none."""
    result: asyncio.Future[AsteriskSnapshot | Exception] = asyncio.get_running_loop().create_future()

    async def resync(client: AmiClient) -> None:
        try:
            taken: AsteriskSnapshot | Exception = await snapshot(client)
        except AmiRefused as error:
            taken = error
        if not result.done():
            result.set_result(taken)

    client = make_client(manager, resync)
    running = asyncio.create_task(client.run())
    try:
        async with asyncio.timeout(LIMIT_S):
            return await result
    finally:
        await client.close()
        await running


class TestTaking:
    async def test_channels_bridges_and_device_states(self, manager: FakeManager) -> None:
        def in_bridge(uniqueid: str, bridge: str) -> list[tuple[str, str]]:
            return [*channel_headers(uniqueid), ("Application", "Dial"), ("ApplicationData", "x"), ("BridgeId", bridge)]

        manager.channels = [in_bridge("1.1", "b-1"), in_bridge("1.2", "b-1"), in_bridge("1.3", "")]
        manager.bridges = [
            [
                ("BridgeUniqueid", "b-1"),
                ("BridgeType", "basic"),
                ("BridgeTechnology", "simple_bridge"),
                ("BridgeCreator", "<unknown>"),
                ("BridgeName", "<unknown>"),
                ("BridgeNumChannels", "2"),
            ],
            [("BridgeUniqueid", "b-2"), ("BridgeNumChannels", "many")],
        ]
        manager.devices = [[("Device", "PJSIP/anna"), ("State", "INUSE")], [("Device", "broken")]]
        taken = await take(manager)
        assert isinstance(taken, AsteriskSnapshot)
        assert list(taken.channels) == ["1.1", "1.2", "1.3"]
        assert taken.bridges["b-1"].members == ("1.1", "1.2")
        assert taken.bridges["b-1"].channels == 2
        assert taken.bridges["b-2"].members == ()
        assert taken.device_states == {"PJSIP/anna": "INUSE"}
        assert taken.missing == ()

    @pytest.mark.parametrize("action", ["BridgeList", "DeviceStateList"])
    async def test_a_list_that_asterisk_refuses_is_named(self, manager: FakeManager, action: str) -> None:
        manager.channels = [channel_headers("1.1")]
        del manager.answers[action]
        taken = await take(manager)
        assert isinstance(taken, AsteriskSnapshot)
        assert len(taken.missing) == 1
        assert f"refused {action}" in taken.missing[0]
        assert list(taken.channels) == ["1.1"]

    async def test_without_channels_there_is_none(self, manager: FakeManager) -> None:
        del manager.answers["CoreShowChannels"]
        assert isinstance(await take(manager), AmiRefused)

    async def test_a_client_without_a_right_says_what_is_missing(self, manager: FakeManager) -> None:
        def deny(session: object, action: dict[str, str]) -> None:
            manager.sessions[0].reply(action, "Error", [("Message", "Permission denied")])

        manager.answers["CoreShowChannels"] = deny
        statuses: list[AmiStatus] = []
        failed = asyncio.Event()

        def on_state(status: AmiStatus) -> None:
            statuses.append(status)
            if status.state is AmiState.DISCONNECTED:
                failed.set()

        async def resync(client: AmiClient) -> None:
            await snapshot(client)

        client = make_client(manager, resync, on_state)
        running = asyncio.create_task(client.run())
        async with asyncio.timeout(LIMIT_S):
            await failed.wait()
        assert statuses[-1].text == "Asterisk refused CoreShowChannels: Permission denied"
        await client.close()
        await running
