"""Checks of Asterisk itself: version, clock, modules, dialplan."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Final

from acd.doctor.findings import Findings, fault, ok, unchecked, warning
from acd.doctor.site import Site

__all__ = ["check_clock", "check_dialplan", "check_modules", "check_version"]

OLDEST_MAJOR: Final = 18
# The first release of each branch whose event filters take `name(...)` (UPGRADE notes of Asterisk).
EVENT_FILTER_SINCE: Final = {18: (18, 25), 20: (20, 10), 21: (21, 5)}

CHANNEL_MODULES: Final = {
    "PJSIP": ("res_pjsip", "chan_pjsip", "res_pjsip_session", "res_rtp_asterisk"),
    "SIP": ("chan_sip",),
    "IAX2": ("chan_iax2",),
    "DAHDI": ("chan_dahdi",),
    "Local": (),
}
NEEDED_MODULES: Final = {
    "res_agi": "calls reach the engine by it",
    "app_dial": "agents are rung by it",
    "pbx_config": "it reads extensions.conf",
    "app_stack": "Gosub in the dialplan",
    "app_playback": "closing message",
    "res_musiconhold": "waiting callers would hear silence",
    "func_channel": "CHANNEL() in the dialplan",
    "func_logic": "IF() and ExecIf() in the dialplan",
    "func_strings": "FILTER() in the dialplan",
    "bridge_simple": "two parties can't be connected",
    "format_wav": "prompts could not be played",
}
USEFUL_MODULES: Final = {
    "app_queue": "without it callers get the closing message while no engine runs",
    "app_voicemail": "without it there is no voicemail as fall-back",
    "bridge_native_rtp": "without it media takes the long way",
    "codec_resample": "without it sounds of other rates can't be played",
}
USEFUL_MODULES_OF_CHANNELS: Final = {"PJSIP": {"res_pjsip_registrar": "without it phones can't register"}}

CONTEXTS: Final = {
    "acd-inbound": ("s", "trunks and inbound routes"),
    "acd-agents": ("*22", "agents' phones and feature codes"),
    "acd-transfer": ("100", "transfers by agents"),
    "acd-place": ("s", "places in the queue that outlive the engine"),
}
_DEFAULT_ENGINE: Final = "agi://127.0.0.1:4573"
_ENGINE_URL = re.compile(r"h?agi://(\[[0-9A-Fa-f:.]+\]|[^:/]+)(?::(\d+))?")
_DEFAULT_AGI_PORT: Final = 4573
_SKEW_S: Final = 1.0


def check_version(site: Site) -> Findings:
    """Is Asterisk new enough?"""
    text = site.ami.action("CoreSettings").get("AsteriskVersion", "")
    numbers = parse_version(text)
    if numbers is None:
        yield unchecked("version", f"Asterisk's version {text!r} is not a release's", f"use {OLDEST_MAJOR} or newer")
    elif numbers[0] < OLDEST_MAJOR:
        yield fault("version", f"Asterisk {text} is too old", f"use Asterisk {OLDEST_MAJOR} or newer, best an LTS: 22")
    elif numbers < EVENT_FILTER_SINCE.get(numbers[0], numbers):
        newer = ".".join(map(str, EVENT_FILTER_SINCE[numbers[0]]))
        yield warning(
            "version",
            f"Asterisk {text} does not know event filters by name and sends every event of the user's classes",
            f"update to {newer} or newer when there are many calls",
        )
    else:
        yield ok("version", f"Asterisk {text}")


def parse_version(text: str) -> tuple[int, ...] | None:
    """The numbers of a release: ``(22, 10, 1)`` of ``22.10.1+dfsg``, ``(18, 9)`` of ``certified/18.9-cert5``."""
    found = re.match(r"(?:certified[/-])?(\d+(?:\.\d+)*)", text.strip())
    return tuple(int(number) for number in found.group(1).split(".")) if found else None


def check_clock(site: Site) -> Findings:
    """Do Asterisk's clock and ours agree? Log lines and recordings of one call are found by their times."""
    before = time.time()
    stamp = site.ami.action("Ping").get("Timestamp", "")
    after = time.time()
    try:
        skew_s = float(stamp) - (before + after) / 2
    except ValueError:
        yield unchecked("clock", "Asterisk did not tell its time", "compare `date -u` on both machines")
        return
    if abs(skew_s) > _SKEW_S + (after - before):
        ahead = "ahead of" if skew_s > 0 else "behind"
        yield warning(
            "clock", f"Asterisk's clock is {abs(skew_s):.1f} s {ahead} ours", "set both by NTP (chrony, timesyncd)"
        )
    else:
        yield ok("clock", f"Asterisk's clock and ours agree (to {max(abs(skew_s), after - before) * 1000:.0f} ms)")


def check_modules(site: Site) -> Findings:
    """Are the modules loaded that calls, the dialplan and its fall-back need?"""
    if not site.ami.is_module_loaded("func_module"):
        yield unchecked(
            "modules",
            "func_module is not loaded, so modules can't be asked for",
            "load it, or look by hand: asterisk -rx 'module show like res_agi'",
        )
        return
    technologies = {agent.phone.partition("/")[0] for agent in site.config.agents.values()}
    needed, useful = dict(NEEDED_MODULES), dict(USEFUL_MODULES)
    for technology in sorted(technologies):
        needed.update(dict.fromkeys(CHANNEL_MODULES.get(technology, ()), f"agents' phones are {technology}"))
        useful.update(USEFUL_MODULES_OF_CHANNELS.get(technology, {}))
    missing = _not_loaded(site, needed)
    for module in missing:
        yield fault("modules", f"{module} is not loaded: {needed[module]}", _load(module))
    lacking = _not_loaded(site, useful)
    for module in lacking:
        yield warning("modules", f"{module} is not loaded: {useful[module]}", _load(module))
    if not missing and not lacking:
        yield ok("modules", f"all {len(needed) + len(useful)} modules are loaded")


def _not_loaded(site: Site, modules: Iterable[str]) -> list[str]:
    return [module for module in modules if not site.ami.is_module_loaded(module)]


def _load(module: str) -> str:
    return f"see modules.conf (autoload, noload); asterisk -rx 'module load {module}' tells why it does not load"


def check_dialplan(site: Site) -> Findings:
    """Does the dialplan lead callers and agents to this engine?"""
    remedy = (
        "put '#include extensions_acd.conf', with this version's file, into extensions.conf"
        " (see asterisk-conf/README.md), then: dialplan reload"
    )
    missing = [
        f"[{context}] ({meaning})"
        for context, (extension, meaning) in CONTEXTS.items()
        if site.ami.value(f"DIALPLAN_EXISTS({context},{extension},1)") != "1"
    ]
    if missing:
        yield fault("dialplan", f"the dialplan has no {', no '.join(missing)}", remedy)
    yield from _check_engine_url(site)
    if site.ami.value("ACD_FALLBACK") != "closed" and site.ami.value("QUEUE_EXISTS(acd-fallback)") == "0":
        yield warning(
            "dialplan",
            "there is no queue acd-fallback: without an engine callers get voicemail or the closing message at once",
            "put '#include queues_acd.conf' into queues.conf, or set the global ACD_FALLBACK=closed",
        )
    if not missing:
        yield ok("dialplan", f"{', '.join(f'[{context}]' for context in CONTEXTS)} are there")


def _check_engine_url(site: Site) -> Findings:
    url = site.ami.value("ACD_ENGINE")
    found = _ENGINE_URL.match(url or _DEFAULT_ENGINE)
    own = site.config.acd.asterisk.fastagi.port
    if found is None:
        yield fault(
            "dialplan", f"the global ACD_ENGINE is {url!r}, no address", f"ACD_ENGINE = agi://HOST:{own} in [globals]"
        )
        return
    port = int(found.group(2) or _DEFAULT_AGI_PORT)
    if port != own:
        yield fault(
            "dialplan",
            f"the dialplan sends callers to port {port} ({url or _DEFAULT_ENGINE}), the engine listens on {own}",
            f"set the global ACD_ENGINE = agi://{found.group(1)}:{own} in extensions.conf, or asterisk.fastagi.port",
        )
    else:
        yield ok("dialplan", f"callers are sent to {url or _DEFAULT_ENGINE}")
