"""Look-ups and customers from the files to what is asked; what a reload tells of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acd.service.compile import Compiled, compile_config
from acd.service.lookups.answers import AnswerField, ValueKind
from acd.service.lookups.breaker import BreakerRule
from acd.service.lookups.client import HttpRules
from acd.service.lookups.compiling import http_rules, status_ranges
from acd.service.lookups.specs import LookUpSpec
from acd.service.lookups.templates import BodyKind, BodyValue, RequestTemplate, SentAs
from acd.service.site_changes import changes_between
from config import load
from ivr.lookups import LookUpOutcome
from ivr.nodes import HttpNode
from ivr.outcome import NodeId
from tests.service.sites import write_site

LOOKUPS = {
    "verify": {
        "url": "https://core.example/{data.account}",
        "method": "POST",
        "headers": {"Authorization": "{secret.token}"},
        "body": {"pin": "{secret.pin}", "limit": {"number": "10"}, "fresh": {"flag": "yes"}},
        "body_type": "form",
        "retries": "2",
        "idempotent": "yes",
        "ok": "200-201, 404",
        "answer": {"name": "a.b[1]", "balance": {"path": "balance", "type": "number", "default": "0"}},
    }
}
TREE = {
    "start": "pin",
    "prompts": {"hello": {"en": {"text": "Hello."}}},
    "nodes": {
        "pin": {"type": "pin", "prompt": "hello", "next": "ask"},
        "ask": {
            "type": "http",
            "lookup": "verify",
            "next": "own",
            "cases": [{"status": "409", "next": "own"}],
            "timeout": "leave",
        },
        "own": {"type": "http", "request": {"url": "http://crm.example/"}, "music": "jazz", "next": "leave"},
        "leave": {"type": "enqueue", "queue": "cards"},
    },
}


def site(folder: Path, table: str = "", token: str = "t1", **lookups: object) -> Compiled:
    written = {name: {**settings, **lookups} for name, settings in LOOKUPS.items()}
    caller_lookup = {"caller_lookup": {"table": "customers.csv"}} if table else {}
    write_site(
        folder,
        acd={"secrets": {"token": {}}},
        trees={"main": TREE},
        routing={"numbers": {"default": "main"}, "lookups": written, **caller_lookup},
    )
    (folder / "customers.csv").write_text(table)
    return compile_config(load(folder, {"ACD_AMI_PASSWORD": "x", "ACD_SECRET_TOKEN": token}))


def test_a_look_up(tmp_path: Path) -> None:
    assert site(tmp_path / "site").lookups["verify"] == LookUpSpec(
        name="verify",
        request=RequestTemplate(
            method="POST",
            url="https://core.example/{data.account}",
            headers={"Authorization": "{secret.token}"},
            body={
                "pin": BodyValue("{secret.pin}"),
                "limit": BodyValue("10", SentAs.NUMBER),
                "fresh": BodyValue("yes", SentAs.FLAG),
            },
            body_kind=BodyKind.FORM,
        ),
        retries=2,
        idempotent=True,
        accepted=((200, 201), (404, 404)),
        answer={
            "name": AnswerField(path=("a", "b", 1)),
            "balance": AnswerField(path=("balance",), kind=ValueKind.NUMBER, default="0"),
        },
    )


def test_nodes_ask_by_name_and_have_look_ups_of_their_own(tmp_path: Path) -> None:
    compiled = site(tmp_path / "site")
    ask, own = (compiled.forest.nodes[NodeId(f"main.{name}")] for name in ("ask", "own"))
    assert isinstance(ask, HttpNode)
    assert isinstance(own, HttpNode)
    assert (ask.lookup, own.lookup, own.music) == ("verify", "main.own", "jazz")
    assert ask.branches == {LookUpOutcome.TIMEOUT: "main.leave"}
    assert ask.cases[0].status == ((409, 409),)
    assert compiled.lookups["main.own"].request.url == "http://crm.example/"
    assert {spec.request.host for spec in compiled.lookups.values()} == {"https://core.example", "http://crm.example"}


def test_statuses() -> None:
    assert status_ranges("200") == ((200, 200),)
    assert status_ranges("200-204,301, 404-410") == ((200, 204), (301, 301), (404, 410))


def test_rules_of_the_process(tmp_path: Path) -> None:
    write_site(tmp_path, acd={"http": {"allow_private": ["10.0.0.0/8"], "breaker": {"failures": "2", "open_s": "7"}}})
    rules, breaker = http_rules(load(tmp_path, {}).acd.http)
    assert breaker == BreakerRule(2, 7.0)
    assert replace(rules, allowed=()) == HttpRules()
    assert [str(network) for network in rules.allowed] == ["10.0.0.0/8"]


def test_secrets_are_in_no_text(tmp_path: Path) -> None:
    compiled = site(tmp_path / "site", token="s3cret")
    assert compiled.secrets == {"token": "s3cret"}
    assert "s3cret" not in repr(compiled)


def test_what_a_reload_tells(tmp_path: Path) -> None:
    before = site(tmp_path / "a", "number,name\n4711,Li\n4712,Wang\n")
    after = site(tmp_path / "b", "number,name\n4711,Lee\n4713,Wu\n4714,Xu\n", token="t2", timeout_s="9")
    assert changes_between(before, after) == [
        "customer table: 2 new, 1 changed, 1 gone",
        "look-up verify: changed",
        "secret token: changed",
    ]
    assert changes_between(before, site(tmp_path / "c", "number,city\n4711,Li\n4712,Wang\n")) == [
        "customer table: columns number, city, not number, name"
    ]
