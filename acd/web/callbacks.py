"""Callbacks on the web port: who is to be called back, and taking a promise back.

==============================  ===================================================================================
``GET /api/callbacks``          every open callback, who has waited longest first: whom, by which queue, what it is
                                doing, whose phone rings, and the call's data for the agent's screen
``GET /api/callbacks/ID``       one of them
``DELETE /api/callbacks/ID``    takes it back, wherever it stands; 409 once the customer is on the line
==============================  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from acd.web.answers import json_answer
from acd.web.backend import Json
from acd.web.problems import problem

__all__ = ["Desk", "add_routes"]


class Desk(Protocol):
    """The callbacks, as this area needs them."""

    def shown(self) -> Iterable[Mapping[str, Json]]:
        """Tell of every open callback, who has waited longest first; each has an ``id``."""
        ...

    async def take_back(self, call_id: str) -> str:
        """Take one back for good, over a restart, too. Raises ValueError when it is too late.

        Returns what it was doing; empty when there is none.
        """
        ...


def add_routes(app: web.Application, desk: Desk) -> None:
    """Add this area's routes."""
    app.router.add_get("/api/callbacks", partial(_list, desk))
    app.router.add_get("/api/callbacks/{call_id}", partial(_show, desk))
    app.router.add_delete("/api/callbacks/{call_id}", partial(_cancel, desk))


async def _list(desk: Desk, _request: web.Request) -> web.Response:
    return json_answer({"callbacks": list(desk.shown())})


async def _show(desk: Desk, request: web.Request) -> web.Response:
    call_id = request.match_info["call_id"]
    for shown in desk.shown():
        if shown["id"] == call_id:
            return json_answer(shown)
    raise _unknown()


async def _cancel(desk: Desk, request: web.Request) -> web.Response:
    call_id = request.match_info["call_id"]
    try:
        stage = await desk.take_back(call_id)
    except ValueError as error:
        return problem(HTTPStatus.CONFLICT, f"The callback is not cancelled: {error}.")
    if not stage:
        raise _unknown()
    return json_answer({"id": call_id, "was": stage})


def _unknown() -> web.HTTPNotFound:
    return web.HTTPNotFound(text="No open callback has this id; GET /api/callbacks lists them.")
