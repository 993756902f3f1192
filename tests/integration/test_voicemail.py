"""Leaving messages on the real Asterisk: what callers say is kept, whatever they do."""

from __future__ import annotations

import asyncio
import json

import pytest

from acd.lab.callers import CallPlan
from tests.integration.stage import Stage, eventually
from tests.integration.voicemail_stage import (
    get,
    heard_tone,
    left,
    messages,
    no_draft,
    press,
    recording,
    records,
    sound_s,
    talk,
)
from tests.service.messages.servers import MailBox

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def s(voicemail: tuple[Stage, MailBox]) -> Stage:
    """The stage."""
    return voicemail[0]


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
    await eventually(lambda: no_draft(s), "the recording has been moved away")
    await s.empty()


async def test_silence_ends_a_message_and_what_is_too_short_is_asked_for_again(s: Stage) -> None:
    before = len(messages(s, "cards"))
    call = await s.place(CallPlan("500", caller_number="+49302", listens=True, steady_media=True))
    await call.answered()

    assert call.rtp is not None
    await eventually(lambda: records(s), "the first recording has begun")
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
    await eventually(lambda: heard_tone(call), "the recording is played back", 20)
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
