"""``acd explain``: what a supervisor reads, from the engine or from its journal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from acd.cli import main
from acd.cli.explain_text import explanation_text
from acd.core.events import (
    AgentLoggedIn,
    CallArrived,
    CallEnded,
    CallerIdentified,
    CallQueued,
    MenuStepped,
    OfferBridged,
)
from acd.web.app import make_app
from tests.service.sites import write_site
from tests.store.test_journal import Recorded
from tests.web.test_app import FakeBackend

CALL = "20261122T101500-1a2b3c4d"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A call through a menu into a queue to an agent; its caller has a name that would clear a terminal."""
    folder = tmp_path / "state" / "journal"
    recorded = Recorded(folder)
    recorded.feed(AgentLoggedIn("anna"))
    recorded.feed(CallArrived(CALL, "\x1b[2J+4930", "100"))
    recorded.feed(CallerIdentified(CALL, "+4930"))
    recorded.feed(MenuStepped(CALL, "main.hours", "closed", to="main.choose", detail="calendar office: fire drill"))
    recorded.feed(MenuStepped(CALL, "main.choose", "invalid", "7"))
    recorded.feed(MenuStepped(CALL, "main.choose", "choice", "1", "main.sales"))
    recorded.feed(CallQueued(CALL, "sales"))
    recorded.feed(OfferBridged(f"{CALL}.1", "anna"))
    recorded.feed(CallEnded(CALL))
    recorded.journal.close()
    return folder


def test_the_story_of_a_past_call_in_sentences(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", CALL, "--journal", str(journal)]) == 0
    first, source, *lines = capsys.readouterr().out.splitlines()
    assert first == f"call {CALL} from ?[2J+4930 to 100: has ended"
    assert source.startswith(f"  (from {journal}/journal-")
    assert [line.split("  ", 2)[2] for line in lines if line.startswith("  2")] == [
        "arrives, dialled 100",
        "the caller is not known",
        "menus, main.hours: closed (calendar office: fire drill), on to main.choose",
        "menus, main.choose: key 7, a wrong key",
        "menus, main.choose: key 1, chosen, on to main.sales",
        "waits in queue sales",
        f"offer {CALL}.1",
        "talks to anna",
        "the call has ended",
    ]
    assert any(line.startswith("      offered to anna: the call began to wait") for line in lines)
    assert "      not offered to bob, dora: logged out" in lines
    assert "      not offered to chen: skill en 1 < 2" in lines


def test_the_json_of_a_past_call(journal: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", CALL, "--json", "--journal", str(journal)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["call"], told["state"], told["earlier"]) == (CALL, "ended", [])
    assert told["journal"]["parts_at"] is None
    assert all("at" in line and "at_s" in line for line in told["story"])


async def test_a_call_that_the_engine_has_forgotten_is_found_in_its_journal(
    tmp_path: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACD_API_TOKEN", "token")
    site = write_site(tmp_path / "site", acd={"state_dir": str(journal.parent)})
    async with TestServer(make_app(FakeBackend(), CollectorRegistry(), "token")) as server:
        asked = ["--config", str(site), "--set", f"web.port={server.port}"]
        assert await asyncio.to_thread(main, ["explain", CALL, *asked]) == 0
        out, err = capsys.readouterr()
        assert out.startswith(f"call {CALL}")
        assert f"looking it up in {journal}" in err
        assert await asyncio.to_thread(main, ["explain", "nobody", *asked]) == 1
        assert f"{journal} names no call nobody" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["explain", CALL, *asked]) == 1  # the server has gone
    err = capsys.readouterr().err
    assert "is `acd run` up" in err
    assert f"acd explain {CALL} --journal {journal}" in err


def test_what_cannot_be_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--agent", "anna", "--journal", str(tmp_path)]) == 2
    assert "for calls" in capsys.readouterr().err
    assert main(["explain", CALL, "--journal", str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
    (tmp_path / "journal-x.jsonl").write_text(f'hello\n"{CALL}"\n')
    assert main(["explain", CALL, "--journal", str(tmp_path)]) == 1
    assert "not a journal" in capsys.readouterr().err


LIVE = {
    "call": "c1",
    "state": "ended",
    "caller": "",
    "dialled": "100",
    "queue": "sales",
    "entered_at_s": 1.0,
    "agent": "",
    "offers": [],
    "story": [
        {"at_s": 1.0, "input": 1, "what": "overflow", "detail": "overflow rule 1 of queue sales: callback sales"},
        {"at_s": 1.0, "input": 1, "what": "menu"},
        {"at_s": 2.0, "input": 2, "what": "offer to anna failed", "detail": "missed"},
        {"at_s": 3.0, "input": 3, "what": "menu", "detail": "the talk is over"},
    ],
    "story_cut": 24,
    "steps_cut": 48,
    "timers": [{"in_s": 3.21, "what": "overflow rules are looked at"}],
    "callback": {"state": "later", "attempts": 1, "attempts_most": 3, "not_before": "2026-11-22T03:23:57+00:00"},
}


def test_a_live_call_with_what_is_to_come() -> None:
    assert list(explanation_text(LIVE)) == [
        "call c1 from unknown to 100: has ended",
        "  (24 earlier happenings are no longer kept)",
        "  (48 earlier steps in the menus are no longer kept)",
        "  1.000  goes on by overflow rule 1 of queue sales: callback sales",
        "  2.000  offer to anna failed: missed, it rang in vain",
        "  3.000  back in the menus: the talk is over",
        "  a callback is promised: later, 1 of 3 attempts made, not before 2026-11-22T03:23:57+00:00",
        "  next:",
        "    in 3.2 s: overflow rules are looked at",
    ]
    past = LIVE | {"journal": {"file": "j.jsonl", "version": "0.0.9", "parts_at": 7}}
    told = list(explanation_text(past | {"earlier": [past | {"state": "waiting"}]}))
    assert "  (from j.jsonl, which ends before the call or has not come further yet)" in told
    assert "  (from j.jsonl)" in told
    assert "written by version 0.0.9: from input 7 on this version decides otherwise" in str(told)
    assert "next" not in str(told)


def test_an_agent_with_until_when() -> None:
    told = list(
        explanation_text(
            {
                "agent": "anna",
                "state": "back-off",
                "reason": "missed",
                "in_state_s": 8.0,
                "until_at": "2026-11-22T03:23:55Z",
                "phone": "not-in-use",
                "answer": "in back-off (missed)",
                "queues": [{"queue": "sales", "waiting": 1, "may_take": 0, "may_not_take": {"no skill mandarin": 1}}],
                "waiting_in_queues_not_assigned": 2,
                "story": [{"at_s": 1.0, "input": 1, "what": "back-off", "detail": "missed"}],
            }
        )
    )
    assert told[1] == "  back-off (missed) for 8.0 s, until 2026-11-22T03:23:55Z, phone not-in-use"
    assert told[3:] == [
        "    may not take 1: no skill mandarin",
        "  2 waiting in queues that the agent is not assigned to",
        "  story:",
        "    1.000  gets no offer for a while: missed",
    ]
