"""The web port: health for supervisors of processes, metrics for Prometheus, status and agents for programs.

====================================  ======  ======================================================
path                                  token   answers
====================================  ======  ======================================================
``GET /livez``                        no      200 as long as the process handles requests
``GET /readyz``, ``GET /healthz``     no      200 when callers are served, else 503 with the reasons
``GET /metrics``                      no      Prometheus text format
``GET /api/status``                   yes     callers, queues and agents as they stand
``GET /api/calls/ID``                 yes     who calls and the call's data, for the agent's screen
``GET /api/calls/ID/explanation``     yes     why the call went where it went
``GET /api/agents/ID/explanation``    yes     why the agent has no call now
``POST /api/agents/ID/ACTION``        yes     ``ready``, ``not-ready``, ``logout``, ``wrap-up-done``,
                                              ``wrap-up-extended``
``POST /api/configuration/reload``    yes     takes the changed folder; ``?dry_run`` only tells
``POST /api/configuration/undo``      yes     takes back the last change, once
====================================  ======  ======================================================

Bind it to loopback, or put a proxy with TLS in front: it speaks plain HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus

import orjson
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from acd.web.answers import json_answer
from acd.web.backend import AgentAction, Backend, ConfigurationRefused
from acd.web.problems import problem, problems_middleware
from acd.web.security import add_security_headers, token_middleware

__all__ = ["make_app"]

_BACKEND: web.AppKey[Backend] = web.AppKey("backend")
_REGISTRY: web.AppKey[CollectorRegistry] = web.AppKey("registry")

_MAX_BODY_BYTES = 16 * 1024
_MAX_REASON_CHARS = 64
_NO_AGENT = "No agent has this id; the ids are those of agents.yaml."


def make_app(
    backend: Backend, registry: CollectorRegistry, token: str, areas: Iterable[Callable[[web.Application], None]] = ()
) -> web.Application:
    """Build the application. ``token`` guards everything under ``/api/``; an empty one is refused.

    ``areas`` add the routes of further subjects, each a module of this package with ``add_routes(app, desk)``.
    """
    if not token:
        raise ValueError("the token for /api/ must not be empty")
    app = web.Application(middlewares=[problems_middleware, token_middleware(token)], client_max_size=_MAX_BODY_BYTES)
    app[_BACKEND] = backend
    app[_REGISTRY] = registry
    app.on_response_prepare.append(add_security_headers)
    app.router.add_get("/livez", _livez)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/healthz", _readyz)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/api/status", _status)
    app.router.add_get("/api/calls/{call_id}/explanation", _explain_call)
    app.router.add_get("/api/agents/{agent_id}/explanation", _explain_agent)
    app.router.add_post("/api/agents/{agent_id}/{action}", _act_on_agent)
    app.router.add_post("/api/configuration/reload", _reload)
    app.router.add_post("/api/configuration/undo", _undo)
    for add_routes in areas:
        add_routes(app)
    return app


async def _livez(_request: web.Request) -> web.Response:
    return json_answer({"status": "alive"})


async def _readyz(request: web.Request) -> web.Response:
    readiness = request.app[_BACKEND].readiness()
    if readiness.is_ready:
        return json_answer({"status": "ready", "reasons": []})
    return json_answer({"status": "not ready", "reasons": readiness.reasons}, HTTPStatus.SERVICE_UNAVAILABLE)


async def _metrics(request: web.Request) -> web.Response:
    body = generate_latest(request.app[_REGISTRY])
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _status(request: web.Request) -> web.Response:
    return json_answer(request.app[_BACKEND].status())


async def _explain_call(request: web.Request) -> web.Response:
    explanation = request.app[_BACKEND].explain_call(request.match_info["call_id"])
    if explanation is None:
        raise web.HTTPNotFound(
            text="No live or recent call has this id; GET /api/status lists the live ones, GET /api/callbacks the"
            " callbacks that wait for their time, and `acd explain` looks older ones up in the journal."
        )
    return json_answer(explanation)


async def _explain_agent(request: web.Request) -> web.Response:
    explanation = request.app[_BACKEND].explain_agent(request.match_info["agent_id"])
    if explanation is None:
        raise web.HTTPNotFound(text=_NO_AGENT)
    return json_answer(explanation)


async def _act_on_agent(request: web.Request) -> web.Response:
    try:
        action = AgentAction(request.match_info["action"])
    except ValueError:
        known = ", ".join(AgentAction)
        raise web.HTTPNotFound(text=f"No such action; there are: {known}.") from None
    reason = await _reason(request)
    agent_id = request.match_info["agent_id"]
    state = request.app[_BACKEND].act_on_agent(agent_id, action, reason)
    if state is None:
        raise web.HTTPNotFound(text=_NO_AGENT)
    return json_answer({"agent": agent_id, "state": state})


async def _reload(request: web.Request) -> web.Response:
    dry_run = request.query.get("dry_run", "no").lower() not in ("no", "false", "0")
    try:
        return json_answer(await request.app[_BACKEND].reload(dry_run=dry_run))
    except ConfigurationRefused as refused:
        return _refused(refused)


async def _undo(request: web.Request) -> web.Response:
    try:
        return json_answer(await request.app[_BACKEND].undo_reload())
    except ConfigurationRefused as refused:
        return _refused(refused, HTTPStatus.CONFLICT)


def _refused(refused: ConfigurationRefused, status: int = HTTPStatus.UNPROCESSABLE_ENTITY) -> web.Response:
    faults = [
        {"file": file, "line": line or None, "column": column if line else None, "message": message}
        for file, line, column, message in refused.faults
    ]
    return problem(status, str(refused), errors=faults)


async def _reason(request: web.Request) -> str:
    """Read ``{"reason": "lunch"}`` from the body; an empty body means no reason."""
    body = await request.read()
    if not body:
        return ""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(text='The body is not JSON; send {"reason": "lunch"} or nothing.') from None
    reason = given.get("reason", "") if isinstance(given, dict) else None
    if not isinstance(reason, str) or len(reason) > _MAX_REASON_CHARS or not (reason.isprintable() or not reason):
        raise web.HTTPBadRequest(text=f"'reason' must be a text of at most {_MAX_REASON_CHARS} printable characters.")
    return reason
