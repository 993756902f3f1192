"""Reading bodies and writing answers, alike for every area of the interface."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web

from acd.web.backend import Json

__all__ = ["json_answer", "json_body"]


def json_answer(value: Json, status: int = HTTPStatus.OK) -> web.Response:
    """Answer with JSON."""
    return web.Response(status=status, body=orjson.dumps(value), content_type="application/json")


async def json_body(request: web.Request, example: str) -> Mapping[str, Any]:
    """Read a body that must be a JSON object; ``example`` shows one in the error.

    Raises:
        web.HTTPBadRequest: it is none.
    """
    try:
        found = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise web.HTTPBadRequest(text=f"The body must be a JSON object, such as {example}")
    return found
