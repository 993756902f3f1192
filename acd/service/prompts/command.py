"""A voice that is a program of the site's own choice."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acd.service.prompts.synthesis import voice_for
from acd.service.prompts.templates import filled
from acd.service.prompts.tools import ToolError, run_tool

__all__ = ["CommandVoice"]

SOUND_BYTES_MAX = 200_000_000


@dataclass(frozen=True, slots=True)
class CommandVoice:
    """A program that turns a text into a WAV file (implements `Synthesiser`).

    Args:
        name: what it is called.
        argv: program and arguments, without a shell. `{text_file}`, `{out}`, `{language}` and `{voice}` are filled in,
            each inside its argument; without `{text_file}` the text goes to standard input, without `{out}` the sound
            is read from standard output.
        voices: the program's voice by language.
        timeout_s: a text that takes longer counts as failed, and the program is ended.
    """

    name: str
    argv: Sequence[str]
    voices: Mapping[str, str]
    timeout_s: float

    def identity(self, language: str) -> str | None:
        """See `Synthesiser`."""
        voice = voice_for(self.voices, language)
        return None if voice is None else repr(("command", tuple(self.argv), language, voice))

    async def synthesise(self, text: str, language: str) -> bytes:
        """See `Synthesiser`. The files that the program works on are gone afterwards."""
        folder = await asyncio.to_thread(_folder, text)
        try:
            out = Path(folder.name) / "out.wav"
            values = {
                "text_file": str(Path(folder.name) / "text"),
                "out": str(out),
                "language": language,
                "voice": voice_for(self.voices, language) or "",
            }
            given = b"" if any("{text_file}" in word for word in self.argv) else text.encode()
            argv = [filled(word, values) for word in self.argv]
            said = await run_tool(argv, given, timeout_s=self.timeout_s, name=self.name)
            if any("{out}" in word for word in self.argv):
                said = await asyncio.to_thread(self._read, out)
        finally:
            await asyncio.to_thread(folder.cleanup)
        if not said:
            raise ToolError(f"{self.name} made no sound")
        return said

    def _read(self, out: Path) -> bytes:
        try:
            with out.open("rb") as file:
                sound = file.read(SOUND_BYTES_MAX + 1)
        except OSError as error:
            raise ToolError(f"{self.name} left no sound in {{out}}: {error.strerror}") from error
        if len(sound) > SOUND_BYTES_MAX:
            raise ToolError(f"{self.name} wrote more than {SOUND_BYTES_MAX} bytes")
        return sound


def _folder(text: str) -> tempfile.TemporaryDirectory[str]:
    """A folder of ours alone, with the text in it."""
    folder = tempfile.TemporaryDirectory(prefix="acd-voice-", ignore_cleanup_errors=True)
    (Path(folder.name) / "text").write_text(text + "\n", encoding="utf-8")
    return folder
