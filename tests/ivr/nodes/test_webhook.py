"""The node that tells another system, and waits for nothing."""

from __future__ import annotations

from ivr.nodes import WebhookNode
from ivr.tools import Tools
from ivr.webhooks import Payload
from tests.ivr.builders import Walk, at, call, end, forest
from tests.ivr.scripted_line import ScriptedLine


class Posted:
    """Webhooks that keep what is handed to them."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, Payload, str]] = []

    def post(self, target: str, event: str, payload: Payload, *, key: str) -> None:
        self.events.append((target, event, payload, key))


async def test_the_call_and_its_data_are_told_and_the_caller_goes_on_at_once() -> None:
    posted, context, line = Posted(), call(), ScriptedLine()
    context.data["account"] = "4711"
    context.customer.update({"name": "Mr Li", "matter": ""})
    context.secrets["pin"] = "1234"
    node = WebhookNode(id=at("start"), target="crm", event="asked", data={"line": "{call.dialled}"}, next=at("fine"))
    there = Walk(forest(node, end("fine")), tools=Tools(webhooks=posted))
    await there.run(line, context)
    assert there.story[0] == "start next -> fine"
    assert line.heard[0].start_s == 0.0
    payload = {
        "call": "c1",
        "caller": "+49301234567",
        "caller_name": "Li",
        "dialled": "100",
        "language": "en",
        "node": "main.start",
        "customer": {"name": "Mr Li"},
        "data": {"account": "4711", "line": "100"},
    }
    assert posted.events == [("crm", "asked", payload, "c1-main.start-0")]
    assert "line" not in context.data


async def test_each_visit_is_an_event_of_its_own() -> None:
    posted = Posted()
    again = WebhookNode(id=at("start"), target="crm", event="asked", next=at("second"))
    second = WebhookNode(id=at("second"), target="crm", event="asked", next=at("fine"))
    there = Walk(forest(again, second, end("fine")), tools=Tools(webhooks=posted))
    await there.run(ScriptedLine())
    assert len({key for *_, key in posted.events}) == 2


async def test_without_any_webhooks_nothing_is_told() -> None:
    there = Walk(forest(WebhookNode(id=at("start"), target="crm", event="asked")))
    await there.run(ScriptedLine())
    assert there.story == ["start hang-up"]
