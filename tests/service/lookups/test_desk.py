"""Look-ups against a real server with every fault: the right outcome, in time, and nothing seen that is private."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from ipaddress import ip_network

import pytest

from acd.service.lookups import client as client_module
from acd.service.lookups.answers import AnswerField, parse_path
from acd.service.lookups.breaker import BreakerRule
from acd.service.lookups.client import HttpRules
from acd.service.lookups.templates import BodyKind, BodyValue, SentAs
from ivr.lookups import LookUpAnswer, LookUpOutcome
from tests.service.lookups.other_side import LOOPBACK, TLS, OtherSide, asking, fields, lookup, other_side

NOBODY = fields({}, {})


async def outcome_of(side: OtherSide, path: str, **more: object) -> LookUpAnswer:
    """Ask once; 5 s at most."""
    async with asking(lookup(side.url(path), **more)) as us, asyncio.timeout(5):
        answer = await us.desk.ask("account", NOBODY)
        assert us.count(answer.outcome.value) == 1
        return answer


async def test_values_are_taken_by_their_path() -> None:
    fields = {
        "balance": AnswerField(path=parse_path("account.balance")),
        "blocked": AnswerField(path=parse_path("account.blocked")),
        "last": AnswerField(path=parse_path("entries[0].amount")),
        "owner": AnswerField(path=parse_path("account.owner"), default="nobody"),
    }
    async with other_side() as side:
        answer = await outcome_of(side, "/accounts/4711", answer=fields)
    assert answer.outcome is LookUpOutcome.OK
    assert answer.values == {"balance": "1280.50", "blocked": "no", "last": "-3", "owner": "nobody"}


@pytest.mark.parametrize(
    ("path", "outcome", "why"),
    [
        ("/missing", LookUpOutcome.NOT_FOUND, "status 404"),
        ("/broken", LookUpOutcome.ERROR, "status 500"),
        ("/html", LookUpOutcome.BAD_ANSWER, "not JSON"),
        ("/empty", LookUpOutcome.BAD_ANSWER, "not JSON"),
        ("/packed", LookUpOutcome.BAD_ANSWER, "compressed"),
    ],
)
async def test_answers_that_are_none(path: str, outcome: LookUpOutcome, why: str) -> None:
    async with other_side() as side:
        answer = await outcome_of(side, path)
    assert answer.outcome is outcome
    assert why in answer.why


@pytest.mark.parametrize("path", ["/hangs", "/stalls"])
async def test_the_time_out_is_for_everything_and_the_other_side_is_let_go(path: str) -> None:
    async with other_side() as side:
        started = time.monotonic()
        answer = await outcome_of(side, path, timeout_s=0.3, retries=3)
        assert answer.outcome is LookUpOutcome.TIMEOUT
        assert time.monotonic() - started < 2
        await asyncio.wait_for(side.gone.wait(), 5)
        assert len(side.seen) == 1


@pytest.mark.parametrize("path", ["/huge", "/huge/told"])
async def test_an_answer_of_10_mb_is_not_read(path: str) -> None:
    async with other_side() as side:
        answer = await outcome_of(side, path)
        assert answer.outcome is LookUpOutcome.BAD_ANSWER
        assert "larger" in answer.why
        assert side.sent_bytes < 8_000_000, "only what the sockets' buffers take"


async def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with asking(lookup(f"http://127.0.0.1:{port}/")) as us:
        answer = await us.desk.ask("account", NOBODY)
    assert (answer.outcome, answer.why.partition(":")[0]) == (LookUpOutcome.ERROR, "unreachable")


async def test_a_certificate_that_nobody_vouches_for() -> None:
    async with other_side(tls=True) as side:
        answer = await outcome_of(side, "/", timeout_s=4.0)
        assert answer.outcome is LookUpOutcome.ERROR
        assert answer.why.startswith("tls: ")
        assert side.seen == []


async def test_the_sites_own_authority() -> None:
    async with other_side(tls=True) as side:
        rules = HttpRules(allowed=LOOPBACK, ca_file=TLS / "ca.pem")
        async with asking(lookup(side.url("/", "localhost")), rules=rules) as us:
            answer = await us.desk.ask("account", NOBODY)
        assert answer.outcome is LookUpOutcome.OK, answer


# Where requests may go.


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_is_refused_unless_allowed(host: str) -> None:
    async with other_side() as side, asking(lookup(side.url("/", host)), rules=HttpRules()) as us:
        answer = await us.desk.ask("account", NOBODY)
        assert answer.outcome is LookUpOutcome.ERROR
        assert answer.why.startswith("address-refused: ")
        assert side.seen == []


async def test_a_name_that_leads_inside_is_refused_at_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name server's word counts for nothing: not the second answer either, which rebinding relies on."""
    answers = iter(["10.0.0.1", "169.254.169.254"])

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(client_module, "getaddrinfo", getaddrinfo)
    async with asking(lookup("http://crm.example/"), lookup("http://crm2.example/", name="other")) as us:
        first = await us.desk.ask("account", NOBODY)
        second = await us.desk.ask("other", NOBODY)
    assert "10.0.0.1 is private" in first.why
    assert "169.254.169.254 is link-local" in second.why


async def test_a_redirect_inside_is_refused_unless_allowed() -> None:
    async with other_side() as inside, other_side(host="127.0.0.2") as public:
        public.location = inside.url("/secrets")
        only_public = HttpRules(allowed=(ip_network("127.0.0.2/32"),))
        async with asking(lookup(public.url("/moved", "127.0.0.2")), rules=only_public) as us:
            refused = await us.desk.ask("account", NOBODY)
        assert refused.outcome is LookUpOutcome.ERROR
        assert "127.0.0.1 is this machine itself" in refused.why
        assert inside.seen == []
        async with asking(lookup(public.url("/moved", "127.0.0.2"))) as us:
            allowed = await us.desk.ask("account", NOBODY)
        assert allowed.outcome is LookUpOutcome.OK
        assert [seen.path for seen in inside.seen] == ["/secrets"]


async def test_what_is_meant_for_one_host_does_not_follow_a_redirect_to_another() -> None:
    async with other_side() as other, other_side() as side:
        side.location = other.url("/")
        spec = lookup(side.url("/moved"), request={"headers": {"Authorization": "Bearer {secret.token}"}})
        async with asking(spec, secrets={"token": "s3cret"}) as us:
            assert (await us.desk.ask("account", NOBODY)).outcome is LookUpOutcome.OK
        assert side.seen[0].headers["Authorization"] == "Bearer s3cret"
        assert "Authorization" not in other.seen[0].headers


@pytest.mark.parametrize("location", ["/moved", "", "gopher://example.org/", "http://user:pw@127.0.0.1/", "http://[::"])
async def test_redirects_that_lead_nowhere_good(location: str) -> None:
    async with other_side() as side:
        side.location = location
        answer = await outcome_of(side, "/moved", redirects=3)
        assert answer.outcome is LookUpOutcome.ERROR
        assert answer.why.startswith("redirect: "), answer.why
        assert len(side.seen) <= 4


async def test_a_redirect_is_no_answer_where_none_is_followed() -> None:
    async with other_side() as side:
        side.location = "/"
        assert (await outcome_of(side, "/moved", redirects=0)).why == "status 302"
        answer = await outcome_of(side, "/moved", request={"method": "POST"})
        assert "POST request is not sent on" in answer.why


async def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with other_side() as side:
        assert (await outcome_of(side, "/")).outcome is LookUpOutcome.OK


# Trying again, and leaving alone.


@pytest.mark.parametrize(
    ("more", "requests", "outcome"),
    [
        ({"retries": 2}, 3, LookUpOutcome.OK),
        ({"retries": 1}, 2, LookUpOutcome.ERROR),
        ({"retries": 2, "request": {"method": "POST"}}, 1, LookUpOutcome.ERROR),
        ({"retries": 2, "idempotent": True, "request": {"method": "POST"}}, 3, LookUpOutcome.OK),
    ],
)
async def test_only_what_may_be_sent_twice_is(more: dict[str, object], requests: int, outcome: LookUpOutcome) -> None:
    async with other_side() as side:
        side.plan = [503, 429]
        assert (await outcome_of(side, "/planned", **more)).outcome is outcome
        assert len(side.seen) == requests


async def test_a_host_that_fails_is_left_alone_then_tried_with_one_request() -> None:
    async with other_side() as side:
        side.plan = [500] * 4
        async with asking(lookup(side.url("/planned")), rule=BreakerRule(failures=3, open_s=30.0)) as us:

            async def ask() -> LookUpAnswer:
                return await us.desk.ask("account", NOBODY)

            assert [(await ask()).why for _ in range(4)] == ["status 500"] * 3 + [
                "not asked: the host has not answered of late"
            ]
            assert (len(side.seen), us.breaker()) == (3, 2)
            us.clock[0] += 31
            assert us.breaker() == 1
            assert (await ask()).why == "status 500", "the probe; it fails"
            assert us.breaker() == 2
            us.clock[0] += 31
            answers = await asyncio.gather(ask(), ask())
            assert sorted(answer.outcome.value for answer in answers) == ["error", "ok"], "one probe at a time"
            assert us.breaker() == 0
            assert (await ask()).outcome is LookUpOutcome.OK


async def test_a_caller_who_leaves_tells_nothing_of_the_host() -> None:
    async with other_side() as side, asking(lookup(side.url("/hangs")), rule=BreakerRule(failures=1)) as us:
        task = asyncio.create_task(us.desk.ask("account", NOBODY))
        await asyncio.wait_for(side.came.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(side.gone.wait(), 5)
        assert us.breaker() == 0
        assert us.count("abandoned") == 1


async def test_so_many_at_a_time_to_one_host() -> None:
    rules = HttpRules(allowed=LOOPBACK, connections_per_host=2)
    async with other_side() as side, asking(lookup(side.url("/slow"), timeout_s=15), rules=rules) as us:
        side.delay_s = 0.1
        answers = await asyncio.gather(*(us.desk.ask("account", NOBODY) for _ in range(6)))
        assert {answer.outcome for answer in answers} == {LookUpOutcome.OK}
        assert side.most_thinking == 2


async def test_who_waits_for_others_to_one_host_waits_no_longer_than_the_time_out() -> None:
    rules = HttpRules(allowed=LOOPBACK, connections_per_host=1)
    async with other_side() as side, asking(lookup(side.url("/hangs"), timeout_s=0.5), rules=rules) as us:
        answers = await asyncio.gather(*(us.desk.ask("account", NOBODY) for _ in range(3)))
        assert {answer.outcome for answer in answers} == {LookUpOutcome.TIMEOUT}


# What is sent.


async def test_callers_data_stay_in_their_place() -> None:
    spec = lookup(
        "{base}/accounts/{{data.account}}/balance?lang={{call.language}}".format(base="http://127.0.0.1:PORT"),
        request={"query": {"q": "{data.q}"}, "headers": {"X-Caller": "{call.caller}"}},
    )
    values = {
        "data.account": "47/11?x=1#y",
        "call.language": "zh&admin=1",
        "data.q": "a b&c=ü",
        "call.caller": "+49 30",
    }
    async with other_side() as side:
        url = spec.request.url.replace("PORT", str(side.port))
        async with asking(lookup(url, request={"query": spec.request.query, "headers": spec.request.headers})) as us:
            assert (await us.desk.ask("account", fields(values, {}))).outcome is LookUpOutcome.OK
        assert side.seen[0].path == ("/accounts/47%2F11%3Fx%3D1%23y/balance?lang=zh%26admin%3D1&q=a%20b%26c%3D%C3%BC")
        assert side.seen[0].headers["X-Caller"] == "+49 30"


@pytest.mark.parametrize("value", ["", ".", "..", "../../admin", "..\\admin", "a/../b"])
async def test_what_would_change_the_path_is_not_sent(value: str) -> None:
    async with other_side() as side, asking(lookup(side.url("/accounts/{data.account}"))) as us:
        answer = await us.desk.ask("account", fields({"data.account": value}, {}))
        assert answer.outcome is LookUpOutcome.ERROR
        assert answer.why.startswith("not asked: data.account ")
        assert side.seen == []


async def test_bodies_in_json_and_as_a_form() -> None:
    body = {
        "customer.id": BodyValue("{data.id}"),
        "amount": BodyValue("{data.amount}", SentAs.NUMBER),
        "pin": BodyValue("{secret.pin}"),
        "fresh": BodyValue("yes", SentAs.FLAG),
    }
    values = {"data.id": 'x", "admin": "1', "data.amount": "12.5"}
    async with other_side() as side:
        for kind in BodyKind:
            spec = lookup(side.url("/"), request={"method": "POST", "body": body, "body_kind": kind})
            async with asking(spec) as us:
                await us.desk.ask("account", fields(values, {"pin": "4711"}))
        assert [seen.body for seen in side.seen] == [
            b'{"customer":{"id":"x\\", \\"admin\\": \\"1"},"amount":12.5,"pin":"4711","fresh":true}',
            b"customer.id=x%22%2C+%22admin%22%3A+%221&amount=12.5&pin=4711&fresh=yes",
        ]
        assert side.seen[0].headers["Content-Type"] == "application/json"
        async with asking(lookup(side.url("/"), request={"method": "POST", "body": body})) as us:
            answer = await us.desk.ask("account", fields({**values, "data.amount": "1e9"}, {"pin": "4711"}))
            assert answer.why == "not asked: body amount is not a number"
            assert (await us.desk.ask("account", fields(values, {}))).why == "not asked: there is no secret pin"


@pytest.mark.parametrize("path", ["/", "/broken", "/html", "/hangs", "/moved"])
async def test_neither_secrets_nor_callers_data_are_in_logs_answers_or_metrics(
    path: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    async with other_side() as side:
        side.location = "http://{/"
        spec = lookup(
            side.url(f"{path}/{{data.account}}"),
            timeout_s=0.3,
            request={"query": {"key": "{secret.token}"}, "headers": {"Authorization": "{secret.token}"}},
        )
        async with asking(spec, secrets={"token": "tok-s3cret"}) as us:
            answer = await us.desk.ask("account", fields({"data.account": "acc-4711"}, {"pin": "pin-0815"}))
            text = "".join(f"{family}" for family in us.registry.collect()) + f"{list(us.desk.metrics())}{answer}"
        out = capsys.readouterr()
        for private in ("tok-s3cret", "acc-4711", "pin-0815"):
            assert private not in text + caplog.text + out.out + out.err
        assert "look-up" in out.out + out.err + caplog.text, "it is logged at all"


async def test_a_name_that_no_name_can_be_is_an_error() -> None:
    async with asking(lookup(f"https://{'a' * 64}.example/"), lookup("https://a..b/", name="dots")) as us:
        for name in ("account", "dots"):
            answer = await us.desk.ask(name, NOBODY)
            assert answer.outcome is LookUpOutcome.ERROR, answer


async def test_head_has_a_length_and_no_body() -> None:
    async with other_side() as side:
        answer = await outcome_of(side, "/", request={"method": "HEAD"}, answer={}, most_bytes=10)
        assert answer.outcome is LookUpOutcome.OK
        assert side.seen[0].method == "HEAD"
