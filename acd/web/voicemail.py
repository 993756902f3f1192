"""Voicemail over the web port: what lies in the boxes, its sound, and what becomes of it.

=============================================  ====================================================
path                                           answers
=============================================  ====================================================
``GET /api/voicemail/boxes``                   the boxes, with how many messages are in which state
``GET /api/voicemail/messages``                messages; ``?box=``, ``?state=``, ``?agent=`` choose
``GET /api/voicemail/messages/ID``             one message
``GET /api/voicemail/messages/ID/sound``       its sound (WAV; ranges are served)
``POST /api/voicemail/messages/ID/assign``     ``{"agent": "anna"}`` takes care of it
``POST /api/voicemail/messages/ID/close``      it has been taken care of
``POST /api/voicemail/messages/ID/mark``       ``{"state": "new"}`` or ``saved``
``DELETE /api/voicemail/messages/ID``          deletes it for good
``GET /api/recordings/ID``                     what a node of type record has recorded
``GET /api/recordings/ID/sound``               its sound
=============================================  ====================================================
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

import orjson
from aiohttp import web

from acd.web.answers import json_answer
from acd.web.backend import Json

__all__ = ["MARKS", "VoicemailBackend", "add_routes"]

MARKS = ("new", "saved")
"""States that a message can be marked with; the others have ways of their own."""
_STATES = ("new", "saved", "assigned", "closed")
_NO_MESSAGE = "No voicemail message has this id; GET /api/voicemail/messages lists them."
_NO_RECORDING = "No recording has this id, or it has been kept long enough."


class VoicemailBackend(Protocol):
    """What is needed of the running process. Messages are given as they go out."""

    def boxes(self) -> Sequence[Mapping[str, Json]]:
        """All boxes."""
        ...

    def messages(self, box: str, state: str, agent: str) -> Sequence[Mapping[str, Json]]:
        """Messages, the oldest first; an empty text chooses nothing out."""
        ...

    def message(self, message_id: str) -> Mapping[str, Json] | None:
        """One message."""
        ...

    def sound(self, message_id: str) -> Path | None:
        """The file of its sound."""
        ...

    async def assign(self, message_id: str, agent: str) -> Mapping[str, Json] | None:
        """Have an agent take care of it. Raises LookupError when there is no such agent."""
        ...

    async def close(self, message_id: str) -> Mapping[str, Json] | None:
        """It has been taken care of."""
        ...

    async def mark(self, message_id: str, state: str) -> Mapping[str, Json] | None:
        """Make it new again, or not."""
        ...

    async def delete(self, message_id: str) -> bool:
        """Delete it."""
        ...

    async def recording(self, recording_id: str) -> Mapping[str, Json] | None:
        """What is known of a recording."""
        ...

    async def recording_sound(self, recording_id: str) -> Path | None:
        """The file of a recording's sound."""
        ...


_BACKEND: web.AppKey[VoicemailBackend] = web.AppKey("voicemail")


def add_routes(app: web.Application, backend: VoicemailBackend) -> None:
    """Add the routes."""
    app[_BACKEND] = backend
    router = app.router
    router.add_get("/api/voicemail/boxes", _boxes)
    router.add_get("/api/voicemail/messages", _messages)
    router.add_get("/api/voicemail/messages/{id}", _message)
    router.add_get("/api/voicemail/messages/{id}/sound", _sound)
    router.add_post("/api/voicemail/messages/{id}/assign", _assign)
    router.add_post("/api/voicemail/messages/{id}/close", _close)
    router.add_post("/api/voicemail/messages/{id}/mark", _mark)
    router.add_delete("/api/voicemail/messages/{id}", _delete)
    router.add_get("/api/recordings/{id}", _recording)
    router.add_get("/api/recordings/{id}/sound", _recording_sound)


async def _boxes(request: web.Request) -> web.Response:
    return json_answer({"boxes": request.app[_BACKEND].boxes()})


async def _messages(request: web.Request) -> web.Response:
    box, state, agent = (request.query.get(key, "") for key in ("box", "state", "agent"))
    if state and state not in _STATES:
        raise web.HTTPBadRequest(text=f"'state' is one of {', '.join(_STATES)}.")
    return json_answer({"messages": request.app[_BACKEND].messages(box, state, agent)})


async def _message(request: web.Request) -> web.Response:
    return _found(request.app[_BACKEND].message(request.match_info["id"]))


async def _sound(request: web.Request) -> web.StreamResponse:
    return _file(request.app[_BACKEND].sound(request.match_info["id"]), _NO_MESSAGE)


async def _assign(request: web.Request) -> web.Response:
    agent = await _text(request, "agent")
    return await _changed(request, lambda backend, message_id: backend.assign(message_id, agent))


async def _close(request: web.Request) -> web.Response:
    return await _changed(request, lambda backend, message_id: backend.close(message_id))


async def _mark(request: web.Request) -> web.Response:
    state = await _text(request, "state")
    if state not in MARKS:
        raise web.HTTPBadRequest(text=f"'state' is one of {', '.join(MARKS)}; to assign and to close have their own.")
    return await _changed(request, lambda backend, message_id: backend.mark(message_id, state))


async def _delete(request: web.Request) -> web.Response:
    try:
        gone = await request.app[_BACKEND].delete(request.match_info["id"])
    except OSError as error:
        raise _not_written(error) from error
    if not gone:
        raise web.HTTPNotFound(text=_NO_MESSAGE)
    return web.Response(status=HTTPStatus.NO_CONTENT)


async def _recording(request: web.Request) -> web.Response:
    told = await request.app[_BACKEND].recording(request.match_info["id"])
    if told is None:
        raise web.HTTPNotFound(text=_NO_RECORDING)
    return json_answer(told)


async def _recording_sound(request: web.Request) -> web.StreamResponse:
    return _file(await request.app[_BACKEND].recording_sound(request.match_info["id"]), _NO_RECORDING)


async def _changed(
    request: web.Request, change: Callable[[VoicemailBackend, str], Awaitable[Mapping[str, Json] | None]]
) -> web.Response:
    try:
        return _found(await change(request.app[_BACKEND], request.match_info["id"]))
    except LookupError as error:
        raise web.HTTPUnprocessableEntity(text=str(error.args[0])) from error
    except OSError as error:
        raise _not_written(error) from error


def _not_written(error: OSError) -> web.HTTPException:
    return web.HTTPInsufficientStorage(text=f"The change cannot be kept: {error.strerror}. Nothing has changed.")


def _found(message: Mapping[str, Json] | None) -> web.Response:
    if message is None:
        raise web.HTTPNotFound(text=_NO_MESSAGE)
    return json_answer(message)


def _file(path: Path | None, missing: str) -> web.StreamResponse:
    if path is None:
        raise web.HTTPNotFound(text=missing)
    return web.FileResponse(path, headers={"Content-Type": "audio/wav"})


async def _text(request: web.Request, key: str) -> str:
    try:
        given = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        given = None
    value = given.get(key) if isinstance(given, dict) else None
    if not isinstance(value, str) or not value:
        raise web.HTTPBadRequest(text=f'Send JSON with a text under \'{key}\', such as {{"{key}": "…"}}.')
    return value
