"""Look-ups on the real Asterisk: each fault leads to its branch in time, with music meanwhile; greetings by name."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from acd.lab.callers import CallPlan
from tests.integration.conftest import OpenStage
from tests.integration.stage import Stage, eventually
from tests.service.lookups.other_side import OtherSide, other_side

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

TIMEOUT_S = 1.5
BRANCHES = ("ok", "not_found", "error", "timeout", "bad_answer", "blocked")
FAULTS: Mapping[str, tuple[str, str]] = {
    "501": ("/fine", "ok"),
    "502": ("/missing", "not_found"),
    "503": ("/broken", "error"),
    "504": ("/hangs", "timeout"),
    "505": ("/html", "bad_answer"),
    "506": ("/huge", "bad_answer"),
    "507": ("/moved", "error"),
    "508": ("/slow", "ok"),
}
"""By dialled number: what is asked, and the queue that the caller must come to."""
CASE_NUMBER, TLS_NUMBER, NOBODY_NUMBER = "510", "511", "512"
KEYS_NUMBER, HOLDS_NUMBER, GREETING_NUMBER = "513", "514", "520"
LI, WANG, STRANGER = "+493011111111", "+493022222222", "+493033333333"

QUEUES: Mapping[str, Mapping[str, object]] = {
    name: {"sticky": {"hold_s": "60"}} for name in ("cards", "general", *BRANCHES, "li", "wang", "stranger", "one")
}


def asks(url: str, **more: object) -> dict[str, Any]:
    """A node that asks, and leads to the queue of each outcome's name."""
    return {
        "type": "http",
        "request": {"url": url, "timeout_s": str(TIMEOUT_S), "answer": {"balance": "account.balance"}},
        "next": "ok",
        **{branch: branch for branch in ("not_found", "error", "timeout", "bad_answer")},
        **more,
    }


def tree(side: OtherSide, secure: OtherSide) -> dict[str, Any]:
    nodes: dict[str, Any] = {name: {"type": "enqueue", "queue": name} for name in QUEUES}
    nodes |= {f"ask-{number}": asks(side.url(path), prompt="moment") for number, (path, _) in FAULTS.items()}
    nodes[f"ask-{TLS_NUMBER}"] = asks(secure.url("/"))
    nodes[f"ask-{NOBODY_NUMBER}"] = asks("http://127.0.0.1:9/")
    nodes[f"ask-{CASE_NUMBER}"] = asks(
        side.url("/fine"), cases=[{"when": {"field": "data.balance", "number": {"above": "1000"}}, "next": "blocked"}]
    )
    nodes[f"ask-{KEYS_NUMBER}"] = asks(side.url("/hangs"), timeout="choose")
    nodes["choose"] = {"type": "menu", "prompt": "choose", "timeout_s": "1", "choices": {"1": "one"}}
    nodes[f"ask-{HOLDS_NUMBER}"] = {
        **asks(side.url("/hangs")),
        "request": {"url": side.url("/hangs?{call.caller}"), "timeout_s": "50"},
    }
    nodes[f"ask-{GREETING_NUMBER}"] = {
        "type": "branch",
        "cases": [
            {"when": {"field": "customer.name", "equals": "Mr Li"}, "next": "good-morning"},
            {"when": {"field": "customer.known", "equals": "yes"}, "next": "wang"},
        ],
        "default": "stranger",
    }
    nodes["good-morning"] = {"type": "say", "value": "Good morning, {customer.name}.", "next": "li"}
    return {
        "start": f"ask-{GREETING_NUMBER}",
        "prompts": {
            "moment": {"en": {"text": "Just a moment."}},
            "choose": {"en": {"text": "Press one."}},
        },
        "nodes": nodes,
    }


@asynccontextmanager
async def on_stage(stage: OpenStage, tmp_path: Path, **caller_lookup: str) -> AsyncIterator[tuple[Stage, OtherSide]]:
    """A stage whose menus ask a server of the test's own."""
    async with other_side() as side, other_side(tls=True) as secure:
        side.location = "http://10.255.255.1/"
        site = tree(side, secure)
        numbers = [name.removeprefix("ask-") for name in site["nodes"] if name.startswith("ask-")]
        who = {"url": side.url("/customer"), "query": {"number": "{call.caller_number}"}}
        fields = {name: {"path": name, "default": ""} for name in ("name", "vip", "agent", "matter")}
        asked = {"url": side.url("/hangs"), "timeout_s": "20"} if caller_lookup.pop("hangs", "") else who
        async with stage(
            agents={"anna": ["cards"], "bob": ["wang"]},
            start="not-ready",
            queues=QUEUES,
            acd={
                "log": {"level": "debug", "format": "json"},
                "http": {"allow_private": ["127.0.0.1"], "breaker": {"failures": "50"}},
            },
            trees={"main": site},
            routing={
                "numbers": {**{number: f"main.ask-{number}" for number in numbers}, "default": "main"},
                "customers": {"+49 (0)30 1111-1111": {"name": "Mr Li", "vip": "3", "agent": "anna"}},
                "numbering": {"country_code": "49"},
                "lookups": {"crm": {**asked, "answer": fields}},
                "caller_lookup": {"lookup": "crm", **caller_lookup},
            },
        ) as s:
            yield s, side


def is_in(caller: str, queue: str, status: Mapping[str, Any]) -> bool:
    return queue_of(status, caller) == queue


def queue_of(status: Mapping[str, Any], caller: str) -> str | None:
    return next((call["queue"] for call in status["calls"] if call["caller"] == caller), None)


async def test_each_fault_leads_to_its_branch_in_time(stage: OpenStage, tmp_path: Path) -> None:
    async with on_stage(stage, tmp_path) as (s, _):
        goals = {**{number: queue for number, (_, queue) in FAULTS.items()}, CASE_NUMBER: "blocked"}
        goals |= {TLS_NUMBER: "error", NOBODY_NUMBER: "error"}
        plans = [CallPlan(number, caller_number=f"+4930200{number}", listens=True) for number in goals]
        callers = await s.place_all(plans)
        for call, queue in zip(callers.calls, goals.values(), strict=True):
            await call.answered()
            await s.engine.until(partial(is_in, call.plan.caller_number, queue))
        for call in callers.calls:
            assert call.answered_at is not None
            assert call.rtp is not None
            # A prompt, then music in the menu, then music in the queue: from the answer on it is never quiet.
            assert call.rtp.longest_silence_s(call.answered_at, time.time()) < 1.2, call.plan.number
            await call.hang_up()
        await s.empty()
        _, metrics = await s.engine.until_http("/metrics", lambda code, _: code == 200)
        assert 'acd_lookups_total{lookup="main.ask-504",outcome="timeout"} 1.0' in metrics
        assert 'acd_lookup_breaker{host="' in metrics


async def test_keys_pressed_meanwhile_count_for_what_follows(stage: OpenStage, tmp_path: Path) -> None:
    async with on_stage(stage, tmp_path) as (s, side):
        call = await s.place(CallPlan(KEYS_NUMBER, caller_number=LI, listens=True, steady_media=True))
        await asyncio.wait_for(side.came.wait(), 15)
        await call.press("1")
        await s.engine.until(lambda status: queue_of(status, LI) == "one")
        await call.hang_up()
        await s.empty()


async def test_who_hangs_up_meanwhile_leaves_nothing_behind(stage: OpenStage, tmp_path: Path) -> None:
    async with on_stage(stage, tmp_path) as (s, side):
        call = await s.place(CallPlan(HOLDS_NUMBER, caller_number=LI, listens=True))
        await asyncio.wait_for(side.came.wait(), 15)
        early = await s.place(CallPlan(HOLDS_NUMBER, caller_number=LI))
        await eventually(lambda: _asked(side, 2), "the second has asked, too")
        await call.hang_up()
        await early.hang_up()
        await s.empty()
        await asyncio.wait_for(side.gone.wait(), 15)

        async def counted() -> bool:
            return (
                await s.engine.metric(f'acd_lookups_total{{lookup="main.ask-{HOLDS_NUMBER}",outcome="abandoned"}}') == 2
            )

        await eventually(counted, "both look-ups are given up")
        assert await s.engine.metric("acd_agi_sessions") == 0


async def _asked(side: OtherSide, times: int) -> bool:
    return len([seen for seen in side.seen if seen.path.startswith("/hangs")]) >= times


async def test_callers_are_greeted_by_name(stage: OpenStage, tmp_path: Path) -> None:
    """Mr Li stands in routing.yaml, Ms Wang is known to the CRM, and a stranger is nobody's."""
    async with on_stage(stage, tmp_path) as (s, side):
        side.customers[WANG] = {"name": "Ms Wang", "vip": 2, "agent": "bob", "matter": "loan 17"}
        callers = await s.place_all(
            [
                CallPlan(GREETING_NUMBER, caller_number="03011111111", listens=True),
                CallPlan(GREETING_NUMBER, caller_number=WANG, listens=True),
                CallPlan(GREETING_NUMBER, caller_number=STRANGER, listens=True),
            ]
        )
        for number, queue in (("03011111111", "li"), (WANG, "wang"), (STRANGER, "stranger")):
            status = await s.engine.until(partial(is_in, number, queue))
            (call,) = [call for call in status["calls"] if call["caller"] == number]
            story = json.loads((await s.engine.until_http(f"/api/calls/{call['id']}/explanation", _is_ok))[1])["story"]
            (told,) = [entry["detail"] for entry in story if entry["what"] == "identified"]
            expected = {"li": ("Mr Li", "customers"), "wang": (WANG, "lookup"), "stranger": ("not known", "not-found")}
            assert all(word in told for word in expected[queue]), told
        for call in callers.calls:
            await call.hang_up()
        await s.empty()


async def test_a_slow_source_holds_nobody(stage: OpenStage, tmp_path: Path) -> None:
    """The caller hears ringing while the CRM is asked, and goes on as unknown when its time is up."""
    async with on_stage(stage, tmp_path, hangs="yes", timeout_s="0.6") as (s, side):
        call = await s.place(CallPlan(GREETING_NUMBER, caller_number=WANG, listens=True))
        await call.wait_for(lambda message: message.is_response(180))
        await s.engine.until(lambda status: queue_of(status, WANG) == "stranger")
        await asyncio.wait_for(side.gone.wait(), 15)
        (told,) = s.engine.logged("caller not looked up")
        assert (told["outcome"], told["lookup"]) == ("timeout", "crm")
        assert await s.engine.metric('acd_callers_total{known_by="timeout"}') == 1
        await call.hang_up()
        await s.empty()


async def test_who_gives_up_while_it_rings_leaves_nothing_behind(stage: OpenStage, tmp_path: Path) -> None:
    async with on_stage(stage, tmp_path, hangs="yes", timeout_s="10") as (s, side):
        call = await s.place(CallPlan(GREETING_NUMBER, caller_number=WANG))
        await call.wait_for(lambda message: message.is_response(180))
        await asyncio.wait_for(side.came.wait(), 15)  # the dialplan rings before the engine asks
        await call.hang_up()
        await asyncio.wait_for(side.gone.wait(), 15)
        await s.empty()


async def test_a_table_beside_routing_is_read_again_on_reload(stage: OpenStage, tmp_path: Path) -> None:
    async with on_stage(stage, tmp_path) as (s, _):
        routing = s.engine.site / "routing.yaml"
        written = yaml.safe_load(routing.read_text())
        written["caller_lookup"] = {"table": "customers.csv"}
        routing.write_text(yaml.safe_dump(written))
        (s.engine.site / "customers.csv").write_text(f"number,name,city\n{STRANGER},Mrs Brown,Berlin\n")
        code, body = await s.engine.post("/api/configuration/reload")
        assert code == 200, body
        call = await s.place(CallPlan(GREETING_NUMBER, caller_number=STRANGER))
        await s.engine.until(lambda status: queue_of(status, STRANGER) == "wang")  # anybody who is known
        await call.hang_up()
        await s.empty()


def _is_ok(code: int, _: str) -> bool:
    return code == 200
