"""Callers and strangers who mean harm: nothing of theirs is executed, and the others' calls go on."""

from __future__ import annotations

import asyncio
import contextlib
import secrets

import pytest

from acd.lab.callers import CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import Answer
from tests.integration.conftest import OpenStage
from tests.integration.stage import Stage
from tests.service.fake_channel import FakeChannel

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

MARK = "/tmp/acd-hostile-mark"

NAMES = {
    "quote-and-action": '\\"; CR LF Action: Originate',  # a quoted quote: SIP itself refuses a bare one
    "encoded-line-ends": "x%0d%0aAction: Hangup%0d%0aChannel: all",
    "shell": f"${{SHELL(touch {MARK})}}",
    "variables": "${ACD_STATE}${GLOBAL(ACD_ENGINE)}$[1/0]",
    "dial-options": "x,30,U(evil),gm(default)&PJSIP/emil",
    "agi-answer": "200 result=1 (x)",
    "hangup-line": "HANGUP",
    "long": "x" * 10_000,
    "chinese": "欢迎致电",
    "escape-codes": "\x1b[2J\x1b]0;title\x07".replace("\x07", ""),
}


async def serve_one(stage: Stage) -> None:
    """An ordinary call is served as ever."""
    before = len(stage.phones["anna"].calls)
    call = await stage.place(CallPlan("200"))
    offer = await stage.phones["anna"].offered(before + 1)
    await offer.answered()
    await call.ended(10)
    assert not call.hung_up_by_caller


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
async def test_hostile_names(stage: OpenStage, name: str) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(talk_s=0.2)) as s:
        call = await s.place(CallPlan("200", caller_name=name))
        offer = await s.phones["anna"].offered()
        await offer.answered()
        await call.ended(10)
        assert len(s.phones.calls) == 1, "only the one phone rang"
        await serve_one(s)
        await s.empty()
        executed = (s.pbx.log_dir / "full.log").read_text(errors="replace")
        assert "Executing Application: (System" not in executed
        assert "\x1b" not in s.engine.log.read_text()
        assert not s.engine.logged("Traceback")


@pytest.mark.parametrize(
    "number",
    ["+49%22;rm", "%24%7BSHELL(touch%20x)%7D", "x" * 2000, "%0d%0aHANGUP", "+49,30,g&PJSIP/emil"],
    ids=["quote", "shell", "long", "line-end", "dial"],
)
async def test_hostile_numbers(stage: OpenStage, number: str) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(talk_s=0.2)) as s:
        call = await s.place(CallPlan("200", caller_number=number))
        offer = await s.phones["anna"].offered()
        await offer.answered()
        await call.ended(10)
        assert len(s.phones.calls) == 1, "only the one phone rang"
        await serve_one(s)
        assert await s.engine.metric("acd_ami_logins_total") == 1
        forged = await s.engine.metric('acd_protocol_oddities_total{kind="ami-forged"}')
        assert (forged > 0) == ("%0d%0a" in number), "lines that the caller put into events are cut out, and counted"
        executed = (s.pbx.log_dir / "full.log").read_text(errors="replace")
        assert "Executing Application: (System" not in executed
        assert not s.engine.logged("Traceback")


async def test_garbage_on_the_fastagi_port(stage: OpenStage, lab: Lab) -> None:
    """Noise, HTTP, an endless environment, half a session, another script: all shut out, and a call goes through."""
    garbage = [
        secrets.token_bytes(4096),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\n\n\n\n",
        b"agi_request: agi://x/acd/call\n" + b"agi_x: " + b"y" * 500_000 + b"\n",
        b"agi_network: yes\nagi_network_script: acd/call\n",
        b"",
    ]
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(talk_s=0.2)) as s:
        ends = []
        for noise in garbage:
            reader, writer = await asyncio.open_connection("127.0.0.1", lab.pbx.agi_port)
            writer.write(noise)
            ends.append((reader, writer))
        stranger = await FakeChannel.enter(lab.pbx.agi_port, script="etc/passwd")
        await stranger.closed()
        assert stranger.commands == []
        await stranger.close()
        await serve_one(s)
        for reader, writer in ends:
            async with asyncio.timeout(10):
                with contextlib.suppress(ConnectionError):
                    assert not (await reader.read()).startswith(b"EXEC"), "nobody but Asterisk is served"
            writer.close()
        await serve_one(s)
        refused = [
            await s.engine.metric(f'acd_agi_refused_total{{reason="{reason}"}}')
            for reason in ("garbage", "script", "timeout")
        ]
        assert all(count > 0 for count in refused), refused
        assert not s.engine.logged("Traceback")


async def test_a_forged_session_cannot_take_a_callers_place(stage: OpenStage, lab: Lab) -> None:
    """Whoever reaches the port may pretend to be a channel, but no word of it is trusted as an id or a state."""
    async with stage(agents={"anna": ["cards"]}, start="not-ready", behaviour=Answer(talk_s=0.2)) as s:
        forged = await FakeChannel.enter(lab.pbx.agi_port, call_id="../../etc/passwd")
        assert await forged.until("EXEC") == 'EXEC Answer ",i"', "an id that is none makes a new call"
        assert not [command for command in forged.commands if command.startswith("GET")]
        await forged.close()
        await s.empty()


async def test_too_many_callers_are_refused_and_the_others_served(stage: OpenStage) -> None:
    acd = {"asterisk": {"fastagi": {"max_sessions": "3"}}}
    async with stage(agents={"anna": ["cards"]}, start="not-ready", acd=acd, behaviour=Answer(talk_s=0.2)) as s:
        callers = [await s.place(CallPlan("200", caller_number=f"+49{n}")) for n in range(3)]
        await s.waiting(3)
        extra = await s.place(CallPlan("200", caller_number="+499"))
        await s.engine.until_http("/metrics", lambda _, body: 'acd_agi_refused_total{reason="limit"} 0' not in body)
        await s.engine.post("/api/agents/anna/ready")
        for caller in (*callers, extra):
            await caller.ended(15)
            assert not caller.hung_up_by_caller
