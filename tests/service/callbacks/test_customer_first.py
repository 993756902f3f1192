"""The customer is rung first: when, for how many agents, and what comes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from acd.core.events import AgentReady
from acd.core.transitions import AgentState, CallState
from acd.service.asterisk_link import AsteriskLink
from acd.service.callbacks import desk
from acd.service.callbacks.entries import Stage
from acd.service.prompts import Resolved
from acd.web.backend import AgentAction
from ivr.speech import Prompt, Speech
from tests.service.fake_channel import FakeChannel
from tests.service.process import Site, run
from tests.service.sites import write_site

NUMBER = "+4930200100"
OTHER = "+4930200101"
ROUTING: dict[str, Any] = {
    "outbound": {"allowed": ["+4930"], "trunk": "PJSIP/{number}@trunk"},
    "callbacks": {
        "home_country": "DE",
        "confirm": "no",
        "other_number": "no",
        "first": "customer",
        "pause_s": "1",
        "silent_after_s": "0.5",
    },
}


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "BEGINS_AFTER_S", 0.0)
    monkeypatch.setattr(AsteriskLink, "connected", True)


@asynccontextmanager
async def opened(tmp_path: Path, agents: tuple[str, ...] = ("anna",), **settings: str) -> AsyncIterator[Site]:
    routing = {**ROUTING, "callbacks": {**ROUTING["callbacks"], **settings}}
    queues = {
        "cards": {"overflow": [{"when": {"waiting_s": "0.1"}, "then": {"callback": "general"}}]},
        "general": {},
    }
    serving = {agent: ["general"] for agent in agents}
    folder = write_site(tmp_path / "site", agents=serving, start="not-ready", queues=queues, routing=routing)
    async with run(folder) as site:
        yield site


async def promised(site: Site, caller: str = NUMBER, uniqueid: str = "1.1", stage: Stage = Stage.WAITING) -> str:
    channel = await site.enter(uniqueid, extension="200", callerid=caller)
    await channel.closed()

    def found() -> list[str]:
        return [one.entry.id for one in site.parts.callbacks if one.entry.number == caller and one.stage is stage]

    await site.until(lambda: bool(found()))
    return found()[0]


def not_answered(site: Site) -> None:
    """The customer who was rung last does not answer."""
    site.ami("OriginateResponse", Response="Failure", Uniqueid=str(originated(site)[-1]["ChannelId"]))


def originated(site: Site) -> list[dict[str, Any]]:
    return [headers for name, headers in site.sent if name == "Originate"]


def variable(headers: dict[str, Any], name: str) -> str:
    variables: tuple[str, ...] = headers["Variable"]
    return next(value.split("=", 1)[1] for value in variables if value.startswith(f"{name}="))


async def picked_up(site: Site, call_id: str) -> FakeChannel:
    """The customer answers."""
    headers = originated(site)[-1]
    assert variable(headers, "ACD_CALL") == call_id
    channel = FakeChannel.enter(
        site.port, str(headers["ChannelId"]), call_id=call_id, extension="s", callerid="200", channel="PJSIP/trunk-1"
    )
    line = site._keep(await channel)
    line.variables["ACD_STATE"] = variable(headers, "ACD_STATE")
    return line


def stages(site: Site) -> list[Stage]:
    return [shown.stage for shown in site.parts.callbacks]


async def test_the_customer_comes_into_the_old_place(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)
        entered_at = site.call.entered_at
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        assert originated(site)[0]["Channel"] == "PJSIP/+4930200100@trunk"
        assert site.agent("anna") is AgentState.READY, "nobody waits for a customer who has not answered"
        assert stages(site) == [Stage.DIALLING]
        line = await picked_up(site, call_id)
        await line.until("EXEC Dial")
        assert 'SET VARIABLE "CALLERID(num)" +4930200100' in line.commands, "whom the agent sees"
        assert site.call.entered_at == pytest.approx(entered_at, abs=0.05)
        site.dial_begins("anna", "L1", str(originated(site)[0]["ChannelId"]))
        site.bridged("L1", str(originated(site)[0]["ChannelId"]))
        assert not site.parts.callbacks, "not to be called again"
        line.ended_dial("ANSWER")
        await line.closed()
        assert not site.parts.engine.calls
        assert site.parts.callbacks.results["general", "reached"] == 1


async def test_who_does_not_answer_is_tried_again_in_the_old_place(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        not_answered(site)
        assert stages(site) == [Stage.SLEEPING]
        assert not site.parts.engine.calls
        await site.until(lambda: len(originated(site)) == 2)
        assert variable(originated(site)[1], "ACD_CALL") == call_id
        assert next(iter(site.parts.callbacks)).entry.attempts == 2


async def test_the_pause_begins_when_the_customer_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path, pause_s="60") as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        (rung,) = site.parts.callbacks
        line = await picked_up(site, call_id)
        await line.until("EXEC Dial")
        line.hang_up()
        line.reply("200 result=-1")
        await line.closed()
        await site.until(lambda: stages(site) == [Stage.SLEEPING])
        (gone,) = site.parts.callbacks
        assert gone.entry.not_before > rung.entry.not_before, "not of the time on the line"


async def test_one_that_is_taken_back_is_not_taken_up_by_an_engine_after_us(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        assert await site.parts.callbacks.take_back(call_id) == "customer-first"
        kept = orjson.loads((tmp_path / "site" / "state" / "callbacks.json").read_bytes())
        assert kept["callbacks"] == [], "though the customer's phone has not stopped yet"
        assert stages(site) == [Stage.DIALLING]
        not_answered(site)
        assert not site.parts.callbacks
        assert site.parts.callbacks.results["general", "cancelled"] == 1
        assert await site.parts.callbacks.take_back(call_id) == ""


async def test_one_agent_is_promised_to_one_customer(tmp_path: Path) -> None:
    async with opened(tmp_path, silent_limit_percent="100") as site:
        first = await promised(site)
        await promised(site, OTHER, "1.2")
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        assert variable(originated(site)[0], "ACD_CALL") == first, "who has waited longer goes first"
        later = site.parts.host.now() + 0.3
        await site.until(lambda: site.parts.host.now() > later)
        assert len(originated(site)) == 1, "the other one waits for another agent"
        assert site.agent("anna") is AgentState.READY


async def test_those_who_stepped_aside_come_back_in_their_order(tmp_path: Path) -> None:
    numbers = [f"+49302001{place:02}" for place in range(5)]
    async with opened(tmp_path, silent_limit_percent="100", attempts="1") as site:
        ids = [await promised(site, number, f"1.{place}") for place, number in enumerate(numbers)]
        site.parts.host.post(AgentReady("anna"))
        rung: list[str] = []
        while len(rung) < len(ids):
            await site.until(lambda: len(originated(site)) > len(rung))
            rung.append(variable(originated(site)[-1], "ACD_CALL"))
            not_answered(site)
        assert rung == ids, "each time who has waited longest of those left"
        assert not site.parts.callbacks
        assert site.agent("anna") is AgentState.READY


async def test_who_came_later_does_not_go_before_who_stepped_aside(tmp_path: Path) -> None:
    async with opened(tmp_path, silent_limit_percent="100", attempts="1") as site:
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        second = await promised(site, OTHER, "1.2", Stage.SLEEPING)
        not_answered(site)
        third = await promised(site, "+4930200102", "1.3", Stage.SLEEPING)
        assert variable(originated(site)[1], "ACD_CALL") == second
        not_answered(site)
        await site.until(lambda: len(originated(site)) == 3)
        assert variable(originated(site)[2], "ACD_CALL") == third


async def test_an_agent_for_whom_nobody_is_rung_is_rung_at_the_limit(tmp_path: Path) -> None:
    async with opened(tmp_path, agents=("anna", "bob")) as site:
        await promised(site)
        await promised(site, OTHER, "1.2")
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        assert stages(site) == [Stage.DIALLING, Stage.SLEEPING]
        site.parts.host.post(AgentReady("bob"))
        await site.until(lambda: len(originated(site)) == 2)
        assert originated(site)[1]["Context"] == "acd-leg", "one more customer could be one silent answer too many"


async def test_silent_answers_send_it_back_to_the_agent_first(tmp_path: Path) -> None:
    async with opened(tmp_path, attempts="5") as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        line = await picked_up(site, call_id)
        await line.until("EXEC Dial")
        line.hang_up()  # without an agent: a silent answer
        line.reply("200 result=-1")
        await line.closed()
        await site.until(lambda: len(originated(site)) == 2)
        headers = originated(site)[1]
        assert (headers["Context"], headers["Channel"]) == ("acd-leg", "PJSIP/anna"), (
            "one silent answer in 34 is enough"
        )


async def test_a_limit_of_nothing_means_the_agent_first(tmp_path: Path) -> None:
    async with opened(tmp_path, silent_limit_percent="0") as site:
        await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        assert originated(site)[0]["Channel"] == "PJSIP/anna"


async def test_an_answer_without_an_agent_in_time_is_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)
        site.parts.host.post(AgentReady("anna"))
        await site.until(lambda: len(originated(site)) == 1)
        site.parts.backend.act_on_agent("anna", AgentAction.NOT_READY, "")
        said: list[Speech] = []

        async def resolve_all(speech: Sequence[Speech], language: str) -> Resolved:
            said.extend(speech)
            return Resolved(("/sounds/file",), ())

        monkeypatch.setattr(site.parts.prompts, "resolve_all", resolve_all)
        line = await picked_up(site, call_id)
        await line.until("STREAM FILE")
        assert said == [Prompt("callback-customer")], "no silence, no music without a word"
        await line.until("SET MUSIC ON")
        answers = site.parts.callbacks._ledger.answers.seen
        await site.until(lambda: [silent for _, silent in answers] == [True])
        assert site.call.state is CallState.WAITING, "the customer keeps the place"
