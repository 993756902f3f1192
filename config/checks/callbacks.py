"""Callbacks: names and countries that exist, and numbers that could be dialled if a caller asked for it."""

from __future__ import annotations

from collections.abc import Iterator

import phonenumbers

from config.checks.calendars import check_zone
from config.checks.draft import Draft, refer
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema import Routing
from config.schema.callbacks import CallbackSettings
from config.schema.ivr.leaving import Callback
from config.schema.queues import QueueSettings
from config.suggest import suggestion

__all__ = ["check_callbacks"]

_SITE: KeyPath = ("callbacks",)


def check_callbacks(draft: Draft, findings: Findings) -> None:
    """Check the site's callbacks, those of each queue, and the places where one is offered."""
    routing = draft.routing.model
    if routing is None:
        return
    _check_hours(draft, findings, _SITE, routing.callbacks)
    for path, settings in _settings(routing):
        if settings.callback is not None:
            _check_hours(draft, findings, (*path, "callback"), settings.callback)
    _check_site(draft, findings, routing)
    offers = tuple(_offers(draft, routing))
    for position in offers:
        _check_offer(draft, findings, routing, position)
    if offers and routing.callbacks.home_country is None and not findings.errors:
        findings.warning(
            offers[0],
            "callers are offered a callback, but callbacks has no 'home_country': numbers in national form are not"
            " checked; give one, such as home_country: DE",
        )
    if offers and not findings.errors:
        _check_reach(draft, findings, routing)


def _settings(routing: Routing) -> Iterator[tuple[KeyPath, QueueSettings]]:
    yield ("defaults",), routing.defaults
    for name, queue in routing.queues.items():
        yield ("queues", name), queue


def _check_hours(draft: Draft, findings: Findings, path: KeyPath, settings: CallbackSettings) -> None:
    if settings.hours is None or (*path, "hours") not in draft.routing.source.values:
        return
    position = draft.routing.source.value((*path, "hours"))
    if draft.calendars.model is not None and not draft.calendars.raw:
        findings.error(position, f"unknown calendar '{settings.hours}'; create calendars.yaml with it")
    else:
        refer(findings, position, "calendar", settings.hours, draft.calendar_names)


def _check_site(draft: Draft, findings: Findings, routing: Routing) -> None:
    source, site = draft.routing.source, routing.callbacks
    known = phonenumbers.SUPPORTED_REGIONS
    codes = [(("home_country",), site.home_country)] if site.home_country is not None else []
    written: list[tuple[KeyPath, str]] = [*codes, *((("countries", n), code) for n, code in enumerate(site.countries))]
    for key, code in written:
        if code not in known:
            findings.error(source.value((*_SITE, *key)), f"unknown country '{code}'; {suggestion(code, known)}")
    if ("callbacks", "zone") in source.values:
        check_zone(findings, source.value(("callbacks", "zone")), site.zone)


def _offers(draft: Draft, routing: Routing) -> Iterator[Position]:
    """Where callers may be offered a callback."""
    for path, settings in _settings(routing):
        for key in ("join", "overflow"):
            for place, rule in enumerate(getattr(settings, key)):
                if rule.then.callback is not None:
                    yield draft.routing.source.value((*path, key, place, "then", "callback"))
        for key, action in settings.keys.items():
            if action.callback is not None:
                yield draft.routing.source.value((*path, "keys", key, "callback"))
    for part in draft.trees.values():
        for name, node in part.model.nodes.items() if part.model else ():
            if isinstance(node, Callback):
                yield part.source.key(("nodes", name))


def _check_reach(draft: Draft, findings: Findings, routing: Routing) -> None:
    """Tell of countries whose numbers ``outbound`` lets none through: they are dialled in international form."""
    site, source = routing.callbacks, draft.routing.source
    if site.home_country is None:
        return
    for country in dict.fromkeys((site.home_country, *site.countries)):
        begins = f"+{phonenumbers.country_code_for_region(country)}"
        if not any(begins.startswith(allowed) or allowed.startswith(begins) for allowed in routing.outbound.allowed):
            findings.warning(
                source.value(("outbound", "allowed")),
                f"no number of {country} can be called back: such numbers are dialled as {begins}…, which is not"
                f' allowed; add how they begin, such as "{begins}"',
            )


def _check_offer(draft: Draft, findings: Findings, routing: Routing, position: Position) -> None:
    """Nobody can be called back where nothing may be dialled; rules and keys are checked with their actions."""
    if position.file == draft.routing.source.file or any(path[0] == "outbound" for path in draft.routing.refused):
        return
    if not routing.outbound.allowed or routing.outbound.trunk is None:
        findings.error(
            position,
            "nobody may be called back: 'outbound' in routing.yaml allows nothing; give allowed: [\"+49\"] and"
            " trunk: PJSIP/{number}@trunk",
        )
