"""What the interface answers about a call."""

from __future__ import annotations

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from acd.service.call_screen import CallScreen
from acd.web import calls
from acd.web.problems import problems_middleware
from acd.web.security import token_middleware
from ivr.context import CallContext

CONTEXT = CallContext(
    call_id="c1",
    caller="030 3333333",
    caller_name="Li",
    dialled="100",
    language="zh",
    data={"topic": "cards"},
    customer={"name": "Mr Brown", "matter": "loan"},
    facts={"caller_number": "+49303333333"},
    secrets={"pin": "4711"},
)


async def test_a_live_call_and_one_that_is_not_there() -> None:
    app = web.Application(middlewares=[problems_middleware, token_middleware("t")])
    calls.add_routes(app, CallScreen({"c1": CONTEXT}.get))
    token = {"Authorization": "Bearer t"}
    async with TestClient(TestServer(app)) as client:
        found = await client.get("/api/calls/c1", headers=token)
        missing = await client.get("/api/calls/c2", headers=token)
        refused = await client.get("/api/calls/c1")

        assert await found.json() == {
            "call": "c1",
            "caller": "030 3333333",
            "caller_number": "+49303333333",
            "caller_name": "Li",
            "dialled": "100",
            "language": "zh",
            "customer": {"name": "Mr Brown", "matter": "loan"},
            "data": {"topic": "cards"},
        }
        assert (missing.status, refused.status) == (404, 401)
