"""A site's own recordings: which Asterisk plays as they are, and which are to be converted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from acd.service.prompts.audio import AudioError, read_format
from acd.service.prompts.tools import ToolError

NATIVE_ENDINGS = frozenset(
    {".alaw", ".al", ".g722", ".g729", ".gsm", ".ogg", ".pcm", ".sln", ".sln16", ".ul", ".ulaw", ".wav16"}
)
"""Files of these endings are left to Asterisk (`core show file formats`)."""

GSM_IN_WAV = 49


@dataclass(frozen=True, slots=True)
class RecordedSound:
    """A recording that was looked at.

    `digest` names its content; `modified_ns` and `size_bytes` tell whether it is still the same.
    """

    path: Path
    plays_as_it_is: bool
    digest: str
    modified_ns: int
    size_bytes: int


def inspect(folder: Path, file: str, known: RecordedSound | None = None) -> RecordedSound:
    """Look at the recording `file` in `folder`; `known` is what was found last time. Reads the file: not for the
    event loop.

    Raises:
        ToolError: it is not there, cannot be read or used, or lies outside the folder.
    """
    path = folder / file
    if Path(file).is_absolute() or ".." in Path(file).parts:
        raise ToolError(f"the recording {file!r} must lie in {folder}")
    try:
        status = path.stat()
        if known and (known.modified_ns, known.size_bytes) == (status.st_mtime_ns, status.st_size):
            return known
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise ToolError(f"the recording {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return RecordedSound(
        path=path,
        plays_as_it_is=_plays_as_it_is(path, data),
        digest=hashlib.sha256(data).hexdigest(),
        modified_ns=status.st_mtime_ns,
        size_bytes=status.st_size,
    )


def _plays_as_it_is(path: Path, data: bytes) -> bool:
    if path.suffix in NATIVE_ENDINGS:
        return True
    if path.suffix.lower() != ".wav":
        raise ToolError(f"the recording {path} has an ending that Asterisk does not play; make it a .wav")
    try:
        wav = read_format(data)
    except AudioError as error:
        raise ToolError(f"the recording {path} cannot be used: {error}") from error
    # To Asterisk .wav is 8 kHz PCM and .WAV is GSM; people name files either way.
    return wav.plays_in_asterisk if path.suffix == ".wav" else wav.encoding == GSM_IN_WAV
