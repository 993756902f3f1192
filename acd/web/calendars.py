"""Calendars on the web port: what they say, and opening or closing them by hand.

====================================  ==========================================================================
``GET /api/calendars``                every calendar: open or closed, until when, why, and by whose hand
``GET /api/calendars/NAME``           one of them, now or (``?at=2026-12-24T10:00``) at another moment
``PUT /api/calendars/NAME/override``  opens or closes it until a moment: ``{"state": "closed", "until":
                                      "2026-11-23T18:00", "reason": "staff meeting", "by": "dora"}``
``DELETE …/NAME/override``            ends that early; ``?by=dora`` says who
====================================  ==========================================================================

Times without an offset are by the calendar's own clock. An override ends by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from acd.core.calendars import Override
from acd.web.answers import json_answer, json_body
from acd.web.backend import Json
from acd.web.problems import problem

__all__ = ["Desk", "NotKept", "add_routes"]

_EXAMPLE = '{"state": "closed", "until": "2026-11-23T18:00", "reason": "staff meeting"}'
_KEYS = ("state", "until", "reason", "by")
_STATES = {"open": True, "closed": False}
_MOST_DAYS = 366
_MAX_REASON_CHARS = 100
_MAX_NAME_CHARS = 64
_NOBODY = "api"


class NotKept(Exception):
    """What was asked for cannot be kept over a restart, so it was not done."""


class Desk(Protocol):
    """The calendars, as this area needs them. Methods raise KeyError for a calendar that does not exist."""

    def names(self) -> Sequence[str]:
        """Return the names of all calendars."""
        ...

    def zone(self, calendar: str) -> ZoneInfo:
        """Return a calendar's time zone."""
        ...

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        ...

    def told(self, calendar: str, at: datetime | None = None) -> Mapping[str, Json]:
        """Tell what a calendar says now, or at another moment."""
        ...

    async def set_override(self, calendar: str, override: Override, by: str, remote: str) -> Mapping[str, Json]:
        """Open or close a calendar by hand; returns what it says now. Raises NotKept."""
        ...

    async def withdraw_override(self, calendar: str, by: str, remote: str) -> bool:
        """End a calendar's override; False when there is none. Raises NotKept."""
        ...


def add_routes(app: web.Application, desk: Desk) -> None:
    """Add this area's routes."""
    app.router.add_get("/api/calendars", partial(_list, desk))
    app.router.add_get("/api/calendars/{calendar}", partial(_show, desk))
    app.router.add_put("/api/calendars/{calendar}/override", partial(_set, desk))
    app.router.add_delete("/api/calendars/{calendar}/override", partial(_withdraw, desk))


async def _list(desk: Desk, _request: web.Request) -> web.Response:
    return json_answer({"calendars": [desk.told(name) for name in desk.names()]})


async def _show(desk: Desk, request: web.Request) -> web.Response:
    calendar = _calendar(desk, request)
    text = request.query.get("at")
    if text is None:
        return json_answer(desk.told(calendar))
    try:
        at = _moment(text, desk.zone(calendar))
    except ValueError:
        return _wrong({"at": _TIME_FORM})
    return json_answer(desk.told(calendar, at))


async def _set(desk: Desk, request: web.Request) -> web.Response:
    calendar = _calendar(desk, request)
    body = await json_body(request, _EXAMPLE)
    faults = {key: f"unknown; known: {', '.join(_KEYS)}" for key in body if key not in _KEYS}
    is_open = _STATES.get(body.get("state", "")) if isinstance(body.get("state"), str) else None
    if is_open is None:
        faults["state"] = "give open or closed"
    until = _until(desk, calendar, body, faults)
    reason = _line(body, "reason", _MAX_REASON_CHARS, faults)
    by = _line(body, "by", _MAX_NAME_CHARS, faults, default=_NOBODY)
    if faults or is_open is None or until is None:
        return _wrong(faults)
    try:
        told = await desk.set_override(calendar, Override(is_open, until, reason), by, request.remote or "")
    except NotKept as error:
        return _not_kept(error)
    return json_answer(told)


async def _withdraw(desk: Desk, request: web.Request) -> web.Response:
    calendar = _calendar(desk, request)
    faults: dict[str, str] = {}
    by = _line(request.query, "by", _MAX_NAME_CHARS, faults, default=_NOBODY)
    if faults:
        return _wrong(faults)
    try:
        if not await desk.withdraw_override(calendar, by, request.remote or ""):
            raise web.HTTPNotFound(text=f"Calendar '{calendar}' is neither opened nor closed by hand.")
    except NotKept as error:
        return _not_kept(error)
    return json_answer(desk.told(calendar))


def _calendar(desk: Desk, request: web.Request) -> str:
    calendar = request.match_info["calendar"]
    if calendar not in desk.names():
        known = ", ".join(desk.names()) or "none is defined; calendars.yaml holds them"
        raise web.HTTPNotFound(text=f"No calendar has this name; known: {known}.")
    return calendar


_TIME_FORM = "give a time such as 2026-11-23T18:00 (by the calendar's clock) or 2026-11-23T17:00Z"


def _until(desk: Desk, calendar: str, body: Mapping[str, Any], faults: dict[str, str]) -> datetime | None:
    text = body.get("until")
    if not isinstance(text, str):
        faults["until"] = f"an override needs its end; {_TIME_FORM}"
        return None
    try:
        until = _moment(text, desk.zone(calendar))
    except ValueError:
        faults["until"] = _TIME_FORM
        return None
    left = until - desk.now()
    if left <= timedelta(0):
        faults["until"] = "this is over; give a time to come"
    elif left > timedelta(days=_MOST_DAYS):
        faults["until"] = f"this is more than {_MOST_DAYS} days ahead; change calendars.yaml for what lasts"
    return until


def _moment(text: str, zone: ZoneInfo) -> datetime:
    """Read a time; one without an offset is by the zone's clock. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def _line(
    body: Mapping[str, Any], key: str, most_chars: int, faults: dict[str, str], default: str | None = None
) -> str:
    """Read one line of text, which is needed unless there is a default."""
    text = body.get(key, default)
    if not isinstance(text, str) or not text.strip() or len(text) > most_chars or not text.isprintable():
        faults[key] = f"give one line of 1 to {most_chars} characters"
        return ""
    return text.strip()


def _wrong(faults: Mapping[str, str]) -> web.Response:
    errors = [{"field": field, "message": message} for field, message in faults.items()]
    detail = "; ".join(f"{field}: {message}" for field, message in faults.items())
    return problem(422, f"Nothing was changed. {detail}", errors=errors)


def _not_kept(error: NotKept) -> web.Response:
    return problem(503, f"Nothing was changed: {error} cannot be written; the log says why.")
