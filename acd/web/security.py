"""Headers that keep browsers from misusing the pages, and the token that guards the interface."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

__all__ = ["add_security_headers", "token_middleware"]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers to every answer (a signal handler of aiohttp's ``on_response_prepare``)."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.pop(hdrs.SERVER, None)


def token_middleware(token: str) -> Middleware:
    """Guard everything under ``/api/``, known or not, so that no area can forget to."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/api" or request.path.startswith("/api/"):
            _require_token(request, token)
        return await handler(request)

    return guard


def _require_token(request: web.Request, token: str) -> None:
    """Let only requests pass that carry ``Authorization: Bearer`` with the token.

    Raises:
        web.HTTPUnauthorized: there is none, or another one. The comparison takes the same time for every wrong one.
    """
    scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode()):
        return
    raise web.HTTPUnauthorized(
        text="Send the header 'Authorization: Bearer TOKEN'; the token is in the file api-token of the state folder.",
        headers={hdrs.WWW_AUTHENTICATE: "Bearer"},
    )
