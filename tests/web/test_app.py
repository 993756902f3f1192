"""The web port over real HTTP, with a backend that records what it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from prometheus_client import CollectorRegistry, Counter

from acd.web.app import make_app
from acd.web.backend import AgentAction, ConfigurationRefused, Json, Readiness

TOKEN = "a-token-of-the-test"
AUTHORISED = {"Authorization": f"Bearer {TOKEN}"}


class FakeBackend:
    def __init__(self) -> None:
        self.reasons: tuple[str, ...] = ()
        self.acted: list[tuple[str, AgentAction, str]] = []

    def readiness(self) -> Readiness:
        return Readiness(self.reasons)

    def status(self) -> Mapping[str, Json]:
        if self.reasons == ("broken",):
            raise LookupError("secret inside")
        return {"calls": [], "agents": [{"id": "anna"}]}

    def explain_call(self, call_id: str) -> Mapping[str, Json] | None:
        return {"call": "c1", "story": []} if call_id == "c1" else None

    def explain_agent(self, agent_id: str) -> Mapping[str, Json] | None:
        return {"agent": "anna", "answer": "ready"} if agent_id == "anna" else None

    def act_on_agent(self, agent_id: str, action: AgentAction, reason: str) -> str | None:
        self.acted.append((agent_id, action, reason))
        return action.value if agent_id == "anna" else None

    async def reload(self, *, dry_run: bool) -> Mapping[str, Json]:
        if self.reasons:
            raise ConfigurationRefused("routing.yaml:3:5: wrong", [("routing.yaml", 3, 5, "wrong")])
        return {"taken": not dry_run, "changes": ["queue cards: gone"]}

    async def undo_reload(self) -> Mapping[str, Json]:
        raise ConfigurationRefused("no change to take back")


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


Client = TestClient[Request, Application]


@pytest.fixture
async def client(backend: FakeBackend) -> AsyncIterator[Client]:
    registry = CollectorRegistry()
    Counter("acd_calls", "Calls.", registry=registry).inc(3)
    async with TestClient(TestServer(make_app(backend, registry, TOKEN))) as client:
        yield client


async def test_livez_answers_whatever_the_engine_does(client: Client, backend: FakeBackend) -> None:
    backend.reasons = ("no Asterisk",)
    response = await client.get("/livez")
    assert (response.status, await response.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
async def test_readyz_gives_the_reasons(client: Client, backend: FakeBackend, path: str) -> None:
    response = await client.get(path)
    assert (response.status, await response.json()) == (200, {"status": "ready", "reasons": []})
    backend.reasons = ("AMI: wrong password",)
    response = await client.get(path)
    assert (response.status, (await response.json())["reasons"]) == (503, ["AMI: wrong password"])


async def test_metrics_are_prometheus_text(client: Client) -> None:
    response = await client.get("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert "acd_calls_total 3.0" in await response.text()


async def test_status_needs_the_token(client: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": ""}):
        response = await client.get("/api/status", headers=headers)
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert response.content_type == "application/problem+json"
        assert TOKEN not in await response.text()
    response = await client.get("/api/status", headers=AUTHORISED)
    assert (response.status, await response.json()) == (200, {"calls": [], "agents": [{"id": "anna"}]})


async def test_explanations(client: Client) -> None:
    response = await client.get("/api/calls/c1/explanation", headers=AUTHORISED)
    assert (response.status, await response.json()) == (200, {"call": "c1", "story": []})
    response = await client.get("/api/agents/anna/explanation", headers=AUTHORISED)
    assert (response.status, await response.json()) == (200, {"agent": "anna", "answer": "ready"})
    for path in ("/api/calls/c1/explanation", "/api/agents/anna/explanation"):
        assert (await client.get(path)).status == 401


async def test_actions_on_an_agent(client: Client, backend: FakeBackend) -> None:
    response = await client.post("/api/agents/anna/not-ready", headers=AUTHORISED, json={"reason": "lunch"})
    assert (response.status, await response.json()) == (200, {"agent": "anna", "state": "not-ready"})
    response = await client.post("/api/agents/anna/ready", headers=AUTHORISED)
    assert response.status == 200
    assert backend.acted == [("anna", AgentAction.NOT_READY, "lunch"), ("anna", AgentAction.READY, "")]


async def test_actions_without_token_do_nothing(client: Client, backend: FakeBackend) -> None:
    response = await client.post("/api/agents/anna/ready")
    assert response.status == 401
    assert backend.acted == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/api/agents/nobody/ready", b"", 404),
        ("POST", "/api/agents/anna/explode", b"", 404),
        ("POST", "/api/agents/anna/ready", b"{", 400),
        ("POST", "/api/agents/anna/ready", b"[]", 400),
        ("POST", "/api/agents/anna/not-ready", b'{"reason": 5}', 400),
        ("POST", "/api/agents/anna/not-ready", b'{"reason": "a\\nb"}', 400),
        ("POST", "/api/agents/anna/not-ready", b'{"reason": "' + b"x" * 65 + b'"}', 400),
        ("POST", "/api/agents/anna/not-ready", b"x" * 20_000, 413),
        ("GET", "/api/agents/anna/ready", b"", 405),
        ("GET", "/nothing-here", b"", 404),
        ("GET", "/api/calls/c9/explanation", b"", 404),
        ("GET", "/api/agents/nobody/explanation", b"", 404),
    ],
)
async def test_errors_are_problem_details(client: Client, method: str, path: str, body: bytes, status: int) -> None:
    response = await client.request(method, path, data=body, headers=AUTHORISED)
    assert response.status == status
    assert response.content_type == "application/problem+json"
    problem = await response.json(content_type="application/problem+json")
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]


async def test_an_unexpected_error_tells_nothing_of_the_inside(client: Client, backend: FakeBackend) -> None:
    backend.reasons = ("broken",)
    response = await client.get("/api/status", headers=AUTHORISED)
    assert response.status == 500
    assert "secret" not in await response.text()
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["/livez", "/metrics", "/nothing-here", "/api/status"])
async def test_security_headers_are_on_every_answer(client: Client, path: str) -> None:
    response = await client.get(path)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["Cache-Control"] == "no-store"
    assert "Server" not in response.headers or "aiohttp" not in response.headers["Server"]


def test_an_empty_token_is_refused(backend: FakeBackend) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        make_app(backend, CollectorRegistry(), "")


@pytest.mark.parametrize(
    ("query", "taken"), [("", True), ("?dry_run", False), ("?dry_run=1", False), ("?dry_run=no", True)]
)
async def test_reload(client: Client, query: str, taken: bool) -> None:
    assert (await client.post(f"/api/configuration/reload{query}")).status == 401
    answer = await client.post(f"/api/configuration/reload{query}", headers=AUTHORISED)
    assert answer.status == 200
    assert await answer.json() == {"taken": taken, "changes": ["queue cards: gone"]}


async def test_a_refused_reload_tells_every_fault(client: Client, backend: FakeBackend) -> None:
    backend.reasons = ("faulty",)
    answer = await client.post("/api/configuration/reload", headers=AUTHORISED)
    assert (answer.status, answer.content_type) == (422, "application/problem+json")
    body = await answer.json()
    assert body["errors"] == [{"file": "routing.yaml", "line": 3, "column": 5, "message": "wrong"}]
    assert body["detail"] == "routing.yaml:3:5: wrong"


async def test_nothing_to_undo(client: Client) -> None:
    assert (await client.post("/api/configuration/undo")).status == 401
    answer = await client.post("/api/configuration/undo", headers=AUTHORISED)
    assert answer.status == 409
    assert (await answer.json())["detail"] == "no change to take back"
