"""Menus on the real Asterisk: keys (RFC 4733) early, across prompts, too slow, wrong; PINs that leave no trace."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from argon2 import PasswordHasher

from acd.lab.callers import CallPlan
from tests.integration.conftest import OpenStage
from tests.integration.stage import Stage, Status

pytestmark = [pytest.mark.pbx, pytest.mark.asyncio(loop_scope="session")]

PIN = "7391548260"
WRONG_PIN = "6402857193"
HASH = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PIN)

SHORT = {"timeout_s": "1.5", "inter_digit_s": "1"}
ONCE = {"retries": "1"}

MAIN: Mapping[str, Any] = {
    "start": "choose",
    "keys": {"operator": "0", "operator_to": "operator", "top": "8"},
    "prompts": {
        name: {"en": {"text": text}}
        for name, text in {
            "choose": "One for an account, two for the PIN, three for more, four for prompts.",
            "account": "Your account, please.",
            "pin": "Your PIN, please.",
            "more": "Seven for sales.",
            "first": "This is the first of two rather long prompts, and a key ends it.",
            "law": "This one is heard by everybody.",
            "last": "And this one is long again, so that there is something to be cut short by a key.",
        }.items()
    },
    "nodes": {
        "choose": {
            "type": "menu",
            "prompt": "choose",
            "timeout_s": "1.5",
            "choices": {"1": "account", "2": "pin", "3": "more", "4": "prompts"},
            "direct_dial": {"inter_digit_s": "1", "not_reached": "unreached"},
            "invalid": ONCE,
            "no_input": ONCE,
            "on_failure": "failed",
        },
        "account": {
            "type": "collect",
            "prompt": "account",
            "name": "account",
            "min_digits": "3",
            "max_digits": "6",
            "valid": {"pattern": r"[1-6]\d*"},
            "confirm": "yes",
            "invalid": ONCE,
            "no_input": {"retries": "0"},
            "next": "accepted",
            "on_failure": "failed",
            **SHORT,
        },
        "pin": {
            "type": "pin",
            "prompt": "pin",
            "min_digits": "4",
            "max_digits": "10",
            "hash": HASH,
            "attempts": "2",
            "next": "accepted",
            "on_failure": "failed",
            "on_no_input": "silent",
            "no_input": {"retries": "0"},
            **SHORT,
        },
        "more": {
            "type": "menu",
            "prompt": "more",
            "timeout_s": "1.5",
            "choices": {"7": "accepted"},
            "on_failure": "failed",
        },
        "prompts": {
            "type": "play",
            "prompt": ["first", {"prompt": "law", "barge_in": "no"}, "last"],
            "next": "more",
        },
        "accepted": {"type": "enqueue", "queue": "accepted"},
        "failed": {"type": "enqueue", "queue": "failed"},
        "silent": {"type": "enqueue", "queue": "silent"},
        "operator": {"type": "enqueue", "queue": "operator"},
        "unreached": {"type": "enqueue", "queue": "unreached"},
        "extension": {"type": "enqueue", "queue": "extension"},
    },
}
QUEUES: Mapping[str, Mapping[str, object]] = {
    name: {} for name in ("accepted", "failed", "silent", "operator", "unreached", "extension")
}
SITE: Mapping[str, Any] = {
    "agents": {"anna": list(QUEUES)},
    "extensions": {"anna": "61"},
    "start": "not-ready",
    "queues": QUEUES,
    "routing": {"numbers": {"default": "main"}, "extensions": {"31": "main.extension", "3456": "main.extension"}},
    "trees": {"main": MAIN},
}

Keyed = list[tuple[float, str]]

PINS: Mapping[str, tuple[Keyed, str]] = {
    "a PIN typed ahead": ([(0.1, f"2{PIN}#")], "accepted"),
    "a PIN while it is asked for": ([(0.3, "2"), (0.8, PIN)], "accepted"),
    "a wrong PIN, then the right one": ([(0.3, "2"), (0.5, WRONG_PIN), (0.5, PIN)], "accepted"),
    "a wrong PIN twice, and its hash key": ([(0.3, f"2{WRONG_PIN}#"), (1.5, f"{WRONG_PIN}#")], "failed"),
    "a PIN begun, thrown away, and keyed in anew": ([(0.3, f"2{PIN[:6]}*{PIN}")], "accepted"),
    "a PIN of which the half is missing": ([(0.3, f"2{PIN[:5]}"), (2.5, PIN)], "accepted"),
    "no PIN": ([(0.3, "2")], "silent"),
}
KEYS: Mapping[str, tuple[Keyed, str]] = {
    "a choice while the prompt is heard": ([(0.3, "37")], "accepted"),
    "a choice, then one after the prompt": ([(0.3, "3"), (3.5, "7")], "accepted"),
    "through three nodes in one go": ([(0.1, "112345#1")], "accepted"),
    "back and top": ([(0.3, "3#3837")], "accepted"),
    "again and again": ([(0.3, "*3*7")], "accepted"),
    "the operator from a menu": ([(0.3, "30")], "operator"),
    "the operator while something is played": ([(0.3, "40")], "operator"),
    "a wrong key and then a right one": ([(0.3, "9"), (0.3, "37")], "accepted"),
    "too many wrong keys": ([(0.3, "99")], "failed"),
    "no key at all": ([], "failed"),
    "an account that is taken back": ([(0.3, "1123#"), (0.5, "2"), (0.3, "456#1")], "accepted"),
    "an account ended by a pause": ([(0.3, "1123"), (2.5, "1")], "accepted"),
    "an account of full length and its hash key": ([(0.3, "1123456#1")], "accepted"),
    "accounts too short and of the wrong form": ([(0.3, "112#"), (0.5, "987#")], "failed"),
    "no account": ([(0.3, "1")], "failed"),
    "an account begun and thrown away": ([(0.3, "1123*456#1")], "accepted"),
    "an extension": ([(0.3, "3456")], "extension"),
    "the shorter of two extensions, ended by hash": ([(0.3, "31#")], "extension"),
    "the beginning of an extension, which is a choice": ([(0.3, "3"), (2.0, "7")], "accepted"),
    "an extension that nobody has, twice": ([(0.3, "3459"), (2.5, "3458")], "failed"),
    "the extension of an agent who is not ready": ([(0.3, "61")], "unreached"),
    "a prompt that no key stops, and a key across it": ([(0.3, "4"), (0.3, "7")], "accepted"),
}


async def outcomes(s: Stage, keyed: Mapping[str, tuple[Keyed, str]]) -> dict[str, str | None]:
    """Let callers with these keys call, all beside each other; the queue that each comes to."""
    numbers = {f"+4930201{place:03}": what for place, what in enumerate(keyed)}
    plans = [
        CallPlan("100", caller_number=number, digits=keyed[what][0], listens=True) for number, what in numbers.items()
    ]
    callers = await s.place_all(plans)
    wanted = {number: keyed[what][1] for number, what in numbers.items()}
    found: dict[str, str | None] = {}

    def are_there(status: Status) -> bool:
        found.update({call["caller"]: call["queue"] for call in status["calls"]})
        return found == wanted

    with contextlib.suppress(TimeoutError):  # what each came to is compared by the test
        await s.engine.until(are_there, timeout_s=30)
    assert all(call.answer_message is not None for call in callers.calls)
    return {what: found.get(number) for number, what in numbers.items()}


async def hang_up_all(s: Stage) -> None:
    for callers in s.callers:
        await asyncio.gather(*(call.hang_up() for call in callers.calls if call.end is None))
    await s.empty()


async def test_keys_lead_where_they_should(stage: OpenStage) -> None:
    """Early keys and late ones, across prompts, wrong ones, `*` and `#`, at menus, numbers, extensions and prompts."""
    async with stage(**SITE) as s:
        assert await outcomes(s, KEYS) == {what: queue for what, (_, queue) in KEYS.items()}
        await hang_up_all(s)


async def test_an_extension_rings_its_agent(stage: OpenStage) -> None:
    """And the caller comes to where the menu says when the agent does not answer."""
    async with stage(**{**SITE, "start": "ready"}) as s:
        call = await s.place(CallPlan("100", digits=((0.3, "61"),)))
        offer = await s.rings("anna")
        offer.answer()
        await s.talking(1)
        await call.hang_up()
        await s.empty()
        again = await s.place(CallPlan("100", digits=((0.3, "61"),)))
        await s.rings("anna", 2)
        await s.engine.until(lambda status: [call["queue"] for call in status["calls"]] == ["unreached"])
        await again.hang_up()
        await s.empty()


async def test_a_pin_leaves_no_trace(stage: OpenStage) -> None:
    """With the log at debug, the digits of a PIN, right or wrong, are nowhere: log, journal, state, channel, web."""
    async with stage(**SITE) as s:
        assert await outcomes(s, PINS) == {what: queue for what, (_, queue) in PINS.items()}
        told = [await told_by_web(s), await s.pbx.cli("core show channels verbose")]
        names = re.findall(r"^PJSIP/\S+", await s.pbx.cli("core show channels concise"), re.MULTILINE)
        channels = [name.split("!")[0] for name in names]
        assert len(channels) == len(PINS)
        told += [await s.pbx.cli(f"core show channel {name}") for name in channels]
        assert all("ACD_STATE=" in text for text in told[2:]), "the channels' variables are among what is searched"
        await hang_up_all(s)
        told.append(await told_by_web(s))
        files = [path for path in s.engine.site.rglob("*") if path.is_file()]
        assert s.engine.log in files
        assert any("journal" in path.parts for path in files)
        assert b'"level":"debug"' in s.engine.log.read_bytes()
        contents = [(str(path), path.read_bytes()) for path in files] + [("told", text.encode()) for text in told]
        assert sum(b"+4930201000" in content for _, content in contents) > 2, "what is searched for is found"
        for where, content in contents:
            for secret in (PIN, WRONG_PIN):
                for part in (secret[start : start + 5] for start in range(len(secret) - 4)):
                    assert part.encode() not in content, f"{part} of {secret} in {where}: {content[:2000]!r}"


async def told_by_web(s: Stage) -> str:
    """Everything that the web port tells of the calls."""
    status = await s.engine.status()
    paths = ["/api/status", "/metrics", "/api/agents/anna/explanation"]
    paths += [f"/api/calls/{call['id']}/explanation" for call in status["calls"]]
    answers = [await s.engine.until_http(path, lambda code, _: code == 200) for path in paths]
    return json.dumps([body for _, body in answers])
