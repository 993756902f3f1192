"""From a checked configuration to what the engine, the menus and the process work with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from acd.core.calendars import Calendar, DateRule
from acd.core.engine import Engine
from acd.core.specs import (
    AgentSpec,
    BackOffSpec,
    CountScope,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    QueueSpec,
    RelaxationStep,
    RoutingSpec,
    StickySpec,
    WaitingMessage,
    WaitingMessageKind,
    WrapUpMode,
    WrapUpSpec,
)
from acd.service.compile import Compiled, Customer, DailyReset, compile_config
from acd.service.outbound import Outbound
from acd.store.event_codec import decode_routing, encode
from config import EXAMPLES, load
from ivr.nodes import EnqueueNode
from routing.priority import PriorityRule
from routing.skills import Requirement

BERLIN = ZoneInfo("Europe/Berlin")

FILES = {
    "acd.yaml": "{}\n",
    "routing.yaml": """\
numbers: {"100": main, "200": main.ask, default: other}
skills: {cards: Cards, mandarin: Mandarin}
defaults:
  music: bank
  overflow: [{when: {waiting_s: 300}, then: {queue: general}}]
queues:
  cards:
    title: Card services
    strategy: {name: ring-progressively, options: {step_s: 8}}
    requires: {cards: 5}
    group: seniors
    relax:
      - {after_s: 30, requires: {cards: 2}, group: seniors}
      - {after_s: 60, requires: {}, call_skills: drop}
    priority: 50
    ageing: {points_per_minute: 2, cap: 30}
    starvation_limit_s: 900
    ring_timeout_s: 40
    wrap_up: {mode: fixed, seconds: 20, extension_s: 30}
    sticky: {hold_s: 20, wait_for_wrap_up_s: 15, wait_while_busy: yes}
    music: quiet
    while_ringing: ringing
    while_waiting:
      - {say: position, after_s: 15, every_s: 60}
      - {say: estimated-wait, after_s: 20}
      - {play: please-hold, every_s: 90}
    service_level_s: 30
    opening_hours: office
    join:
      - {when: {out_of_hours: yes}, then: {voicemail: 100@bank}}
      - {when: {calls_waiting: 50, nobody_logged_in: yes}, then: {closing: goodbye}}
    overflow:
      - {when: {waiting_s: 60, nobody_ready: yes}, then: {queue: general, keep_wait: no}, repeat: yes}
      - {when: {estimated_wait_s: 600}, then: {callback: cards}}
      - {when: {calls_per_ready_agent: 10}, then: {menu: main}}
      - {when: {waiting_s: 90.5}, then: {menu: other.leave}}
      - {when: {waiting_s: 100}, then: {number: "+493098765"}}
  general: {}
missed_ring: {back_off_s: 20, in_a_row: 3}
rejected: {back_off_s: 5}
unreachable: {back_off_s: 90}
idle_time: {scope: queue, missed_call_resets: yes, short_call_s: 5}
call_counts: {scope: queue, reset_at: "03:30", zone: Europe/Berlin}
customers:
  "+4930123456": {name: Important Ltd, priority: 100, agent: anna}
  "+4930123457": {name: Important Ltd}
  "030999": {}
outbound: {allowed: ["+4930", "0800"], trunk: "PJSIP/{number}@trunk"}
""",
    "agents.yaml": """\
agents:
  anna:
    name: Anna Li
    phone: PJSIP/anna
    queues: [cards, general]
    skills: {cards: 8, mandarin: 3}
    groups: [seniors]
    weight: 2.5
    confirm: yes
    auto_answer: yes
    max_login_s: 36000
    start: not-ready
  bob: {phone: PJSIP/bob, queues: [general]}
  cara: {phone: PJSIP/cara, queues: [general, cards], place: {general: 1, cards: 9}}
  dan: {phone: PJSIP/dan, queues: [general], place: {general: 3}}
""",
    "calendars.yaml": """\
calendars:
  office:
    zone: Europe/Berlin
    hours:
      mon-wed: ["13:30-18:00", "09:00-12:30"]
      sat-sun: "10:00-24:00"
    closed: ["2026-12-25"]
    open: {"2026-12-24": ["09:00-12:00"]}
""",
    "ivr/main.yaml": """\
start: ask
prompts: {please-hold: {en: {text: Please hold.}}}
nodes:
  ask: {type: menu, prompt: please-hold, choices: {"1": to-cards, "2": other}, on_failure: to-cards}
  to-cards: {type: enqueue, queue: cards, priority: 20, requires: {mandarin: 3}, next: ask}
""",
    "ivr/other.yaml": """\
start: greet
nodes:
  greet: {type: say, value: Hello, next: leave}
  leave: {type: enqueue, queue: general}
""",
}

PLAIN = {
    "acd.yaml": "{}\n",
    "routing.yaml": "numbers: {default: main}\nqueues: {sales: {title: Sales}}\n",
    "agents.yaml": "agents: {anna: {phone: PJSIP/anna, queues: [sales]}}\n",
    "ivr/main.yaml": "start: sales\nnodes: {sales: {type: enqueue, queue: sales}}\n",
}


def compiled(folder: Path, **changes: tuple[str, str]) -> Compiled:
    """Compile the site above with single places in it changed: by file, old and new text."""
    for name, text in FILES.items():
        old, new = changes.get(name.partition(".")[0], ("", ""))
        assert old in text
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new) if old else text, encoding="utf-8")
    return compile_config(load(folder, {"ACD_AMI_PASSWORD": "secret"}))


@pytest.fixture(name="site", scope="module")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    return compiled(tmp_path_factory.mktemp("site"))


def to_queue(name: str, *, keep_wait: bool = True) -> OverflowAction:
    return OverflowAction(OverflowActionKind.QUEUE, name, keep_wait)


def test_everything_of_a_queue(site: Compiled) -> None:
    assert site.routing.queues["cards"] == QueueSpec(
        id="cards",
        title="Card services",
        strategy="progressive-ring",
        strategy_options={"step_s": 8.0},
        requirement=Requirement((("cards", 5),), "seniors"),
        relaxation=(
            RelaxationStep(30.0, Requirement((("cards", 2),), "seniors"), keep_call_skills=True),
            RelaxationStep(60.0, Requirement(), keep_call_skills=False),
        ),
        priority=PriorityRule(50, 2.0, 30.0, 900.0),
        ring_timeout_s=40.0,
        wrap_up=WrapUpSpec(WrapUpMode.FIXED, 20.0, 30.0),
        music="quiet",
        while_ringing="ringing",
        service_level_s=30.0,
        sticky=StickySpec(20.0, 15.0, wait_while_busy=True),
        messages=(
            WaitingMessage(WaitingMessageKind.POSITION, 15.0, 60.0),
            WaitingMessage(WaitingMessageKind.ESTIMATED_WAIT, 20.0, 0.0),
            WaitingMessage(WaitingMessageKind.PROMPT, 0.0, 90.0, "please-hold"),
        ),
        join=(
            OverflowRule(
                OverflowCondition(out_of_hours=True), OverflowAction(OverflowActionKind.VOICEMAIL, "100@bank")
            ),
            OverflowRule(
                OverflowCondition(calls_waiting=50, nobody_logged_in=True),
                OverflowAction(OverflowActionKind.CLOSING, "goodbye"),
            ),
        ),
        overflow=(
            OverflowRule(
                OverflowCondition(waiting_s=60.0, nobody_ready=True), to_queue("general", keep_wait=False), repeat=True
            ),
            OverflowRule(
                OverflowCondition(estimated_wait_s=600.0), OverflowAction(OverflowActionKind.CALLBACK, "cards")
            ),
            OverflowRule(
                OverflowCondition(calls_per_ready_agent=10.0), OverflowAction(OverflowActionKind.MENU, "main.ask")
            ),
            OverflowRule(OverflowCondition(waiting_s=90.5), OverflowAction(OverflowActionKind.MENU, "other.leave")),
            OverflowRule(OverflowCondition(waiting_s=100.0), OverflowAction(OverflowActionKind.NUMBER, "+493098765")),
        ),
    )


def test_what_a_queue_leaves_out(site: Compiled) -> None:
    """The site's defaults, else the engine's own; a rule for all that leads to this very queue is no rule here."""
    assert site.routing.queues["general"] == QueueSpec(
        id="general", title="general", music="bank", wrap_up=WrapUpSpec(WrapUpMode.CAPPED, 10.0)
    )


def test_a_rule_for_all_queues(tmp_path: Path) -> None:
    site = compiled(tmp_path, routing=("  general: {}\n", "  general: {}\n  letters: {}\n"))
    rule = OverflowRule(OverflowCondition(waiting_s=300.0), to_queue("general"))
    assert site.routing.queues["letters"].overflow == (rule,)
    assert site.routing.queues["general"].overflow == ()


def test_everything_of_an_agent(site: Compiled) -> None:
    assert site.routing.agents["anna"] == AgentSpec(
        id="anna",
        name="Anna Li",
        phone="PJSIP/anna",
        queues={"cards": 0, "general": 1},
        skills={"cards": 8, "mandarin": 3},
        groups=frozenset({"seniors"}),
        weight=2.5,
        confirm=True,
        auto_answer=True,
        max_login_s=36000.0,
        start="not-ready",
    )
    assert site.routing.agents["bob"] == AgentSpec(
        id="bob", name="bob", phone="PJSIP/bob", queues={"general": 3}, start="logged-out"
    )


def test_hunt_order(site: Compiled) -> None:
    """The order of agents.yaml; who has a place stands there, and at the end when the queue has fewer agents."""
    agents = site.routing.agents
    for queue, order in {"general": ["cara", "anna", "dan", "bob"], "cards": ["anna", "cara"]}.items():
        members = [name for name, agent in agents.items() if queue in agent.queues]
        assert sorted(members, key=lambda name: agents[name].queues[queue]) == order
        assert sorted(agents[name].queues[queue] for name in members) == list(range(len(order)))


def test_the_whole_site(site: Compiled) -> None:
    routing = site.routing
    assert routing.back_off == BackOffSpec(20.0, 5.0, 90.0, 3)
    assert (routing.idle_scope, routing.missed_resets_idle, routing.short_call_s) == (CountScope.QUEUE, True, 5.0)
    assert routing.count_scope is CountScope.QUEUE
    assert site.counts_reset == DailyReset(time(3, 30), BERLIN)
    assert site.outbound == Outbound(("+4930", "0800"), "PJSIP/{number}@trunk")


def test_defaults_of_the_whole_site(tmp_path: Path) -> None:
    (tmp_path / "ivr").mkdir()
    for name, text in PLAIN.items():
        (tmp_path / name).write_text(text)
    site = compile_config(load(tmp_path, {"ACD_AMI_PASSWORD": "secret"}))
    spec = RoutingSpec(site.routing.queues, site.routing.agents)
    assert site.routing == spec
    assert (site.calendars, site.opening_hours, site.customers.listed) == ({}, {}, {})
    assert (site.outbound, site.counts_reset) == (Outbound(), None)
    assert site.calendar_of("sales") is None


def test_customers(site: Compiled) -> None:
    named = Customer(id="Important Ltd", name="Important Ltd", source="customers")  # two numbers, one customer
    assert site.customers.listed == {
        "+4930123456": replace(named, priority=100, agent="anna"),
        "+4930123457": named,
        "030999": Customer(id="030999", source="customers"),
    }


def test_calendars(site: Compiled) -> None:
    two = ((time(9), time(12, 30)), (time(13, 30), time(18)))
    weekend = ((time(10), time(0)),)
    calendar = site.calendar_of("cards")
    assert calendar == Calendar(
        zone=BERLIN,
        week={0: two, 1: two, 2: two, 5: weekend, 6: weekend},
        dates={
            date(2026, 12, 25): DateRule(hours=()),
            date(2026, 12, 24): DateRule(hours=((time(9), time(12)),)),
        },
    )
    assert calendar is not None
    assert site.opening_hours == {"cards": "office"}
    assert site.calendar_of("general") is None
    assert site.calendar_of("nothing") is None
    late_on_sunday = datetime(2026, 11, 22, 22, 59, tzinfo=UTC)
    assert calendar.at(late_on_sunday).is_open
    christmas = calendar.at(datetime(2026, 12, 25, 9, tzinfo=UTC))
    assert (christmas.is_open, christmas.why) == (False, "closed on this date")


def test_menus(site: Compiled) -> None:
    assert site.entry_node("100") == site.entry_node("200") == "main.ask"
    assert site.entry_node("999") == "other.greet"
    node = site.forest.nodes[site.entry_node("100")]
    assert set(node.targets()) == {"main.to-cards", "other.greet"}
    to_cards = next(node for node in site.forest.nodes.values() if node.id == "main.to-cards")
    assert isinstance(to_cards, EnqueueNode)
    assert (to_cards.queue, to_cards.priority, dict(to_cards.requires)) == ("cards", 20, {"mandarin": 3})
    assert site.languages == {"en"}


def test_without_a_default_number_the_first_one_takes_the_others(tmp_path: Path) -> None:
    site = compiled(tmp_path, routing=(", default: other}", ', "300": other}'))
    assert site.entry_node("999") == "main.ask"


ALLOWED = Outbound(("+4930", "0800", "1"), "PJSIP/{number}@trunk")


@pytest.mark.parametrize("number", ["+493012", "08001", "12", "+4930" + "1" * 20])
def test_numbers_that_may_be_dialled(number: str) -> None:
    assert ALLOWED.device(number) == f"PJSIP/{number}@trunk"


@pytest.mark.parametrize(
    "number",
    [
        "+49401234",
        "00493012",
        "+882123",
        "1",
        "",
        "+",
        "+4930" + "1" * 21,
        "+4930 12",
        "+4930#12",
        "+4930１２",
        "+493012\n",
        "+493012&Local/1@x",
        "+493012,60",
        "+493012@evil",
        "{number}",
        "+4930{number}",
        "anonymous",
        "+4930${SHELL(id)}",
    ],
)
def test_numbers_that_may_not(number: str) -> None:
    assert ALLOWED.device(number) is None


def test_nothing_may_be_dialled_by_default() -> None:
    assert Outbound().device("100") is None
    assert Outbound(("1",), "").device("100") is None
    assert Outbound((), "PJSIP/{number}@trunk").device("100") is None


@pytest.mark.parametrize(
    ("moment", "reset"),
    [
        ("2026-11-20T01:00+00:00", "2026-11-20T02:30+00:00"),
        ("2026-11-20T02:30+00:00", "2026-11-21T02:30+00:00"),
        ("2026-11-19T23:30+00:00", "2026-11-20T02:30+00:00"),
        ("2026-07-01T23:30+12:00", "2026-07-02T01:30+00:00"),
    ],
)
def test_daily_reset(moment: str, reset: str) -> None:
    assert DailyReset(time(3, 30), BERLIN).next_after(datetime.fromisoformat(moment)).isoformat("T", "minutes") == reset


def test_daily_reset_where_the_clock_changes() -> None:
    """Once a day: at the first 02:30 of the two in autumn, and at 03:30 on the day that has none in spring."""
    reset = DailyReset(time(2, 30), BERLIN)

    def resets_from(moment: datetime) -> Iterator[str]:
        for _ in range(3):
            moment = reset.next_after(moment)
            yield f"{moment:%m-%d %H:%M}"

    assert list(resets_from(datetime(2026, 10, 24, 12, tzinfo=UTC))) == ["10-25 00:30", "10-26 01:30", "10-27 01:30"]
    assert list(resets_from(datetime(2026, 3, 28, 12, tzinfo=UTC))) == ["03-29 01:30", "03-30 00:30", "03-31 00:30"]


def test_the_journal_keeps_all_of_it(site: Compiled) -> None:
    data = json.loads(encode(site.routing))
    assert decode_routing(data) == site.routing


def test_the_site_above_uses_every_field(site: Compiled) -> None:
    """So that a field that is added is compiled, and checked here, too."""
    queue, agent = site.routing.queues["cards"], site.routing.agents["anna"]
    assert at_default(queue, QueueSpec("")) == []
    assert at_default(agent, AgentSpec("")) == []
    assert at_default(site.routing, RoutingSpec({}, {})) == ["lease_margin_s", "max_legs"], "these are not in YAML"


def at_default(value: Any, plain: Any) -> list[str]:
    """Return the fields of which nothing was said."""
    return [field.name for field in fields(value) if getattr(value, field.name) == getattr(plain, field.name)]


@pytest.mark.parametrize("example", ["bank", "demo"])
def test_the_examples_run(example: str) -> None:
    """The engine takes them, and its invariants hold from the start."""
    site = compile_config(load(EXAMPLES / example, {"ACD_AMI_PASSWORD": "secret"}))

    class Half:
        def random(self) -> float:
            return 0.5

    engine = Engine(site.routing, Half(), 0.0)
    assert set(engine.agents) == set(site.routing.agents)
    assert decode_routing(json.loads(encode(site.routing))) == site.routing
