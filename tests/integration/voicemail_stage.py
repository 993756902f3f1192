"""One engine with voicemail boxes, callers who talk, and what lies in the boxes."""

from __future__ import annotations

import asyncio
import json
import urllib.request
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from acd.lab.callers import Call, CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import Ring
from acd.lab.rtp import MULAW_TONE, RtpEndpoint
from acd.service.voicemail.pins import hash_pin
from tests.integration.stage import TOKEN, Stage, eventually, open_stage
from tests.service.messages.servers import MailBox, mail_server
from tests.service.sites import write_site

PIN = "471147"
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


@asynccontextmanager
async def voicemail_stage(lab: Lab, cache: Path, folder: Path) -> AsyncIterator[tuple[Stage, MailBox]]:
    """The engine, ready, and the mail server that it sends to."""
    box = MailBox()
    async with mail_server(box) as port:
        write_site(
            folder,
            agents={"anna": ["cards"], "bob": ["desk"]},
            start="not-ready",
            queues=QUEUES,
            trees=TREES,
            routing={"numbers": NUMBERS},
            acd={"mail": {"host": "127.0.0.1", "port": str(port), "tls": "none", "sender": "acd@example.com"}},
        )
        (folder / "voicemail.yaml").write_text(yaml.safe_dump(BOXES))
        async with open_stage(lab, folder, cache, behaviour=Ring()) as stage:
            await stage.engine.start()
            await stage.engine.ready()
            yield stage, box


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


async def recording(s: Stage, count: int = 1) -> None:
    """Wait until so many are being recorded, for a second at least."""
    folder = s.engine.site / "recordings"

    async def grows() -> bool:
        return sum(path.stat().st_size > 20_000 for path in folder.glob("draft-*.wav")) >= count

    await eventually(grows, "a recording under way")


async def records(s: Stage) -> bool:
    """Whether anything is being recorded."""
    return any((s.engine.site / "recordings").glob("draft-*.wav"))


async def no_draft(s: Stage) -> bool:
    """Whether nothing is."""
    return not await records(s)


async def count_logged(s: Stage, words: str, number: int) -> bool:
    """Whether this has been logged so often."""
    return len(s.engine.logged(words)) >= number


async def heard_tone(call: Call) -> bool:
    """Whether what the caller talked with has come back."""
    return await tone_in(call.rtp)


async def tone_in(rtp: RtpEndpoint | None) -> bool:
    """Whether what callers talk with is heard there."""
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
