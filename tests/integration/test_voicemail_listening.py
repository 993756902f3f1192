"""Messages on the real Asterisk: they survive the engine, and are heard by those they are for."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest

from acd.lab.callers import CallPlan
from acd.lab.phones import Answer
from tests.integration.lamp_phone import LampPhone
from tests.integration.stage import Stage, eventually
from tests.integration.voicemail_stage import (
    PIN,
    count_logged,
    get,
    heard_tone,
    left,
    listen,
    messages,
    press,
    recording,
    sound_s,
    talk,
    tone_in,
)
from tests.service.messages.servers import MailBox

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

LISTENER = "+4930111"


@pytest.fixture
def s(voicemail: tuple[Stage, MailBox]) -> Stage:
    """The stage."""
    return voicemail[0]


async def test_messages_survive_the_engine(s: Stage) -> None:
    """kill -9 in the midst of two: who hangs up while nobody is there is found, who is still there finishes."""
    gone = await talk(s, "530", "+49309")
    stays = await s.place(CallPlan("530", caller_number="+49310", listens=True, steady_media=True))
    await stays.answered()
    assert stays.rtp is not None
    stays.rtp.talking = True
    folder = s.engine.site / "recordings"

    async def both_record() -> bool:
        return len([path for path in folder.glob("draft-*.wav") if path.stat().st_size > 20_000]) == 2

    await eventually(both_record, "two recordings under way")
    s.engine.kill()
    await s.engine.wait()
    sizes = {path: path.stat().st_size for path in folder.glob("draft-*.wav")}

    async def grow() -> bool:
        return all(path.stat().st_size > size for path, size in sizes.items())

    await eventually(grow, "Asterisk records on without us")
    await gone.hang_up()
    await s.engine.start()
    await s.engine.ready()
    await stays.rtp.press("#")
    await stays.ended(25)
    assert not stays.hung_up_by_caller, "thanked, and let go"
    found = {message["call"]["caller"]: message for message in await left(s, "long", 2)}
    assert set(found) == {"+49309", "+49310"}
    assert found["+49309"]["hung_up"]
    assert all(sound_s(s, message)[1] for message in found.values())
    assert sound_s(s, found["+49309"])[0] > 2
    assert not any(folder.glob("draft-*"))


async def test_a_message_is_mailed_and_offered_to_an_idle_agent(s: Stage, voicemail: tuple[Stage, MailBox]) -> None:
    call = await talk(s, "505", "+49311")
    await call.hang_up()
    (message,) = await left(s, "desk", 1)
    _, box = voicemail

    async def has_come() -> bool:
        return len(box.mails) == 1

    await eventually(has_come, "the mail")
    (sound,) = box.mails[0].iter_attachments()
    path = s.engine.site / "state" / "voicemail" / "desk" / f"{message['id']}.wav"
    assert sound.get_content() == await asyncio.to_thread(path.read_bytes)
    s.phones["bob"].behaviour = Answer(listens=True, steady_media=True)
    await s.engine.post("/api/agents/bob/ready")
    offer = await s.phones["bob"].offered()
    await offer.answered()
    assert offer.rtp is not None
    offer.rtp.keep = True
    await eventually(lambda: tone_in(offer.rtp), "the agent hears the message", 25)
    await offer.rtp.press("1")

    async def is_closed() -> bool:
        return [(found["state"], found["agent"]) for found in messages(s, "desk")] == [("closed", "bob")]

    await eventually(is_closed, "closed by the agent")
    await offer.ended()
    await s.engine.post("/api/agents/bob/not-ready")
    assert len(box.mails) == 1


async def test_listening_from_inside(s: Stage) -> None:
    """An agent's own phone: no PIN. The lamp shows what is new, before and after."""
    lamp = await LampPhone.register(s, "ghost")
    try:
        new = 2
        callers = [await talk(s, "500"), await talk(s, "500")]
        await recording(s, new)
        for caller in callers:
            await caller.hang_up()
        await left(s, "cards", new)
        await lamp.until(lambda text: f"Voice-Message: {new}/" in text, "what is new")
        assert "Messages-Waiting: yes" in lamp.told[-1]
        call = await listen(s, "anna")
        assert call.rtp is not None
        call.rtp.keep = True
        await eventually(lambda: heard_tone(call), "the first message", 20)
        await press(call, "7")  # delete
        await press(call, "7")  # undo
        await press(call, "7")  # delete after all
        await press(call, "6")  # the next one
        call.rtp.keep = False
        await call.hang_up()

        async def is_gone() -> bool:
            return sum(1 for message in messages(s, "cards") if message["state"] == "new") < new

        await eventually(is_gone, "deleted and heard messages are not new")
        await lamp.until(lambda text: f"Voice-Message: {new}/" not in text, "fewer are new")
        await eventually(lambda: count_logged(s, "voicemail message deleted", 1), "one is deleted at the end")
    finally:
        await lamp.leave()


async def test_listening_from_outside_takes_the_pin_and_locks(s: Stage) -> None:
    call = await s.place(CallPlan("600", caller_number=LISTENER, listens=True, steady_media=True))
    await call.answered()
    await press(call, "502#")
    await press(call, f"{PIN}#")

    async def opened() -> bool:
        return bool(s.engine.logged("voicemail opened", "review"))

    await eventually(opened, "the right PIN")
    await call.hang_up()
    wrong = await s.place(CallPlan("600", caller_number="+49666", listens=True, steady_media=True))
    await wrong.answered()
    await press(wrong, "505#0000#505#0000#")  # ahead: no key is lost while the first is compared
    await eventually(partial(count_logged, s, "voicemail PIN is wrong", 2), "two wrong PINs")

    async def locked() -> bool:
        return bool(s.engine.logged("voicemail locked after wrong PINs", "box:locked"))

    await eventually(locked, "locked")
    await wrong.hang_up()
    right = await s.place(CallPlan("600", caller_number="+49777", listens=True, steady_media=True))
    await right.answered()
    await press(right, f"505#{PIN}#")
    await eventually(
        lambda: count_logged(s, "voicemail is locked", 1), "the right PIN from elsewhere does not help either"
    )
    await right.hang_up()
    assert PIN not in s.engine.log.read_text(), "no PIN is in a log"


async def test_over_the_web_port(s: Stage) -> None:
    listed = json.loads(await asyncio.to_thread(get, s, "/api/voicemail/messages?box=long"))["messages"]
    message = listed[0]
    sound = await asyncio.to_thread(get, s, f"/api/voicemail/messages/{message['id']}/sound")
    assert sound[:4] == b"RIFF"
    code, _ = await s.engine.post(f"/api/voicemail/messages/{message['id']}/close")
    assert code == 200
    assert await s.engine.metric('acd_voicemail_messages{box="long",state="closed"}') == 1
