"""The caller's line on an AGI session: what the menus play and read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol, TypeVar

from acd.core.events import LegFailure
from acd.service.prompts import Resolved
from acd.service.sound_files import ENDING, SoundFile, is_silent, look
from ami_bridge.agi_codec import AgiReply
from ami_bridge.agi_session import AgiClosed, AgiError, AgiHangup, AgiSession
from ami_bridge.translation import ANSWERED, hangup_cause, leg_failure
from ivr.dialling import Dial, DialEnd, Dialled
from ivr.line import KEYS, LineHungUp, Played, Recorded, RecordEnd, RecordLimits, Waited
from ivr.outcome import HangUpCause
from ivr.speech import Recording, Speech

__all__ = ["DONE_VARIABLE", "AgiLine", "Sounds", "hung_up"]

DONE_VARIABLE = "ACD_DONE"
"""Set before the engine lets a caller go on purpose; the dialplan goes by it."""

COMMAND_TIMEOUT_S = 10.0
"""For commands that Asterisk carries out at once: one that takes longer tells of an Asterisk in trouble (seconds)."""

_FAILED = "-1"
_SILENCE_LEFT_S = 1.0
"""Of the silence that ends a recording, Asterisk's RECORD FILE leaves so much at its end."""
_SLICE_S = 0.1
"""So long Asterisk listens for a key before it is asked whether the work is done (seconds)."""
_UNHEARD_S = 0.2
"""Work that is done sooner goes by in the pause that a caller expects after a key (seconds)."""

T = TypeVar("T")


class Sounds(Protocol):
    """Where the line gets its sounds from (``acd.service.prompts.PromptStore``)."""

    async def resolve_all(self, speech: Sequence[Speech], language: str) -> Resolved:
        """Name the sound files, without ending, that say this, and the parts that cannot be had."""
        ...


@asynccontextmanager
async def hung_up() -> AsyncIterator[None]:
    """Tell the end of the channel in the words of the menus (``LineHungUp``)."""
    try:
        yield
    except (AgiHangup, AgiClosed) as error:
        raise LineHungUp(str(error)) from error


class AgiLine:
    """One caller's line (implements ``ivr.line.Line``).

    Asterisk takes keys only while a command that listens is under way, and throws away those that a prompt was not
    told to listen for. So every prompt listens for every key; a key that must not stop it is kept, and the prompt goes
    on from where it was.

    ``before_sound`` is awaited ahead of each playing or reading: the owner's moment to note where the caller is;
    ``around_dial`` before a dial, and after one that nobody answered (with None). ``on_key`` is told of each key.
    """

    def __init__(
        self,
        agi: AgiSession,
        sounds: Sounds,
        before_sound: Callable[[], Awaitable[None]],
        *,
        answered: bool = False,
        around_dial: Callable[[Dial | None], Awaitable[None]] | None = None,
        on_key: Callable[[str], None] | None = None,
    ) -> None:
        self._agi = agi
        self._sounds = sounds
        self._before_sound = before_sound
        self._keys: list[str] = []
        self._language = ""
        self._channel_language = agi.env.get("agi_language", "")
        self._stopped = False
        self._around_dial = around_dial
        self._on_key = on_key
        self.answered = answered
        self.released = ""
        """What the dialplan was told to do (ACD_DONE) when the line was given up; empty while it is ours."""

    async def answer(self) -> None:
        """See ``Line``. Does not wait for the caller's first media packet, as ANSWER does for up to half a second."""
        if not self.answered:
            await self._exec("Answer", ",i")
            self.answered = True

    async def play(self, speech: Sequence[Speech], interrupt_digits: str = "") -> Played:
        """See ``Line``."""
        self._stopped = False
        missing: list[Speech] = []
        if self._keys and self._keys[0] in interrupt_digits:
            return Played(self._keys[0])  # nothing is heard here, so the channel need not learn of it
        await self._before_sound()
        # What is said in several parts comes as one file where that can be had: between two there would be a gap.
        for recorded, parts in groupby(speech, lambda part: isinstance(part, Recording)):
            if recorded:
                sound = Resolved(tuple(part.path for part in parts if isinstance(part, Recording)), ())
            else:
                sound = await self._sounds.resolve_all(tuple(parts), self._language)
            missing += sound.missing
            for file in sound.files:
                if self._stopped:
                    return Played("", tuple(missing))
                key = await self._stream(file, interrupt_digits)
                if key or self._stopped:
                    return Played(key, tuple(missing))
        return Played("", tuple(missing))

    async def read_digit(self, timeout_s: float) -> str:
        """See ``Line``."""
        if self._keys:
            return self._keys.pop(0)
        await self._before_sound()
        reply = await self._command("WAIT FOR DIGIT", str(max(1, round(timeout_s * 1000))))
        if not reply.digit or reply.digit not in KEYS:
            return ""
        self._heard(reply.digit)
        return reply.digit

    async def wait_for(self, work: Awaitable[T], music: str, speech: Sequence[Speech] = ()) -> Waited[T]:
        """See ``Line``.

        While nothing but music is played, Asterisk throws keys away unless a command listens for them; so it is told
        to listen, a tenth of a second at a time, because a command that listens cannot be called off. That is how much
        later than the work the caller may go on. A key whose end falls between two of these commands would be lost; of
        240 keys pressed on eight lines at once (Asterisk 22.10) none was. A line that is not answered brings no keys.
        """
        task = asyncio.ensure_future(work)
        try:
            missing = (await self.play(speech)).missing if speech else ()
            if not task.done():
                await self._before_sound()
                await self._until_done(task, music)
            return Waited(await task, missing)
        finally:
            await _ended(task)

    async def _until_done(self, task: asyncio.Future[Any], music: str) -> None:
        if not self.answered:
            await self._ring_until_done(task)
            return
        for _ in range(round(_UNHEARD_S / _SLICE_S)):
            await self._listen(task)
        if task.done():
            return
        await self.music_on(music)
        while not task.done():
            await self._listen(task)
        await self.music_off()

    async def _listen(self, task: asyncio.Future[Any]) -> None:
        if not task.done():
            reply = await self._command("WAIT FOR DIGIT", str(round(_SLICE_S * 1000)))
            if reply.digit and reply.digit in KEYS:
                self._keys.append(reply.digit)

    async def _ring_until_done(self, task: asyncio.Future[Any]) -> None:
        """Wait with a line that is not answered: it has no keys, and a command that waits might answer it."""
        await asyncio.wait({task}, timeout=_UNHEARD_S)
        if not task.done():
            await self._exec("Ringing", "")
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._agi.on_hangup(lambda: None if gone.done() else gone.set_result(None))
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            raise LineHungUp("the caller hung up before the answer")

    async def record(self, path: str, limits: RecordLimits) -> Recorded:
        """See ``Line``. The length is that of the file: what a full disk has not taken is not counted."""
        self._stopped = False
        await self._before_sound()
        more = (["BEEP"] if limits.beep else []) + ([f"s={limits.silence_s}"] if limits.silence_s else [])
        longest_ms = str(round(limits.longest_s * 1000))
        async with hung_up():
            reply = await self._agi.command(
                "RECORD FILE", path, "wav", limits.finish_keys, longest_ms, *more, even_if_dead=True
            )
        # Asterisk answers before it closes the file, and carries out the next command afterwards.
        with suppress(AgiError):
            await self._agi.command("NOOP", timeout_s=COMMAND_TIMEOUT_S, even_if_dead=True)
        if reply.value == "writefile":
            return Recorded(RecordEnd.FAILED)
        found, silent = await asyncio.to_thread(_look, Path(path + ENDING))
        if found is None:
            # During the tone nothing is written yet: a key ends it ("randomerror"), as a hang-up does.
            if reply.value == "randomerror" and reply.digit and reply.digit in limits.finish_keys:
                return Recorded(RecordEnd.KEY, 0.0, reply.digit)
            gone = self._agi.hangup_seen and reply.result == _FAILED
            return Recorded(RecordEnd.HUNG_UP if gone else RecordEnd.FAILED)
        silence_s = found.seconds if silent else 0.0
        if reply.result == _FAILED:
            return Recorded(RecordEnd.HUNG_UP, found.seconds, silence_s=silence_s)
        if reply.value == "dtmf":
            return Recorded(RecordEnd.KEY, found.seconds, reply.digit, silence_s=silence_s)
        left_s = _SILENCE_LEFT_S if limits.silence_s else 0.0
        return Recorded(RecordEnd.SILENCE, found.seconds, silence_s=max(silence_s, left_s))

    async def set_language(self, language: str) -> None:
        """See ``Line``. The channel's language is set as well: what Asterisk says itself follows it."""
        self._language = language
        if language != self._channel_language:
            self._channel_language = language
            await self._command("SET VARIABLE", "CHANNEL(language)", language, timeout_s=COMMAND_TIMEOUT_S)

    async def hangup(self, cause: str) -> None:
        """See ``Line``.

        An answered call is hung up by the dialplan when our socket closes, not by us: the agent may have transferred
        the caller a moment ago, which we learn only after the reply to ``Dial``, and a transferred call must live on.
        """
        if self.answered:
            await self.release("hangup")
            return
        self.released = "hangup"
        async with hung_up():  # the answer is -1, as for every hang-up
            await self._agi.command("EXEC", "Hangup", str(HangUpCause(cause).q850), timeout_s=COMMAND_TIMEOUT_S)

    async def release(self, done: str) -> None:
        """Tell the dialplan what to do when our socket closes: ``hangup`` or ``fallback``."""
        self.released = done
        await self.set_variable(DONE_VARIABLE, done)

    async def set_variable(self, name: str, value: str) -> None:
        """Set one of the channel's variables."""
        await self._command("SET VARIABLE", name, value, timeout_s=COMMAND_TIMEOUT_S)

    async def set_variables(self, values: Sequence[tuple[str, str]]) -> None:
        """Set several variables in one round trip. Values must not hold commas or quotes (encoded ones never do)."""
        await self._exec("MSet", ",".join(f"{name}={value}" for name, value in values))

    async def read_variables(self, names: Sequence[str], *, even_if_dead: bool = False) -> list[str]:
        """Read several variables in one round trip; empty where not set. All but the last must not hold ``|``.

        ``even_if_dead``: also of a channel that has hung up, while its session lasts.
        """
        expression = "|".join(f"${{{name}}}" for name in names)
        words = ("GET FULL VARIABLE", expression)
        reply = await self._command(*words, timeout_s=COMMAND_TIMEOUT_S, even_if_dead=even_if_dead)
        values = (reply.value or "").split("|", len(names) - 1)
        return values + [""] * (len(names) - len(values))

    async def music_on(self, music: str) -> None:
        """Start music; it plays whenever nothing else does, until a sound or a dial ends it."""
        await self._command("SET MUSIC ON", music, timeout_s=COMMAND_TIMEOUT_S)

    async def music_off(self) -> None:
        """Stop the music for good."""
        await self._command("SET MUSIC OFF", timeout_s=COMMAND_TIMEOUT_S)

    async def run_application(self, application: str, arguments: str) -> None:
        """Run one of Asterisk's applications to its end, however long it takes."""
        await self._command("EXEC", application, arguments)

    async def dial(self, dial: Dial) -> Dialled:
        """See ``Line``. No option lets either end transfer; g: the caller stays with us when the other end hangs up."""
        if self._around_dial is not None:
            await self._around_dial(dial)
        own = ""
        if dial.caller_id:
            (own,) = await self.read_variables(("CALLERID(num)",))
            await self.set_variable("CALLERID(num)", dial.caller_id)
        heard = f"m({dial.music})" if dial.music else "r"
        await self.run_application("Dial", f"{dial.device},{dial.ring_s:g},gi{heard}L({round(dial.longest_s * 1000)})")
        status, cause = await self.read_variables(("DIALSTATUS", "HANGUPCAUSE"))
        if dial.caller_id:
            await self.set_variable("CALLERID(num)", own)
        end = _dial_end(status, cause)
        self.answered = self.answered or end is DialEnd.ANSWERED
        if self._around_dial is not None:
            await self._around_dial(None)
        return Dialled(end)

    def _heard(self, key: str) -> None:
        if self._on_key is not None:
            self._on_key(key)

    def forget_keys(self) -> None:
        """Drop the keys pressed so far: they were not meant for what follows."""
        self._keys.clear()

    def stop(self) -> None:
        """Let a playing in progress end with the file that is being played (which whoever calls this stops by AMI)."""
        self._stopped = True

    async def _stream(self, file: str, interrupt_digits: str) -> str:
        """Play one file to its end, or to a key that stops it; returns that key."""
        offset = 0
        while True:
            reply = await self._command("STREAM FILE", file, KEYS, str(offset))
            key = reply.digit
            if not key or key not in KEYS:
                return ""
            self._keys.append(key)
            self._heard(key)
            if key in interrupt_digits:
                return key
            if self._stopped or reply.endpos is None:
                return ""
            offset = reply.endpos

    async def _exec(self, application: str, arguments: str) -> AgiReply:
        return await self._command("EXEC", application, arguments, timeout_s=COMMAND_TIMEOUT_S)

    async def _command(self, *words: str, timeout_s: float | None = None, even_if_dead: bool = False) -> AgiReply:
        async with hung_up():
            reply = await self._agi.command(*words, timeout_s=timeout_s, even_if_dead=even_if_dead)
        if reply.result == _FAILED:
            raise LineHungUp(f"{words[0]} ended by the caller's hang-up")
        return reply


def _look(path: Path) -> tuple[SoundFile | None, bool]:
    """A recording, and whether nothing is to be heard in it; None when there is none that can be read."""
    try:
        found = look(path)
        return found, found is not None and is_silent(path)
    except OSError:
        return None, False


def _dial_end(status: str, cause: str) -> DialEnd:
    if status == ANSWERED:
        return DialEnd.ANSWERED
    match leg_failure(status, hangup_cause(cause)):
        case LegFailure.REJECTED:
            return DialEnd.BUSY
        case LegFailure.MISSED:
            return DialEnd.NO_ANSWER
        case _:
            return DialEnd.FAILED


async def _ended(task: asyncio.Future[Any]) -> None:
    """Cancel work that is not done, and wait for its end: it leaves nothing behind."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # has been raised, or nobody is left to hear of it
