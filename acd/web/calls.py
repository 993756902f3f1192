"""What is known of a call, for the screen of who takes it: ``GET /api/calls/ID``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from acd.web.answers import json_answer
from acd.web.backend import Json

__all__ = ["CallBackend", "add_routes"]


class CallBackend(Protocol):
    """Where the live calls are."""

    def call(self, call_id: str) -> Mapping[str, Json] | None:
        """Tell what is known of a live call; None when there is none of this id."""
        ...


def add_routes(app: web.Application, backend: CallBackend) -> None:
    """Add the routes of this area."""

    async def call(request: web.Request) -> web.Response:
        known = backend.call(request.match_info["call_id"])
        if known is None:
            raise web.HTTPNotFound(text="No live call has this id; GET /api/status lists them.")
        return json_answer(known)

    app.router.add_get("/api/calls/{call_id}", call)
