"""What callers answered in surveys: ``GET /api/surveys``, as JSON or CSV.

Parameters, all optional: ``queue``, ``agent``, ``survey`` (a node such as ``main.ask``), ``call``; ``from`` and ``to``
(ISO 8601; a time without a zone is UTC), ``limit`` (1 to 10,000; 1,000 if left out) and ``format`` (``json``, ``csv``).
The newest come first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, Protocol

from aiohttp import web

from acd.web.answers import json_answer
from acd.web.backend import Json

__all__ = ["SurveyBackend", "SurveyQuery", "add_routes"]

_PARAMETERS: Final = ("queue", "agent", "survey", "call", "from", "to", "limit", "format")
_USUAL_LIMIT: Final = 1000
_MOST: Final = 10_000
_LONGEST_CHARS: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyQuery:
    """What is asked for; empty texts and None ask for all."""

    queue: str = ""
    agent: str = ""
    survey: str = ""
    call: str = ""
    since: datetime | None = None
    before: datetime | None = None
    limit: int = _USUAL_LIMIT


class SurveyBackend(Protocol):
    """Where the surveys are."""

    async def surveys(self, query: SurveyQuery) -> Sequence[Json]:
        """Return what was asked for, the newest first."""
        ...

    async def surveys_csv(self, query: SurveyQuery) -> str:
        """Return it as CSV, with a line of headings."""
        ...


def add_routes(app: web.Application, backend: SurveyBackend) -> None:
    """Add the routes of this area."""

    async def surveys(request: web.Request) -> web.Response:
        query = _query(request)
        match request.query.get("format", "json"):
            case "json":
                return json_answer({"surveys": list(await backend.surveys(query))})
            case "csv":
                return web.Response(
                    status=HTTPStatus.OK,
                    text=await backend.surveys_csv(query),
                    content_type="text/csv",
                    charset="utf-8",
                    headers={"Content-Disposition": 'attachment; filename="surveys.csv"'},
                )
            case _:
                raise web.HTTPBadRequest(text="'format' is json or csv.")

    app.router.add_get("/api/surveys", surveys)


def _query(request: web.Request) -> SurveyQuery:
    given = request.query
    unknown = sorted(set(given) - set(_PARAMETERS))
    if unknown:
        raise web.HTTPBadRequest(text=f"Unknown parameter '{unknown[0][:40]}'; there are: {', '.join(_PARAMETERS)}.")
    for name in ("queue", "agent", "survey", "call"):
        if len(given.get(name, "")) > _LONGEST_CHARS:
            raise web.HTTPBadRequest(text=f"'{name}' has at most {_LONGEST_CHARS} characters.")
    return SurveyQuery(
        queue=given.get("queue", ""),
        agent=given.get("agent", ""),
        survey=given.get("survey", ""),
        call=given.get("call", ""),
        since=_time(given, "from"),
        before=_time(given, "to"),
        limit=_limit(given.get("limit", str(_USUAL_LIMIT))),
    )


def _time(given: Mapping[str, str], name: str) -> datetime | None:
    text = given.get(name)
    if text is None:
        return None
    try:
        # A plus sign that was not encoded arrives as a space.
        at = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter in the first and the last year that there is
        raise web.HTTPBadRequest(text=f"'{name}' is no time; write it as 2026-11-21 or 2026-11-21T09:00:00Z.") from None


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or not 1 <= int(text) <= _MOST:
        raise web.HTTPBadRequest(text=f"'limit' is a whole number from 1 to {_MOST}.")
    return int(text)
