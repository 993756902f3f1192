from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from aiohttp import web

from acd.service.lookups.client import HttpClient, HttpRules
from acd.service.prompts import PromptLimits, PromptStore
from acd.service.prompts.audio import write_wav
from acd.service.prompts.command import CommandVoice
from acd.service.prompts.http_voice import BodyField, HttpVoice
from acd.service.prompts.templates import filled
from acd.service.prompts.tools import ToolError
from ivr.speech import Text
from tests.service.prompts.sounds import tone
from tests.service.prompts.stores import Clock, FakeVoice

WAV = write_wav(tone(440, 8000, 0.2))


def command(tmp_path: Path, script: str, *arguments: str, timeout_s: float = 30.0) -> CommandVoice:
    (tmp_path / "said.wav").write_bytes(WAV)
    (tmp_path / "speak.py").write_text(script)
    argv = (sys.executable, str(tmp_path / "speak.py"), *arguments)
    return CommandVoice("studio", argv, {"en": "nova", "zh": "xiao"}, timeout_s)


async def test_a_command_gets_the_text_in_a_file_and_leaves_the_sound_in_another(tmp_path: Path) -> None:
    voice = command(
        tmp_path,
        "import sys, pathlib\n"
        "text, out, language, voice = sys.argv[1:]\n"
        "seen = pathlib.Path(text).read_text() + language + ' ' + voice\n"
        f"pathlib.Path({str(tmp_path / 'seen')!r}).write_text(seen)\n"
        f"pathlib.Path(out).write_bytes(pathlib.Path({str(tmp_path / 'said.wav')!r}).read_bytes())\n",
        *("{text_file}", "{out}", "{language}", "--voice={voice}"),
    )

    assert await voice.synthesise("Hello; $(id) {voice}.", "zh-CN") == WAV

    assert (tmp_path / "seen").read_text() == "Hello; $(id) {voice}.\nzh-CN --voice=xiao"


async def test_a_command_may_use_standard_input_and_output(tmp_path: Path) -> None:
    voice = command(
        tmp_path,
        "import sys\nassert sys.stdin.read() == 'Hello.'\n"
        f"sys.stdout.buffer.write(open({str(tmp_path / 'said.wav')!r}, 'rb').read())\n",
    )

    assert await voice.synthesise("Hello.", "en") == WAV


@pytest.mark.parametrize(
    ("script", "arguments", "why"),
    [
        ("import sys; sys.exit('no licence')", (), "studio failed with exit code 1: no licence"),
        ("pass", (), "studio made no sound"),
        ("pass", ("{out}",), "studio left no sound in"),
        ("import time; time.sleep(60)", (), "studio took longer than 0.5 s"),
    ],
)
async def test_a_command_that_fails_is_told(tmp_path: Path, script: str, arguments: tuple[str, ...], why: str) -> None:
    voice = command(tmp_path, script, *arguments, timeout_s=0.5 if "sleep" in script else 30)

    with pytest.raises(ToolError, match=why):
        await voice.synthesise("Hello.", "en")


class Service:
    """A speech service on this machine."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], str, dict[str, str]]] = []
        self.status = 200
        self.body = WAV
        self.release = asyncio.Event()
        self.release.set()
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        text = await request.text()
        self.requests.append((request.method, dict(request.query), text, dict(request.headers)))
        await self.release.wait()
        return web.Response(status=self.status, body=self.body)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/speak", service.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.port = runner.addresses[0][1]
    yield service
    service.release.set()
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    client = HttpClient(HttpRules(allowed=(ip_network("127.0.0.0/8"),)))
    await client.open()
    yield client
    await client.close()


def http(service: Service, client: HttpClient, **more: object) -> HttpVoice:
    settings: dict[str, object] = {
        "name": "cloud",
        "client": client,
        "url": f"http://127.0.0.1:{service.port}/speak",
        "headers": {"Authorization": "Bearer {secret.key}"},
        "secrets": {"key": "s3cret"},
        "voices": {"en": "nova"},
    }
    return HttpVoice(**(settings | more))  # type: ignore[arg-type]


async def test_a_service_gets_what_was_written_for_it(service: Service, client: HttpClient) -> None:
    body = {
        "input.text": BodyField("{text}"),
        "voice": BodyField("{voice}/{language}"),
        "speed": BodyField("0.9", "number"),
        "stream": BodyField("no", "flag"),
    }
    voice = http(service, client, body=body, query={"format": "wav"})

    assert await voice.synthesise('He said "{voice}".', "en") == WAV

    method, query, text, headers = service.requests[0]
    assert (method, query) == ("POST", {"format": "wav"})
    assert text == ('{"input": {"text": "He said \\"{voice}\\"."}, "voice": "nova/en", "speed": 0.9, "stream": false}')
    assert headers["Authorization"] == "Bearer s3cret"
    assert headers["Content-Type"] == "application/json"


async def test_a_service_may_be_asked_by_get_or_form_or_with_the_text_alone(
    service: Service, client: HttpClient
) -> None:
    await http(service, client, method="GET", query={"q": "{text}"}).synthesise("你好", "en")
    await http(service, client, body={"text": BodyField("{text}")}, as_form=True).synthesise("a b", "en")
    await http(service, client).synthesise("你好", "en")

    assert [(method, query, text) for method, query, text, _ in service.requests] == [
        ("GET", {"q": "你好"}, ""),
        ("POST", {}, "text=a+b"),
        ("POST", {}, "你好"),
    ]


async def test_what_goes_wrong_is_told_without_the_secret(service: Service, client: HttpClient) -> None:
    service.status = 503
    with pytest.raises(ToolError, match="cloud answered with status 503"):
        await http(service, client).synthesise("Hello.", "en")
    service.status, service.body = 200, b""
    with pytest.raises(ToolError, match="cloud answered without a sound"):
        await http(service, client).synthesise("Hello.", "en")
    service.body = bytes(5000)
    with pytest.raises(ToolError, match="larger than 1000 bytes"):
        await http(service, client, answer_bytes=1000).synthesise("Hello.", "en")
    service.release.clear()
    with pytest.raises(ToolError, match=r"cloud took longer than 0\.2 s"):
        await http(service, client, timeout_s=0.2).synthesise("Hello.", "en")
    assert "s3cret" not in repr(http(service, client))


async def test_private_addresses_are_refused_unless_allowed(service: Service) -> None:
    strict = HttpClient(HttpRules())
    await strict.open()
    try:
        with pytest.raises(ToolError, match=r"127\.0\.0\.1 is this machine itself"):
            await http(service, strict).synthesise("Hello.", "en")
    finally:
        await strict.close()
    assert service.requests == []


def test_a_change_of_voice_or_text_of_the_request_makes_sounds_anew_and_a_new_secret_does_not(
    service: Service, client: HttpClient
) -> None:
    base = http(service, client).identity("en")

    assert http(service, client, secrets={"key": "other"}).identity("en") == base
    assert http(service, client, voices={"en": "echo"}).identity("en") != base
    assert http(service, client, query={"speed": "2"}).identity("en") != base
    assert http(service, client).identity("fr") is None


def test_places_are_filled_once() -> None:
    assert filled("{text} {voice} {other} {{", {"text": "{voice}", "voice": "nova"}) == "{voice} nova {other} {{"


async def test_the_fallback_speaks_at_once_while_the_best_voice_rests_and_the_best_is_heard_when_it_is_back(
    tmp_path: Path,
) -> None:
    clock = Clock()
    best, plain = FakeVoice("best", ("en",)), FakeVoice("plain", ("en",))
    best.failing["best-en"] = "no answer"
    limits = PromptLimits(patience_s=90, failures_in_a_row=2, retry_after_s=30)
    store = PromptStore(tmp_path, recorded_dir=tmp_path, synthesisers=[best, plain], limits=limits, clock=clock)
    try:
        for text in ("one", "two", "three", "four"):
            assert len(await store.resolve(Text(text), "en")) == 1
        assert len(best.spoken) == 2, "it is spared after two failures"
        assert len(plain.spoken) == 4

        best.failing.clear()
        clock.now_s += 31
        by_plain = await store.resolve(Text("one"), "en")
        await asyncio.gather(*store._maker._making.values())
        by_best = await store.resolve(Text("one"), "en")

        assert by_plain != by_best, "heard at once by the fall-back, next time by the best voice"
        assert len(best.spoken) == 3
        assert len(plain.spoken) == 4
    finally:
        await store.close()
