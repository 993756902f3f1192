"""What the interface answers about surveys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from acd.web import surveys
from acd.web.backend import Json
from acd.web.problems import problems_middleware
from acd.web.security import token_middleware
from acd.web.surveys import SurveyQuery

TOKEN = {"Authorization": "Bearer t"}


class Surveys:
    def __init__(self) -> None:
        self.queries: list[SurveyQuery] = []

    async def surveys(self, query: SurveyQuery) -> Sequence[Json]:
        self.queries.append(query)
        return [{"call": "c1"}]

    async def surveys_csv(self, query: SurveyQuery) -> str:
        self.queries.append(query)
        return "at,call\r\n"


@pytest.fixture
def backend() -> Surveys:
    return Surveys()


@pytest.fixture
async def client(backend: Surveys) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    app = web.Application(middlewares=[problems_middleware, token_middleware("t")])
    surveys.add_routes(app, backend)
    async with TestClient(TestServer(app)) as found:
        yield found


async def test_the_token_is_needed(client: TestClient[web.Request, web.Application], backend: Surveys) -> None:
    assert (await client.get("/api/surveys")).status == 401
    assert backend.queries == []


async def test_all_of_them(client: TestClient[web.Request, web.Application], backend: Surveys) -> None:
    answer = await client.get("/api/surveys", headers=TOKEN)
    assert await answer.json() == {"surveys": [{"call": "c1"}]}
    assert backend.queries == [SurveyQuery()]


async def test_what_is_asked_for(client: TestClient[web.Request, web.Application], backend: Surveys) -> None:
    address = (
        "/api/surveys?queue=cards&agent=anna&survey=main.ask&call=c1&from=2026-11-21&to=2026-11-22T09:00:00%2B08:00"
        "&limit=7&format=csv"
    )
    answer = await client.get(address, headers=TOKEN)
    assert answer.content_type == "text/csv"
    assert await answer.text() == "at,call\r\n"
    assert backend.queries == [
        SurveyQuery(
            queue="cards",
            agent="anna",
            survey="main.ask",
            call="c1",
            since=datetime(2026, 11, 21, tzinfo=UTC),
            before=datetime(2026, 11, 22, 1, tzinfo=UTC),
            limit=7,
        )
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        "from=yesterday",
        "from=0001-01-01T00:00:00%2B14:00",
        "to=9999-12-31T23:59:59-14:00",
        "limit=0",
        "limit=10001",
        "limit=x",
        "limit=²",
        "format=xml",
        "agents=anna",
        f"queue={'q' * 101}",
    ],
)
async def test_what_cannot_be_asked(
    client: TestClient[web.Request, web.Application], backend: Surveys, wrong: str
) -> None:
    answer = await client.get(f"/api/surveys?{wrong}", headers=TOKEN)
    assert answer.status == 400
    assert answer.content_type == "application/problem+json"
    assert wrong.partition("=")[0] in (await answer.json())["detail"]
    assert backend.queries == []
