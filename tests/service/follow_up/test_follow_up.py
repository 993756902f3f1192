"""From what the engine is told to the messages that follow: events, conditions, fields, limits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from acd.core.commands import ChangeQueue, Command, Overflow
from acd.core.events import (
    CallArrived,
    CallEnded,
    CallLeftQueue,
    CallQueued,
    Event,
    OfferBridged,
    TalkEnded,
    TalkRestored,
)
from acd.core.specs import OverflowAction, OverflowActionKind
from acd.service.follow_up import CallCourses, Course, FollowUpDesk, FollowUpRule, Happening
from acd.service.follow_up.desk import FollowUpTools
from acd.service.follow_up.rules import Letter, Note
from acd.service.messages import Message, OutgoingHook, OutgoingMail
from ivr.context import CallContext
from ivr.surveys import SurveyOutcome, SurveyResult


def rule(event: str = "ended", **more: Any) -> FollowUpRule:
    note = Note(target="crm", event=event, data={"to": "{call.caller}", "text": "{call.event} {call.waited_s}"})
    return FollowUpRule(**{"name": f"on-{event}", "event": event, "note": note, **more})


EVENTS = ("abandoned", "missed", "ended", "survey", "voicemail", "callback-given-up")


@dataclass
class Site:
    """Calls c1, c2 … have a caller's line; b1, b2 … have none."""

    folder: Path
    rules: list[FollowUpRule] = field(default_factory=lambda: [rule(event) for event in EVENTS])
    sent: list[Message] = field(default_factory=list)
    now: float = 1000.0
    wall: float = 1.8e9
    contexts: dict[str, CallContext] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.courses = CallCourses(self.context, lambda course, now: self.desk.call_ended(course, now))
        self.desk = FollowUpDesk(
            self.folder / "follow-ups.json",
            FollowUpTools(
                rules=lambda: self.rules,
                post=self.post,
                wall=lambda: self.wall,
                now=lambda: self.now,
                course_of=lambda call_id: self.courses.of_call(call_id),
            ),
        )

    def context(self, call_id: str) -> CallContext | None:
        if not call_id.startswith("c"):
            return None
        caller = f"+8610{call_id[1:]}"
        return self.contexts.setdefault(
            call_id, CallContext(call_id=call_id, caller=caller, caller_name="Li", dialled="100", language="zh")
        )

    async def post(self, message: Message) -> bool:
        self.sent.append(message)
        return True

    def tell(self, event: Event, *commands: Command, after_s: float = 0.0) -> None:
        self.now += after_s
        self.courses.observe(1, event, self.now, commands)

    async def events(self) -> list[str]:
        for _ in range(5):
            await asyncio.sleep(0)
        return sorted(message.event for message in self.sent if isinstance(message, OutgoingHook))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def queued(site: Site, call: str = "c1", queue: str = "cards") -> None:
    site.tell(CallArrived(call))
    site.tell(CallQueued(call, queue), after_s=5)


async def test_who_hangs_up_while_waiting_has_abandoned_and_is_missed(site: Site) -> None:
    queued(site)
    site.tell(CallEnded("c1"), after_s=12)
    assert await site.events() == ["abandoned", "ended", "missed"]
    (message,) = [one for one in site.sent if isinstance(one, OutgoingHook) and one.event == "abandoned"]
    assert message.data == {"to": "+86101", "text": "abandoned 12"}
    assert message.id == "followup-on-abandoned-abandoned-c1-hook"


async def test_who_was_answered_is_neither(site: Site) -> None:
    queued(site)
    site.tell(OfferBridged("c1.1", "anna"), after_s=3)
    site.tell(TalkEnded("c1"), after_s=60)
    site.tell(CallEnded("c1"), after_s=10)
    assert await site.events() == ["ended"]
    assert site.contexts["c1"].facts == {"agent": "anna", "queue": "cards"}


async def test_who_talked_and_hangs_up_in_the_next_queue_has_abandoned_but_is_not_missed(site: Site) -> None:
    queued(site)
    site.tell(OfferBridged("c1.1", "anna"), after_s=3)
    site.tell(TalkEnded("c1"), after_s=60)
    site.tell(CallQueued("c1", "general"), after_s=1)
    site.tell(CallEnded("c1"), after_s=9)
    assert await site.events() == ["abandoned", "ended"]


async def test_who_was_served_before_a_restart_is_known_by_the_line(site: Site) -> None:
    context = site.context("c1")
    assert context is not None
    context.facts |= {"agent": "anna", "queue": "cards"}
    site.tell(CallArrived("c1"))
    course = site.courses.of_call("c1")
    assert course is not None
    assert (course.agent, course.queue) == ("anna", "cards")
    site.tell(CallEnded("c1"), after_s=10)
    assert await site.events() == ["ended"]


async def test_the_fields(site: Site) -> None:
    site.rules = [rule("ended", note=Note(target="crm", event="ended", data={}))]
    queued(site)
    site.tell(OfferBridged("c1.1", "anna"), after_s=3)
    site.tell(TalkEnded("c1"), after_s=60)
    site.contexts["c1"].data["topic"] = "card"
    site.tell(CallEnded("c1"), after_s=10)
    await site.events()
    (message,) = site.sent
    assert isinstance(message, OutgoingHook)
    assert message.data == {
        "call.id": "c1",
        "call.caller": "+86101",
        "call.caller_name": "Li",
        "call.dialled": "100",
        "call.language": "zh",
        "call.queue": "cards",
        "call.agent": "anna",
        "call.at": "2027-01-15T08:00:00Z",
        "call.event": "ended",
        "call.waited_s": "3",
        "call.talked_s": "60",
        "call.lasted_s": "78",
        "data.topic": "card",
    }


async def test_a_webhook_without_data_gets_every_field_short_and_in_one_line(site: Site) -> None:
    site.rules = [FollowUpRule(name="crm", event="ended", note=Note(target="crm", event="ended", data={}))]
    site.contexts["c1"] = CallContext(call_id="c1", caller_name="Eve\r\n\x1b[2J", data={"long": "x" * 1000})
    site.tell(CallArrived("c1"))
    site.tell(CallEnded("c1"))
    await site.events()
    (message,) = site.sent
    assert isinstance(message, OutgoingHook)
    assert message.data["call.caller_name"] == "Eve   [2J"
    assert message.data["data.long"] == "x" * 200


async def test_who_leaves_the_queue_is_missed_but_has_not_abandoned(site: Site) -> None:
    queued(site)
    site.tell(CallLeftQueue("c1"), after_s=30)
    site.tell(CallEnded("c1"), after_s=30)
    assert await site.events() == ["ended", "missed"]


async def test_who_is_promised_a_callback_is_not_missed(site: Site) -> None:
    queued(site)
    action = OverflowAction(OverflowActionKind.CALLBACK, "cards")
    site.tell(CallArrived("other"), Overflow(1, "c1", action, "waited"))
    site.tell(CallEnded("c1"))
    queued(site, "c2")
    site.tell(CallLeftQueue("c2"))
    site.courses.promised("c2")
    site.tell(CallEnded("c2"))
    assert await site.events() == ["ended", "ended"]


async def test_a_caller_who_never_was_in_a_queue_has_only_ended(site: Site) -> None:
    site.tell(CallArrived("c1"))
    site.tell(CallEnded("c1"), after_s=3)
    assert await site.events() == ["ended"]


async def test_a_call_without_a_callers_line_is_none_of_these(site: Site) -> None:
    queued(site, "b1")
    site.tell(CallEnded("b1"))
    site.tell(CallEnded("c7"))
    assert await site.events() == []


async def test_another_queue_and_its_wait(site: Site) -> None:
    site.rules = [rule("abandoned", queues=frozenset({"general"}), waited_over_s=20)]
    queued(site)
    site.tell(CallArrived("x"), ChangeQueue(1, "c1", "general", site.now, "waited"), after_s=10)
    site.tell(CallEnded("c1"), after_s=15)
    queued(site, "c2", "general")
    site.tell(CallEnded("c2"), after_s=20)
    assert await site.events() == ["abandoned"]


async def test_a_talk_found_after_a_restart(site: Site) -> None:
    lines: dict[str, CallContext] = {}
    site.courses = CallCourses(lines.get, lambda course, now: site.desk.call_ended(course, now))
    site.tell(TalkRestored("c1", "anna", "cards", site.now - 50))
    lines["c1"] = CallContext(call_id="c1", caller="1")
    site.tell(TalkEnded("c1"), after_s=10)
    assert lines["c1"].facts == {"agent": "anna", "queue": "cards"}
    site.tell(CallEnded("c1"))
    assert await site.events() == ["ended"]


async def test_a_talk_found_after_a_restart_whose_caller_comes_in_again_as_a_new_call(site: Site) -> None:
    lines: dict[str, CallContext] = {}
    site.courses = CallCourses(lines.get, lambda course, now: site.desk.call_ended(course, now))
    site.tell(TalkRestored("c1", "anna", "cards", site.now - 50))
    site.tell(TalkEnded("c1"), after_s=10)
    site.courses.came_in("c1")
    site.tell(CallEnded("c1"))
    site.courses.came_in("c2")
    lines["c1"] = CallContext(call_id="c1", caller="1")
    site.courses.came_in("c1")
    assert lines["c1"].facts == {"agent": "anna", "queue": "cards"}
    site.tell(CallEnded("c1"))
    assert await site.events() == ["ended"]


def survey(call: str = "c1", **answers: int) -> SurveyResult:
    return SurveyResult(survey="main.ask", outcome=SurveyOutcome.COMPLETE, call_id=call, answers=answers)


async def test_a_bad_answer(site: Site) -> None:
    data = {"text": "{survey.friendly} {survey.outcome} {call.agent}{call.nothing}"}
    site.rules = [
        rule("survey", answers={"friendly": (None, 2)}, note=Note(target="crm", event="survey", data=data)),
    ]
    for call, answer in (("c1", 2), ("c2", 3)):
        queued(site, call)
        site.tell(OfferBridged(f"{call}.1", "anna"))
        site.tell(TalkEnded(call))
        site.desk.surveyed(survey(call, friendly=answer))
    queued(site, "c3")
    site.desk.surveyed(survey("c3"))
    await site.events()
    (message,) = site.sent
    assert isinstance(message, OutgoingHook)
    assert message.data == {"text": "2 complete anna"}


async def test_a_mail_and_a_webhook_of_one_rule(site: Site) -> None:
    letter = Letter(to="team@example.net", subject="Lost: {call.caller_name}", text="One\nTwo {{x}} {call.caller}")
    site.rules = [rule("abandoned", letter=letter)]
    queued(site)
    site.contexts["c1"].caller_name = "Eve\r\nBcc: x@y\x00"
    site.tell(CallEnded("c1"))
    await site.events()
    mail, hook = site.sent
    assert isinstance(mail, OutgoingMail)
    assert mail.subject == "Lost: Eve  Bcc: x@y"
    assert mail.text == "One\nTwo {x} +86101"
    assert mail.id != hook.id


async def test_so_many_for_a_number_a_day_also_over_a_restart(site: Site, tmp_path: Path) -> None:
    site.rules = [rule("voicemail", most_per_number=2)]
    task = asyncio.create_task(site.desk.run())
    happening = Happening(event="voicemail", call_id="c", number="+861")
    for _ in range(3):
        site.desk.happened(happening)
    site.desk.happened(Happening(event="voicemail", call_id="d", number="+862"))
    assert len(await site.events()) == 3
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    again = Site(tmp_path, rules=site.rules)
    again.desk.load()
    again.desk.happened(happening)
    assert await again.events() == []
    again.wall += 24 * 3600 + 1
    again.desk.happened(happening)
    assert await again.events() == ["voicemail"]


async def test_so_many_in_all_and_callers_without_a_number(site: Site) -> None:
    site.rules = [rule("voicemail", most_per_number=1, most=3)]
    for place in range(5):
        site.desk.happened(Happening(event="voicemail", call_id=f"c{place}", number=""))
    assert len(await site.events()) == 3
    counts = {sample.labels["outcome"]: sample.value for metric in site.desk.metrics() for sample in metric.samples}
    assert counts == {"sent": 3, "limited": 2}


def test_a_file_of_limits_that_cannot_be_read_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "follow-ups.json").write_text("{")
    Site(tmp_path).desk.load()


def test_a_course_without_a_queue_waited_for_nothing() -> None:
    course = Course("c1", 0.0)
    assert course.waited_s(100.0) == 0.0
    assert course.talked_s(100.0) == 0.0
