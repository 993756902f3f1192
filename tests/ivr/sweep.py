"""Every place of a site's menus where a caller can hang up, with the keys that lead there.

A *place* is a node and what was heard there last: most nodes have one, a survey or a box has many. The ways there are
found by walking the compiled trees with the interpreter, breadth first: from each new place every key is tried.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from acd.service.compile import Compiled
from config import EXAMPLES
from ivr.context import CallContext
from ivr.interpreter import Interpreter
from ivr.line import KEYS, LineHungUp
from ivr.lookups import FieldValue, LookUpAnswer, LookUpOutcome
from ivr.mailboxes import Access, Login, Shelf
from ivr.outcome import CallerGone, NodeId, Outcome
from ivr.record import StepRecord
from ivr.recordings import Draft
from ivr.tools import NoClock, Tools
from tests.ivr.boxes import Letter, Mailboxes, MemoryShelf, Recordings
from tests.ivr.documented import Walk, tools_for
from tests.ivr.scripted_line import ScriptedLine

BOX_NUMBER, BOX_PIN = "390", "471147"
RIGHT, UNKNOWN, BROKEN, SLOW = "12345678", "20000000", "30000000", "40000000"
"""Account numbers: known to the other system; not; such that it fails; such that it thinks for ever."""
ANSWERS: Mapping[str, LookUpAnswer] = {
    RIGHT: LookUpAnswer(
        outcome=LookUpOutcome.OK, values={"balance": "1280.50", "currency": "EUR", "booked": "2026-11-20"}
    ),
    UNKNOWN: LookUpAnswer(outcome=LookUpOutcome.NOT_FOUND, why="404"),
    BROKEN: LookUpAnswer(outcome=LookUpOutcome.ERROR, why="500"),
    SLOW: LookUpAnswer(outcome=LookUpOutcome.TIMEOUT, why="no answer in time"),
}
ENTRIES: Mapping[str, Sequence[str]] = {
    "collect": (*ANSWERS, "00000000"),
    "pin": ("2468#",),
    "callback": ("03098765432#", "0900123456#"),
    "voicemail-access": (f"{BOX_NUMBER}#{BOX_PIN}#", f"{BOX_NUMBER}#000000#"),
}
"""What is keyed in at a node of this type, beside single keys."""
CUSTOMERS: Mapping[str, str] = {"en": "+4930556", "zh": "+4930557"}
"""How numbers of customers with this language begin; four digits follow. All others are strangers."""
STRANGER = "+4930555"
NO_KEY = "~"
"""Stands among the keys: none is pressed until the time is over."""
OPEN, CLOSED = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 22, tzinfo=UTC)
LONGEST = 60
"""Keys; no way to a place is longer."""
REMEMBERS = ("collect", "pin")
"""Types of nodes from which the way on depends on what was keyed in before."""


@dataclass(frozen=True)
class Start:
    """Who calls which number: `language` of a customer's record, empty for a stranger. `closed`: out of hours. `node`:
    not from the number's own entry, but from there."""

    dialled: str
    language: str = ""
    closed: bool = False
    node: NodeId | None = None

    def caller(self, number: int) -> str:
        """The number of the so-many-eth caller of this kind."""
        return f"{CUSTOMERS.get(self.language, STRANGER)}{number:04}"


@dataclass(frozen=True)
class Site:
    """An example site as it is swept. `starts` reach every node; `edits` of its files make that possible."""

    name: str
    starts: Sequence[Start]
    edits: Sequence[tuple[str, str, str]]
    """File, what stands there, what stands there instead."""


SITES: Mapping[str, Site] = {
    "demo": Site(
        "demo",
        (Start("100"), Start("903")),
        (
            ("routing.yaml", "numbers:\n", 'numbers:\n  "903": welcome.survey\n'),
            ("agents.yaml", "start: ready", "start: logged-out"),
        ),
    ),
    "bank": Site(
        "bank",
        (
            *(Start("100"), Start("100", "en"), Start("100", "zh"), Start("+493023125116"), Start("903")),
            *(Start("100", closed=True), Start("902", closed=True), Start("199")),
        ),
        (
            (
                "routing.yaml",
                "numbers:\n",
                'numbers:\n  "902": closed.holiday\n  "903": main.survey\n',
            ),
            ("ivr/main.yaml", "share_percent: 50", "share_percent: 100"),
        ),
    ),
}


def write(site: Site, folder: Path, *edits: tuple[str, str, str]) -> Path:
    """Copy the example, changed so that all of it can be reached at any time of the day."""
    shutil.copytree(EXAMPLES / site.name, folder)
    for name, old, new in (*site.edits, *edits):
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} of {site.name} has changed: {old!r} is not in it"
        path.write_text(text.replace(old, new), encoding="utf-8")
    if (folder / "customers.csv").exists():
        with (folder / "customers.csv").open("a", encoding="utf-8") as table:
            for language, begin in CUSTOMERS.items():
                table.writelines(f"{begin}{number:04},Ms Example,{language},0,,\n" for number in range(200))
    return folder


@dataclass(frozen=True)
class Way:
    """How a caller comes to a place. `steps`: how many steps are over by then."""

    start: Start
    keys: str
    node: NodeId
    node_type: str
    heard: str
    steps: int


class HurriedLine(ScriptedLine):
    """A caller who has pressed all keys at the beginning, and hangs up when there are no more."""

    def __init__(self, keys: str) -> None:
        super().__init__(talks_s=[3.0] * 9)
        self.buffer = list(keys)

    async def read_digit(self, timeout_s: float) -> str:
        if not self.buffer and timeout_s > 0:
            self.gone = True
            raise LineHungUp
        if timeout_s > 0 and self.buffer[0] == NO_KEY:
            self.buffer.pop(0)
            held, self.buffer = self.buffer, []
            try:
                return await super().read_digit(timeout_s)
            finally:
                self.buffer = held
        return await super().read_digit(timeout_s)


@dataclass
class OwnRecordings(Recordings):
    """Notes what was begun."""

    opened: int = 0

    async def open(self, call: CallContext, node: str) -> Draft:
        self.opened += 1
        return await super().open(call, node)


@dataclass
class OwnBoxes(Mailboxes):
    """Notes what was begun; knows one PIN."""

    opened: int = 0
    shelves: int = 0
    begun_greetings: int = 0

    async def open(self, box: str, call: CallContext, node: str) -> Draft:
        draft = await super().open(box, call, node)
        self.opened += 1
        return draft

    async def login(self, number: str, pin: str, call: CallContext) -> tuple[Login, str]:
        self.tried.append((number, pin))
        box = next(name for name in self.faces)
        return (Login.RIGHT, box) if (number, pin) == (BOX_NUMBER, BOX_PIN) else (Login.WRONG, "")

    def own(self, call: CallContext) -> Sequence[Access]:
        return ()

    async def shelf(self, box: str, call: CallContext) -> Shelf:
        self.shelves += 1
        return OwnShelf(self, box)


@dataclass
class OwnShelf(MemoryShelf):
    """A shelf whose greetings are counted."""

    async def greeting(self) -> Draft:
        assert isinstance(self.boxes, OwnBoxes)
        self.boxes.begun_greetings += 1
        return await super().greeting()


@dataclass(frozen=True)
class Balances:
    """Answers by account number."""

    async def ask(self, lookup: str, value: FieldValue) -> LookUpAnswer:
        return ANSWERS[value("data.account") or UNKNOWN]


@dataclass
class Held:
    """The tools of one walk that hold something for the call while it lasts."""

    boxes: OwnBoxes
    recordings: OwnRecordings = field(default_factory=OwnRecordings)

    @property
    def left(self) -> list[str]:
        """What was begun and neither finished nor given back."""
        boxes, recordings = self.boxes, self.recordings
        ends = {
            "messages": boxes.opened - len(boxes.delivered) - len(boxes.left) - boxes.discarded.count("vm-1"),
            "recordings": recordings.opened - len(recordings.kept) - len(recordings.discarded) - len(recordings.left),
            "shelves": boxes.shelves - len(boxes.closed),
            "greetings": boxes.begun_greetings
            - len([used for used in boxes.greetings if used is not None])
            - boxes.discarded.count("greeting-1"),
        }
        return [f"{what}: {number}" for what, number in ends.items() if number]


def world(compiled: Compiled, at: datetime) -> tuple[Tools, Held]:
    """The tools of one walk: the site's own rules, with nothing behind them."""
    walk = Walk(tools=Tools(clock=NoClock(at)), letters=[Letter("m1"), Letter("m2")])
    plain = tools_for(walk, compiled)
    boxes = plain.mailboxes
    assert isinstance(boxes, Mailboxes)
    held = Held(OwnBoxes(faces=boxes.faces, numbers=boxes.numbers, letters=boxes.letters))
    tools = replace(plain, lookups=Balances(), mailboxes=held.boxes, recordings=held.recordings)
    return tools, held


async def walked(
    compiled: Compiled, start: Start, line: ScriptedLine
) -> tuple[Outcome, list[StepRecord], Held, CallContext]:
    """One walk; its outcome, its steps, what it has held, and the call."""
    tools, held = world(compiled, CLOSED if start.closed else OPEN)
    records: list[StepRecord] = []
    entry = start.node or compiled.entry_node(start.dialled)
    call = CallContext(call_id="c1", caller=start.caller(1), dialled=start.dialled, entry=entry)
    if start.language:
        call.customer |= {"known": "yes", "name": "Ms Example", "language": start.language}
    interpreter = Interpreter(compiled.forest, on_step=records.append, limits=compiled.limits, tools=tools)
    return await interpreter.run(line, call, entry), records, held, call


async def places(compiled: Compiled, starts: Iterable[Start]) -> list[Way]:
    """A way to each place and each node, as short as can be."""
    found: dict[tuple[NodeId, str], Way] = {}
    nodes: set[NodeId] = set()
    for start in starts:
        waiting = deque([""])
        seen: set[object] = set()
        while waiting:
            keys = waiting.popleft()
            line = HurriedLine(keys)
            outcome, records, _, call = await walked(compiled, start, line)
            for number, record in enumerate(records):
                if record.node not in nodes:
                    nodes.add(record.node)
                    heard = str(record.heard[0]) if record.heard else ""
                    found.setdefault((record.node, heard), Way(start, keys, record.node, record.type, heard, number))
            if not isinstance(outcome, CallerGone):
                continue
            node_type = compiled.forest.nodes[outcome.at].type
            heard = line.heard[-1].part if line.heard else ""
            way = Way(start, keys, outcome.at, node_type, heard, len(records) - 1)
            found.setdefault((way.node, way.heard), way)
            place = (way.node, heard, *sorted(call.data.items() if node_type in REMEMBERS else ()))
            if place not in seen and len(keys) < LONGEST:
                seen.add(place)
                waiting.extend(keys + more for more in (*KEYS[:12], NO_KEY, *ENTRIES.get(node_type, ())))
    return list(found.values())
