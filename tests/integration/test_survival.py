"""The engine, Asterisk or the connection between them goes away, and comes back: no caller is lost."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from acd.lab.callers import Call, CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import Answer, Ring
from tests.integration.conftest import AGENTS, OpenStage
from tests.integration.proxy import Proxy
from tests.integration.stage import Stage, count
from tests.service.sites import free_port

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

EVERYBODY = {agent: ["cards"] for agent in AGENTS}


async def fill(stage: Stage, talking: int, waiting: int) -> tuple[list[Call], list[Call]]:
    """Let callers talk and wait; those who wait in the order in which they came."""
    talkers = await stage.place_all([CallPlan("200", caller_number=f"+491{n}") for n in range(talking)], 20)
    await stage.talking(talking, timeout_s=10)
    queued = []
    for number in range(waiting):
        queued.append(await stage.place(CallPlan("200", caller_number=f"+492{number}")))
        await stage.waiting(number + 1)
    return talkers.calls, queued


async def test_kill_9_with_ten_waiting_and_five_talking(stage: OpenStage) -> None:
    """None lost, the order kept, the next offer within two seconds of the restart."""
    async with stage(agents=EVERYBODY, behaviour=Answer()) as s:
        talking, queued = await fill(s, 5, 10)
        phones = [s.phones[name] for name in EVERYBODY]
        in_talk = [phone.calls[0] for phone in phones]
        # Two seconds, or what a machine that is busy with other things needs to start the process, and one more.
        limit_s = max(2.0, 2 * s.engine.came_up_after_s + 1.0)
        s.engine.kill()
        await s.engine.wait()
        await in_talk[0].hang_up()  # somebody becomes free while there is no engine
        restarted_at = time.time()
        await s.engine.start()
        first = await in_talk[0].phone.offered(2, timeout_s=15)
        assert first.offered_at - restarted_at < limit_s
        assert first.invite.from_user == "+4920"
        for talk in in_talk[1:]:
            await talk.hang_up()
        await s.engine.until(lambda status: count(status, "talking") == 5 and count(status, "waiting") == 5)
        second_round = sorted((phone.calls[1] for phone in phones), key=lambda call: call.offered_at)
        assert {call.invite.from_user for call in second_round} == {f"+492{n}" for n in range(5)}
        for talk in second_round:
            await talk.hang_up()
        await s.talking(5)
        third_round = [phone.calls[2].invite.from_user for phone in phones]
        assert sorted(third_round) == [f"+492{n}" for n in range(5, 10)]
        for phone in phones:
            await phone.calls[2].hang_up()
        for call in (*talking, *queued):
            await call.ended()
            assert not call.hung_up_by_caller
            assert call.answered_at is not None
        await s.empty()
        assert await s.engine.metric('acd_calls_total{queue="cards",result="abandoned"}') == 0


async def test_talks_that_outlive_the_engine_are_known_to_the_next_one(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["cards"]}, behaviour=Answer()) as s:
        talking, _ = await fill(s, 2, 0)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        status = await s.talking(2)
        assert {call["agent"] for call in status["calls"]} == {"anna", "bob"}
        waiting = await s.place(CallPlan("200"))
        await s.waiting(1)
        assert len(s.phones["anna"].calls) == 1, "an agent who talks is not rung"
        await talking[0].hang_up()  # the caller ends one talk, the agent the other
        offered = await asyncio.wait(
            [asyncio.create_task(s.phones[name].offered(2)) for name in ("anna", "bob")],
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in offered[1]:
            task.cancel()
        await s.talking(2)
        busy = next(phone for phone in (s.phones["anna"], s.phones["bob"]) if len(phone.calls) == 1)
        await busy.calls[0].hang_up()
        await talking[1].ended()
        await s.talking(1)
        await waiting.hang_up()
        await s.empty()


async def test_kill_9_while_ringing(stage: OpenStage) -> None:
    """The phone rings on, and is answered while there is no engine: that talk counts; the caller is not asked again."""
    async with stage(agents={"anna": ["cards"]}, defaults={"ring_timeout_s": "20"}) as s:
        call = await s.place(CallPlan("200"))
        offer = await s.rings("anna")
        s.engine.kill()
        await s.engine.wait()
        offer.answer()
        await offer.answered()
        await s.engine.start()
        await s.talking(1)
        await offer.hang_up()
        await call.ended()
        await s.empty()
        assert len(s.phones["anna"].calls) == 1


async def test_kill_9_as_the_dial_is_written(stage: OpenStage, lab: Lab) -> None:
    """That one command is all that Asterisk gets of the offer: the caller's place is in it."""
    dials = 0

    def kill_at_the_first(written: bytes) -> None:
        nonlocal dials
        if b"EXEC Dial" in written:
            dials += 1
            if dials == 1:
                s.engine.kill()

    own_port = free_port()
    async with (
        Proxy(own_port, lab.pbx.ports.agi, answered=kill_at_the_first),
        stage(
            agents={"anna": ["cards"]}, defaults={"ring_timeout_s": "3"}, env={"ACD_FASTAGI_PORT": str(own_port)}
        ) as s,
    ):
        call = await s.place(CallPlan("100", listens=True))
        await s.engine.until(lambda status: count(status, "menu") == 1)
        await call.press("1")
        await s.engine.wait()
        first = await s.phones["anna"].offered()
        await first.wait_for(lambda message: message.is_request("CANCEL"))  # it has rung as long as the dial said
        await s.engine.start()
        second = await s.phones["anna"].offered(2)
        assert dials == 2, "offered from the old place; in the menu a key would be waited for"
        second.answer()
        await s.talking(1)
        await second.hang_up()
        await call.ended()


async def test_kill_9_in_the_menu(stage: OpenStage) -> None:
    async with stage(agents={"bob": ["general"]}) as s:
        call = await s.place(CallPlan("100", listens=True))
        await call.answered()
        await s.engine.until(lambda status: count(status, "menu") == 1)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        await s.engine.until(lambda status: count(status, "menu") == 1, 10)
        await call.press("2")
        await s.phones["bob"].offered()
        assert call.end is None
        await call.hang_up()
        await s.empty()


async def test_sigterm_lets_talks_live_and_gives_waiting_callers_to_the_next_engine(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(), acd={"drain_timeout_s": "2"}) as s:
        (talking,), (waiting,) = await fill(s, 1, 1)
        s.engine.terminate()
        await s.engine.until_http("/readyz", lambda code, body: code == 503 and "draining" in body)
        assert await s.engine.wait() == 0
        assert (talking.end, waiting.end) == (None, None)
        await s.engine.start()
        await s.talking(1)
        await s.waiting(1)
        await s.phones["anna"].calls[0].hang_up()
        await talking.ended()
        offer = await s.phones["anna"].offered(2)
        await offer.answered()
        await waiting.hang_up()
        await s.empty()


async def test_sigterm_without_calls_ends_at_once(stage: OpenStage) -> None:
    async with stage(acd={"drain_timeout_s": "30"}) as s:
        s.engine.terminate()
        assert await s.engine.wait(10) == 0


async def test_sigterm_ends_as_soon_as_the_last_talk_does(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(), acd={"drain_timeout_s": "30"}) as s:
        await fill(s, 1, 0)
        s.engine.terminate()
        await s.engine.until_http("/readyz", lambda code, _: code == 503)
        await s.phones["anna"].calls[0].hang_up()
        assert await s.engine.wait(10) == 0


async def test_a_second_signal_ends_at_once(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(), acd={"drain_timeout_s": "30"}) as s:
        (talking,), _ = await fill(s, 1, 0)
        s.engine.terminate()
        await s.engine.until_http("/readyz", lambda code, _: code == 503)
        s.engine.terminate()
        assert await s.engine.wait(10) == 0
        assert talking.end is None
        await talking.hang_up()


async def test_ami_cut_for_five_seconds(stage: OpenStage, lab: Lab) -> None:
    """Calls come, are offered, talk and end without AMI; afterwards nothing is stuck."""
    async with (
        Proxy(lab.pbx.ami_port) as proxy,
        stage(agents={"anna": ["cards"], "bob": ["cards"]}, env={"ACD_AMI_PORT": str(proxy.port)}) as s,
    ):
        s.phones["anna"].behaviour = Answer()
        before = await s.place(CallPlan("200"))
        talk = await s.phones["anna"].offered()
        await s.talking(1)
        cut_at = time.monotonic()
        await proxy.cut()
        await s.engine.until_http("/readyz", lambda code, body: code == 503 and "AMI" in body)
        assert await s.engine.metric("acd_ami_connected") == 0
        during = await s.place(CallPlan("200"))
        ringing = await s.phones["bob"].offered()
        await during.hang_up()
        await ringing.wait_for(lambda message: message.is_request("CANCEL"))
        await s.engine.agent("bob", "ready")
        await talk.hang_up()
        await before.ended()
        await s.engine.agent("anna", "ready")
        across = await s.place(CallPlan("200"))
        at_bob = await s.rings("bob", 2)
        at_bob.answer()  # told by nobody until AMI is back
        await at_bob.answered()
        await asyncio.sleep(5.0 - (time.monotonic() - cut_at))
        await proxy.mend()
        await s.engine.ready()
        await s.talking(1)
        await s.engine.agent("bob", "talking")
        await at_bob.hang_up()
        await across.ended()
        await s.empty()
        assert await s.engine.metric("acd_ami_connected") == 1


async def test_a_waiting_caller_is_offered_while_ami_is_away(stage: OpenStage, lab: Lab) -> None:
    async with (
        Proxy(lab.pbx.ami_port) as proxy,
        stage(agents={"anna": ["cards"]}, start="not-ready", env={"ACD_AMI_PORT": str(proxy.port)}) as s,
    ):
        call = await s.place(CallPlan("200"))
        await s.waiting(1)
        await proxy.cut()
        await s.engine.post("/api/agents/anna/ready")
        await s.phones["anna"].offered()
        await call.hang_up()
        await s.empty()


async def test_asterisk_restarted_under_the_engine(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["cards"]}, behaviour=Answer()) as s:
        await fill(s, 2, 2)
        await s.pbx.kill()
        await s.empty()
        await s.engine.until_http("/readyz", lambda code, body: code == 503 and "AMI" in body)
        # The phones' ends of the torn talks are nobody's any more.
        await s.phones.stop()
        await s.phones.start()
        await s.pbx.start()
        await s.engine.ready()
        for phone in s.phones:
            phone.behaviour = Answer(talk_s=0.3)
        call = await s.place(CallPlan("200"))
        await call.ended(10)
        assert not call.hung_up_by_caller
        await s.empty()


async def test_asterisk_absent_at_the_start(stage: OpenStage, lab: Lab) -> None:
    async with stage(running=False, agents={"anna": ["cards"]}, behaviour=Answer(talk_s=0.3)) as s:
        await lab.pbx.kill()
        await s.engine.start()
        _, body = await s.engine.until_http("/readyz", lambda code, body: code == 503 and "refused" in body, 10)
        assert "is Asterisk running" in body
        assert s.engine.logged("no AMI connection", "error", "asterisk.ami in acd.yaml")
        code, _ = await s.engine.until_http("/livez", lambda code, _: code == 200)
        assert code == 200
        await lab.pbx.start()
        await s.engine.ready()
        call = await s.place(CallPlan("200"))
        await call.ended(10)
        assert not call.hung_up_by_caller


async def test_a_wrong_ami_password(stage: OpenStage, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("secret") / "ami"
    secret.write_text("not-the-password\n")
    secret.chmod(0o600)
    async with stage(running=False, env={"ACD_AMI_PASSWORD_FILE": str(secret)}) as s:
        await s.engine.start()
        _, body = await s.engine.until_http("/readyz", lambda code, body: code == 503 and "refuses" in body, 10)
        assert "manager.conf" in body
        assert "not-the-password" not in body + s.engine.log.read_text()
        errors = s.engine.logged("no AMI connection", "error")
        assert len(errors) == 1, "said once, not with every attempt"
        call = await s.place(CallPlan("200", listens=True))
        await call.answered()  # callers are taken and wait with music
        await s.waiting(1)
        await call.hang_up()


@pytest.mark.parametrize("key", ["ACD_FASTAGI_PORT", "ACD_WEB_PORT"])
async def test_a_port_that_is_taken(stage: OpenStage, key: str) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        async with stage(running=False, env={key: str(port)}) as s:
            await s.engine.start()
            assert await s.engine.wait(10) == 1
            text = s.engine.log.read_text()
            assert f"port {port} on 127.0.0.1 is taken" in text
            assert key in text, "names the setting to change"
            assert "Traceback" not in text


async def test_a_state_folder_that_cannot_be_made(stage: OpenStage, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("file") / "file"
    file.write_text("")
    async with stage(running=False, env={"ACD_STATE_DIR": str(file / "state")}) as s:
        await s.engine.start()
        assert await s.engine.wait(10) == 1
        assert "ACD_STATE_DIR" in s.engine.log.read_text()
        assert "Traceback" not in s.engine.log.read_text()


async def test_without_an_engine_the_caller_hears_music_and_is_served_when_it_comes(stage: OpenStage) -> None:
    async with stage(running=False, agents={"anna": ["cards"]}) as s:
        call = await s.place(CallPlan("200", listens=True))
        await call.answered()
        await s.engine.start()
        await s.phones["anna"].offered(timeout_s=10)
        await call.hang_up()


async def test_ring_is_not_lost_on_the_phones(stage: OpenStage) -> None:
    """A phone that rings when the engine dies is not offered a second call over the first one."""
    async with stage(agents={"anna": ["cards"]}, behaviour=Ring(), defaults={"ring_timeout_s": "3"}) as s:
        first = await s.place(CallPlan("200"))
        await s.phones["anna"].offered()
        second = await s.place(CallPlan("200"))
        await s.waiting(1)
        s.engine.kill()
        await s.engine.wait()
        await s.engine.start()
        again = await s.phones["anna"].offered(2, timeout_s=10)
        assert s.phones["anna"].calls[0].ended_at is not None
        assert again.offered_at >= s.phones["anna"].calls[0].ended_at
        await first.hang_up()
        await second.hang_up()
        await s.empty()
