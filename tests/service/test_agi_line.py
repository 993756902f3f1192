"""The caller's line: keys are never lost, prompts go on where a key interrupted them, the end is told in one way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from acd.service.agi_line import AgiLine
from acd.service.prompts import Resolved
from ami_bridge.agi_server import AgiServer
from ami_bridge.agi_session import AgiSession
from ivr.line import KEYS, LineHungUp, Recorded, RecordEnd, RecordLimits, Waited
from ivr.speech import Number, Prompt, Recording, Speech
from tests.service.fake_channel import FakeChannel
from tests.service.voicemail.sounds import wav


class FakeSounds:
    """Every prompt is a file of its name in the language's folder; numbers cannot be had."""

    async def resolve_all(self, speech: Sequence[Speech], language: str) -> Resolved:
        files = tuple(f"/sounds/{language}/{part}" for part in speech if isinstance(part, Prompt))
        return Resolved(files, tuple(part for part in speech if not isinstance(part, Prompt)))


class Ends:
    """Both ends of one line."""

    def __init__(self, line: AgiLine, channel: FakeChannel) -> None:
        self.line = line
        self.channel = channel
        self.notes = 0


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    arrived: asyncio.Future[AgiSession] = asyncio.get_running_loop().create_future()
    done = asyncio.Event()

    async def handler(session: AgiSession) -> None:
        arrived.set_result(session)
        await done.wait()

    async def note() -> None:
        both.notes += 1

    server = AgiServer("127.0.0.1", 0, handler, scripts=["acd/call"])
    await server.start()
    channel = await FakeChannel.enter(server.port)
    channel.rules.clear()
    both = Ends(AgiLine(await arrived, FakeSounds(), note), channel)
    both.line._language = "en"
    yield both
    done.set()
    await channel.close()
    await server.close()


async def test_prompts_are_played_one_after_the_other(ends: Ends) -> None:
    playing = asyncio.create_task(ends.line.play((Prompt("a"), Number(5), Prompt("b"))))
    assert await ends.channel.next_command() == f'STREAM FILE /sounds/en/a "{KEYS}" 0'.replace('"', "")
    ends.channel.reply("200 result=0 endpos=100")
    assert "/sounds/en/b" in await ends.channel.next_command()
    ends.channel.reply("200 result=0 endpos=100")
    played = await playing
    assert played.digit == ""
    assert played.missing == (Number(5),)
    assert ends.notes == 1


async def test_a_key_that_may_not_interrupt_is_kept_and_the_prompt_goes_on(ends: Ends) -> None:
    playing = asyncio.create_task(ends.line.play((Prompt("a"),)))
    await ends.channel.next_command()
    ends.channel.reply("200 result=53 endpos=4000")
    assert (await ends.channel.next_command()).endswith(" 4000")
    ends.channel.reply("200 result=0 endpos=8000")
    assert (await playing).digit == ""
    assert await ends.line.read_digit(1) == "5"


async def test_a_key_that_may_interrupt_stops_all_prompts_and_stays_to_be_read(ends: Ends) -> None:
    playing = asyncio.create_task(ends.line.play((Prompt("a"), Prompt("b")), KEYS))
    await ends.channel.next_command()
    ends.channel.reply("200 result=35 endpos=10")
    assert (await playing).digit == "#"
    assert (await ends.line.play((Prompt("c"),), KEYS)).digit == "#", "a key typed ahead keeps the next from starting"
    assert ends.notes == 1, "where nothing is heard the place need not be noted"
    assert await ends.line.read_digit(1) == "#"
    assert len(ends.channel.commands) == 1


async def test_reading_waits_for_so_long(ends: Ends) -> None:
    reading = asyncio.create_task(ends.line.read_digit(2.5))
    assert await ends.channel.next_command() == "WAIT FOR DIGIT 2500"
    ends.channel.reply("200 result=0")
    assert await reading == ""
    reading = asyncio.create_task(ends.line.read_digit(0))
    assert await ends.channel.next_command() == "WAIT FOR DIGIT 1", "0 would be refused, -1 would wait for ever"
    ends.channel.reply("200 result=42")
    assert await reading == "*"


@pytest.mark.parametrize("how", ["result", "hangup", "socket"])
async def test_the_callers_end_is_told_in_one_way(ends: Ends, how: str) -> None:
    playing = asyncio.create_task(ends.line.play((Prompt("a"),)))
    await ends.channel.next_command()
    if how == "result":
        ends.channel.reply("200 result=-1 endpos=10")
    elif how == "hangup":
        ends.channel.hang_up()
    else:
        ends.channel.tear()
    with pytest.raises(LineHungUp):
        await playing


async def test_the_channels_language_is_set_when_it_differs(ends: Ends) -> None:
    await ends.line.set_language("en")
    setting = asyncio.create_task(ends.line.set_language("zh"))
    assert await ends.channel.next_command() == 'SET VARIABLE "CHANNEL(language)" zh'
    ends.channel.reply("200 result=1")
    await setting
    await ends.line.set_language("zh")
    assert len(ends.channel.commands) == 1


async def test_an_unanswered_call_is_refused_with_its_cause(ends: Ends) -> None:
    refusing = asyncio.create_task(ends.line.hangup("busy"))
    assert await ends.channel.next_command() == "EXEC Hangup 17"
    ends.channel.reply("200 result=-1")
    await refusing
    assert ends.line.released == "hangup"


async def test_an_answered_call_is_hung_up_by_the_dialplan(ends: Ends) -> None:
    """It may have been transferred a moment ago: then the word to the dialplan is forgotten, a hang-up would not be."""
    ends.line.answered = True
    ending = asyncio.create_task(ends.line.hangup("normal"))
    assert await ends.channel.next_command() == "SET VARIABLE ACD_DONE hangup"
    ends.channel.reply("200 result=1")
    await ending


async def test_several_variables_in_one_round_trip(ends: Ends) -> None:
    reading = asyncio.create_task(ends.line.read_variables(("A", "B", "C")))
    ends.channel.variables |= {"A": "1", "C": "x|y)"}
    await ends.channel.next_command()
    assert await reading == ["1", "", "x|y)"]


# Waiting for work.


class Work:
    """Work that is done when the test says so."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.cancelled = False

    async def do(self) -> str:
        self.begun.set()
        try:
            return await self.done
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def listen(ends: Ends, keys: str = "") -> None:
    """Answer a command that listens for keys: with one, or none."""
    assert (await ends.channel.next_command()).startswith("WAIT FOR DIGIT")
    ends.channel.reply(f"200 result={ord(keys) if keys else 0}")


async def test_music_while_work_takes_and_the_keys_pressed_meanwhile(ends: Ends) -> None:
    ends.line.answered = True
    work = Work()
    waiting = asyncio.create_task(ends.line.wait_for(work.do(), "jazz"))
    await listen(ends)
    assert work.begun.is_set()
    await listen(ends, "7")
    assert await ends.channel.next_command() == "SET MUSIC ON jazz"
    ends.channel.reply("200 result=0")
    await listen(ends, "8")
    assert (await ends.channel.next_command()).startswith("WAIT FOR DIGIT")
    work.done.set_result("found")
    ends.channel.reply("200 result=0")
    assert await ends.channel.next_command() == "SET MUSIC OFF"
    ends.channel.reply("200 result=0")
    assert await waiting == Waited("found")
    assert [await ends.line.read_digit(1) for _ in range(2)] == ["7", "8"]


async def test_work_that_is_done_in_a_moment_has_no_music(ends: Ends) -> None:
    ends.line.answered = True
    work = Work()
    waiting = asyncio.create_task(ends.line.wait_for(work.do(), "jazz"))
    await ends.channel.next_command()
    work.done.set_result("found")
    ends.channel.reply("200 result=0")
    assert await waiting == Waited("found")
    assert len(ends.channel.commands) == 1


async def test_a_prompt_is_heard_to_its_end_meanwhile(ends: Ends) -> None:
    ends.line.answered = True
    work = Work()
    waiting = asyncio.create_task(ends.line.wait_for(work.do(), "jazz", (Prompt("moment"), Number(5))))
    assert "/sounds/en/moment" in await ends.channel.next_command()
    work.done.set_result("found")
    await asyncio.wait_for(work.begun.wait(), 5)
    ends.channel.reply("200 result=50 endpos=4000")
    assert (await ends.channel.next_command()).endswith(" 4000")
    ends.channel.reply("200 result=0 endpos=8000")
    assert await waiting == Waited("found", (Number(5),))
    assert len(ends.channel.commands) == 2
    assert await ends.line.read_digit(1) == "2"


async def test_a_caller_who_is_not_answered_hears_ringing(ends: Ends) -> None:
    work = Work()
    waiting = asyncio.create_task(ends.line.wait_for(work.do(), "jazz"))
    assert (await ends.channel.next_command()).startswith("EXEC Ringing")
    ends.channel.reply("200 result=0")
    work.done.set_result("found")
    assert await waiting == Waited("found")
    assert not ends.line.answered


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("how", ["hangup", "socket"])
async def test_who_hangs_up_while_work_takes_has_it_cancelled(ends: Ends, how: str, answered: bool) -> None:
    ends.line.answered = answered
    work = Work()
    waiting = asyncio.create_task(ends.line.wait_for(work.do(), "jazz"))
    await ends.channel.next_command()
    if not answered:
        ends.channel.reply("200 result=0")
    if how == "hangup":
        ends.channel.hang_up()
    else:
        ends.channel.tear()
    with pytest.raises(LineHungUp):
        await waiting
    assert work.cancelled


async def test_what_work_raises_passes_through(ends: Ends) -> None:
    ends.line.answered = True
    work = Work()
    waiting = asyncio.create_task(ends.line.wait_for(work.do(), "jazz"))
    await ends.channel.next_command()
    work.done.set_exception(KeyError("x"))
    ends.channel.reply("200 result=0")
    with pytest.raises(KeyError):
        await waiting


async def test_recording_until_a_key(ends: Ends, tmp_path: Path) -> None:
    base = tmp_path / "said"
    taking = asyncio.create_task(ends.line.record(str(base), RecordLimits(longest_s=60.0, silence_s=3)))
    assert await ends.channel.next_command() == f"RECORD FILE {base} wav # 60000 BEEP s=3"
    await asyncio.to_thread(base.with_suffix(".wav").write_bytes, wav(2.5))
    ends.channel.reply("200 result=35 (dtmf) endpos=20000")
    assert await ends.channel.next_command() == "NOOP", "Asterisk has closed the file when it answers this"
    ends.channel.reply("200 result=0")
    assert await taking == Recorded(RecordEnd.KEY, 2.5, "#")
    assert ends.notes == 1


async def test_a_hang_up_while_recording_is_a_result(ends: Ends, tmp_path: Path) -> None:
    base = tmp_path / "said"
    taking = asyncio.create_task(ends.line.record(str(base), RecordLimits(longest_s=60.0, beep=False)))
    assert await ends.channel.next_command() == f"RECORD FILE {base} wav # 60000"
    await asyncio.to_thread(base.with_suffix(".wav").write_bytes, wav(1.5))
    ends.channel.hang_up()
    ends.channel.reply("200 result=-1 (hangup) endpos=12000")
    await ends.channel.next_command()
    ends.channel.reply("200 result=0")
    assert await taking == Recorded(RecordEnd.HUNG_UP, 1.5)


async def test_who_hangs_up_during_the_tone_is_gone_and_not_a_failure(ends: Ends, tmp_path: Path) -> None:
    taking = asyncio.create_task(ends.line.record(str(tmp_path / "said"), RecordLimits(longest_s=60.0)))
    await ends.channel.next_command()
    ends.channel.hang_up()
    ends.channel.reply("200 result=-1 (hangup) endpos=0")
    await ends.channel.next_command()
    ends.channel.reply("200 result=0")
    assert await taking == Recorded(RecordEnd.HUNG_UP, 0.0)


@pytest.mark.parametrize(
    ("answer", "there", "end"),
    [
        ("200 result=-1 (writefile)", False, RecordEnd.FAILED),
        ("200 result=-1 (randomerror) endpos=0", False, RecordEnd.FAILED),
        ("200 result=35 (randomerror) endpos=0", False, RecordEnd.KEY),
        ("200 result=0 (timeout) endpos=0", False, RecordEnd.FAILED),
        ("200 result=16340 (timeout) endpos=8000", True, RecordEnd.SILENCE),
    ],
)
async def test_other_ends_of_a_recording(ends: Ends, tmp_path: Path, answer: str, there: bool, end: RecordEnd) -> None:
    base = tmp_path / "said"
    taking = asyncio.create_task(ends.line.record(str(base), RecordLimits(longest_s=60.0)))
    await ends.channel.next_command()
    if there:
        await asyncio.to_thread(base.with_suffix(".wav").write_bytes, wav(1.0))
    ends.channel.reply(answer)
    await ends.channel.next_command()
    ends.channel.reply("200 result=0")
    assert (await taking).end is end


@pytest.mark.parametrize(("silence_s", "at_its_end_s"), [(2, 1.0), (0, 0.0)])
async def test_the_silence_that_ended_a_recording_is_told(
    ends: Ends, tmp_path: Path, silence_s: int, at_its_end_s: float
) -> None:
    base = tmp_path / "said"
    taking = asyncio.create_task(ends.line.record(str(base), RecordLimits(longest_s=60.0, silence_s=silence_s)))
    await ends.channel.next_command()
    await asyncio.to_thread(base.with_suffix(".wav").write_bytes, wav(1.02))
    ends.channel.reply("200 result=0 (timeout) endpos=8160")
    await ends.channel.next_command()
    ends.channel.reply("200 result=0")
    assert await taking == Recorded(RecordEnd.SILENCE, 1.02, silence_s=at_its_end_s)


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ("200 result=-1 (hangup) endpos=40000", RecordEnd.HUNG_UP),
        ("200 result=35 (dtmf) endpos=40000", RecordEnd.KEY),
        ("200 result=0 (timeout) endpos=40000", RecordEnd.SILENCE),
    ],
)
async def test_a_recording_in_which_nothing_is_to_be_heard_is_all_silence(
    ends: Ends, tmp_path: Path, answer: str, end: RecordEnd
) -> None:
    base = tmp_path / "said"
    taking = asyncio.create_task(ends.line.record(str(base), RecordLimits(longest_s=60.0, silence_s=8)))
    await ends.channel.next_command()
    await asyncio.to_thread(base.with_suffix(".wav").write_bytes, wav(5.0, sample=3))
    ends.channel.reply(answer)
    await ends.channel.next_command()
    ends.channel.reply("200 result=0")
    recorded = await taking
    assert (recorded.end, recorded.seconds, recorded.silence_s) == (end, 5.0, 5.0)


async def test_a_line_that_is_torn_while_recording_tells_that_it_does_not_know(ends: Ends, tmp_path: Path) -> None:
    taking = asyncio.create_task(ends.line.record(str(tmp_path / "said"), RecordLimits(longest_s=60.0)))
    await ends.channel.next_command()
    ends.channel.tear()
    with pytest.raises(LineHungUp):
        await taking


async def test_a_recording_is_played_by_its_path(ends: Ends) -> None:
    playing = asyncio.create_task(ends.line.play((Recording("/recordings/a", 2.0),)))
    assert "STREAM FILE /recordings/a " in await ends.channel.next_command()
    ends.channel.reply("200 result=0 endpos=100")
    assert (await playing).missing == ()
