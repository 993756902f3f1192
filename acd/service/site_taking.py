"""Putting a site in force: its prompts made first, then everything that looks at the site, between two events."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from acd.core.engine import Engine
from acd.core.events import ConfigurationChanged, Event
from acd.service.asterisk_link import AsteriskLink
from acd.service.calendar_clock import CalendarClock
from acd.service.compile import Compiled
from acd.service.devices import DeviceWatch
from acd.service.live_site import LiveSite
from acd.service.prompts.site import speech_of_site
from acd.service.prompts.store import PromptStore
from acd.service.voicemail.service import VoicemailService
from ivr.speech import Prompt

__all__ = ["SiteTaking", "TakenBy"]

_PLAIN_PATH = re.compile(r"[\w./-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBy:
    """What a site is put in force in."""

    site: LiveSite
    engine: Engine
    post: Callable[[Event], None]
    prompts: PromptStore
    devices: DeviceWatch
    calendar: CalendarClock
    voicemail: VoicemailService
    link: AsteriskLink


class SiteTaking:
    """See the module. ``variables`` are those that every call's channels are given."""

    def __init__(self, by: TakenBy) -> None:
        self._by = by
        self.variables: tuple[tuple[str, str], ...] = ()
        self.prompts_ready = False
        """Whether the prompts that the process starts with have been made."""

    async def prepare_first(self) -> None:
        """Make the prompts of the site that the process starts with, so that callers wait for none of them."""
        await self.prepare(self._by.site.compiled)
        self.prompts_ready = True

    async def prepare(self, site: Compiled) -> None:
        """Make the prompts of a site."""
        prompts = self._by.prompts
        await prompts.warm_up(site.prompts, speech=speech_of_site(site), languages=sorted(site.languages))
        # Agents who confirm with a key are asked by the dialplan, which is told the sound by a variable.
        sound = await prompts.resolve_all((Prompt("confirm-call"),), self._by.site.agents_language)
        plain = [file for file in sound.files if _PLAIN_PATH.fullmatch(file)]
        confirming = any(agent.confirm for agent in site.routing.agents.values())
        self.variables = (("__ACD_CONFIRM", "&".join(plain)),) if plain and confirming else ()

    def take(self, site: Compiled) -> None:
        """Put a changed site in force: who waits is matched anew within."""
        by = self._by
        by.prompts.use(site.prompts)
        new_phones = by.site.take(site, by.engine.agents, by.engine.queues)
        by.devices.forget(new_phones)
        by.post(ConfigurationChanged(site.routing))
        by.calendar.take(site)
        by.voicemail.site_changed()
        if new_phones:
            by.link.refresh_devices()
