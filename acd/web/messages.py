"""Mails and webhooks on the web port: what waits, what was given up and why, sending it again, dropping it.

=================================  ===================================================================================
path                               answers
=================================  ===================================================================================
``GET /api/messages``              ``waiting``: for each destination how many wait, since when, and the last failure;
                                   ``dead``: every message that was given up, with the reason, the last first
``POST /api/messages/ID/retry``    sends one that was given up after all; 409 when it cannot wait again
``DELETE /api/messages/ID``        drops one that was given up, for good
=================================  ===================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from acd.web.answers import json_answer
from acd.web.backend import Json
from acd.web.problems import problem

__all__ = ["MessagesBackend", "NotSent", "add_routes"]

_UNKNOWN = "No message that was given up has this id; GET /api/messages lists them under 'dead'."


class NotSent(Exception):
    """A message cannot be sent again, and why; it stays where it is."""


class MessagesBackend(Protocol):
    """The messages that leave the house, as this area needs them. Messages are given as they go out."""

    def waiting(self) -> Sequence[Mapping[str, Json]]:
        """What waits, by destination."""
        ...

    async def dead(self) -> Sequence[Mapping[str, Json]]:
        """What was given up, the last first; each has an ``id``."""
        ...

    async def send_again(self, message_id: str) -> bool:
        """Send one that was given up; False: there is none. Raises NotSent, OSError."""
        ...

    async def drop(self, message_id: str) -> bool:
        """Remove one that was given up; False: there is none. Raises OSError."""
        ...


def add_routes(app: web.Application, backend: MessagesBackend) -> None:
    """Add this area's routes."""
    app.router.add_get("/api/messages", partial(_list, backend))
    app.router.add_post("/api/messages/{id}/retry", partial(_retry, backend))
    app.router.add_delete("/api/messages/{id}", partial(_drop, backend))


async def _list(backend: MessagesBackend, _request: web.Request) -> web.Response:
    return json_answer({"waiting": backend.waiting(), "dead": await backend.dead()})


async def _retry(backend: MessagesBackend, request: web.Request) -> web.Response:
    message_id = request.match_info["id"]
    try:
        found = await backend.send_again(message_id)
    except NotSent as error:
        return problem(HTTPStatus.CONFLICT, f"The message is not sent again: {error}.")
    except OSError as error:
        raise _not_written(error) from error
    return _done(message_id, "waiting", found=found)


async def _drop(backend: MessagesBackend, request: web.Request) -> web.Response:
    message_id = request.match_info["id"]
    try:
        found = await backend.drop(message_id)
    except OSError as error:
        raise _not_written(error) from error
    return _done(message_id, "dropped", found=found)


def _done(message_id: str, state: str, *, found: bool) -> web.Response:
    if not found:
        raise web.HTTPNotFound(text=_UNKNOWN)
    return json_answer({"id": message_id, "state": state})


def _not_written(error: OSError) -> web.HTTPException:
    return web.HTTPInsufficientStorage(text=f"The disk takes no change: {error.strerror}. Nothing has changed.")
