"""Phones beside a dial: what is asked of Asterisk, and what the engine is told, with events in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from acd.core.events import Event, LegFailed, LegFailure
from acd.core.specs import AgentSpec
from acd.core.transitions import AgentState, CallState
from acd.service.late_legs import CallerId, LateLeg, LateLegs
from acd.service.live_site import AgentPhone
from acd.service.stay_tools import dial_arguments
from tests.service.fake_channel import FakeChannel
from tests.service.process import Site, run
from tests.service.sites import write_site

ANNA = AgentPhone.of(AgentSpec("anna", phone="PJSIP/anna"))
NOBODY = CallerId("+49301", "")


class Bench:
    def __init__(self) -> None:
        self.posted: list[Event] = []
        self.asked: list[Mapping[str, object]] = []
        self.hung_up: list[str] = []
        self.busy: list[tuple[str, bool]] = []
        self.works = True
        self.late = LateLegs(
            self.posted.append,
            self._originate,
            self.hung_up.append,
            lambda _: "anna",
            lambda agent, busy: self.busy.append((agent, busy)),
        )

    def _originate(self, headers: Mapping[str, object]) -> bool:
        self.asked.append(headers)
        return self.works

    def ring(self, phone: AgentPhone = ANNA, timeout_s: float = 5.0, variables: Sequence[tuple[str, str]] = ()) -> bool:
        return self.late.ring(("c1.1", "c1", "anna"), phone, timeout_s, NOBODY, _ignore, variables)

    def ami(self, event: str, **headers: str) -> None:
        channel = str(self.asked[-1]["ChannelId"])
        self.late.on_event({"Event": event, "Uniqueid": channel, "Channel": "PJSIP/anna-1", **headers})


def _ignore(_: LateLeg) -> None:
    return None


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_what_is_asked_of_asterisk(bench: Bench) -> None:
    assert bench.ring(variables=[("__ACD_CONFIRM", "/sounds/x")])
    assert dict(bench.asked[0]) == {
        "Channel": "PJSIP/anna",
        "Context": "acd-leg",
        "Exten": "s",
        "Priority": "1",
        "Timeout": "5000",
        "CallerID": "+49301",
        "Async": "true",
        "ChannelId": "acd-c1-1",
        "Variable": ("ACD_LEG=c1.1", "__ACD_CONFIRM=/sounds/x"),
    }
    assert bench.busy == [("anna", True)]
    assert bench.late.ringing("c1.1")


def test_a_phone_without_ami_or_without_time_is_not_rung(bench: Bench) -> None:
    assert not bench.ring(timeout_s=0.5)
    bench.works = False
    assert not bench.ring()
    assert bench.busy == []
    assert not bench.late.ringing("c1.1")


@pytest.mark.parametrize(
    ("number", "name", "header"),
    [
        ("+49301", "", "+49301"),
        ("+49301", "Eve Müller", '"Eve Müller" <+49301>'),
        ('1" <2>\r\nAction: Logoff', 'x"<y>\r\nAction: Logoff', '"xyAction Logoff" <12>'),
        ("anonymous", "", ""),
    ],
)
def test_the_callers_number_and_name_are_harmless(number: str, name: str, header: str) -> None:
    assert CallerId(number, name).header() == header


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        ("17", LegFailure.REJECTED),
        ("21", LegFailure.REJECTED),
        ("19", LegFailure.MISSED),
        ("34", LegFailure.UNREACHABLE),
    ],
)
@pytest.mark.parametrize("first", ["OriginateResponse", "Hangup"])
def test_why_a_phone_failed_is_told_by_its_hang_up(bench: Bench, cause: str, reason: LegFailure, first: str) -> None:
    bench.ring()
    bench.ami("Newchannel")
    for event in ("OriginateResponse", "Hangup") if first == "OriginateResponse" else ("Hangup", "OriginateResponse"):
        bench.ami(event, Cause=cause, Response="Failure", Reason="0")
    assert bench.posted == [LegFailed("c1.1", "anna", reason)]
    assert bench.busy[-1] == ("anna", False)


def test_a_phone_for_which_there_is_no_channel_is_unreachable(bench: Bench) -> None:
    bench.ring()
    bench.ami("OriginateResponse", Response="Failure", Reason="0")
    assert bench.posted == [LegFailed("c1.1", "anna", LegFailure.UNREACHABLE)]


def test_a_phone_cancelled_before_it_is_there_is_hung_up_when_it_is(bench: Bench) -> None:
    bench.ring()
    bench.late.cancel_leg("c1.1", "anna")
    assert bench.hung_up == ["acd-c1-1"]
    bench.ami("Newchannel")
    assert bench.hung_up == ["acd-c1-1"] * 2
    bench.ami("Hangup", Cause="26")
    assert bench.posted == []
    assert not bench.late.ringing("c1.1")


def test_a_phone_of_the_dial_was_faster(bench: Bench) -> None:
    bench.ring()
    bench.late.lost_to_dial("c1.1")
    assert bench.posted == [], "the agent stays the offer's until caller and winner are connected"
    assert not bench.late.ringing("c1.1")
    assert bench.hung_up == ["acd-c1-1"]


def test_what_was_missed_while_ami_was_away(bench: Bench) -> None:
    bench.ring()
    bench.late.compare({"acd-c1-1": "PJSIP/anna-1"})
    assert bench.posted == []
    bench.late.compare({})
    assert bench.posted == [LegFailed("c1.1", "anna", LegFailure.MISSED)]


def test_phones_that_an_engine_before_us_has_rung_stop(bench: Bench) -> None:
    bench.ring()
    bench.late.stop_strays(["acd-c1-1", "acd-c9-7", "acd-cb-c9-2", "1795317931.7", "acd-", "acd-c1"])
    assert bench.hung_up == ["acd-c9-7"], "not our own, not a customer's, not anybody's"


# With the caller's stay.

PROGRESSIVE = {"cards": {"strategy": {"name": "progressive-ring", "options": {"step_s": "1"}}}, "general": {}}
TWO = {"anna": ["cards"], "bob": ["cards"]}


async def second_phone(site: Site, caller: FakeChannel) -> FakeChannel:
    """Let the second phone ring and be picked up; its line."""
    await caller.until("EXEC Dial")
    site.dial_begins("anna", "L1")
    await site.until(lambda: any(name == "Originate" for name, _ in site.sent))
    headers = next(headers for name, headers in site.sent if name == "Originate")
    return await site.enter(str(headers["ChannelId"]), script="acd/leg", channel="PJSIP/bob-00000002")


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> None:
    from acd.service.asterisk_link import AsteriskLink

    monkeypatch.setattr(AsteriskLink, "connected", True)


def site_folder(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", agents=TWO, queues=PROGRESSIVE, defaults={"ring_timeout_s": "8"})


@pytest.mark.usefixtures("connected")
async def test_the_winner_is_connected_when_the_dial_has_ended(tmp_path: Path) -> None:
    async with run(site_folder(tmp_path)) as site:
        caller = await site.enter(extension="200")
        phone = await second_phone(site, caller)
        await site.until(lambda: ("Hangup", {"Channel": "PJSIP/anna-0000000a", "Cause": "26"}) in site.sent)
        caller.ended_dial("NOANSWER")
        assert await caller.until("EXEC Bridge") == "EXEC Bridge PJSIP/bob-00000002"
        assert caller.variables["DIALSTATUS"] == "NOANSWER", "killed now, they have not talked"
        assert caller.variables["DIALEDPEERNAME"] == "PJSIP/bob-00000002", "for whom a transfer is told from a hang-up"
        assert site.agent("anna") is AgentState.RESERVED, "until they are really connected"
        (rung,) = [str(headers["ChannelId"]) for name, headers in site.sent if name == "Originate"]
        site.ami("BridgeEnter", Uniqueid=rung, BridgeUniqueid="b1")
        assert (site.agent("anna"), site.agent("bob")) == (AgentState.READY, AgentState.TALKING)
        caller.reply("200 result=0")
        await caller.closed()
        assert site.agent("bob") is AgentState.READY
        await phone.close()


@pytest.mark.usefixtures("connected")
async def test_without_events_the_channel_tells_that_they_were_connected(tmp_path: Path) -> None:
    async with run(site_folder(tmp_path)) as site:
        caller = await site.enter(extension="200")
        await second_phone(site, caller)
        caller.ended_dial("NOANSWER")
        await caller.until("EXEC Bridge")
        caller.variables["BRIDGERESULT"] = "SUCCESS"
        caller.reply("200 result=0")
        await caller.closed()
        assert site.parts.engine.agents["bob"].counts.calls == 1


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("when", ["before", "during"])
async def test_the_winner_who_drops_gives_the_caller_back_to_the_old_place(tmp_path: Path, when: str) -> None:
    async with run(site_folder(tmp_path)) as site:
        caller = await site.enter(extension="200")
        phone = await second_phone(site, caller)
        entered_at = site.call.entered_at
        await site.until(lambda: site.call.offer is not None and site.call.offer.winner is not None)
        if when == "before":
            phone.hang_up()
            caller.ended_dial("NOANSWER")
        else:
            caller.ended_dial("NOANSWER")
            await caller.until("EXEC Bridge")
            caller.variables["BRIDGERESULT"] = "NONEXISTENT"
            caller.reply("200 result=0")
        dial = await caller.until("EXEC Dial")
        assert dial.startswith('EXEC Dial "PJSIP/anna,'), "was not at fault, and is rung again at once"
        assert caller.variables["DIALSTATUS"] != "ANSWER"
        assert (site.call.state, site.call.entered_at) == (CallState.OFFERED, entered_at)
        assert (site.agent("bob"), site.parts.engine.agents["bob"].reason) == (AgentState.BACK_OFF, "dropped")


@pytest.mark.usefixtures("connected")
async def test_who_is_too_late_is_hung_up_and_free(tmp_path: Path) -> None:
    async with run(site_folder(tmp_path)) as site:
        caller = await site.enter(extension="200")
        await caller.until("EXEC Dial")
        site.dial_begins("anna", "L1")
        await site.until(lambda: any(name == "Originate" for name, _ in site.sent))
        headers = next(headers for name, headers in site.sent if name == "Originate")
        site.dial_ends("L1", "ANSWER")
        phone = await site.enter(str(headers["ChannelId"]), script="acd/leg", channel="PJSIP/bob-00000002")
        await phone.closed()
        assert (site.agent("anna"), site.agent("bob")) == (AgentState.RESERVED, AgentState.RESERVED)
        site.bridged("L1")
        assert (site.agent("anna"), site.agent("bob")) == (AgentState.TALKING, AgentState.READY)


@pytest.mark.usefixtures("connected")
async def test_the_phone_of_the_dial_is_picked_up_and_gone(tmp_path: Path) -> None:
    """The one beside it was stopped for its sake: its agent is free, and rung anew."""
    async with run(site_folder(tmp_path)) as site:
        caller = await site.enter(extension="200")
        await caller.until("EXEC Dial")
        site.dial_begins("anna", "L1")
        await site.until(lambda: any(name == "Originate" for name, _ in site.sent))
        site.dial_ends("L1", "ANSWER")
        site.ami("Hangup", Uniqueid="L1", Channel="PJSIP/anna-00000001", Cause="16")
        caller.ended_dial("CANCEL")
        assert (await caller.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/bob,')
        assert (site.agent("anna"), site.agent("bob")) == (AgentState.BACK_OFF, AgentState.RESERVED)


async def test_a_line_of_nobody_is_let_go(tmp_path: Path) -> None:
    async with run(site_folder(tmp_path)) as site:
        phone = await site.enter("9.9", script="acd/leg", channel="PJSIP/bob-00000002")
        await phone.closed()
        assert phone.commands == []


# How phones are dialled.


def test_a_phone_that_answers_by_itself_is_told_so() -> None:
    auto = AgentPhone.of(AgentSpec("bob", phone="pjsip/bob", auto_answer=True))
    assert dial_arguments([ANNA, auto], 15.0, None) == (
        "PJSIP/anna&pjsip/bob",
        "15",
        "gim(default)b(acd-pre-dial^s^1(|PJSIP/bob|))",
    )


def test_a_mobile_is_dialled_by_way_of_the_dialplan() -> None:
    mobile = AgentPhone.of(AgentSpec("bob", phone="PJSIP/+491701@trunk", confirm=True))
    assert mobile.dial == "Local/PJSIP%2F%2B491701%40trunk@acd-confirm/n"
    assert mobile.device == "LOCAL/PJSIP%2F%2B491701%40trunk@acd-confirm"


def test_auto_answer_of_a_late_phone(bench: Bench) -> None:
    bench.ring(AgentPhone.of(AgentSpec("anna", phone="PJSIP/anna", auto_answer=True)))
    assert bench.asked[0]["PreDialGoSub"] == "acd-pre-dial,s,1(|PJSIP/anna|)"
