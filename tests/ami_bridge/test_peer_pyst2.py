"""Our fake, our codecs and our client held against pyst2, which others wrote."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from asterisk import manager as pyst2

from ami_bridge.ami_client import AmiClient, AmiState, AmiStatus
from tests.ami_bridge.fake_asterisk import LIMIT_S, FakeManager, FakeSession, channel_headers, event, swallow

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pyst2 uses names of threading that go away

COMPARED = ("Originate", "Nonsense")


def originate(session: FakeSession, action: dict[str, str]) -> None:
    session.reply(action, headers=[("Message", "Originate successfully queued")])
    answer = {"ActionID": action["ActionID"], "Response": "Success", "Uniqueid": "1.1"}
    session.write(event("OriginateResponse", answer))


def act_with_pyst2(port: int, heard: list[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    """Log in, ask, originate and log off with pyst2, in a thread of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = pyst2.Manager()
        client.connect("127.0.0.1", port)
        client.register_event("*", lambda message, _: heard.append((message.name, message.headers)))
        results = {
            "login": client.login("acd", "s3cret").headers,
            "ping": client.ping().headers,
            "originate": client.originate("PJSIP/anna", "100", "in", "1", run_async=True, variables={"A": "1"}).headers,
            "nonsense": client.send_action({"Action": "Nonsense"}).headers,
        }
        # Its reading thread may find the end of the connection, and close the socket, before the log-off is flushed.
        with contextlib.suppress(ValueError, pyst2.ManagerSocketException):
            client.close()
    return results


async def act_with_ours(port: int, heard: list[tuple[str, dict[str, str]]]) -> dict[str, Any]:
    """The same with our client."""
    results: dict[str, Any] = {}
    done = asyncio.Event()

    async def resync(client: AmiClient) -> None:
        results["ping"] = dict(await client.action("Ping"))
        headers = {
            "Channel": "PJSIP/anna",
            "Exten": "100",
            "Context": "in",
            "Priority": "1",
            "Async": "yes",
            "EarlyMedia": "false",
            "Variable": ["A=1"],
        }
        results["originate"] = dict(await client.action("Originate", headers))
        pending = await client._live_connection("Nonsense").request("Nonsense", None, 5)
        results["nonsense"] = dict(pending.reply or {})

    def on_state(status: AmiStatus) -> None:
        if status.state is AmiState.READY:
            done.set()

    client = AmiClient(
        "127.0.0.1",
        port,
        "acd",
        "s3cret",
        on_event=lambda message: heard.append((message.event, dict(message))),
        resync=resync,
        on_state=on_state,
        on_rtt=swallow,
    )
    running = asyncio.create_task(client.run())
    async with asyncio.timeout(LIMIT_S):
        await done.wait()
    await client.close()
    await running
    return results


def without_ids(headers: dict[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in headers.items() if name != "ActionID"}


async def test_both_act_alike_on_the_same_asterisk(manager: FakeManager) -> None:
    manager.answers["Originate"] = originate
    theirs_heard: list[tuple[str, dict[str, str]]] = []
    ours_heard: list[tuple[str, dict[str, str]]] = []
    async with asyncio.timeout(LIMIT_S):
        theirs = await asyncio.to_thread(act_with_pyst2, manager.port, theirs_heard)
    their_actions = [action for action in manager.actions if action["Action"] in COMPARED]
    manager.actions.clear()
    ours = await act_with_ours(manager.port, ours_heard)
    our_actions = [action for action in manager.actions if action["Action"] in COMPARED]

    for name in ("ping", "originate", "nonsense"):
        assert without_ids(ours[name]) == without_ids(theirs[name])
    assert theirs["login"]["Response"] == "Success"
    assert [without_ids(action) for action in our_actions] == [without_ids(action) for action in their_actions]
    named = "OriginateResponse"
    assert [without_ids(headers) for name, headers in ours_heard if name == named] == [
        without_ids(headers) for name, headers in theirs_heard if name == named
    ]


async def test_both_see_the_same_events(manager: FakeManager) -> None:
    names = ["Anna Li", "李安娜", "Björn", r"O\'Brien", ""]
    stream = b"".join(
        event("Newchannel", channel_headers(f"1.{number}", name=name)) + event("Hangup", {"Uniqueid": f"1.{number}"})
        for number, name in enumerate(names)
    )

    def login_and_stream(answer: Callable[[FakeSession, dict[str, str]], None]) -> Any:
        def login(session: FakeSession, action: dict[str, str]) -> None:
            answer(session, action)
            session.write(stream)

        return login

    manager.answers["Login"] = login_and_stream(manager.answers["Login"])
    manager.answers["Originate"] = originate
    theirs: list[tuple[str, dict[str, str]]] = []
    ours: list[tuple[str, dict[str, str]]] = []
    async with asyncio.timeout(LIMIT_S):
        await asyncio.to_thread(act_with_pyst2, manager.port, theirs)
    await act_with_ours(manager.port, ours)
    wanted = ("Newchannel", "Hangup")
    theirs_seen = [without_ids(headers) for name, headers in theirs if name in wanted]
    assert [without_ids(headers) for name, headers in ours if name in wanted] == theirs_seen
    assert len(theirs_seen) == 2 * len(names)
