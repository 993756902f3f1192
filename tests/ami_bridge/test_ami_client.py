from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from ami_bridge.ami_client import AmiClient, AmiState, AmiStatus, AmiTimings
from ami_bridge.ami_codec import AmiMessage, AmiValueError
from ami_bridge.ami_connection import AmiTrouble
from ami_bridge.ami_protocol import AmiNotConnected, AmiRefused, AmiTimeout, AmiUnknown
from tests.ami_bridge.fake_asterisk import LIMIT_S, FakeManager, FakeSession, event

QUICK = AmiTimings(
    connect_timeout_s=1.0,
    login_timeout_s=1.0,
    boot_notice_s=0.02,
    resync_timeout_s=1.0,
    ping_interval_s=0.02,
    pong_timeout_s=0.3,
    backoff_min_s=0.01,
    backoff_max_s=0.04,
    refused_retry_s=0.1,
)


class Driver:
    """A client with all that it tells written down."""

    def __init__(self, port: int, secret: str = "s3cret", timings: AmiTimings = QUICK, **options: Any) -> None:
        self.events: list[AmiMessage] = []
        self.statuses: list[AmiStatus] = []
        self.rtts: list[float] = []
        self.resyncs = 0
        self.during_resync: Callable[[AmiClient], Any] | None = None
        self.on_event: Callable[[AmiMessage], None] = self.events.append
        self.client = AmiClient(
            "127.0.0.1",
            port,
            "acd",
            secret,
            on_event=lambda message: self.on_event(message),
            resync=self._resync,
            on_state=self._on_state,
            on_rtt=self._on_rtt,
            timings=timings,
            rng=random.Random(7),
            **options,
        )
        self._changed = asyncio.Event()
        self.task = asyncio.create_task(self.client.run())

    async def _resync(self, client: AmiClient) -> None:
        self.resyncs += 1
        if self.during_resync is not None:
            await self.during_resync(client)

    def _on_state(self, status: AmiStatus) -> None:
        self.statuses.append(status)
        self._changed.set()

    def _on_rtt(self, rtt_s: float) -> None:
        self.rtts.append(rtt_s)
        self._changed.set()

    def tell(self) -> None:
        """Have `wait` look again."""
        self._changed.set()

    async def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something that the client told is so."""
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def ready(self, times: int = 1) -> None:
        """Wait until the client has been ready so many times."""
        await self.wait(lambda: len(self.seen(AmiState.READY)) >= times)

    def seen(self, state: AmiState) -> list[AmiStatus]:
        """The times it was in a state."""
        return [status for status in self.statuses if status.state is state]

    def troubles(self) -> list[AmiTrouble | None]:
        """Why connections ended."""
        return [status.trouble for status in self.seen(AmiState.DISCONNECTED)]


@pytest.fixture
async def drive(manager: FakeManager) -> AsyncIterator[Callable[..., Driver]]:
    drivers: list[Driver] = []

    def start(**options: Any) -> Driver:
        drivers.append(Driver(manager.port, **options))
        return drivers[-1]

    yield start
    for driver in drivers:
        await driver.client.close()
        async with asyncio.timeout(LIMIT_S):
            await driver.task


Drive = Callable[..., Driver]


class TestBringUp:
    async def test_the_way_to_ready(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        assert [status.state for status in driver.statuses] == [
            AmiState.CONNECTING,
            AmiState.AUTHENTICATING,
            AmiState.BOOTING,
            AmiState.RESYNCING,
            AmiState.READY,
        ] or [status.state for status in driver.statuses] == [
            AmiState.CONNECTING,
            AmiState.AUTHENTICATING,
            AmiState.RESYNCING,
            AmiState.READY,
        ]
        assert driver.client.connected
        assert driver.resyncs == 1
        assert driver.client.stats.connections == 1

    async def test_the_secret_is_neither_sent_nor_shown(
        self, manager: FakeManager, drive: Drive, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        driver = drive()
        await driver.ready()
        assert not any("s3cret" in text for action in manager.actions for text in action.values())
        shown = [repr(driver.client), str(driver.client), caplog.text, *map(str, driver.statuses)]
        assert not any("s3cret" in text for text in shown)

    async def test_a_wrong_password_is_told_as_such_and_tried_again_slowly(
        self, manager: FakeManager, drive: Drive
    ) -> None:
        driver = drive(secret="wrong")
        await driver.wait(lambda: bool(driver.seen(AmiState.DISCONNECTED)))
        status = driver.seen(AmiState.DISCONNECTED)[0]
        assert status.trouble is AmiTrouble.LOGIN_REFUSED
        assert status.text == "Asterisk refuses user 'acd': Authentication failed"
        assert status.retry_in_s is not None
        assert 0.05 <= status.retry_in_s <= 0.1  # refused_retry_s, jittered; backoff_max_s is less than that
        manager.users["acd"] = "wrong"  # somebody corrects manager.conf
        await driver.ready()

    async def test_it_waits_for_fully_booted_and_says_so(self, manager: FakeManager, drive: Drive) -> None:
        manager.fully_booted = False
        driver = drive()
        await driver.wait(lambda: any("FullyBooted" in status.text for status in driver.seen(AmiState.BOOTING)))
        manager.send(event("Newchannel", {"Uniqueid": "1.1"}))  # older than the resync to come: its own business
        with pytest.raises(AmiNotConnected):
            await driver.client.action("Ping")
        manager.boot()
        await driver.ready()
        assert driver.events == []

    async def test_nothing_listens(self, manager: FakeManager, drive: Drive) -> None:
        port = manager.port
        await manager.stop()
        driver = drive()
        await driver.wait(lambda: len(driver.seen(AmiState.DISCONNECTED)) >= 4)
        assert set(driver.troubles()) == {AmiTrouble.UNREACHABLE}
        await manager.start(port)
        await driver.ready()

    async def test_something_else_listens(self, manager: FakeManager, drive: Drive) -> None:
        manager.banner = b"SSH-2.0-OpenSSH_9.2\r\n"
        driver = drive(timings=AmiTimings(login_timeout_s=0.05, backoff_min_s=0.01))
        await driver.wait(lambda: bool(driver.seen(AmiState.DISCONNECTED)))
        assert driver.troubles() == [AmiTrouble.NOT_AMI]

    async def test_the_back_off_grows_to_its_limit_and_is_jittered(self, manager: FakeManager, drive: Drive) -> None:
        await manager.stop()
        driver = drive()
        await driver.wait(lambda: len(driver.seen(AmiState.DISCONNECTED)) >= 8)
        delays = [status.retry_in_s or 0.0 for status in driver.seen(AmiState.DISCONNECTED)]
        for failures, delay_s in enumerate(delays):
            ceiling_s = min(0.04, 0.01 * 2**failures)
            assert ceiling_s / 2 <= delay_s <= ceiling_s
        assert len(set(delays)) == len(delays)

    async def test_a_login_that_closes_at_once_does_not_spin(self, manager: FakeManager, drive: Drive) -> None:
        manager.answers["Login"] = lambda session, action: session.cut()
        driver = drive()
        await driver.wait(lambda: len(driver.seen(AmiState.DISCONNECTED)) >= 3)
        assert set(driver.troubles()) == {AmiTrouble.LOST}
        assert (driver.seen(AmiState.DISCONNECTED)[2].retry_in_s or 0) >= 0.02


class TestResync:
    async def test_events_wait_until_it_is_done(self, manager: FakeManager, drive: Drive) -> None:
        gate = asyncio.Event()
        driver = drive()
        driver.during_resync = lambda client: gate.wait()
        await driver.wait(lambda: driver.client.state is AmiState.RESYNCING)
        manager.send(event("Hangup", {"Uniqueid": "1.1"}) + event("Hangup", {"Uniqueid": "1.2"}))
        await driver.client.action("Ping")  # answered behind the events, so they have arrived
        assert driver.events == []
        gate.set()
        await driver.ready()
        assert [message["Uniqueid"] for message in driver.events] == ["1.1", "1.2"]
        manager.send(event("Hangup", {"Uniqueid": "1.3"}))
        await driver.client.action("Ping")
        assert [message["Uniqueid"] for message in driver.events] == ["1.1", "1.2", "1.3"]

    async def test_it_happens_at_every_connection(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        manager.cut()
        await driver.ready(2)
        manager.cut()
        await driver.ready(3)
        assert driver.resyncs == 3
        assert driver.troubles() == [AmiTrouble.LOST, AmiTrouble.LOST]

    async def test_one_that_fails_is_tried_again_on_a_new_connection(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()

        async def fail(client: AmiClient) -> None:
            if driver.resyncs == 1:
                raise ValueError("no such bridge")
            if driver.resyncs == 2:
                await client.action("Nonsense")

        driver.during_resync = fail
        await driver.ready()
        assert driver.troubles() == [AmiTrouble.RESYNC_FAILED] * 2
        texts = [status.text for status in driver.seen(AmiState.DISCONNECTED)]
        assert texts[0] == "ValueError: no such bridge"
        assert "refused Nonsense" in texts[1]

    async def test_one_without_an_end_is_cut_off(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive(timings=AmiTimings(resync_timeout_s=0.05, backoff_min_s=0.01))

        async def hang(client: AmiClient) -> None:
            if driver.resyncs == 1:
                await asyncio.Event().wait()

        driver.during_resync = hang
        await driver.ready()
        assert driver.troubles() == [AmiTrouble.RESYNC_FAILED]

    async def test_more_events_than_the_buffer_holds(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive(max_buffered_events=10)

        async def flood(client: AmiClient) -> None:
            if driver.resyncs == 1:
                manager.send(event("Newstate") * 11)
                await asyncio.Event().wait()

        driver.during_resync = flood
        await driver.ready()
        assert driver.troubles() == [AmiTrouble.OVERFLOW]
        assert driver.events == []

    async def test_a_connection_lost_during_it(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()

        async def cut(client: AmiClient) -> None:
            if driver.resyncs == 1:
                manager.cut()
                await asyncio.Event().wait()

        driver.during_resync = cut
        await driver.ready()
        assert driver.troubles() == [AmiTrouble.LOST]


class TestActions:
    async def test_replies_out_of_order(self, manager: FakeManager, drive: Drive) -> None:
        held: list[tuple[FakeSession, dict[str, str]]] = []

        def hold(session: FakeSession, action: dict[str, str]) -> None:
            held.append((session, action))
            if len(held) == 3:
                for holder, asked in reversed(held):
                    holder.reply(asked, headers=[("Value", asked["Variable"])])

        manager.answers["Getvar"] = hold
        driver = drive()
        await driver.ready()
        asked = [driver.client.action("Getvar", {"Variable": name}) for name in "abc"]
        assert [reply["Value"] for reply in await asyncio.gather(*asked)] == ["a", "b", "c"]

    async def test_a_refusal(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        with pytest.raises(AmiRefused, match="Invalid/unknown command"):
            await driver.client.action("Nonsense")

    async def test_a_lost_reply_and_a_late_one(self, manager: FakeManager, drive: Drive) -> None:
        held: list[tuple[FakeSession, dict[str, str]]] = []
        manager.answers["Originate"] = lambda session, action: held.append((session, action))
        driver = drive(timings=replace(QUICK, action_timeout_s=0.05))
        await driver.ready()
        with pytest.raises(AmiTimeout):
            await driver.client.action("Originate", {"Channel": "PJSIP/anna"})
        session, action = held[0]
        session.reply(action)
        await driver.client.action("Ping")
        assert driver.client.stats.late_replies == 1
        assert len(manager.asked("Originate")) == 1

    async def test_an_action_cut_off_is_unknown_and_never_sent_again(self, manager: FakeManager, drive: Drive) -> None:
        manager.answers["Originate"] = lambda session, action: session.cut()
        driver = drive()
        await driver.ready()
        with pytest.raises(AmiUnknown):
            await driver.client.action("Originate", {"Channel": "PJSIP/anna"})
        with pytest.raises(AmiNotConnected):
            await driver.client.action("Originate", {"Channel": "PJSIP/anna"})
        await driver.ready(2)
        await driver.client.action("Ping")
        assert len(manager.asked("Originate")) == 1

    async def test_a_list(self, manager: FakeManager, drive: Drive) -> None:
        manager.devices = [[("Device", f"PJSIP/{n}"), ("State", "INUSE")] for n in range(500)]
        driver = drive()
        await driver.ready()
        items = await driver.client.list_action("DeviceStateList")
        assert [message["Device"] for message in items] == [f"PJSIP/{n}" for n in range(500)]
        assert driver.events == []

    async def test_ids_differ_between_connections(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        manager.cut()
        await driver.ready(2)
        ids = [action["ActionID"] for action in manager.actions]
        assert len(set(ids)) == len(ids)

    async def test_nothing_hostile_is_written(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        evil = '"; \r\nAction: Originate\r\nChannel: PJSIP/premium'
        with pytest.raises(AmiValueError):
            await driver.client.action("Setvar", {"Variable": "NAME", "Value": evil})
        with pytest.raises(AmiValueError):
            driver.client.send("Setvar", {"Value": evil})
        await driver.client.action("Ping")
        assert not manager.asked("Originate")
        assert not manager.asked("Setvar")

    async def test_sending_without_waiting(
        self, manager: FakeManager, drive: Drive, caplog: pytest.LogCaptureFixture
    ) -> None:
        driver = drive()
        assert not driver.client.send("Ping")  # not connected yet
        await driver.ready()
        assert driver.client.send("Nonsense")
        await manager.wait_asked("Nonsense")
        await driver.client.action("Ping")
        assert "Asterisk refused Nonsense" in caplog.text
        assert "Ping not sent" in caplog.text

    async def test_a_channel_that_has_just_ended_is_no_warning(
        self, manager: FakeManager, drive: Drive, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        manager.answers["Hangup"] = lambda session, action: session.reply(
            action, "Error", [("Message", "No such channel")]
        )
        driver = drive()
        await driver.ready()
        driver.client.send("Hangup", {"Channel": "PJSIP/anna-00000001"})
        await manager.wait_asked("Hangup")
        await driver.client.action("Ping")
        told = [record for record in caplog.records if "refused Hangup" in record.getMessage()]
        assert [record.levelno for record in told] == [logging.DEBUG]

    async def test_a_caller_that_gives_up_leaves_nothing_behind(self, manager: FakeManager, drive: Drive) -> None:
        held: list[tuple[FakeSession, dict[str, str]]] = []
        manager.answers["Getvar"] = lambda session, action: held.append((session, action))
        driver = drive()
        await driver.ready()
        asking = asyncio.create_task(driver.client.action("Getvar"))
        await manager.wait_asked("Getvar")
        asking.cancel()
        await asyncio.wait({asking})
        held[0][0].reply(held[0][1])
        assert (await driver.client.action("Ping"))["Ping"] == "Pong"


class TestEvents:
    async def test_a_burst_arrives_whole_and_in_order(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        manager.send(b"".join(event("Newstate", {"Uniqueid": f"1.{n}"}) for n in range(500)))
        await driver.client.action("Ping")
        assert [message["Uniqueid"] for message in driver.events] == [f"1.{n}" for n in range(500)]

    async def test_a_handler_that_fails_stops_nothing(
        self, manager: FakeManager, drive: Drive, caplog: pytest.LogCaptureFixture
    ) -> None:
        driver = drive()
        await driver.ready()

        def handle(message: AmiMessage) -> None:
            if message["Uniqueid"] == "1.1":
                raise KeyError("Channel")
            driver.events.append(message)

        driver.on_event = handle
        manager.send(b"".join(event("Newstate", {"Uniqueid": f"1.{n}"}) for n in range(3)))
        await driver.client.action("Ping")
        assert [message["Uniqueid"] for message in driver.events] == ["1.0", "1.2"]
        assert driver.client.stats.event_errors == 1
        assert "handler failed on event Newstate" in caplog.text
        assert driver.client.connected

    async def test_garbage_stops_nothing(
        self, manager: FakeManager, drive: Drive, caplog: pytest.LogCaptureFixture
    ) -> None:
        driver = drive()
        await driver.ready()
        manager.send(b"\x00\xff\xfe nonsense\r\n\r\n" * 20 + event("Newstate", {"Uniqueid": "1.1"}))
        await driver.client.action("Ping")
        assert [message["Uniqueid"] for message in driver.events] == ["1.1"]
        assert driver.client.stats.garbage >= 20
        assert caplog.text.count("not AMI") == 1

    async def test_events_of_other_clients_actions_arrive(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        manager.send(event("OriginateResponse", {"ActionID": "other-1", "Response": "Failure"}))
        await driver.client.action("Ping")
        assert [message.event for message in driver.events] == ["OriginateResponse"]


class TestPings:
    async def test_round_trips_are_told(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.wait(lambda: len(driver.rtts) >= 3)
        assert all(0 < rtt_s < LIMIT_S for rtt_s in driver.rtts)

    async def test_silence_drops_the_connection(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        manager.mute = True
        asking = asyncio.create_task(driver.client.action("Getvar", timeout_s=LIMIT_S))
        await driver.wait(lambda: bool(driver.seen(AmiState.DISCONNECTED)))
        status = driver.seen(AmiState.DISCONNECTED)[0]
        assert status.trouble is AmiTrouble.SILENT
        assert status.text == "no answer to a ping for 0.3 s"
        with pytest.raises(AmiUnknown):
            await asking
        manager.mute = False
        await driver.ready(2)


class TestClose:
    async def test_it_logs_off(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        await driver.client.close()
        await manager.wait_asked("Logoff")
        assert driver.statuses[-1] == AmiStatus(AmiState.DISCONNECTED, AmiTrouble.CLOSED, "closed by us")
        with pytest.raises(AmiNotConnected):
            await driver.client.action("Ping")

    @pytest.mark.parametrize("phase", ["backing off", "greeting", "logging in", "booting", "resyncing", "mute"])
    async def test_it_ends_in_every_phase(self, manager: FakeManager, drive: Drive, phase: str) -> None:
        patient = AmiTimings(login_timeout_s=60, backoff_min_s=60, backoff_max_s=60, resync_timeout_s=60)
        states = {
            "backing off": AmiState.DISCONNECTED,
            "greeting": AmiState.AUTHENTICATING,
            "logging in": AmiState.AUTHENTICATING,
            "booting": AmiState.BOOTING,
            "resyncing": AmiState.RESYNCING,
            "mute": AmiState.READY,
        }
        if phase == "backing off":
            await manager.stop()
        if phase == "greeting":
            manager.banner = b""
        if phase == "logging in":
            manager.answers["Login"] = lambda session, action: None
        if phase == "booting":
            manager.fully_booted = False
        driver = drive(timings=patient)
        if phase == "resyncing":
            driver.during_resync = lambda client: asyncio.Event().wait()
        await driver.wait(lambda: driver.client.state is states[phase])
        if phase == "logging in":
            await manager.wait_asked("Login")
        manager.mute = phase == "mute"
        async with asyncio.timeout(1.0):
            await driver.client.close(0.5)
            await driver.task
        assert driver.client.state is AmiState.DISCONNECTED

    async def test_it_ends_when_asterisk_reads_nothing(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive(timings=AmiTimings(ping_interval_s=60))
        await driver.ready()
        for session in manager.sessions:
            session.reader._transport.pause_reading()  # type: ignore[attr-defined]
        filler = {f"Header{n}": "x" * 900 for n in range(100)}
        while driver.client.send("Filler", filler):
            pass  # until the connection takes no more
        async with asyncio.timeout(2.0):
            await driver.client.close(0.2)
            await driver.task

    async def test_a_client_that_never_ran(self) -> None:
        client = AmiClient(
            "127.0.0.1",
            1,
            "acd",
            "x",
            on_event=lambda _: None,
            resync=lambda _: asyncio.sleep(0),
            on_state=lambda _: None,
            on_rtt=lambda _: None,
        )
        await client.close()
        assert repr(client) == "<AmiClient acd@127.0.0.1:1 disconnected>"

    async def test_cancelling_run_closes_the_socket(self, manager: FakeManager, drive: Drive) -> None:
        driver = drive()
        await driver.ready()
        driver.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driver.task
        await manager.wait_for(lambda: not manager.sessions)
        driver.task = asyncio.create_task(asyncio.sleep(0))
