"""What a site's configuration says of its prompts: who speaks, where sounds are kept, what there is to say."""

from __future__ import annotations

import os
import shlex
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import structlog
from pydantic import SecretStr

from acd.service.compile import Compiled
from acd.service.lookups.client import HttpClient, HttpRules
from acd.service.prompts.command import CommandVoice
from acd.service.prompts.http_voice import BodyField, HttpVoice
from acd.service.prompts.making import PromptLimits
from acd.service.prompts.store import PromptStore
from acd.service.prompts.synthesis import EspeakVoice, Synthesiser, find_espeak_ng
from acd.service.prompts.tools import ToolError
from acd.service.voicemail.boxes import ITEM_PROMPTS
from acd.service.waiting_messages import numbers_said
from config.schema import Acd
from config.schema import prompts as written
from config.schema.lookups import BodyValue
from ivr.speech import Digits, Prompt, Speech

__all__ = ["Voices", "open_voices", "prompt_store", "speech_of_site"]

log = structlog.get_logger(__name__)

MEGABYTE = 1_000_000
ESPEAK_VARIABLE = "ACD_ESPEAK_NG"


@dataclass(frozen=True, slots=True)
class Voices:
    """Who speaks texts, the best first."""

    speakers: tuple[Synthesiser, ...]
    clients: tuple[HttpClient, ...] = ()

    async def close(self) -> None:
        """Close the connections to other machines."""
        for client in self.clients:
            await client.close()


async def open_voices(acd: Acd, secrets: Mapping[str, SecretStr]) -> Voices:
    """Find and open the voices of a configuration. One that cannot be had is logged, and the others speak.

    espeak-ng is started as the environment's ACD_ESPEAK_NG says, which is a command line.
    """
    speakers: list[Synthesiser] = []
    clients: list[HttpClient] = []
    for voice in acd.prompts.voices or (written.EspeakNgVoice(type="espeak-ng"),):
        try:
            match voice:
                case written.EspeakNgVoice():
                    speakers.append(await _espeak(voice))
                case written.CommandVoice():
                    speakers.append(CommandVoice(voice.name, voice.command, _plain(voice.languages), voice.timeout_s))
                case written.HttpVoice():
                    client = HttpClient(
                        HttpRules(
                            allowed=tuple(ip_network(network, strict=False) for network in voice.allow_private),
                            ca_file=acd.http.ca_file,
                        )
                    )
                    await client.open()
                    clients.append(client)
                    speakers.append(_http(voice, client, secrets))
        except (ToolError, OSError, ssl.SSLError) as error:
            log.error("a voice cannot be used", voice=voice.type, why=str(error))  # noqa: TRY400
    return Voices(tuple(speakers), tuple(clients))


def prompt_store(acd: Acd, folder: Path, voices: Voices) -> PromptStore:
    """The store of a configuration's prompts, with its bounds. `folder`: that of the configuration."""
    settings = acd.prompts
    return PromptStore(
        Path(acd.cache_dir) / "prompts",
        recorded_dir=folder / "prompts",
        synthesisers=voices.speakers,
        rates_hz=(8000, 16000) if settings.wideband else (8000,),
        limits=PromptLimits(
            bytes_max=round(settings.cache_mb * MEGABYTE),
            joined_bytes_max=round(settings.joined_mb * MEGABYTE),
            retry_after_s=settings.retry_after_s,
        ),
    )


def speech_of_site(site: Compiled) -> tuple[Speech, ...]:
    """Everything that can be said and is known beforehand, beside the prompts."""
    items = tuple(map(Prompt, ITEM_PROMPTS)) if any(box.items for box in site.boxes.by_name.values()) else ()
    return (*site.forest.speech(), *numbers_said(site.routing.queues.values()), Digits("0123456789"), *items)


async def _espeak(voice: written.EspeakNgVoice) -> Synthesiser:
    found = await find_espeak_ng(shlex.split(os.environ.get(ESPEAK_VARIABLE, "espeak-ng")))
    own: dict[str, EspeakVoice] = {
        language: EspeakVoice(speaker.voice, speaker.words_per_minute, speaker.pitch)
        for language, speaker in voice.languages.items()
    }
    return replace(found, voices=own or found.voices, timeout_s=voice.timeout_s)


def _http(voice: written.HttpVoice, client: HttpClient, secrets: Mapping[str, SecretStr]) -> HttpVoice:
    return HttpVoice(
        name=voice.name,
        client=client,
        url=voice.url,
        method=voice.method,
        query=dict(voice.query),
        headers=dict(voice.headers),
        body=_body(voice.body),
        as_form=voice.body_type == "form",
        secrets={name: secret.get_secret_value() for name, secret in secrets.items()},
        voices=_plain(voice.languages),
        timeout_s=voice.timeout_s,
        answer_bytes=round(voice.answer_mb * MEGABYTE),
    )


def _body(body: Mapping[str, BodyValue]) -> dict[str, BodyField]:
    fields: dict[str, BodyField] = {}
    for name, value in body.items():
        for kind, template in (("text", value.text), ("number", value.number), ("flag", value.flag)):
            if template is not None:
                fields[name] = BodyField(template, kind)
    return fields


def _plain(languages: Mapping[Any, str]) -> dict[str, str]:
    return {str(language): voice for language, voice in languages.items()}
