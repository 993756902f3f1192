"""Menus that decide, over real calls: branch, hours, set, subtree, return, language, bounds; calendars by hand."""

from __future__ import annotations

import asyncio
import json
import struct
import urllib.request
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from acd.lab.callers import Call, CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import Ring
from tests.integration.feasts import holiday_now
from tests.integration.stage import TOKEN, Stage, eventually, open_stage
from tests.service.sites import write_site

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

QUEUES = (
    *("berlin", "munich", "named", "withheld", "dialled", "rest", "by-time", "busy", "elsewhere", "staffed", "nobody"),
    *("open", "closed", "by-hand", "plain", "chinese", "passed", "failed", "operator", "limit", "hours", "on-holiday"),
)
HOURS = ("state", "cause", "why", "until_time")
QUEUE_NODES = {name: {"type": "enqueue", "queue": name} for name in QUEUES}


def menu(prompt: str, choices: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {
        "type": "menu",
        "prompt": prompt,
        "timeout_s": "10",
        "invalid": {"retries": "0"},
        "no_input": {"retries": "0"},
        "choices": dict(choices),
        **more,
    }


def trees(now: datetime) -> dict[str, Any]:
    around = f"{now - timedelta(hours=2):%H:%M}-{now + timedelta(hours=2):%H:%M}"
    by_caller = [
        {"when": {"field": "call.dialled", "equals": "411"}, "next": "dialled"},
        {"when": {"withheld": "yes"}, "next": "withheld"},
        {"when": {"field": "call.caller_name", "pattern": "(dr|prof)\\. [A-Za-z]+"}, "next": "named"},
        {"when": {"field": "call.caller", "prefix": ["+4930", "+4931"]}, "next": "berlin"},
        {
            "when": {"all": [{"field": "call.caller", "one_of": ["+4989100"]}, {"not": {"withheld": "yes"}}]},
            "next": "munich",
        },
    ]
    return {
        "ends": {"start": "rest", "nodes": QUEUE_NODES},
        "caller": {
            "start": "who",
            "nodes": {"who": {"type": "branch", "cases": in_ends(by_caller), "default": "ends.rest"}},
        },
        "clock": {
            "start": "when",
            "nodes": {
                "when": branch({"time": {"zone": "UTC", "between": around}}, "ends.by-time", "ends.rest"),
            },
        },
        "load": {
            "start": "full",
            "nodes": {
                "full": branch({"queue": {"name": "busy", "calls_waiting": "1"}}, "ends.elsewhere", "ends.busy"),
            },
        },
        "staff": {
            "start": "anybody",
            "nodes": {
                "anybody": branch({"queue": {"name": "staffed", "nobody_ready": "yes"}}, "ends.nobody", "ends.staffed"),
            },
        },
        "office": {
            "start": "ask",
            "nodes": {
                "ask": {
                    "type": "hours",
                    "calendar": "office",
                    "open": "ends.open",
                    "closed": "ends.closed",
                    "override": "tell",
                },
                "tell": {"type": "say", "kind": "text", "value": "{hours.why}", "next": "ends.by-hand"},
            },
        },
        "feast": {
            "start": "ask",
            "nodes": {
                "ask": {
                    "type": "hours",
                    "calendar": "feast",
                    "open": "ends.open",
                    "closed": "ends.closed",
                    "holiday": "name",
                },
                "name": {"type": "say", "value": "{hours.why}", "next": "until"},
                "until": {"type": "say", "kind": "date", "value": "{hours.until_date}", "next": "note"},
                "note": {
                    "type": "set",
                    "data": {name: f"{{hours.{name}}}" for name in HOURS},
                    "next": "ends.on-holiday",
                },
            },
        },
        "notes": {
            "start": "note",
            "nodes": {
                "note": {
                    "type": "set",
                    "language": "zh",
                    "priority": "70",
                    "requires": {"english": "2"},
                    "data": {"topic": "cards"},
                    "next": "check",
                },
                "check": branch({"field": "data.topic", "equals": "cards"}, "ends.chinese", "ends.plain"),
            },
        },
        "speech": {
            "start": "tongue",
            "nodes": {
                "tongue": {"type": "language", "language": "zh", "next": "check"},
                "check": branch({"field": "call.language", "equals": "zh"}, "ends.chinese", "ends.plain"),
            },
        },
        "outer": {
            "start": "ask",
            "nodes": {
                "ask": {
                    "type": "subtree",
                    "tree": "inner",
                    "with": {"right": "5"},
                    "results": {"ok": "ends.passed", "again": "ask"},
                    "next": "ends.failed",
                },
            },
        },
        "inner": {
            "start": "key",
            "parameters": {"right": {}},
            "prompts": {"inner": {"en": {"file": "tone.wav"}}},
            "nodes": {
                "key": menu("inner", {"1": "one", "2": "nothing", "3": "again"}),
                "one": branch({"field": "param.right", "equals": "5"}, "yes", "nothing"),
                "yes": {"type": "return", "result": "ok"},
                "again": {"type": "return", "result": "again"},
                "nothing": {"type": "return"},
            },
        },
        "tries": {
            "start": "key",
            "prompts": {"tries": {"en": {"file": "tone.wav"}}},
            "nodes": {
                "key": menu("tries", {"1": "ends.passed"}, on_failure="count"),
                "count": {"type": "set", "add": {"tries": "1"}, "next": "enough"},
                "enough": branch({"field": "data.tries", "number": {"at_least": "3"}}, "ends.operator", "key"),
            },
        },
        "endless": {
            "start": "key",
            "prompts": {"endless": {"en": {"file": "tone.wav"}}},
            "nodes": {"key": menu("endless", {"1": "key", "2": "key"}, on_failure="ends.failed")},
        },
    }


def branch(when: Mapping[str, Any], then: str, otherwise: str) -> dict[str, Any]:
    return {"type": "branch", "cases": [{"when": when, "next": then}], "default": otherwise}


def in_ends(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**case, "next": f"ends.{case['next']}"} for case in cases]


NUMBERS = {
    "410": "caller",
    "411": "caller",
    "412": "clock",
    "413": "load",
    "414": "staff",
    "420": "office",
    "421": "ends.hours",
    "422": "feast",
    "430": "notes",
    "440": "outer",
    "450": "tries",
    "451": "endless",
    "460": "speech",
    "default": "ends",
}
ALWAYS = {"zone": "Europe/Berlin", "hours": {"mon-sun": ["00:00-24:00"]}}
FEAST = holiday_now()
CALENDARS = {"office": ALWAYS, "feast": FEAST[0] if FEAST else ALWAYS}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def s(lab: Lab, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One stage for all of these: the agent is not ready, so that calls stay where the menus sent them."""
    closing = [{"when": {"out_of_hours": "yes"}, "then": {"closing": "goodbye"}}]
    queues: dict[str, dict[str, Any]] = {name: {} for name in QUEUES}
    queues["hours"] = {"opening_hours": "office", "join": closing}
    site = write_site(
        tmp_path_factory.mktemp("deciding") / "site",
        agents={"anna": QUEUES},
        start="not-ready",
        queues=queues,
        routing={
            "numbers": NUMBERS,
            "skills": {"english": "English"},
            "menus": {"steps": "20", "steps_without_key": "20", "on_limit": "ends.limit"},
        },
        trees=trees(datetime.now(UTC)),
    )
    agents = yaml.safe_load((site / "agents.yaml").read_text())
    agents["agents"]["anna"]["skills"] = {"english": "5"}
    (site / "agents.yaml").write_text(yaml.safe_dump(agents))
    write_tone(site / "prompts" / "en" / "tone.wav")
    (site / "calendars.yaml").write_text(yaml.safe_dump({"calendars": CALENDARS}))
    async with open_stage(lab, site, cache, behaviour=Ring()) as stage:
        await up(stage)
        yield stage


def write_tone(path: Path) -> None:
    """A recording of a fifth of a second: nobody waits for a voice to be made."""
    path.parent.mkdir(parents=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(struct.pack("<h", 3000 * (-1) ** (at // 10)) for at in range(1600)))


async def up(s: Stage) -> None:
    """Start the engine. Nobody waits for all that two languages may say: what is said here is little."""
    await s.engine.start()
    only_prompts = ["prompts are being prepared"]
    await s.engine.until_http(
        "/readyz", lambda code, body: code == 200 or (code == 503 and json.loads(body)["reasons"] == only_prompts), 60
    )


async def comes_to(s: Stage, queue: str) -> Mapping[str, Any]:
    """Wait until the newest call is in this queue."""

    def is_there(status: Mapping[str, Any]) -> bool:
        return bool(status["calls"]) and status["calls"][-1]["queue"] == queue

    return next(reversed((await s.engine.until(is_there))["calls"]))


@asynccontextmanager
async def calling(s: Stage, number: str, **more: Any) -> AsyncIterator[Call]:
    call = await s.place(CallPlan(number, **more))
    yield call
    if call.end is None:
        await call.hang_up()
    await s.empty()


async def api(s: Stage, method: str, path: str, body: Mapping[str, Any] | None = None) -> tuple[int, Any]:
    def ask() -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{s.engine.env['ACD_WEB_PORT']}{path}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _AnyStatus())
        with opener.open(request, timeout=15) as answer:
            return answer.status, json.loads(answer.read())

    return await asyncio.to_thread(ask)


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Lets an answer that is an error be read like any other."""

    def http_response(self, request: Any, response: Any) -> Any:
        return response


@pytest.mark.parametrize(
    ("number", "caller", "name", "queue"),
    [
        ("410", "+4930200100", "", "berlin"),
        ("410", "+4989100", "", "munich"),
        ("410", "+4989101", "", "rest"),
        ("410", "+4989100", "dr. Li", "named"),
        ("410", "anonymous", "", "withheld"),
        ("411", "+4930200100", "", "dialled"),
        ("412", "+4930200100", "", "by-time"),
    ],
)
async def test_branch_by_caller_and_time(s: Stage, number: str, caller: str, name: str, queue: str) -> None:
    async with calling(s, number, caller_number=caller, caller_name=name):
        await comes_to(s, queue)


async def test_branch_by_queue(s: Stage) -> None:
    async with calling(s, "413"):
        await comes_to(s, "busy")
        second = await s.place(CallPlan("413", caller_number="+49302"))
        await comes_to(s, "elsewhere")
        await second.hang_up()
    async with calling(s, "414"):
        await comes_to(s, "nobody")
    await s.engine.post("/api/agents/anna/ready")
    async with calling(s, "414"):
        await comes_to(s, "staffed")
    await s.engine.post("/api/agents/anna/not-ready")


async def test_set_and_language(s: Stage) -> None:
    async with calling(s, "430"):
        call = await comes_to(s, "chinese")
        assert (call["language"], call["priority"]) == ("zh", 70)
        assert "english" in call["requirement"]
    async with calling(s, "460"):
        assert (await comes_to(s, "chinese"))["language"] == "zh"


@pytest.mark.parametrize(("keys", "queue"), [("1", "passed"), ("2", "failed"), ("331", "passed")])
async def test_a_subtree_is_given_something_and_returns(s: Stage, keys: str, queue: str) -> None:
    async with calling(s, "440", listens=True) as call:
        await call.press(keys)
        await comes_to(s, queue)


async def test_a_wrong_key_in_a_subtree_that_names_no_node_for_it_ends_the_call(s: Stage) -> None:
    async with calling(s, "440", listens=True) as call:
        await call.press("9")
        await call.ended(15)
        assert not call.hung_up_by_caller


async def test_a_killed_engine_knows_where_a_subtree_returns_to(s: Stage) -> None:
    async with calling(s, "440", listens=True) as call:
        await call.answered()
        await s.engine.until(lambda status: [one["state"] for one in status["calls"]] == ["menu"])
        await call.press("3")  # out of it and in again: the menu that is asked now is remembered with its subtree
        s.engine.kill()
        await s.engine.wait()
        await up(s)
        await s.engine.until(lambda status: [one["state"] for one in status["calls"]] == ["menu"])
        await call.press("1")
        await comes_to(s, "passed")


async def test_three_tries_then_the_operator(s: Stage) -> None:
    async with calling(s, "450", listens=True) as call:
        await call.press("789")
        await comes_to(s, "operator")


async def test_a_bound_leads_on(s: Stage) -> None:
    async with calling(s, "451", listens=True) as call:
        await call.press("12" * 12)
        await comes_to(s, "limit")
    assert s.engine.logged("a call has reached a bound in the menus", "step-limit")


async def test_an_override_changes_what_the_next_caller_hears_and_ends_by_itself(s: Stage) -> None:
    async with calling(s, "420"):
        await comes_to(s, "open")
    until = datetime.now(UTC) + timedelta(hours=2)
    wish = {"state": "closed", "until": until.isoformat(), "reason": "fire drill", "by": "dora"}
    code, told = await api(s, "PUT", "/api/calendars/office/override", wish)
    assert (code, told["open"], told["why"], told["cause"]) == (200, False, "fire drill", "override")
    async with calling(s, "420", listens=True):
        await comes_to(s, "by-hand")
    call = await s.place(CallPlan("421"))
    await call.ended(15)
    assert not call.hung_up_by_caller
    call_id = s.engine.logged("call overflows", "fire drill")[-1]["call_id"]
    code, explanation = await api(s, "GET", f"/api/calls/{call_id}/explanation")
    assert code == 200
    assert "fire drill" in json.dumps(explanation)
    assert "closed until" in json.dumps(explanation)

    s.engine.kill()
    await s.engine.wait()
    await up(s)
    code, listed = await api(s, "GET", "/api/calendars/office")
    assert listed["override"]["by"] == "dora", "it survives a restart"
    async with calling(s, "420"):
        await comes_to(s, "by-hand")
    code, told = await api(s, "DELETE", "/api/calendars/office/override?by=emil")
    assert (code, told["open"]) == (200, True)
    assert s.engine.logged("calendar override withdrawn", "emil")
    async with calling(s, "420"):
        await comes_to(s, "open")

    wish["until"] = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    code, _ = await api(s, "PUT", "/api/calendars/office/override", wish)
    assert code == 200

    async def is_open() -> bool:
        return bool((await api(s, "GET", "/api/calendars/office"))[1]["open"])

    await eventually(is_open, "the override has ended by itself")
    async with calling(s, "420"):
        await comes_to(s, "open")


@pytest.mark.skipif(FEAST is None, reason="today is one of the few days that are a holiday nowhere on earth")
async def test_on_a_public_holiday_callers_are_told_which_and_until_when(s: Stage) -> None:
    async with calling(s, "422", listens=True):
        call = await comes_to(s, "on-holiday")
        _, screen = await api(s, "GET", f"/api/calls/{call['id']}")
    assert FEAST is not None
    assert screen["data"] == {"state": "closed", "cause": "holiday", "why": FEAST[1], "until_time": "00:00"}
    assert not s.engine.logged("problem", "feast."), "the name and the date were said"


async def test_a_wish_that_makes_no_sense_changes_nothing(s: Stage) -> None:
    code, answer = await api(s, "PUT", "/api/calendars/office/override", {"state": "shut", "until": "yesterday"})
    assert code == 422
    assert {error["field"] for error in answer["errors"]} == {"state", "until", "reason"}
    code, answer = await api(s, "PUT", "/api/calendars/offce/override", {})
    assert code == 404
    assert "office" in answer["detail"]
