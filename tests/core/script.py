"""Scenarios as text: what the engine is told, and what it answers, on one page that a person can read and judge.

A scenario has two parts, divided by a line ``---``. Above it the site, one thing a line:

    queue NAME [strategy= requires= group= priority= ageing=POINTS/CAP overdue= ring= wrap-up=MODE:SECONDS+EXTENSION
               hold= hold-wrap-up= hold-busy step=]
    relax QUEUE at=SECONDS [requires= group= forget]
    message QUEUE position|estimated-wait|prompt at= [every= prompt=]
    join|overflow QUEUE CONDITION=.. [..] -> ACTION TARGET [lose-wait] [repeat]
    agent NAME queues=Q[:PLACE],.. [skills=S:LEVEL,.. groups= weight= login= start=]
    back-off [missed= rejected= unreachable= limit=]
    site [idle=queue counts=queue missed-resets-idle short-call= lease= max-legs= seed= lenient]

Below it events, one a line, each beginning with its time in seconds; see ``_EVENTS``. ``config`` takes the site in the
lines that follow it, each beginning with ``|``. What the engine answers stands beneath each event, indented; answers to
deadlines that passed on the way begin with ``@`` and their time. Lines beginning with ``#`` are for the reader.

``run`` returns the whole text anew with the engine's true answers: a test compares, a developer rewrites.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

from acd.core import events
from acd.core.engine import Engine
from acd.core.events import DeviceState, Event, LegFailure
from acd.core.snapshot import Snapshot
from acd.core.transitions import AgentState, CallState
from tests.core.script_site import Site, read_site
from tests.core.script_words import command_words


@dataclass(frozen=True)
class Line:
    """One event line: time, verb, what follows in order, and what follows as ``name=value``."""

    at: float
    verb: str
    words: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, place: int) -> str:
        return self.words[place]

    def option(self, name: str, default: str = "") -> str:
        return self.options.get(name, default)

    def rest(self, begin: int) -> str:
        return " ".join(self.words[begin:])


def _queued(line: Line) -> Event:
    requires = tuple(
        (skill, int(level)) for skill, level in (pair.split(":") for pair in line.option("requires").split(",") if pair)
    )
    since = line.options.get("since")
    return events.CallQueued(
        line[0],
        line[1],
        priority=int(line.option("priority", "0")),
        requires=requires,
        entered_at=None if since is None else float(since),
        customer=line.option("customer"),
        agent=line.option("agent"),
    )


def _failed(line: Line) -> Event:
    return events.LegFailed(line[0], line[1], LegFailure(line.verb))


_EVENTS: dict[str, Callable[[Line], Event]] = {
    "arrive": lambda line: events.CallArrived(line[0]),
    "call": _queued,
    "leave": lambda line: events.CallLeftQueue(line[0], line.rest(1)),
    "hang-up": lambda line: events.CallEnded(line[0]),
    "answered": lambda line: events.LegAnswered(line[0], line[1]),
    **{failure.value: _failed for failure in LegFailure},
    "ended": lambda line: events.OfferEnded(line[0], LegFailure(line[1])),
    "bridged": lambda line: events.OfferBridged(line[0], line[1]),
    "talk-ended": lambda line: events.TalkEnded(line[0]),
    "found-talking": lambda line: events.TalkRestored(line[0], line[1], line[2], float(line[3])),
    "login": lambda line: events.AgentLoggedIn(line[0], len(line.words) == 1, line.rest(1)),
    "logout": lambda line: events.AgentLoggedOut(line[0]),
    "ready": lambda line: events.AgentReady(line[0]),
    "not-ready": lambda line: events.AgentNotReady(line[0], line.rest(1)),
    "done": lambda line: events.WrapUpDone(line[0]),
    "extend": lambda line: events.WrapUpExtended(line[0]),
    "phone": lambda line: events.DeviceChanged(line[0], DeviceState(line[1])),
    "suspend": lambda line: events.OffersSuspended(line.rest(0)),
    "resume": lambda line: events.OffersResumed(),
    "open": lambda line: events.HoursChanged(line[0], is_open=True),
    "close": lambda line: events.HoursChanged(line[0], is_open=False),
    "reset-counts": lambda line: events.CountsReset(),
    "time": lambda line: events.TimePassed(),
}


def run(text: str) -> str:
    """Play the scenario and return its text with the engine's answers. Raises ValueError for a line it cannot read."""
    head, _, body = text.partition("\n---\n")
    play = _Play(read_site(head.splitlines()))
    return "\n".join((head, "---", *play.lines(body.splitlines()))) + "\n"


class _Play:
    def __init__(self, site: Site) -> None:
        self.engine = Engine(site.routing, Random(site.seed), 0.0, strict=not site.lenient)
        self.now = 0.0
        self.verbs: dict[str, Callable[[Line], list[str]]] = {
            "show": lambda line: list(_shown(self.engine.snapshot(self.now))),
            "story": lambda line: list(self.engine.story(line[0])),
            "break": self._break,
        }

    def lines(self, source: Iterable[str]) -> Iterator[str]:
        lines = [line for line in source if not line.startswith("    ")]
        at = 0
        while at < len(lines):
            text = lines[at].rstrip()
            at += 1
            yield text
            if not text or text.startswith("#"):
                continue
            line = _read(text)
            if line.verb == "config":
                changed = []
                while at < len(lines) and lines[at].startswith("|"):
                    changed.append(lines[at][1:].strip())
                    yield lines[at].rstrip()
                    at += 1
                answers = self._tell(line.at, events.ConfigurationChanged(read_site(changed).routing))
            elif line.verb in self.verbs:
                answers = [*self._pass(line.at), *self.verbs[line.verb](line)]
            else:
                answers = self._tell(line.at, _EVENTS[line.verb](line))
            yield from (f"    {answer}" for answer in answers)

    def _tell(self, at: float, event: Event) -> list[str]:
        passed = self._pass(at)
        stale = self.engine.stale_events
        answers = [command_words(command) for command in self.engine.handle(event, at)]
        if self.engine.stale_events > stale:
            answers.append("(too late, ignored)")
        return [*passed, *(answers or ["(nothing)"])]

    def _pass(self, at: float) -> list[str]:
        """Meet the deadlines before ``at``, each at its time."""
        if at < self.now:
            raise ValueError(f"time goes back from {self.now:g} to {at:g}")
        answers = []
        while (deadline := self.engine.next_deadline()) is not None and deadline <= at:
            commands = self.engine.handle(events.TimePassed(), max(deadline, self.now))
            answers += [f"@{deadline:g} {command_words(command)}" for command in commands]
        self.now = at
        return answers

    def _break(self, line: Line) -> list[str]:
        """Put an agent or a call into a state by force: what a fault of the program would do."""
        kind, name, state = line.words
        if kind == "agent":
            self.engine.agents[name].state = AgentState(state)
        else:
            self.engine.calls[name].state = CallState(state)
        return [f"({kind} {name} is forced into {state})"]


def _read(text: str) -> Line:
    at, verb, *rest = shlex.split(text)
    words = tuple(word for word in rest if "=" not in word)
    options = dict(word.split("=", 1) for word in rest if "=" in word)
    return Line(float(at), verb, words, options)


def _shown(snapshot: Snapshot) -> Iterator[str]:
    for queue in snapshot.queues:
        estimate = "unknown" if queue.estimated_wait_s is None else f"{queue.estimated_wait_s:g} s"
        yield f"queue {queue.id}: {queue.waiting} waiting, {queue.offered} offered, next call waits {estimate}"
    for call in sorted(snapshot.calls, key=lambda call: (call.queue, call.position, call.id)):
        where = f"{call.state} in {call.queue}" if call.queue else str(call.state)
        place = f", place {call.position}" if call.position else ""
        yield f"call {call.id}: {where}{place}, asks for {call.requirement or 'nothing yet'}"
    for agent in snapshot.agents:
        yield f"agent {agent.id}: {agent.state}" + (f" {agent.reason}" if agent.reason else "")
    if snapshot.suspended:
        yield f"no offers: {snapshot.suspended}"
