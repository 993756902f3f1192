"""SIPp as a process: messages, orders, failures."""

from __future__ import annotations

import asyncio
import re
import xml.etree.ElementTree as ET

import pytest

from acd.lab.callers import Callers, CallPlan
from acd.lab.errors import SippError
from acd.lab.install import AsteriskInstall
from acd.lab.sip_trace import SipMessage
from acd.lab.sipp import MessageLog, SippProcess, free_udp_port, headers_like, order_text
from acd.lab.sipp_scenarios import caller_scenario, display_name, literal, phone_scenario, register_scenario


def message(first_line: str, time_s: float = 0.0) -> SipMessage:
    return SipMessage(time_s, False, f"{first_line}\r\nCall-ID: c\r\nVia: a\r\nVia: b\r\n\r\n")


async def test_waiting_for_what_was_and_what_comes() -> None:
    log = MessageLog("x")
    first = message("INVITE sip:a@b SIP/2.0")
    log.add(first)
    assert await log.wait_for(lambda m: m.method == "INVITE") is first
    waiting = asyncio.create_task(log.wait_for(lambda m: m.method == "INVITE", after=first))
    await asyncio.sleep(0)
    log.add(message("BYE sip:a@b SIP/2.0"))
    assert not waiting.done()
    second = message("INVITE sip:a@b SIP/2.0", 1.0)
    log.add(second)
    assert await waiting is second
    assert log.count(lambda m: m.method == "INVITE") == 2


async def test_waiting_in_vain_tells_the_story() -> None:
    log = MessageLog("the call")
    log.add(message("BYE sip:a@b SIP/2.0"))
    with pytest.raises(TimeoutError, match=r"the call: not seen within 0\.01 s(.|\n)*<- BYE sip:a@b"):
        await log.wait_for(lambda m: m.method == "ACK", 0.01)


async def test_waiting_ends_with_the_process() -> None:
    log = MessageLog("x")
    waiting = asyncio.create_task(log.wait_for(lambda m: m.method == "ACK"))
    await asyncio.sleep(0)
    log.fail(SippError("gone"))
    with pytest.raises(SippError, match="gone"):
        await waiting


def test_orders_keep_header_names_as_sipp_wants_them() -> None:
    headers = headers_like(message("INVITE sip:a@b SIP/2.0"), "Via", "Call-ID")
    assert headers == ["Call-ID: c", "Via: a", "Via: b"]
    assert order_text("XRING", headers).startswith("XRING sip:sipp SIP/2.0\r\nCall-ID: c\r\n")
    assert order_text("XRING", headers).endswith("Content-Length: 0\r\n\r\n")


@pytest.mark.parametrize("text", ["${SHELL(x)}", "[call_id]", 'a"b', "a\\b", "<b>&]]>", "a\r\nb", "李"])
def test_literal_text_survives_xml_and_sipp(text: str) -> None:
    scenario = caller_scenario("100", "1", literal(text), "4000")
    invite = ET.fromstring(scenario).findtext("send") or ""
    shown = invite.split("From: ")[1].split("<sip:")[0]
    assert not set(shown) & set("[]<>&\r\n")
    # What SIPp makes of it: \xNN is the character NN.
    assert re.sub(r"\\x(..)", lambda found: chr(int(found.group(1), 16)), shown) == text


@pytest.mark.parametrize(
    ("name", "written"),
    [("", ""), ("Li Wei", '"Li Wei" '), ('A "B"', r'"A \"B\"" '), ("a\\b", r'"a\\b" '), ("李安娜", '"李安娜" ')],
)
def test_a_name_is_written_as_a_quoted_string(name: str, written: str) -> None:
    assert display_name(name) == written


@pytest.mark.parametrize("name", ["a\r\nb", "a\nb", "a\rb", "a\0"])
async def test_a_name_of_more_than_a_line_is_refused(name: str) -> None:
    callers = Callers(("sipp",), 5060, [CallPlan("1", caller_name=name)])
    with pytest.raises(SippError, match="one line"):
        await callers.start()
    await callers.stop()


@pytest.mark.parametrize("text", [phone_scenario(), register_scenario("a", "b"), caller_scenario("1", "2", "", "3")])
def test_scenarios_are_whole(text: str) -> None:
    root = ET.fromstring(text)
    labels = {element.get("id") for element in root.iter("label")}
    assert {element.get("next") for element in root if element.get("next")} <= labels
    # A row of optional messages must end with one that is not.
    kinds = [(element.tag, element.get("optional")) for element in root if element.tag != "label"]
    for (tag, optional), (following, _) in zip(kinds, [*kinds[1:], ("end", None)], strict=True):
        if tag == "recv" and optional:
            assert following == "recv"


@pytest.mark.parametrize("value", ["a;b", "a[b", 'a"b', "a\\b"])
async def test_groups_refuse_what_their_table_cannot_hold(value: str) -> None:
    callers = Callers(("sipp",), 5060, [CallPlan("1", caller_name=value), CallPlan("2")])
    with pytest.raises(SippError, match="calls alone"):
        await callers.start()
    await callers.stop()


@pytest.mark.pbx
async def test_a_scenario_that_sipp_refuses(asterisk: AsteriskInstall) -> None:
    port = free_udp_port()
    process = SippProcess(asterisk.sipp, "<scenario><bad/></scenario>", port=port, remote_port=1, on_message=print)
    with pytest.raises(SippError, match="SIPp ended at its start with code"):
        await process.start()
    await process.stop()


@pytest.mark.pbx
async def test_port_taken(asterisk: AsteriskInstall) -> None:
    first = SippProcess(asterisk.sipp, phone_scenario(), port=free_udp_port(), remote_port=1, on_message=print)
    await first.start()
    ended = asyncio.Event()
    second = SippProcess(
        asterisk.sipp,
        phone_scenario(),
        port=first.port,
        remote_port=1,
        on_message=print,
        on_end=lambda _code: ended.set(),
    )
    await second.start(wait_for_port=False)
    async with asyncio.timeout(10):
        await ended.wait()
    assert not second.running
    assert "bind" in second.errors().lower()
    await second.stop()
    await first.stop()
    assert not first.running
