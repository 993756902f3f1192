"""Errors as RFC 9457 problem details, for every answer that is not a success."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

import orjson
import structlog
from aiohttp import web

from acd.web.backend import Json

__all__ = ["PROBLEM_TYPE", "problem", "problems_middleware"]

PROBLEM_TYPE = "application/problem+json"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = structlog.get_logger(__name__)


def problem(status: int, detail: str, **more: Json) -> web.Response:
    """Build the answer for an error; ``detail`` is for people and tells what to do, ``more`` is for programs."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return web.Response(status=status, body=orjson.dumps(body), content_type=PROBLEM_TYPE)


@web.middleware
async def problems_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error of a handler into problem details; what is inside an unexpected one stays in the log."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = problem(error.status, error.text or error.reason)
        for name in ("Allow", "WWW-Authenticate"):
            if name in error.headers:
                answer.headers[name] = error.headers[name]
        return answer
    except Exception:
        log.exception("web request failed", method=request.method, path=request.path)
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The request failed inside; the log has the details.")
