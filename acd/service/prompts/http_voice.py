"""A voice that is a service of another machine, asked over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from yarl import URL

from acd.service.lookups.client import HttpClient, HttpFailed, HttpRequest
from acd.service.prompts.synthesis import voice_for
from acd.service.prompts.templates import filled
from acd.service.prompts.tools import ToolError

__all__ = ["BodyField", "HttpVoice"]


@dataclass(frozen=True, slots=True)
class BodyField:
    """A value of a body, with places. `kind`: text, number or flag."""

    template: str
    kind: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpVoice:
    """A service that answers a request with a WAV file (implements `Synthesiser`).

    Args:
        name: what it is called.
        client: makes the requests; it must be open.
        url: where to ask; `query` is added to it.
        headers: may hold secrets, so they are part of no message.
        body: by name, a dot leading into an object; without one the text alone is sent.
        secrets: by name, for `{secret.NAME}`.
        voices: the service's voice by language.
        timeout_s: for everything together.
        answer_bytes: a larger answer is not read.
    """

    name: str
    client: HttpClient
    url: str
    method: str = "POST"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, BodyField] = field(default_factory=dict)
    as_form: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    voices: Mapping[str, str]
    timeout_s: float = 5.0
    answer_bytes: int = 10_000_000

    def identity(self, language: str) -> str | None:
        """See `Synthesiser`. A secret that changes does not change the voice."""
        voice = voice_for(self.voices, language)
        if voice is None:
            return None
        body = sorted((name, part.kind, part.template) for name, part in self.body.items())
        return repr(("http", self.url, self.method, sorted(self.query.items()), body, self.as_form, language, voice))

    async def synthesise(self, text: str, language: str) -> bytes:
        """See `Synthesiser`."""
        values = {"text": text, "language": language, "voice": voice_for(self.voices, language) or ""}
        request = self._request(values | {f"secret.{name}": secret for name, secret in self.secrets.items()})
        try:
            async with asyncio.timeout(self.timeout_s):
                answer = await self.client.fetch(request)
        except HttpFailed as error:
            raise ToolError(f"{self.name}: {error}") from error
        except TimeoutError:
            raise ToolError(f"{self.name} took longer than {self.timeout_s:g} s") from None
        if not 200 <= answer.status < 300:
            raise ToolError(f"{self.name} answered with status {answer.status}")
        if not answer.body:
            raise ToolError(f"{self.name} answered without a sound")
        return answer.body

    def _request(self, values: Mapping[str, str]) -> HttpRequest:
        headers = {"Accept": "audio/wav"} | {name: _line(filled(value, values)) for name, value in self.headers.items()}
        url = URL(self.url).update_query({name: filled(value, values) for name, value in self.query.items()})
        body: bytes | None = None
        if self.method != "GET":
            body, kind = self._body(values)
            headers = {"Content-Type": kind} | headers
        return HttpRequest(method=self.method, url=url, headers=headers, body=body, most_bytes=self.answer_bytes)

    def _body(self, values: Mapping[str, str]) -> tuple[bytes, str]:
        if not self.body:
            return values["text"].encode(), "text/plain; charset=utf-8"
        texts = {name: filled(part.template, values) for name, part in self.body.items()}
        if self.as_form:
            return urlencode(texts).encode(), "application/x-www-form-urlencoded"
        whole: dict[str, Any] = {}
        for name, text in texts.items():
            *above, last = name.split(".")
            place = whole
            for key in above:
                place = place.setdefault(key, {})
            place[last] = self._typed(self.body[name].kind, text)
        return json.dumps(whole, ensure_ascii=False).encode(), "application/json"

    def _typed(self, kind: str, text: str) -> str | float | bool:
        if kind == "flag":
            return text.lower() in ("true", "yes", "1")
        if kind == "text":
            return text
        try:
            return int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError:
            raise ToolError(f"{self.name}: {kind} expected in its body") from None


def _line(text: str) -> str:
    """A header's value: one line, whatever was filled in."""
    return "".join(char if char.isprintable() else " " for char in text)
