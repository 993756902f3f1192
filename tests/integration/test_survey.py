"""Surveys and what follows calls, on the real Asterisk: the agent is free at once, the caller's answers are kept, and
messages about the call arrive at a web server and a mail server."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import yaml

from acd.lab.callers import Call, CallPlan
from acd.lab.lab import Lab
from acd.lab.phones import PhoneCall, Ring
from tests.integration.stage import Stage, count, eventually, open_stage
from tests.service.messages.servers import HookBox, MailBox, hook_server, mail_server
from tests.service.sites import write_site

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

QUESTIONS = {"friendly": {"prompt": "friendly"}, "solved": {"prompt": "solved", "least": "0", "most": "1"}}
SURVEY = {"type": "survey", "questions": QUESTIONS, "timeout_s": "2", "no_input": {"retries": "0"}, "thanks": "thanks"}
TREES: Mapping[str, Any] = {
    "main": {
        "start": "cards",
        "prompts": {
            "friendly": {"en": {"text": "How friendly were we, from one to five?"}},
            "solved": {"en": {"text": "One if your matter is settled, zero if not."}},
            "invite": {"en": {"text": "Press one to tell us how it was."}},
            "thanks": {"en": {"text": "Thank you."}},
        },
        "nodes": {
            **{name: {"type": "enqueue", "queue": name} for name in ("cards", "never", "invited", "spoken", "empty")},
            "willing": {"type": "enqueue", "queue": "agreed", "data": {"survey": "yes"}},
            "unwilling": {"type": "enqueue", "queue": "agreed", "data": {"survey": "no"}},
            "ask": SURVEY,
            "ask-more": {**SURVEY, "comment": {"prompt": "friendly", "silence_s": "0", "longest_s": "30"}},
            "ask-nobody": {**SURVEY, "share_percent": "0"},
            "ask-agreed": {**SURVEY, "opt_in": "before"},
            "ask-invited": {**SURVEY, "opt_in": "after", "invitation": "invite"},
        },
    }
}
NUMBERS = {
    "200": "main.cards",
    "210": "main.never",
    "220": "main.willing",
    "230": "main.unwilling",
    "240": "main.invited",
    "250": "main.empty",
    "260": "main.spoken",
    "default": "main",
}
QUEUES: Mapping[str, Mapping[str, Any]] = {
    "cards": {"survey": "main.ask"},
    "never": {"survey": "main.ask-nobody"},
    "agreed": {"survey": "main.ask-agreed"},
    "invited": {"survey": "main.ask-invited"},
    "spoken": {"survey": "main.ask-more"},
    "empty": {},
}
FOLLOW_UP: Mapping[str, Any] = {
    "rules": {
        "lost": {
            "event": "abandoned",
            "queues": ["empty"],
            "webhook": {
                "target": "crm",
                "event": "sms",
                "data": {"to": "{call.caller}", "text": "You waited for {call.queue}, sorry."},
            },
            "mail": {"to": "team@example.net", "subject": "Lost: {call.caller}", "text": "Queue {call.queue}\n"},
        },
        "bad": {
            "event": "survey",
            "answers": {"friendly": {"at_most": "2"}},
            "webhook": {"target": "crm", "data": {"agent": "{call.agent}", "friendly": "{survey.friendly}"}},
        },
    }
}
SECRET = "key-of-the-test"


@dataclass
class Scene:
    stage: Stage
    mails: MailBox
    hooks: HookBox


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(lab: Lab, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """One engine for all of these tests, with a web server and a mail server beside it."""
    folder = tmp_path_factory.mktemp("survey") / "site"
    mails, hooks = MailBox(), HookBox()
    async with AsyncExitStack() as stack:
        smtp_port = await stack.enter_async_context(mail_server(mails))
        address = await stack.enter_async_context(hook_server(hooks))
        acd = {
            "http": {"allow_private": ["127.0.0.1"]},
            "secrets": {"crm-key": {}},
            "webhooks": {"crm": {"url": address, "secret": "crm-key"}},
            "mail": {"host": "127.0.0.1", "port": str(smtp_port), "tls": "none", "sender": "acd@example.net"},
        }
        agents = {"anna": ["cards", "never", "agreed", "invited", "spoken"]}
        write_site(folder, agents=agents, queues=QUEUES, trees=TREES, routing={"numbers": NUMBERS}, acd=acd)
        (folder / "followup.yaml").write_text(yaml.safe_dump(FOLLOW_UP))
        env = {"ACD_SECRET_CRM_KEY": SECRET}
        stage = await stack.enter_async_context(open_stage(lab, folder, cache, behaviour=Ring(), env=env))
        await stage.engine.start()
        await stage.engine.ready()
        yield Scene(stage, mails, hooks)


async def served(s: Stage, number: str) -> tuple[Call, PhoneCall]:
    """A caller who talks to anna."""
    before = len(s.phones["anna"].calls)
    call = await s.place(CallPlan(number, listens=True))
    offer = await s.rings("anna", before + 1)
    offer.answer()
    await offer.answered()
    await s.talking(1)
    return call, offer


async def surveys(s: Stage, **wanted: str) -> list[dict[str, Any]]:
    """What the interface says of surveys."""
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    _, body = await s.engine.until_http(f"/api/surveys?{query}", lambda code, _: code == 200)
    found: list[dict[str, Any]] = json.loads(body)["surveys"]
    return found


async def kept(s: Stage, queue: str) -> dict[str, Any]:
    """Wait until there is a survey of this queue; the newest."""

    async def is_so() -> bool:
        return bool(await surveys(s, queue=queue))

    await eventually(is_so, f"a survey of queue {queue}")
    return (await surveys(s, queue=queue))[0]


async def asked(s: Stage) -> None:
    """Wait until the caller is back in the menus."""
    await s.engine.until(lambda status: count(status, "menu") == 1)


async def test_the_caller_is_asked_and_the_agent_is_free_for_the_next(scene: Scene) -> None:
    s = scene.stage
    call, talk = await served(s, "200")
    await talk.hang_up()
    await asked(s)
    await s.engine.agent("anna", "ready")
    other, next_talk = await served(s, "200")
    assert not call.hung_up_by_caller
    assert count(await s.engine.status(), "menu") == 1, "the first caller is still being asked"
    await call.press("4")
    await call.press("1")
    await call.ended()
    found = await kept(s, "cards")
    assert {key: found[key] for key in ("agent", "queue", "survey", "outcome", "language", "answers")} == {
        "agent": "anna",
        "queue": "cards",
        "survey": "main.ask",
        "outcome": "complete",
        "language": "en",
        "answers": {"friendly": 4, "solved": 1},
    }
    lines = [line for path in (s.engine.site / "state/surveys").iterdir() for line in path.read_text().splitlines()]
    assert [json.loads(line)["call"] for line in lines] == [found["call"]]
    sample = 'acd_survey_answers_total{answer="4",question="friendly",queue="cards",survey="main.ask"}'
    assert await s.engine.metric(sample) == 1
    await other.hang_up()
    await next_talk.ended()
    await s.empty()
    assert len(await surveys(s, queue="cards")) == 1, "who hung up first was not asked"


async def test_hanging_up_in_the_middle_keeps_what_was_answered_and_a_bad_answer_is_told(scene: Scene) -> None:
    s = scene.stage
    before = len(await surveys(s, queue="cards"))
    call, talk = await served(s, "200")
    await talk.hang_up()
    await asked(s)
    await call.press("2")
    await eventually(lambda: _is(s.engine.logged("menu step", "main.ask", "answer")), "an answer")
    await call.hang_up()
    await s.empty()

    async def is_so() -> bool:
        return len(await surveys(s, queue="cards")) == before + 1

    await eventually(is_so, "one more survey")
    found = (await surveys(s, queue="cards"))[0]
    assert (found["outcome"], found["answers"], found["agent"]) == ("partial", {"friendly": 2}, "anna")
    await eventually(
        lambda: _is([hook for hook in scene.hooks.got if b'"bad' in hook[1] or b"friendly" in hook[1]]), "a hook"
    )
    (body,) = [json.loads(body) for _, body in scene.hooks.got if b"friendly" in body]
    assert (body["event"], body["data"]) == ("survey", {"agent": "anna", "friendly": "2"})


async def test_a_share_of_none_asks_nobody(scene: Scene) -> None:
    s = scene.stage
    call, talk = await served(s, "210")
    await talk.hang_up()
    await call.ended()
    assert not call.hung_up_by_caller
    await s.empty()
    assert await surveys(s, queue="never") == []


async def test_consent_before(scene: Scene) -> None:
    s = scene.stage
    call, talk = await served(s, "230")
    await talk.hang_up()
    await call.ended()
    await s.empty()
    assert await surveys(s, queue="agreed") == []
    call, talk = await served(s, "220")
    await talk.hang_up()
    await asked(s)
    await call.press("5")
    await call.press("0")
    await call.ended()
    assert (await kept(s, "agreed"))["answers"] == {"friendly": 5, "solved": 0}
    await s.empty()


async def test_consent_when_invited(scene: Scene) -> None:
    s = scene.stage
    call, talk = await served(s, "240")
    await talk.hang_up()
    await asked(s)
    await call.press("2")
    await call.ended()
    await s.empty()
    assert await surveys(s, queue="invited") == []
    declined = 'acd_surveys_total{outcome="declined",queue="invited",survey="main.ask-invited"}'
    assert await s.engine.metric(declined) == 1
    call, talk = await served(s, "240")
    await talk.hang_up()
    await asked(s)
    for key in "131":
        await call.press(key)
    await call.ended()
    assert (await kept(s, "invited"))["answers"] == {"friendly": 3, "solved": 1}
    await s.empty()


async def test_a_spoken_comment_is_kept_with_the_answers_though_the_caller_hangs_up_mid_word(scene: Scene) -> None:
    s = scene.stage
    before = len(s.phones["anna"].calls)
    call = await s.place(CallPlan("260", listens=True, steady_media=True))
    offer = await s.rings("anna", before + 1)
    offer.answer()
    await s.talking(1)
    await offer.hang_up()
    await asked(s)
    assert call.rtp is not None
    call.rtp.talking = True
    await call.rtp.press("3")
    await call.rtp.press("1")
    recordings = s.engine.site / "recordings"
    await eventually(
        lambda: _is([path for path in recordings.glob("draft-*.wav") if path.stat().st_size > 20_000]), "a comment"
    )
    await call.hang_up()
    found = await kept(s, "spoken")
    assert found["outcome"] == "complete"
    assert found["answers"] == {"friendly": 3, "solved": 1}
    assert found["comment_s"] > 1
    assert (s.engine.site / "state" / "recordings" / f"{found['comment']}.wav").stat().st_size > 16_000
    await s.empty()


async def test_a_killed_engine_still_knows_whom_the_caller_talked_to(scene: Scene) -> None:
    s = scene.stage
    before = len(await surveys(s, queue="cards"))
    call, talk = await served(s, "200")
    s.engine.kill()
    await s.engine.wait()
    await s.engine.start()
    await s.engine.ready()
    await s.talking(1)
    await talk.hang_up()
    await eventually(lambda: _is(s.engine.logged("call resumed")), "the caller back with the engine")
    await asked(s)
    await call.press("5")
    await call.press("0")
    await call.ended()

    async def is_so() -> bool:
        return len(await surveys(s, queue="cards")) == before + 1

    await eventually(is_so, "one more survey")
    found = (await surveys(s, queue="cards"))[0]
    assert (found["agent"], found["answers"]) == ("anna", {"friendly": 5, "solved": 0})
    await s.empty()


async def test_a_survey_that_an_engine_was_killed_in_counts_once_for_agent_and_queue(scene: Scene) -> None:
    s = scene.stage
    before = len(await surveys(s, queue="cards"))
    call, talk = await served(s, "200")
    await talk.hang_up()
    await asked(s)
    call_id = (await s.engine.status())["calls"][0]["id"]
    await call.press("4")
    await eventually(lambda: _is(s.engine.logged("menu step", "main.ask", "answer", call_id)), "an answer")
    s.engine.kill()
    await s.engine.wait()
    await s.engine.start()
    await s.engine.ready()
    await asked(s)
    await call.press("3")
    await call.press("1")
    await call.ended()
    await s.empty()

    async def is_so() -> bool:
        return len(await surveys(s, queue="cards")) == before + 1

    await eventually(is_so, "one more survey")
    found = (await surveys(s, queue="cards"))[0]
    assert (found["agent"], found["outcome"], found["answers"]) == ("anna", "complete", {"friendly": 3, "solved": 1})


async def test_who_hangs_up_while_waiting_is_followed_up_by_sms_and_mail(scene: Scene) -> None:
    s = scene.stage
    call = await s.place(CallPlan("250", caller_number="+8610555", listens=True))
    await s.waiting(1)
    await call.hang_up()
    await s.empty()
    await eventually(lambda: _is(scene.mails.mails), "a mail")
    (mail,) = scene.mails.mails
    assert (mail["To"], mail["Subject"]) == ("team@example.net", "Lost: +8610555")
    await eventually(lambda: _is([1 for _, body in scene.hooks.got if b'"sms"' in body]), "a webhook")
    ((headers, body),) = [hook for hook in scene.hooks.got if b'"sms"' in hook[1]]
    document = json.loads(body)
    assert document["data"] == {"to": "+8610555", "text": "You waited for empty, sorry."}
    assert headers["Idempotency-Key"] == document["id"]
    at, _, mac = headers["Acd-Signature"].removeprefix("t=").partition(",v1=")
    assert mac == hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    sent = 'acd_messages_total{kind="mail",outcome="sent"}'
    await eventually(lambda: _at(s, sent, 1), "the mail counted as sent")


async def test_a_webhook_that_waited_for_its_server_is_posted_at_once_by_the_next_engine(scene: Scene) -> None:
    s = scene.stage

    def about(number: bytes) -> list[bytes]:
        return [body for _, body in scene.hooks.got if number in body]

    scene.hooks.status = 500
    call = await s.place(CallPlan("250", caller_number="+8610556"))
    await s.waiting(1)
    await call.hang_up()
    await s.empty()
    await eventually(lambda: _is(about(b"+8610556")), "a webhook that is refused")
    s.engine.kill()
    await s.engine.wait()
    scene.hooks.got.clear()
    scene.hooks.status = 200
    await s.engine.start()
    await s.engine.ready()
    await eventually(lambda: _is(about(b"+8610556")), "the webhook")
    await eventually(lambda: _at(s, 'acd_messages_waiting{kind="hook"}', 0), "nothing waits")
    assert len(about(b"+8610556")) == 1


async def _at(s: Stage, sample: str, value: float) -> bool:
    return await s.engine.metric(sample) == value


async def _is(found: object) -> bool:
    return bool(found)
