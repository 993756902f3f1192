"""Voicemail on the real Asterisk: what callers say is kept whatever happens, and heard again by whom it is for."""

from __future__ import annotations

import asyncio
import json
import urllib.request
import wave
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from acd.lab.callers import Call, CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import Answer, Ring
from acd.lab.rtp import MULAW_TONE, RtpEndpoint
from acd.service.voicemail.pins import hash_pin
from tests.integration.lamp_phone import LampPhone
from tests.integration.stage import TOKEN, Stage, eventually, open_stage
from tests.service.messages.servers import MailBox, mail_server
from tests.service.sites import write_site

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

PIN = "471147"
LISTENER = "+4930111"
BOXES: dict[str, Any] = {
    "lock_out": {"tries": 2},
    "defaults": {"greeting": "speak", "review": "no", "shortest_s": "1", "silence_s": "2"},
    "boxes": {
        "desk": {"number": "506", "email": ["desk@example.com"], "queue": "desk"},
        "cards": {"number": "501", "agents": ["anna"], "pin_hash": hash_pin(PIN), "lamps": ["ghost@acd"]},
        "review": {"number": "502", "review": "yes", "pin_hash": hash_pin(PIN)},
        "small": {"number": "503", "most_messages": "1", "pin_hash": hash_pin(PIN)},
        "long": {"number": "504", "silence_s": "0", "longest_s": "60", "pin_hash": hash_pin(PIN)},
        "locked": {"number": "505", "pin_hash": hash_pin(PIN)},
    },
}
TREES: dict[str, Any] = {
    "main": {
        "start": "cards",
        "prompts": {
            "speak": {"en": {"text": "Speak."}},
            "full": {"en": {"text": "The box is full."}},
        },
        "nodes": {
            "cards": {"type": "enqueue", "queue": "cards", "data": {"topic": "lost card"}},
            "desk": {"type": "voicemail", "box": "desk"},
            "leave": {"type": "voicemail", "box": "cards", "next": "bye"},
            "review": {"type": "voicemail", "box": "review", "next": "bye"},
            "small": {"type": "voicemail", "box": "small", "on_failure": "full"},
            "long": {"type": "voicemail", "box": "long"},
            "full": {"type": "play", "prompt": "full", "next": "bye"},
            "record": {"type": "record", "prompt": "speak", "into": "order", "silence_s": "2", "next": "bye"},
            "listen": {"type": "voicemail-access", "envelope": "no"},
            "bye": {"type": "hangup"},
        },
    }
}
NUMBERS = {
    "500": "main.leave",
    "505": "main.desk",
    "510": "main.review",
    "520": "main.small",
    "530": "main.long",
    "540": "main.record",
    "600": "main.listen",
    "200": "main.cards",
    "default": "main",
}
QUEUES: dict[str, Any] = {
    "desk": {},
    "cards": {"overflow": [{"when": {"waiting_s": "0.3"}, "then": {"voicemail": "cards"}}]},
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mails() -> AsyncIterator[tuple[MailBox, int]]:
    """A mail server: what it got, and its port."""
    box = MailBox()
    async with mail_server(box) as port:
        yield box, port


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def s(
    lab: Lab, cache: Path, tmp_path_factory: pytest.TempPathFactory, mails: tuple[MailBox, int]
) -> AsyncIterator[Stage]:
    """One engine for all of these tests, each with boxes or callers of its own."""
    folder = tmp_path_factory.mktemp("voicemail") / "site"
    write_site(
        folder,
        agents={"anna": ["cards"], "bob": ["desk"]},
        start="not-ready",
        queues=QUEUES,
        trees=TREES,
        routing={"numbers": NUMBERS},
        acd={"mail": {"host": "127.0.0.1", "port": str(mails[1]), "tls": "none", "sender": "acd@example.com"}},
    )
    (folder / "voicemail.yaml").write_text(yaml.safe_dump(BOXES))
    async with open_stage(lab, folder, cache, behaviour=Ring()) as stage:
        await stage.engine.start()
        await stage.engine.ready()
        yield stage


def messages(s: Stage, box: str) -> list[dict[str, Any]]:
    """The messages that lie in a box, the oldest first."""
    found = [json.loads(path.read_text()) for path in (s.engine.site / "state" / "voicemail" / box).glob("*.json")]
    return sorted(found, key=lambda message: str(message["id"]))


def sound_s(s: Stage, message: dict[str, Any]) -> tuple[float, bool]:
    """How long a message's sound is, and whether there is anything to be heard in it."""
    path = s.engine.site / "state" / "voicemail" / message["box"] / f"{message['id']}.wav"
    with wave.open(str(path)) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (8000, 2, 1)
        frames = sound.readframes(sound.getnframes())
        return len(frames) / 16_000, any(
            abs(int.from_bytes(frames[at : at + 2], "little", signed=True)) > 2000 for at in range(0, len(frames), 2)
        )


async def left(s: Stage, box: str, count: int) -> list[dict[str, Any]]:
    """Wait until so many messages are in a box."""

    async def is_so() -> bool:
        return len(messages(s, box)) == count

    await eventually(is_so, f"{count} messages in {box}", 20)
    return messages(s, box)


async def talk(s: Stage, number: str, caller: str = "+4930200100") -> Call:
    """A caller who skips the greeting and begins to talk; the tone has been heard when this returns."""
    call = await s.place(CallPlan(number, caller_number=caller, listens=True, steady_media=True))
    await call.answered()
    assert call.rtp is not None
    call.rtp.talking = True
    await recording(s)
    return call


async def recording(s: Stage) -> None:
    """Wait until something is being recorded, for a second at least."""
    folder = s.engine.site / "recordings"

    async def grows() -> bool:
        return any(path.stat().st_size > 20_000 for path in folder.glob("draft-*.wav"))

    await eventually(grows, "a recording under way")


async def test_a_caller_who_hangs_up_mid_word_has_left_a_message(s: Stage) -> None:
    call = await talk(s, "500")
    await call.hang_up()
    (message,) = await left(s, "cards", 1)
    seconds, heard = sound_s(s, message)
    assert heard
    assert 1 < seconds < 15
    assert message["seconds"] == pytest.approx(seconds, abs=0.1)
    assert (message["call"]["caller"], message["call"]["dialled"]) == ("+4930200100", "500")
    assert message["hung_up"]
    assert list((s.engine.site / "recordings").glob("draft-*")) == []
    await s.empty()


async def test_silence_ends_a_message_and_what_is_too_short_is_asked_for_again(s: Stage) -> None:
    before = len(messages(s, "cards"))
    call = await s.place(CallPlan("500", caller_number="+49302", listens=True, steady_media=True))
    await call.answered()

    assert call.rtp is not None
    await eventually(lambda: _records(s), "the first recording has begun")
    await call.rtp.press("#")  # nothing was said
    call.rtp.talking = True
    await recording(s)
    call.rtp.talking = False
    await call.ended(25)
    found = await left(s, "cards", before + 1)
    seconds, heard = sound_s(s, found[-1])
    assert heard
    assert seconds > 1
    assert not found[-1]["hung_up"]


async def test_review_listens_records_again_and_sends(s: Stage) -> None:
    call = await talk(s, "510", "+49303")
    assert call.rtp is not None
    rtp = call.rtp
    await rtp.press("#")
    rtp.talking = False
    rtp.keep = True
    await press(call, "2")  # listen to it
    await eventually(lambda: _heard_tone(call), "the recording is played back", 20)
    rtp.keep = False
    (first,) = (s.engine.site / "recordings").glob("draft-*.wav")
    await press(call, "3")  # once more
    rtp.talking = True

    async def is_anew() -> bool:
        return first.stat().st_size < 1000

    await eventually(is_anew, "the first recording is gone")
    await recording(s)
    await rtp.press("#")
    rtp.talking = False
    await press(call, "1")  # send
    await call.ended(20)
    (message,) = await left(s, "review", 1)
    assert message["id"] in first.name
    assert sound_s(s, message)[1]


async def test_cancelled_leaves_nothing(s: Stage) -> None:
    before = len(messages(s, "review"))
    call = await talk(s, "510", "+49304")
    assert call.rtp is not None
    await call.rtp.press("#")
    call.rtp.talking = False
    await press(call, "*")
    await call.ended(20)
    await s.empty()
    assert len(messages(s, "review")) == before
    assert list((s.engine.site / "recordings").glob("draft-*")) == []


async def test_a_full_box_leads_on(s: Stage) -> None:
    first = await talk(s, "520", "+49305")
    await first.hang_up()
    await left(s, "small", 1)
    second = await s.place(CallPlan("520", caller_number="+49306", listens=True))
    await second.ended(20)
    assert not second.hung_up_by_caller, "told that the box is full, and let go"
    assert s.engine.logged("voicemail box takes no message", "small")
    assert len(messages(s, "small")) == 1


async def test_from_a_queue_with_its_priority_and_data(s: Stage) -> None:
    before = len(messages(s, "cards"))
    call = await talk(s, "200", "+49307")
    await call.hang_up()
    found = await left(s, "cards", before + 1)
    told = next(message["call"] for message in found if message["call"]["caller"] == "+49307")
    assert told["queue"] == "cards"
    assert told["data"] == {"topic": "lost card"}
    assert told["path"][-1] == "@voicemail.cards"


async def test_the_record_node_keeps_what_was_said(s: Stage) -> None:
    call = await talk(s, "540", "+49308")
    assert call.rtp is not None
    call.rtp.talking = False
    await call.ended(25)
    folder = s.engine.site / "state" / "recordings"
    (sound,) = folder.glob("*.wav")
    told = json.loads(sound.with_suffix(".json").read_text())
    assert told["call"]["caller"] == "+49308"
    body = await asyncio.to_thread(get, s, f"/api/recordings/{sound.stem}/sound")
    assert body == sound.read_bytes()


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


async def test_a_message_is_mailed_and_offered_to_an_idle_agent(s: Stage, mails: tuple[MailBox, int]) -> None:
    call = await talk(s, "505", "+49311")
    await call.hang_up()
    (message,) = await left(s, "desk", 1)
    box, _ = mails

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
    await eventually(lambda: _tone_in(offer.rtp), "the agent hears the message", 25)
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
        while (new := len([message for message in messages(s, "cards") if message["state"] == "new"])) < 2:
            call = await talk(s, "500")
            await call.hang_up()
            await left(s, "cards", len(messages(s, "cards")) + 1)
        await lamp.until(lambda text: f"Voice-Message: {new}/" in text, "what is new")
        assert "Messages-Waiting: yes" in lamp.told[-1]
        call = await listen(s, "anna")
        assert call.rtp is not None
        call.rtp.keep = True
        await eventually(lambda: _heard_tone(call), "the first message", 20)
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
        await eventually(lambda: _count(s, "voicemail message deleted", 1), "one is deleted at the end")
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
    for number in (1, 2):
        await press(wrong, "505#0000#")
        await eventually(partial(_count, s, "voicemail PIN is wrong", number), "a wrong PIN")

    async def locked() -> bool:
        return bool(s.engine.logged("voicemail locked after wrong PINs", "box:locked"))

    await eventually(locked, "locked")
    await wrong.hang_up()
    right = await s.place(CallPlan("600", caller_number="+49777", listens=True, steady_media=True))
    await right.answered()
    await press(right, f"505#{PIN}#")
    await eventually(lambda: _count(s, "voicemail is locked", 1), "the right PIN from elsewhere does not help either")
    await right.hang_up()
    assert PIN not in s.engine.log.read_text(), "no PIN is in a log"


async def test_over_the_web_port(s: Stage) -> None:
    listed = json.loads(await asyncio.to_thread(get, s, "/api/voicemail/messages?box=review"))["messages"]
    message = listed[0]
    sound = await asyncio.to_thread(get, s, f"/api/voicemail/messages/{message['id']}/sound")
    assert sound[:4] == b"RIFF"
    code, _ = await s.engine.post(f"/api/voicemail/messages/{message['id']}/close")
    assert code == 200
    assert await s.engine.metric('acd_voicemail_messages{box="review",state="closed"}') == 1


async def _records(s: Stage) -> bool:
    return any((s.engine.site / "recordings").glob("draft-*.wav"))


async def _count(s: Stage, words: str, number: int) -> bool:
    return len(s.engine.logged(words)) >= number


async def _heard_tone(call: Call) -> bool:
    """Whether what the caller talked with has come back."""
    return await _tone_in(call.rtp)


async def _tone_in(rtp: RtpEndpoint | None) -> bool:
    return rtp is not None and MULAW_TONE[:20] * 20 in rtp.recording()


async def press(call: Call, keys: str) -> None:
    """Press keys, as somebody does who knows the menus: they are kept until they are asked for."""
    await call.press(keys)
    await asyncio.sleep(0.1)  # the pause of a finger between two entries


async def listen(s: Stage, agent: str) -> Call:
    """Call the boxes from an agent's own phone."""
    call = await s.place(CallPlan("*27", caller_number=agent, listens=True, steady_media=True))
    await call.answered()
    return call


def get(s: Stage, path: str) -> bytes:
    """GET with the token."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{s.engine.env['ACD_WEB_PORT']}{path}", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=15) as answer:
        body: bytes = answer.read()
    return body
