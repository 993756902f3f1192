"""The dialplan that a site copies, on a real Asterisk, with callers and phones by SIPp."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from acd.lab.callers import Call, CallPlan
from acd.lab.install import AsteriskInstall
from acd.lab.lab import Lab, open_lab
from acd.lab.phones import Answer
from tests.lab.fast_agi import FastAgi, Session, dial, wait_with_music
from tests.lab.waiting import until

pytestmark = pytest.mark.pbx

LISTENER = CallPlan("100", listens=True)


@asynccontextmanager
async def responder(port: int, call_id: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The responder as a process of its own, to be killed."""
    program = Path(__file__).with_name("fast_agi.py")
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), str(port), call_id, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await process.stdout.read()


async def told(process: asyncio.subprocess.Process, timeout_s: float = 5.0) -> dict[str, str]:
    assert process.stdout is not None
    async with asyncio.timeout(timeout_s):
        env: dict[str, str] = json.loads(await process.stdout.readline())
    return env


def longest_silence_s(call: Call, since_s: float) -> float:
    assert call.rtp is not None
    return call.rtp.longest_silence_s(since_s, time.time())


async def test_a_call_passes_to_the_agents_phone(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with (
        open_lab(tmp_path, ["anna"], install=asterisk, behaviour=Answer(after_s=0.2, talk_s=0.3)) as lab,
        FastAgi(lab.pbx.agi_port, dial("anna")) as agi,
    ):
        call = await lab.place(CallPlan("100", caller_number="+4930777", caller_name="Li Wei"))
        session = await agi.next_session()
        offer = await lab.phones["anna"].offered()
        await call.ended()
    assert session.env["agi_extension"] == "100"
    assert session.env["agi_callerid"] == "+4930777"
    assert session.env["agi_calleridname"] == "Li Wei"
    assert session.env["agi_arg_1"] == ""
    assert [message.status for message in call.messages if message.status] == [100, 180, 200, 200]
    assert call.end is not None
    assert call.end.is_request("BYE", sent=False)
    assert offer.end is not None
    assert offer.end.is_request("BYE", sent=True)
    assert offer.answered_at is not None
    assert 0.2 <= offer.answered_at - offer.offered_at < 1
    assert not call.problems
    assert not offer.problems


async def test_digits_arrive_once_each(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    digits: asyncio.Queue[str] = asyncio.Queue()

    async def script(session: Session) -> None:
        await session.command('EXEC Answer ",i"')
        while (answer := await session.command("WAIT FOR DIGIT 3000")) not in ("", "200 result=0", "200 result=-1"):
            digits.put_nowait(chr(int(answer.partition("=")[2])))
        digits.put_nowait("end")

    async with open_lab(tmp_path, install=asterisk) as lab, FastAgi(lab.pbx.agi_port, script):
        call = await lab.place(CallPlan("100", digits=((0.2, "1"), (0.1, "22*"), (0.3, "0#9"))))
        async with asyncio.timeout(10):
            pressed = [await digits.get() for _ in range(8)]
        assert pressed == [*"122*0#9", "end"]
        assert not call.problems


@pytest.mark.alone
@pytest.mark.parametrize("steady", [False, True])
async def test_killed_engine_keeps_the_caller_with_music(
    tmp_path: Path, asterisk: AsteriskInstall, steady: bool
) -> None:
    async with open_lab(tmp_path, install=asterisk) as lab:
        async with responder(lab.pbx.agi_port, "call-7.1_a") as engine:
            call = await lab.place(CallPlan("100", listens=True, steady_media=steady))
            first = await told(engine)
            await call.answered()
            engine.kill()
            killed_at = time.time()
            await engine.wait()
        # Nobody listens now: the caller stays and hears music.
        await asyncio.sleep(2.5)
        assert call.end is None
        async with responder(lab.pbx.agi_port, "call-7.1_a") as engine:
            again = await told(engine)
            reentered_at = time.time()
            await asyncio.sleep(1)
            assert longest_silence_s(call, killed_at) < 1
            assert call.rtp is not None
            assert call.rtp.longest_gap_s(killed_at, time.time()) < 0.2
            assert call.end is None
    assert first["agi_uniqueid"] == again["agi_uniqueid"]
    assert first["agi_arg_1"] == ""
    assert again["agi_arg_1"] == "call-7.1_a"
    assert reentered_at - killed_at < 2.5 + 1.5


async def test_killed_engine_under_a_talking_call(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with open_lab(tmp_path, ["anna"], install=asterisk, behaviour=Answer()) as lab:
        async with FastAgi(lab.pbx.agi_port, dial("anna")):
            call = await lab.place(CallPlan("100"))
            offer = await lab.phones["anna"].offered()
            await offer.answered()
        # The server is gone, and the two talk on.
        await asyncio.sleep(1)
        assert call.end is None
        assert offer.end is None
        async with FastAgi(lab.pbx.agi_port, wait_with_music) as agi:
            await offer.hang_up()
            session = await agi.next_session()
            assert session.env["agi_extension"] == "100"
            assert call.end is None


async def test_no_engine_at_first_then_one(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with open_lab(tmp_path, install=asterisk) as lab:
        call = await lab.place(LISTENER)
        await call.answered(1)
        answered_at = call.answered_at
        assert answered_at is not None
        await asyncio.sleep(1.5)
        assert longest_silence_s(call, answered_at) < 1
        async with FastAgi(lab.pbx.agi_port, wait_with_music) as agi:
            await agi.next_session(2.5)


@asynccontextmanager
async def let_go(lab: Lab, **variables: str) -> AsyncIterator[FastAgi]:
    """An engine that sets variables and closes the socket."""

    async def script(session: Session) -> None:
        for name, value in variables.items():
            await session.command(f'SET VARIABLE {name} "{value}"')

    async with FastAgi(lab.pbx.agi_port, script) as agi:
        yield agi


async def test_engine_hangs_up(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with open_lab(tmp_path, install=asterisk) as lab, let_go(lab, ACD_DONE="hangup") as agi:
        call = await lab.place(CallPlan("100"))
        await call.ended(2)
        await agi.next_session()
        assert agi.sessions.empty()


async def test_engine_sends_the_caller_elsewhere(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with (
        open_lab(tmp_path, ["anna"], install=asterisk) as lab,
        let_go(lab, ACD_DONE="goto", ACD_GOTO="lab-phones,anna,1"),
    ):
        await lab.place(CallPlan("100"))
        await lab.phones["anna"].offered()


async def test_fall_back_rings_the_agents_phones(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with (
        open_lab(tmp_path, ["anna"], install=asterisk, behaviour=Answer(after_s=0.5, talk_s=0.3)) as lab,
        let_go(lab, ACD_DONE="fallback"),
    ):
        call = await lab.place(LISTENER)
        offer = await lab.phones["anna"].offered()
        await call.answered()
        await offer.answered()
        assert call.answered_at is not None
        assert longest_silence_s(call, call.answered_at) < 1
        await call.ended()


async def test_fall_back_without_phones_is_a_closing_message(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with open_lab(tmp_path, install=asterisk) as lab, let_go(lab, ACD_DONE="fallback"):
        call = await lab.place(LISTENER)
        await call.ended(15)
        assert call.rtp is not None
        assert sum(packet.sound for packet in call.rtp.heard) > 50  # a second of speech


async def test_fall_back_to_voicemail(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    settings = {"ACD_FALLBACK": "closed", "ACD_MAILBOX": "100@default"}
    async with (
        open_lab(tmp_path, install=asterisk, dialplan_globals=settings) as lab,
        let_go(lab, ACD_DONE="fallback"),
    ):
        call = await lab.place(CallPlan("100", listens=True, steady_media=True))
        await call.answered()
        await asyncio.sleep(0.5)
        await call.press("#")  # skips the greeting
        await asyncio.sleep(3)
        await call.hang_up()
    # A hang-up is answered before the message is filed; Asterisk files it before it ends.
    assert list((tmp_path / "spool" / "voicemail" / "default" / "100").glob("*/msg*.txt"))


async def test_an_engine_that_fails_at_each_call_ends_in_the_fall_back(
    tmp_path: Path, asterisk: AsteriskInstall
) -> None:
    async with (
        open_lab(tmp_path, install=asterisk, dialplan_globals={"ACD_FALLBACK": "closed"}) as lab,
        let_go(lab) as agi,
    ):
        call = await lab.place(LISTENER)
        await call.ended(30)
        assert agi.sessions.qsize() == 61


async def talking(lab: Lab) -> None:
    """Until the two are joined: the phone's answer comes a moment before, and a transfer in between is refused."""

    async def joined() -> bool:
        return re.search(r" 2 +basic ", await lab.pbx.cli("bridge show all")) is not None

    await until(joined)


async def test_transfer_by_the_agents_phone_comes_back(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    transferred_by: asyncio.Queue[str] = asyncio.Queue()
    ring = dial("anna")

    async def script(session: Session) -> None:
        by = await session.get("BLINDTRANSFER")
        transferred_by.put_nowait(by)
        await (wait_with_music(session) if by else ring(session))

    async with (
        open_lab(tmp_path, ["anna"], install=asterisk) as lab,
        FastAgi(lab.pbx.agi_port, script) as agi,
    ):
        call = await lab.place(CallPlan("100"))
        first = await agi.next_session()
        offer = await lab.phones["anna"].offered()
        await talking(lab)
        accepted = await offer.transfer("200")
        second = await agi.next_session()
        assert accepted.status == 202
        assert second.env["agi_extension"] == "200"
        assert second.env["agi_uniqueid"] == first.env["agi_uniqueid"]
        assert await transferred_by.get() == ""
        assert (await transferred_by.get()).startswith("PJSIP/anna-")
        assert call.end is None


async def test_transfer_to_another_phone(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with (
        open_lab(tmp_path, ["anna", "ben"], install=asterisk) as lab,
        FastAgi(lab.pbx.agi_port, dial("anna")),
    ):
        call = await lab.place(CallPlan("100"))
        offer = await lab.phones["anna"].offered()
        await talking(lab)
        await offer.transfer("ben")
        other = await lab.phones["ben"].offered()
        await other.answered()
        await other.hang_up()
        await call.ended()


@pytest.mark.parametrize(
    ("code", "verb"), [("*22", "ready"), ("*23", "not-ready"), ("*24", "logout"), ("*25", "wrap-up-done")]
)
async def test_feature_codes(tmp_path: Path, asterisk: AsteriskInstall, code: str, verb: str) -> None:
    async def script(session: Session) -> None:
        await session.command('EXEC Answer ",i"')

    async with open_lab(tmp_path, ["anna"], install=asterisk) as lab, FastAgi(lab.pbx.agi_port, script) as agi:
        call = await lab.place(CallPlan(code, caller_number="anna"))
        session = await agi.next_session()
        await call.ended()
    assert session.env["agi_network_script"] == f"acd/agent/{verb}"
    assert session.env["agi_channel"].startswith("PJSIP/anna-")


async def test_a_caller_has_no_feature_codes(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with open_lab(tmp_path, install=asterisk) as lab, FastAgi(lab.pbx.agi_port, wait_with_music) as agi:
        call = await lab.place(CallPlan("*22"))
        ended = await call.ended()
        assert ended.status == 404
        assert agi.sessions.empty()


async def test_feature_code_without_an_engine_says_so(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    async with open_lab(tmp_path, ["anna"], install=asterisk) as lab:
        call = await lab.place(CallPlan("*22", caller_number="anna", listens=True))
        await call.ended(10)
        assert call.rtp is not None
        assert sum(packet.sound for packet in call.rtp.heard) > 25


HOSTILE_NUMBERS = (
    "100%24%7BSHELL(touch%20{proof})%7D",
    "100&PJSIP%2Fanna",
    "100,1)%0D%0AAction:%20Originate",
)


@pytest.mark.parametrize("number", HOSTILE_NUMBERS)
async def test_hostile_dialled_numbers(tmp_path: Path, asterisk: AsteriskInstall, number: str) -> None:
    proof = tmp_path / "proof"
    async with (
        open_lab(tmp_path / "run", ["anna"], install=asterisk) as lab,
        FastAgi(lab.pbx.agi_port, wait_with_music) as agi,
    ):
        await lab.place(CallPlan(number.format(proof=proof).replace(" ", "%20")))
        session = await agi.next_session()
    assert set(session.env["agi_extension"]) <= set("+0123456789")
    assert session.env["agi_extension"].startswith("100")
    assert not proof.exists()
    assert not lab.phones["anna"].calls


HOSTILE_NAMES = (
    '\\"; Action: Originate',
    "${SHELL(touch {proof})}",
    "$[1/0]",
    "x" * 10_000,
    "\x01\x7f\t'`",
    "李偉",
)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("engine", [True, False])
async def test_hostile_caller_names(tmp_path: Path, asterisk: AsteriskInstall, name: str, engine: bool) -> None:
    proof = tmp_path / "proof"
    async with open_lab(tmp_path / "run", ["anna"], install=asterisk, behaviour=Answer(talk_s=0.2)) as lab:
        plan = CallPlan("100", caller_name=name.replace("{proof}", str(proof)), caller_number="%24%7BEPOCH%7D")
        if engine:
            async with FastAgi(lab.pbx.agi_port, dial("anna")):
                call = await lab.place(plan)
                await call.ended()
                assert call.answered_at is not None
                assert lab.phones["anna"].calls
        else:
            call = await lab.place(plan)
            await call.answered()
            await asyncio.sleep(0.3)
            await call.hang_up()
    assert not proof.exists()
