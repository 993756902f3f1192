"""Transfers and agents asked for by name: what is dialled or asked for, and where each end leads."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ivr.dialling import DialEnd
from ivr.directory import Directory
from ivr.interpreter import Interpreter
from ivr.nodes import AgentNode, TransferNode
from ivr.outcome import AgentMiss, Outcome, ToAgent
from ivr.record import StepRecord
from ivr.tools import Tools
from tests.ivr.builders import at, call, end, forest, prompts
from tests.ivr.scripted_line import ScriptedLine

ENDS = ("after", "busy", "silent", "refused", "failed")


@dataclass
class Exchange:
    """Allows Berlin."""

    def number(self, number: str) -> str:
        return f"PJSIP/{number}@trunk" if number.startswith("+4930") else ""


async def walked(
    line: ScriptedLine, node: TransferNode | AgentNode, caller: str = "+49301"
) -> tuple[Outcome, list[StepRecord]]:
    records: list[StepRecord] = []
    interpreter = Interpreter(forest(node, *map(end, ENDS)), on_step=records.append, tools=Tools(exchange=Exchange()))
    context = call()
    context.caller = caller
    context.data["agent"] = " anna "
    return await interpreter.run(line, context, at("start")), records


def transfer(**more: object) -> TransferNode:
    leads = {
        "next": at("after"),
        "on_busy": at("busy"),
        "on_no_answer": at("silent"),
        "on_refused": at("refused"),
        "on_failure": at("failed"),
    }
    return TransferNode(id=at("start"), **{**leads, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dialled", "to"),
    [
        (DialEnd.ANSWERED, "after"),
        (DialEnd.BUSY, "busy"),
        (DialEnd.NO_ANSWER, "silent"),
        (DialEnd.FAILED, "failed"),
    ],
)
async def test_each_end_of_a_dial_leads_somewhere(dialled: DialEnd, to: str) -> None:
    line = ScriptedLine()
    line.dial_ends = [dialled]
    _, records = await walked(line, transfer(number="+493098765", ring_s=7.0, caller_id="{call.dialled}"))
    assert (records[0].outcome, records[0].to) == (dialled.value, at(to))
    (dial,) = line.dialled
    assert (dial.device, dial.ring_s, dial.caller_id) == ("PJSIP/+493098765@trunk", 7.0, "100")
    assert (dial.node, dial.then) == (at("start"), at("after"))


async def test_what_has_no_way_of_its_own_goes_to_on_failure_or_ends_with_a_goodbye() -> None:
    line = ScriptedLine()
    line.dial_ends = [DialEnd.BUSY]
    _, records = await walked(line, transfer(number="+4930", on_busy=None))
    assert records[0].to == at("failed")
    line = ScriptedLine()
    line.dial_ends = [DialEnd.BUSY]
    await walked(line, transfer(number="+4930", on_busy=None, on_failure=None))
    assert (line.heard_parts, line.hung_up_with) == (["goodbye"], "normal")


@pytest.mark.parametrize("caller", ["+881612345678", "", "1&PJSIP/evil", "{call.caller}"])
async def test_what_the_site_does_not_allow_is_never_dialled(caller: str) -> None:
    line = ScriptedLine()
    _, records = await walked(line, transfer(number="{call.caller}", prompts=prompts("moment")), caller)
    assert (records[0].outcome, records[0].to) == ("refused", at("refused"))
    assert not line.dialled
    assert "moment" not in line.heard_parts


async def test_a_caller_id_is_a_number_and_nothing_else() -> None:
    line = ScriptedLine()
    await walked(line, transfer(number="+4930", caller_id="{call.caller}"), caller='+49 30,1)&"x"')
    assert line.dialled[0].caller_id == "+49301"


async def test_music_needs_an_answered_call_ringing_does_not() -> None:
    line = ScriptedLine()
    line.dial_ends = [DialEnd.BUSY]
    await walked(line, transfer(phone="PJSIP/reception"))
    ringing = line
    line = ScriptedLine()
    line.dial_ends = [DialEnd.BUSY]
    await walked(line, transfer(phone="PJSIP/reception", music="default"))
    assert (ringing.dialled[0].device, ringing.dialled[0].music) == ("PJSIP/reception", "")
    assert line.answered_at_s == 0.0
    assert line.dialled[0].music == "default"


async def test_extensions_lead_to_agents_and_nodes() -> None:
    directory = Directory({"31": at("after")}, {"3456": "anna"})
    outcome, _ = await walked(ScriptedLine(), transfer(extension="3456", directory=directory))
    assert isinstance(outcome, ToAgent)
    assert (outcome.agent, outcome.on[AgentMiss.BUSY], outcome.not_reached) == ("anna", at("busy"), at("failed"))
    _, records = await walked(ScriptedLine(), transfer(extension="31", directory=directory))
    assert records[0].to == at("after")
    for unknown in ("99", "", "{call.caller}"):
        _, records = await walked(ScriptedLine(), transfer(extension=unknown or " ", directory=directory))
        assert records[0].to == at("refused")


async def test_an_agent_is_asked_for_by_name() -> None:
    line = ScriptedLine()
    node = AgentNode(
        id=at("start"),
        agent="{data.agent}",
        queue="cards",
        wait_s=30.0,
        prompts=prompts("moment"),
        data={"topic": "own"},
        next=at("after"),
        on={AgentMiss.NO_ANSWER: at("silent")},
        on_failure=at("failed"),
    )
    outcome, records = await walked(line, node)
    assert outcome == ToAgent(
        agent="anna",
        queue="cards",
        wait_s=30.0,
        not_reached=at("failed"),
        on={AgentMiss.NO_ANSWER: at("silent")},
        node=at("start"),
        then=at("after"),
        data={"topic": "own"},
        language="en",
    )
    assert (records[0].outcome, line.heard_parts) == ("agent", ["moment"])
    assert set(node.targets()) == {at("after"), at("silent"), at("failed")}
