"""One caller, one phone: menu, queue, ringing, talk, and every way in which it can go otherwise."""

from __future__ import annotations

import asyncio

import pytest

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer, Reject
from tests.integration.conftest import OpenStage
from tests.integration.stage import by_id
from tests.service.sites import MAIN

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

TO_CARDS = CallPlan("200")


@pytest.mark.parametrize(("digit", "queue", "agent"), [("1", "cards", "anna"), ("2", "general", "bob")])
async def test_the_digit_picks_the_queue(stage: OpenStage, digit: str, queue: str, agent: str) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["general"]}) as s:
        call = await s.place(CallPlan("100", digits=((0.3, digit),)))
        offer = await s.rings(agent)
        status = await s.engine.status()
        assert status["calls"][0]["queue"] == queue
        assert by_id(status["agents"], agent)["state"] == "reserved"
        assert offer.invite.from_user == "+4930200100"
        offer.answer()
        await offer.answered()
        await s.talking(1)
        await offer.hang_up()
        await call.ended()
        assert not call.hung_up_by_caller
        await s.empty()
        assert await s.engine.metric(f'acd_calls_total{{queue="{queue}",result="served"}}') == 1


async def test_no_digit_goes_where_the_menu_says(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["general"]}) as s:
        call = await s.place(CallPlan("100", listens=True))
        offer = await s.phones["bob"].offered(timeout_s=15)
        assert not s.phones["anna"].calls
        answered_at = call.answered_at
        assert answered_at is not None
        assert offer.offered_at - answered_at >= 2.0, "asked twice, a second each"
        await call.hang_up()
        await s.empty()


async def test_wrong_digits_go_where_the_menu_says(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["general"]}) as s:
        call = await s.place(CallPlan("100", digits=((0.2, "9"), (0.2, "7"))))
        offer = await s.phones["bob"].offered(timeout_s=15)
        assert not s.phones["anna"].calls
        answered_at = call.answered_at
        assert answered_at is not None
        await call.hang_up()
        await offer.ended()
        await s.empty()


async def test_keys_typed_ahead_count(stage: OpenStage) -> None:
    """A wrong key and a right one at once: the second is not lost while the reproach is played."""
    async with stage(agents={"anna": ["cards"], "bob": ["general"]}) as s:
        call = await s.place(CallPlan("100", digits=((0.2, "91"),)))
        await s.phones["anna"].offered()
        await call.hang_up()
        await s.empty()


async def test_nobody_logged_in_then_somebody_is(stage: OpenStage) -> None:
    async with stage(start="logged-out", behaviour=Answer()) as s:
        call = await s.place(TO_CARDS)
        status = await s.waiting(1)
        assert {agent["state"] for agent in status["agents"]} == {"logged-out"}
        assert not s.phones.calls
        code = await s.place(CallPlan("*22", caller_number="anna"))
        await code.ended()
        assert not code.hung_up_by_caller
        offer = await s.phones["anna"].offered()
        await offer.answered()
        await s.talking(1)
        await call.hang_up()
        await s.empty()


async def test_all_busy_then_freed(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer()) as s:
        first = await s.place(TO_CARDS)
        talk = await s.phones["anna"].offered()
        await s.talking(1)
        second = await s.place(TO_CARDS)
        await s.waiting(1)
        await talk.hang_up()
        offer = await s.phones["anna"].offered(2)
        freed_at = talk.ended_at
        assert freed_at is not None
        assert offer.offered_at - freed_at < 0.5
        await first.ended()
        await s.talking(1)
        await second.hang_up()
        await offer.ended()
        await s.empty()


async def test_the_first_agent_does_not_answer_the_second_does(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["cards"]}, defaults={"ring_timeout_s": "1"}) as s:
        call = await s.place(TO_CARDS)
        missed = await s.phones["anna"].offered()
        taken = await s.rings("bob")
        assert missed.cancelled
        assert 0.9 < taken.offered_at - missed.offered_at < 2.0
        await s.engine.agent("anna", "back-off", "missed")
        taken.answer()
        await s.talking(1)
        await call.hang_up()
        await s.empty()
        assert len(s.phones["anna"].calls) == 1, "not offered again within the back-off"
        assert await s.engine.metric('acd_offers_total{queue="cards",result="missed"}') == 1
        assert await s.engine.metric('acd_offers_total{queue="cards",result="answered"}') == 1


@pytest.mark.parametrize("status", [486, 603])
async def test_the_agent_rejects(stage: OpenStage, status: int) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["cards"]}) as s:
        s.phones["anna"].script([Reject(status)])
        call = await s.place(TO_CARDS)
        taken = await s.phones["bob"].offered()
        rejected = s.phones["anna"].calls[0].ended_at
        assert rejected is not None
        assert taken.offered_at - rejected < 0.5, "the next agent rings at once"
        await s.engine.agent("anna", "back-off", "rejected")
        await call.hang_up()
        await taken.ended()
        await s.empty()
        assert len(s.phones["anna"].calls) == 1


async def test_an_unregistered_phone_is_not_even_tried(stage: OpenStage) -> None:
    async with stage(agents={"ghost": ["cards"], "bob": ["cards"]}) as s:
        await s.engine.until(lambda status: by_id(status["agents"], "ghost")["device"] == "unavailable")
        call = await s.place(TO_CARDS)
        await s.phones["bob"].offered()
        assert by_id((await s.engine.status())["agents"], "ghost")["state"] == "ready"
        assert await s.engine.metric('acd_offers_total{queue="cards",result="unreachable"}') == 0
        await call.hang_up()
        await s.empty()


async def test_a_phone_that_cannot_be_reached(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["cards"]}) as s:
        s.phones["anna"].script([Reject(503)])
        call = await s.place(TO_CARDS)
        await s.phones["bob"].offered()
        await s.engine.agent("anna", "back-off", "unreachable")
        await call.hang_up()
        await s.empty()


async def test_a_phone_that_asterisk_does_not_know(stage: OpenStage) -> None:
    """No device state vetoes it, and Dial begins no leg: the channel is asked, and the next phone rings at once."""
    async with stage(agents={"nosuch": ["cards"], "bob": ["cards"]}) as s:
        call = await s.place(TO_CARDS)
        await s.rings("bob")
        await s.engine.agent("nosuch", "back-off", "unreachable")
        await call.hang_up()
        await s.empty()


async def test_the_caller_gives_up_while_waiting(stage: OpenStage) -> None:
    async with stage(start="not-ready") as s:
        call = await s.place(TO_CARDS)
        await s.waiting(1)
        await call.hang_up()
        assert call.hung_up_by_caller
        await s.empty()
        assert not s.phones.calls
        assert await s.engine.metric('acd_calls_total{queue="cards",result="abandoned"}') == 1
        assert await s.engine.metric('acd_queue_waiting{queue="cards"}') == 0


async def test_the_caller_gives_up_while_ringing(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}) as s:
        call = await s.place(TO_CARDS)
        offer = await s.rings("anna")
        await call.hang_up()
        stopped = await offer.wait_for(lambda message: message.is_request("CANCEL"))
        ended_at = call.ended_at
        assert ended_at is not None
        assert stopped.time_s - ended_at < 0.5, "the phone stops ringing with the caller's hang-up"
        await s.empty()
        await s.engine.agent("anna", "ready")
        again = await s.place(TO_CARDS)
        await s.phones["anna"].offered(2)
        await again.hang_up()


@pytest.mark.parametrize("lead_ms", [-4, -2, -1, 0, 1, 2, 4])
async def test_the_caller_gives_up_at_the_moment_of_the_answer(stage: OpenStage, lead_ms: int) -> None:
    """Hang-up and answer within milliseconds of each other, in either order: nobody is left with half a call."""
    async with stage(agents={"anna": ["cards"]}) as s:
        call = await s.place(TO_CARDS)
        offer = await s.rings("anna")
        await call.answered()

        async def answer() -> None:
            await asyncio.sleep(max(0, lead_ms) / 1000)
            offer.answer()

        async def hang_up() -> None:
            await asyncio.sleep(max(0, -lead_ms) / 1000)
            await call.hang_up()

        await asyncio.gather(answer(), hang_up())
        await offer.ended()
        await s.empty()
        await s.engine.agent("anna", "ready")
        again = await s.place(TO_CARDS)
        second = await s.rings("anna", 2)
        second.answer()
        await s.talking(1)
        await again.hang_up()
        await s.empty()


async def test_the_agent_hangs_up(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(), defaults={"wrap_up": {"seconds": "30"}}) as s:
        call = await s.place(TO_CARDS)
        talk = await s.phones["anna"].offered()
        await s.talking(1)
        await talk.hang_up()
        end = await call.ended()
        assert end.is_request("BYE", sent=False)
        await s.engine.agent("anna", "wrap-up")
        await s.empty()
        code = await s.place(CallPlan("*25", caller_number="anna"))
        await code.ended()
        await s.engine.agent("anna", "ready")


async def test_after_the_talk_the_caller_goes_on_in_the_menus(stage: OpenStage) -> None:
    tree = {
        **MAIN,
        "nodes": {
            **MAIN["nodes"],
            "cards": {"type": "enqueue", "queue": "cards", "next": "bye"},
            "bye": {"type": "hangup", "prompt": "choose"},
        },
    }
    async with stage(agents={"anna": ["cards"]}, behaviour=Answer(), trees={"main": tree}) as s:
        call = await s.place(CallPlan("200", listens=True))
        talk = await s.phones["anna"].offered()
        await s.talking(1)
        await talk.hang_up()
        end = await call.ended()
        talked_until = talk.ended_at
        assert talked_until is not None
        assert end.time_s - talked_until > 0.5, "the goodbye was played first"
        assert call.rtp is not None
        assert any(packet.sound and packet.time_s > talked_until + 0.05 for packet in call.rtp.heard)


async def test_a_blind_transfer_frees_the_agent(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"], "bob": ["general"]}) as s:
        s.phones["anna"].script([Answer()])
        call = await s.place(TO_CARDS)
        talk = await s.phones["anna"].offered()
        await s.talking(1)
        await talk.transfer("300")
        at_bob = await s.rings("bob")
        await s.engine.agent("anna", "ready")
        status = await s.engine.status()
        assert [call["queue"] for call in status["calls"]] == ["general"], "the transferred caller is a new call"
        at_bob.answer()
        await s.talking(1)
        assert call.end is None
        await at_bob.hang_up()
        await call.ended()
        await s.empty()


async def test_feature_codes_change_the_state_and_confirm(stage: OpenStage) -> None:
    async with stage() as s:
        states = {"*23": "not-ready", "*231": "not-ready", "*24": "logged-out", "*22": "ready"}
        for code in ("*231", "*22", "*23", "*24", "*22"):
            call = await s.place(CallPlan(code, caller_number="anna", listens=True))
            await s.engine.agent("anna", states[code], "lunch" if code == "*231" else "")
            await call.ended()
            assert not call.hung_up_by_caller
            assert call.rtp is not None
            assert any(packet.sound for packet in call.rtp.heard), "a confirmation was heard"
        unknown = await s.place(CallPlan("*239", caller_number="anna", listens=True))
        await unknown.ended()
        await s.engine.agent("anna", "ready")
        stranger = await s.place(CallPlan("*22", caller_number="dora"))
        await stranger.ended()
        assert not s.engine.logged("Traceback")


async def test_an_agent_on_a_call_of_his_own_gets_none(stage: OpenStage) -> None:
    async with stage(agents={"anna": ["cards"]}, start="ready") as s:
        own = await s.place(CallPlan("*99", caller_number="anna"))
        await own.ended()
        busy = await s.place(CallPlan("bob", caller_number="anna"))
        s.phones["bob"].behaviour = Answer()
        await s.engine.until(lambda status: by_id(status["agents"], "anna")["device"] == "in-use")
        call = await s.place(TO_CARDS)
        await s.waiting(1)
        assert not s.phones["anna"].calls
        await busy.hang_up()
        await s.phones["anna"].offered()
        await call.hang_up()
