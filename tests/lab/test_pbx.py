"""The lab's Asterisk: its life, its rights, and its end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from acd.lab.callers import CallPlan
from acd.lab.errors import PbxError
from acd.lab.install import AsteriskInstall
from acd.lab.lab import open_lab
from acd.lab.pbx import Pbx, end_leftover
from acd.lab.phones import Answer, Dead, Phones, Reject, Ring
from acd.lab.ports import choose_ports
from acd.lab.render import Phone
from tests.lab.fast_agi import FastAgi, Session, dial
from tests.lab.waiting import until

pytestmark = pytest.mark.pbx


class Ami:
    """Just enough AMI to see what the engine's user may do."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.events: list[dict[str, str]] = []

    @classmethod
    async def login(cls, pbx: Pbx, secret: str | None = None) -> tuple[Ami, dict[str, str]]:
        ami = cls(*await asyncio.open_connection("127.0.0.1", pbx.ami_port))
        await ami._reader.readline()
        answer = await ami.action(f"Action: Login\r\nUsername: acd\r\nSecret: {secret or pbx.ami_secret}\r\n")
        return ami, answer

    async def action(self, text: str) -> dict[str, str]:
        self.writer.write(f"{text}\r\n".encode())
        while True:
            message = await self.read()
            if "Response" in message and "Event" not in message:
                return message
            self.events.append(message)

    async def read(self) -> dict[str, str]:
        async with asyncio.timeout(5):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        return dict(line.split(": ", 1) for line in text.split("\r\n") if ": " in line)


async def test_the_engines_user_has_the_least_rights(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with Pbx(asterisk, tmp_path, phones=[Phone("anna")], usual_ports=False) as pbx:
        ami, answer = await Ami.login(pbx)
        assert answer["Response"] == "Success"
        allowed = (
            "Action: Ping\r\n",
            "Action: CoreShowChannels\r\n",
            "Action: CoreSettings\r\n",
            "Action: BridgeList\r\n",
            "Action: DeviceStateList\r\n",
            "Action: Status\r\n",
            "Action: Getvar\r\nVariable: IFMODULE(app_queue.so)\r\n",
            "Action: Getvar\r\nVariable: PJSIP_AOR(anna,contact)\r\n",
            "Action: Originate\r\nChannel: Local/s@acd-fallback\r\nApplication: Wait\r\nData: 0\r\nAsync: true\r\n",
        )
        for action in allowed:
            assert (await ami.action(action))["Response"] == "Success", action
        for action in ("Hangup", "ControlPlayback", "BridgeInfo"):
            answer = await ami.action(f"Action: {action}\r\nChannel: none\r\nControl: stop\r\nBridgeUniqueid: x\r\n")
            assert answer["Response"] == "Error"
            assert "Permission" not in answer["Message"], action
        refused = (
            "Action: Command\r\nCommand: core show version\r\n",
            "Action: GetConfig\r\nFilename: manager.conf\r\n",
            "Action: ModuleLoad\r\nLoadType: reload\r\n",
            "Action: DBPut\r\nFamily: a\r\nKey: b\r\nVal: c\r\n",
            "Action: Originate\r\nChannel: Local/s@acd-fallback\r\nApplication: System\r\nData: x\r\nAsync: true\r\n",
        )
        for action in refused:
            answer = await ami.action(action)
            assert answer["Response"] == "Error", action
            assert re.search("[Pp]ermission|Forbidden", answer["Message"]), action
        ami.writer.close()


async def test_a_wrong_secret_and_only_wanted_events(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with open_lab(tmp_path, ["anna"], install=asterisk, behaviour=Answer(talk_s=0.2)) as lab:
        stranger, answer = await Ami.login(lab.pbx, "wrong")
        assert answer["Message"] == "Authentication failed"
        stranger.writer.close()
        ami, _ = await Ami.login(lab.pbx)
        async with FastAgi(lab.pbx.agi_port, dial("anna")):
            call = await lab.place(CallPlan("100"))
            await call.ended()
        seen: set[str] = set()
        while len(seen & {"Hangup", "DialBegin", "DialEnd", "BridgeEnter", "DeviceStateChange", "Newchannel"}) < 6:
            seen.add((await ami.read())["Event"])
        assert not seen & {"VarSet", "Newexten", "RTCPSent", "PeerStatus", "ChannelTalkingStart", "AGIExecStart"}
        ami.writer.close()


async def test_stopped_started_killed_and_started(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    pbx = Pbx(asterisk, tmp_path, usual_ports=False)
    await pbx.start()
    ports, first = pbx.ports, pbx.pid
    with pytest.raises(PbxError, match="runs already"):
        await pbx.start()
    await pbx.kill()
    await pbx.start()
    await pbx.restart()
    assert pbx.pid not in (None, first)
    assert pbx.ports == ports
    assert "System uptime" in await pbx.cli("core show uptime")
    await pbx.stop()
    with pytest.raises(PbxError):
        await pbx.cli("core show uptime")


async def test_one_run_folder_holds_one_lab(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with Pbx(asterisk, tmp_path, usual_ports=False):
        with pytest.raises(PbxError, match="another lab runs in"):
            await Pbx(asterisk, tmp_path, usual_ports=False).start()
    async with Pbx(asterisk, tmp_path, usual_ports=False):
        pass


async def test_long_run_folder(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with Pbx(asterisk, tmp_path / ("x" * 120), usual_ports=False) as pbx:
        assert "Asterisk" in await pbx.cli("core show version")


async def test_a_taken_sip_port_is_told(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    ports = choose_ports(usual=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        holder.bind(("127.0.0.1", ports.sip))
        with pytest.raises(PbxError, match=f"could not open its SIP port 127.0.0.1:{ports.sip}"):
            await Pbx(asterisk, tmp_path, ports=ports).start()


async def test_somebody_elses_manager_port_is_told(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with Pbx(asterisk, tmp_path / "one", usual_ports=False) as other:
        ports = replace(choose_ports(usual=False), ami=other.ami_port)
        with pytest.raises(PbxError, match="refused the lab's secret"):
            await Pbx(asterisk, tmp_path / "two", ports=ports).start()


async def test_an_asterisk_that_ends_at_its_start(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    broken = replace(asterisk, asterisk=(*asterisk.asterisk, "--no-such-option"))
    with pytest.raises(PbxError, match="Asterisk ended at its start with code"):
        await Pbx(broken, tmp_path, usual_ports=False).start()


PARENT = """
import asyncio, sys
from pathlib import Path
from acd.lab.fetch import ensure_asterisk
from acd.lab.pbx import Pbx
async def main():
    pbx = Pbx(ensure_asterisk(), Path(sys.argv[1]), usual_ports=False)
    await pbx.start()
    print(pbx.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_asterisk_ends_when_its_parent_is_killed(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(30):
        pid = int(await parent.stdout.readline())
        parent.kill()
        await parent.wait()
        await until(lambda: not is_alive(pid))
    async with Pbx(asterisk, tmp_path, usual_ports=False):
        pass


async def test_only_our_own_leftover_is_ended(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    conf = str(tmp_path / "etc" / "asterisk.conf")
    ours = await asyncio.create_subprocess_exec("sh", "-c", "sleep 60 & wait", conf)
    strangers = await asyncio.create_subprocess_exec("sleep", "60")
    for process in (strangers, ours):
        (tmp_path / "asterisk.pid").write_text(str(process.pid))
        end_leftover(tmp_path)
    async with asyncio.timeout(5):
        assert await ours.wait() == -signal.SIGKILL
    assert strangers.returncode is None
    os.kill(strangers.pid, signal.SIGKILL)
    await strangers.wait()


async def test_phones_that_refuse_ring_or_are_dead(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    statuses: asyncio.Queue[str] = asyncio.Queue()

    async def script(session: Session) -> None:
        await session.command('EXEC Answer ",i"')
        for _ in range(5):
            await session.command("EXEC Dial PJSIP/anna,1,m")
            statuses.put_nowait(await session.get("DIALSTATUS"))
        await session.command("EXEC Dial PJSIP/ghost,1,m")
        statuses.put_nowait(await session.get("DIALSTATUS"))

    async with (
        open_lab(tmp_path, ["anna"], install=asterisk, other_phones=[Phone("ghost")]) as lab,
        FastAgi(lab.pbx.agi_port, script),
    ):
        anna = lab.phones["anna"]
        anna.behaviour = Reject(503)
        anna.script([Reject(486), Reject(603, after_s=0.3), Ring(), Dead()])
        call = await lab.place(CallPlan("100"))
        async with asyncio.timeout(15):
            assert [await statuses.get() for _ in range(6)] == [
                "BUSY",
                "CHANUNAVAIL",  # Dial does not tell a decline (603, cause 21) from no contact (cause 20)
                "NOANSWER",
                "NOANSWER",
                "CONGESTION",
                "CHANUNAVAIL",
            ]
        busy, declined, rung, dead, unavailable = anna.calls
        assert [message.status for message in busy.messages if message.sent] == [486]
        assert [message.status for message in declined.messages if message.sent] == [180, 603]
        assert rung.cancelled
        assert [message.status for message in rung.messages if message.sent] == [180, 200, 487]
        assert not [message for message in dead.messages if message.sent]
        assert [message.status for message in unavailable.messages if message.sent] == [503]
        assert call.end is None
        for one in anna.calls:
            assert not one.problems


async def test_a_phone_that_registers(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with Pbx(asterisk, tmp_path, phones=[Phone("ben")], usual_ports=False) as pbx:
        password = pbx.phone("ben").password
        assert password is not None
        phones = Phones(asterisk.sipp, ["ben"], pbx.sip_port, behaviour=Answer(talk_s=0.2))
        await phones.register("ben", password)
        async with phones, FastAgi(pbx.agi_port, dial("ben")):
            assert f"sip:ben@127.0.0.1:{phones.port}" in await pbx.cli("pjsip show contacts")
            ami, _ = await Ami.login(pbx)
            answer = await ami.action(
                "Action: Originate\r\nChannel: PJSIP/ben\r\nApplication: Wait\r\nData: 5\r\nAsync: true\r\n"
            )
            assert answer["Response"] == "Success"
            call = await phones["ben"].offered()
            await call.ended()
            ami.writer.close()


async def test_hanging_up_at_the_very_moment_of_the_answer(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    """A caller who gives up within the 4 ms in which the answer comes: CANCEL and answer cross, the call ends."""

    async def script(session: Session) -> None:
        await session.command('EXEC Answer ",i"')
        await session.wait_until_over()

    async with open_lab(tmp_path, install=asterisk) as lab, FastAgi(lab.pbx.agi_port, script):
        loop = asyncio.get_running_loop()
        for attempt in range(30):
            call = await lab.place(CallPlan("100"))
            await call.wait_for(lambda message: message.status is not None)
            moment = loop.time() + attempt % 10 * 0.0004
            await asyncio.sleep(max(0.0, moment - loop.time()))
            await call.hang_up()
            assert call.end is not None

        async def no_channels() -> bool:
            return "0 active channels" in await lab.pbx.cli("core show channels count")

        await until(no_channels, timeout_s=40.0)  # SIP itself may need 32 s to give up a crossed call (RFC 3261, 17)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
