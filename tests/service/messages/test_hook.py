"""Webhooks: what is posted, how it is signed, and what each answer means."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
import pytest

from acd.service.messages.failures import DestinationDown, PermanentFailure, TemporaryFailure
from acd.service.messages.hook import HookReply, HookSender, HookTarget, signature
from acd.service.messages.message import OutgoingHook

TARGET = HookTarget(name="crm", url="http://127.0.0.1/", secret=b"key", headers={"X-Site": "one"})


@dataclass
class Client:
    reply: HookReply = HookReply(204)
    posted: list[tuple[HookTarget, bytes, Mapping[str, str]]] = field(default_factory=list)

    async def post(self, target: HookTarget, body: bytes, headers: Mapping[str, str]) -> HookReply:
        self.posted.append((target, body, headers))
        return self.reply


def sender(client: Client) -> HookSender:
    return HookSender(client, {"crm": TARGET}.get, lambda: 1_700_000_000.9)


async def test_what_is_posted() -> None:
    client = Client()
    hook = OutgoingHook(id="c-1", target="crm", event="call-abandoned", data={"call.caller": "+8610", "name": "王"})
    await sender(client).send(hook, 1_600_000_000.25)
    ((target, body, headers),) = client.posted
    assert target is TARGET
    assert orjson.loads(body) == {
        "id": "c-1",
        "event": "call-abandoned",
        "at": "2020-09-13T12:26:40.250Z",
        "data": {"call.caller": "+8610", "name": "王"},
    }
    expected = hmac.new(b"key", b"1700000000." + body, hashlib.sha256).hexdigest()
    assert headers == {
        "X-Site": "one",
        "Content-Type": "application/json",
        "Idempotency-Key": "c-1",
        "Acd-Event": "call-abandoned",
        "Acd-Signature": f"t=1700000000,v1={expected}",
    }


def test_the_signature_as_any_other_program_makes_it() -> None:
    # printf '1.{}' | openssl dgst -sha256 -hmac key
    assert signature(b"key", 1, b"{}") == "t=1,v1=" + hmac.digest(b"key", b"1.{}", "sha256").hex()


async def test_an_id_makes_no_header_of_its_own() -> None:
    client = Client()
    await sender(client).send(OutgoingHook(id="a\r\nX: y", target="crm", event="e"), 0.0)
    assert client.posted[0][2]["Idempotency-Key"] == hashlib.sha256(b"a\r\nX: y").hexdigest()


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (301, PermanentFailure),
        (400, PermanentFailure),
        (403, PermanentFailure),
        (404, PermanentFailure),
        (408, TemporaryFailure),
        (429, DestinationDown),
        (500, TemporaryFailure),
        (502, DestinationDown),
        (503, DestinationDown),
    ],
)
async def test_answers_other_than_yes(status: int, failure: type[Exception]) -> None:
    with pytest.raises(failure, match=f"crm answered {status}") as found:
        await sender(Client(HookReply(status, 7.0))).send(OutgoingHook(id="1", target="crm", event="e"), 0.0)
    assert type(found.value) is failure
    if isinstance(found.value, TemporaryFailure):
        assert found.value.retry_after_s == 7.0


async def test_a_target_that_is_gone() -> None:
    with pytest.raises(PermanentFailure, match="no webhook 'other'"):
        await sender(Client()).send(OutgoingHook(id="1", target="other", event="e"), 0.0)
