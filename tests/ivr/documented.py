"""The worked examples of docs/menus.md: finding them, writing them as a site, and walking them by their script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from acd.service.calendars.desk import CalendarDesk
from acd.service.calendars.overrides import Overrides
from acd.service.compile import Compiled, compile_config
from acd.service.hashes import Argon2Hashes
from acd.service.outbound import Exchange
from config import Config
from ivr.callbacks import AskedHow, CallbackWish, Promise
from ivr.context import CallContext
from ivr.dialling import DialEnd
from ivr.interpreter import Interpreter
from ivr.lookups import FieldValue, LookUpAnswer, LookUpOutcome
from ivr.mailboxes import BoxFace, BoxTrouble
from ivr.outcome import CallerGone, Enqueue, HangUp, Outcome, ToAgent
from ivr.record import ProblemKind, StepRecord
from ivr.tools import NoClock, Tools
from tests.ivr.boxes import Letter, Mailboxes, Recordings
from tests.ivr.scripted_line import HANG_UP, ScriptedLine
from tests.service.sites import load_site

PAGE = Path(__file__).parents[2] / "docs" / "menus.md"

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w/-]+\.yaml)\b.*")

BESIDE: Mapping[str, Mapping[str, object]] = {
    "acd.yaml": {},
    "routing.yaml": {
        "numbers": {"default": "main"},
        "queues": {"sales": {"title": "Sales"}, "support": {"title": "Support"}},
    },
    "agents.yaml": {"agents": {"anna": {"phone": "PJSIP/anna", "queues": ["sales", "support"]}}},
}
"""Files that an example need not show; what it shows of one is laid over these."""


@dataclass(frozen=True)
class Example:
    """Some files and the walks through them. `title` is the heading they stand under."""

    title: str
    files: Mapping[str, str]
    walks: tuple[str, ...]


def examples(page: str) -> Iterator[Example]:
    """The examples of a page: one or more yaml blocks, each beginning with the comment `# FILE`, then its walks."""
    files: dict[str, str] = {}
    walks: list[str] = []
    last = 0
    for block in _BLOCK.finditer(page):
        kind, text = block.groups()
        if kind == "yaml":
            if walks:
                yield Example(_heading(page, last), files, tuple(walks))
                files, walks = {}, []
            named = _FILE.match(text)
            assert named, f"a block of YAML does not begin with the name of its file:\n{text}"
            files[named[1]] = text
        elif kind == "walk":
            walks.append(text)
            last = block.start()
    if files:
        assert walks, f"an example without a walk: {', '.join(files)}"
        yield Example(_heading(page, last), files, tuple(walks))


def _heading(page: str, before: int) -> str:
    headings: list[str] = re.findall(r"^##+ (.*)$", page[:before], re.MULTILINE)
    return headings[-1]


def write(example: Example, folder: Path) -> Path:
    """Write an example with what belongs beside it."""
    (folder / "ivr").mkdir(parents=True)
    for name, content in BESIDE.items():
        shown = yaml.safe_load(example.files.get(name, "")) or {}
        (folder / name).write_text(yaml.safe_dump({**content, **shown}, allow_unicode=True))
    for name, text in example.files.items():
        if name not in BESIDE:
            (folder / name).write_text(text)
    return folder


@dataclass
class Walk:
    """One walk as its script tells it.

    A line begins with what it is about:

    - `> PART`: the caller hears this part (a prompt's name, `number 3`, `"a text"` …); it may be cut short.
    - `< KEYS`: on hearing the part before, the caller presses these keys; before any part: at the call's beginning.
      `< hang-up`: the caller goes.
    - `= OUTCOME`: how the walk ends: `queue NAME`, `agent NAME`, `hang-up`, `gone`.
    - `. NODE OUTCOME`: this step is made, in this order among those named.
    - a word of `SETTINGS`: what is to be so beforehand.
    """

    heard: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    outcome: str = ""
    early: list[tuple[float, str]] = field(default_factory=list)
    reactions: dict[str, list[list[tuple[float, str]]]] = field(default_factory=dict)
    call: CallContext = field(default_factory=lambda: CallContext(call_id="c1", caller="+49301234567", dialled="100"))
    tools: Tools = field(default_factory=Tools)
    dial_ends: list[DialEnd] = field(default_factory=list)
    promise: Promise = Promise.PROMISED
    talks_s: list[float] = field(default_factory=list)
    """How long the caller talks into each recording."""
    letters: list[Letter] = field(default_factory=list)
    """The messages in the box that is listened to."""
    box_trouble: BoxTrouble | None = None

    def read(self, script: str) -> Walk:
        """Take the lines of a script."""
        for line in script.splitlines():
            word, _, rest = line.strip().partition(" ")
            rest = rest.strip()
            match word:
                case "":
                    continue
                case ">":
                    self.heard.append(rest)
                    self.reactions.setdefault(rest, []).append([])
                case "<":
                    self._press([HANG_UP] if rest == HANG_UP else list(rest))
                case "=":
                    self.outcome = rest
                case ".":
                    self.steps.append(rest)
                case _:
                    SETTINGS[word](self, rest)
        return self

    def _press(self, keys: list[str]) -> None:
        into = self.reactions[self.heard[-1]][-1] if self.heard else self.early
        after_s = into[-1][0] if into else 0.0
        into.extend((after_s + 0.2 * number, key) for number, key in enumerate(keys, start=1))


Setting = Callable[[Walk, str], None]


def _caller(walk: Walk, number: str) -> None:
    walk.call.caller = number


def _dial(walk: Walk, end: str) -> None:
    walk.dial_ends.append(DialEnd(end))


def _promise(walk: Walk, promise: str) -> None:
    walk.promise = Promise(promise)


def _answer(walk: Walk, given: str) -> None:
    outcome, *values = given.split()
    answer = LookUpAnswer(
        outcome=LookUpOutcome(outcome), values=dict(value.split("=", 1) for value in values), why="as the script says"
    )
    walk.tools = replace(walk.tools, lookups=Answers(answer))


def _customer(walk: Walk, given: str) -> None:
    name, _, value = given.partition("=")
    walk.call.customer[name] = value


def _at(walk: Walk, moment: str) -> None:
    walk.tools = replace(walk.tools, clock=NoClock(datetime.fromisoformat(moment).astimezone(UTC)))


def _talks(walk: Walk, seconds: str) -> None:
    walk.talks_s.append(float(seconds))


def _hangs_up_after(walk: Walk, seconds: str) -> None:
    walk.early.append((float(seconds), HANG_UP))


def _message(walk: Walk, caller: str) -> None:
    walk.letters.append(Letter(f"m{len(walk.letters)}", caller=caller))


def _box(walk: Walk, trouble: str) -> None:
    walk.box_trouble = BoxTrouble(f"box-{trouble}")


SETTINGS: Mapping[str, Setting] = {
    "at": _at,
    "answer": _answer,
    "customer": _customer,
    "caller": _caller,
    "dial": _dial,
    "promise": _promise,
    "talks": _talks,
    "hangs-up-after": _hangs_up_after,
    "message": _message,
    "box": _box,
}
"""Words of a script that arrange something before the walk."""


async def run(example: Example, script: str, folder: Path) -> None:
    """Load the example as it is written, walk it by one of its scripts, and hold the walk against the script."""
    site: Config = load_site(write(example, folder))
    assert not site.warnings, [str(warning) for warning in site.warnings]
    compiled = compile_config(site)
    walk = Walk().read(script)
    records: list[StepRecord] = []
    line = ScriptedLine(walk.early, reactions=walk.reactions, talks_s=walk.talks_s)
    line.dial_ends = walk.dial_ends
    tools = tools_for(walk, compiled)
    interpreter = Interpreter(compiled.forest, on_step=records.append, limits=compiled.limits, tools=tools)
    outcome = await interpreter.run(line, walk.call, compiled.entry_node(walk.call.dialled))
    assert [part.removesuffix("…") for part in line.heard_parts] == walk.heard
    made = iter(f"{record.node.partition('.')[2]} {record.outcome}" for record in records)
    for step in walk.steps:
        assert step in made, f"step {step!r} is not among those after the one before: {_story(records)}"
    assert _told(outcome) == walk.outcome, _story(records)
    meant = (ProblemKind.LOOK_UP, ProblemKind.CANNOT_RECORD)
    amiss = [problem for record in records for problem in record.problems if problem.kind not in meant]
    assert not amiss, _story(records)


def _calendars(walk: Walk, compiled: Compiled) -> CalendarDesk:
    def wall() -> float:
        return walk.tools.clock.now().timestamp()

    return CalendarDesk(Overrides(Path("not-kept"), wall), lambda: compiled, wall, lambda: None)


def tools_for(walk: Walk, compiled: Compiled) -> Tools:
    """The tools of a walk: those that its script set, with the passwords and calendars of the site itself."""
    return replace(
        walk.tools,
        hashes=Argon2Hashes(),
        calendars=_calendars(walk, compiled),
        exchange=Exchange(lambda: compiled.outbound),
        callbacks=CallbacksOf(compiled, walk.promise),
        recordings=Recordings(),
        mailboxes=mailboxes_of(walk, compiled),
    )


@dataclass(frozen=True)
class Answers:
    """Look-ups that all come to what the script says."""

    answer: LookUpAnswer

    async def ask(self, lookup: str, value: FieldValue) -> LookUpAnswer:
        return self.answer


def mailboxes_of(walk: Walk, compiled: Compiled) -> Mailboxes:
    """The site's own boxes, as their callers meet them, with what the script puts into them. PINs: see `Mailboxes`."""
    boxes = compiled.boxes.by_name
    return Mailboxes(
        faces={name: BoxFace(name=name, greeting=box.greeting, manner=box.manner) for name, box in boxes.items()},
        numbers={name: box.number for name, box in boxes.items()},
        trouble=walk.box_trouble,
        letters=walk.letters,
    )


@dataclass(frozen=True)
class CallbacksOf:
    """A desk with the site's own rules for numbers, which promises as the script says."""

    site: Compiled
    made: Promise

    def asked_how(self, queue: str) -> AskedHow:
        how = self.site.callbacks.of_queue(queue)
        return AskedHow(confirm=how.confirm, other_number=how.other_number)

    def number(self, text: str) -> str:
        return self.site.callbacks.numbers.check(text).number

    async def promise(self, wish: CallbackWish) -> Promise:
        return self.made


def _story(records: list[StepRecord]) -> str:
    return "; ".join(f"{record.node} {record.outcome} {record.key}" for record in records)


def _told(outcome: Outcome) -> str:
    match outcome:
        case Enqueue(queue=queue):
            return f"queue {queue}"
        case ToAgent(agent=agent):
            return f"agent {agent}"
        case HangUp():
            return "hang-up"
        case CallerGone():
            return "gone"
        case _:
            return type(outcome).__name__
