"""The site of a scripted scenario: see ``tests.core.script``."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

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
from routing.priority import PriorityRule
from routing.skills import Requirement


@dataclass
class Site:
    """What the lines above ``---`` say. ``lenient``: faults are reported as commands instead of raised."""

    queues: dict[str, QueueSpec] = field(default_factory=dict)
    agents: dict[str, AgentSpec] = field(default_factory=dict)
    back_off: BackOffSpec = BackOffSpec()
    rules: dict[str, Any] = field(default_factory=dict)
    seed: int = 1
    lenient: bool = False

    @property
    def routing(self) -> RoutingSpec:
        return RoutingSpec(self.queues, self.agents, self.back_off, **self.rules)


_CONDITIONS = {
    "waiting": ("waiting_s", float),
    "calls": ("calls_waiting", int),
    "estimate": ("estimated_wait_s", float),
    "per-agent": ("calls_per_ready_agent", float),
    "nobody-ready": ("nobody_ready", bool),
    "nobody-logged-in": ("nobody_logged_in", bool),
    "out-of-hours": ("out_of_hours", bool),
}


def read_site(lines: Iterable[str]) -> Site:
    """Read the site. Raises ValueError naming a line that cannot be read."""
    site = Site()
    for text in lines:
        if not text.strip() or text.startswith("#"):
            continue
        kind, *words = shlex.split(text)
        try:
            _READERS[kind](site, words)
        except (KeyError, ValueError, IndexError) as error:
            raise ValueError(f"cannot read {text!r}: {error!r}") from error
    return site


def _options(words: Iterable[str]) -> dict[str, str]:
    return {name: value if equals else "yes" for name, equals, value in (word.partition("=") for word in words)}


def _take(options: dict[str, str], name: str, default: float = 0.0) -> float:
    return float(options.pop(name, default))


def _requirement(options: dict[str, str]) -> Requirement:
    return Requirement.of(
        ((skill, int(level)) for skill, level in _pairs(options.pop("requires", ""))), options.pop("group", "")
    )


def _pairs(text: str) -> list[tuple[str, str]]:
    return [(name, value or "0") for name, _, value in (part.partition(":") for part in text.split(",") if part)]


def _queue(site: Site, words: list[str]) -> None:
    name, options = words[0], _options(words[1:])
    points, _, cap = options.pop("ageing", "0/0").partition("/")
    mode, _, times = options.pop("wrap-up", "capped:0").partition(":")
    seconds, _, extension = times.partition("+")
    step = options.pop("step", "")
    site.queues[name] = QueueSpec(
        name,
        strategy=options.pop("strategy", "longest-idle"),
        strategy_options={"step_s": float(step)} if step else {},
        requirement=_requirement(options),
        priority=PriorityRule(
            int(_take(options, "priority")), float(points), float(cap), _take(options, "overdue", 1800.0)
        ),
        ring_timeout_s=_take(options, "ring", 15.0),
        wrap_up=WrapUpSpec(WrapUpMode(mode), float(seconds or 0), float(extension or 0)),
        sticky=StickySpec(
            _take(options, "hold"), _take(options, "hold-wrap-up"), options.pop("hold-busy", "") == "yes"
        ),
    )
    _all_used(options)


def _relax(site: Site, words: list[str]) -> None:
    options = _options(words[1:])
    step = RelaxationStep(_take(options, "at"), _requirement(options), options.pop("forget", "") != "yes")
    _all_used(options)
    spec = site.queues[words[0]]
    site.queues[words[0]] = dataclasses.replace(spec, relaxation=(*spec.relaxation, step))


def _message(site: Site, words: list[str]) -> None:
    options = _options(words[2:])
    message = WaitingMessage(
        WaitingMessageKind(words[1]), _take(options, "at"), _take(options, "every"), options.pop("prompt", "")
    )
    _all_used(options)
    spec = site.queues[words[0]]
    site.queues[words[0]] = dataclasses.replace(spec, messages=(*spec.messages, message))


def _rule(words: list[str]) -> OverflowRule:
    arrow = words.index("->")
    when: dict[str, Any] = {}
    for name, value in _options(words[1:arrow]).items():
        part, read = _CONDITIONS[name]
        when[part] = read(value)
    kind, target, *flags = [*words[arrow + 1 :], ""] if len(words) == arrow + 2 else words[arrow + 1 :]
    action = OverflowAction(OverflowActionKind(kind), target, "lose-wait" not in flags)
    return OverflowRule(OverflowCondition(**when), action, "repeat" in flags)


def _agent(site: Site, words: list[str]) -> None:
    name, options = words[0], _options(words[1:])
    site.agents[name] = AgentSpec(
        name,
        queues={queue: int(place) for queue, place in _pairs(options.pop("queues", ""))},
        skills={skill: int(level) for skill, level in _pairs(options.pop("skills", ""))},
        groups=frozenset(group for group in options.pop("groups", "").split(",") if group),
        weight=_take(options, "weight", 1.0),
        max_login_s=_take(options, "login"),
        start=options.pop("start", "ready"),
    )
    _all_used(options)


def _back_off(site: Site, words: list[str]) -> None:
    options = _options(words)
    site.back_off = BackOffSpec(
        missed_s=_take(options, "missed", 30.0),
        rejected_s=_take(options, "rejected", 10.0),
        unreachable_s=_take(options, "unreachable", 60.0),
        missed_in_row_limit=int(_take(options, "limit")),
    )
    _all_used(options)


def _site(site: Site, words: list[str]) -> None:
    options = _options(words)
    site.seed = int(options.pop("seed", "1"))
    site.lenient = options.pop("lenient", "") == "yes"
    site.rules = {
        "idle_scope": CountScope(options.pop("idle", "global")),
        "count_scope": CountScope(options.pop("counts", "global")),
        "missed_resets_idle": options.pop("missed-resets-idle", "") == "yes",
        "short_call_s": _take(options, "short-call"),
        "lease_margin_s": _take(options, "lease", 5.0),
        "max_legs": int(_take(options, "max-legs", 30)),
    }
    _all_used(options)


def _join(site: Site, words: list[str]) -> None:
    spec = site.queues[words[0]]
    site.queues[words[0]] = dataclasses.replace(spec, join=(*spec.join, _rule(words)))


def _overflow(site: Site, words: list[str]) -> None:
    spec = site.queues[words[0]]
    site.queues[words[0]] = dataclasses.replace(spec, overflow=(*spec.overflow, _rule(words)))


def _all_used(options: dict[str, str]) -> None:
    if options:
        raise ValueError(f"unknown: {', '.join(options)}")


_READERS = {
    "queue": _queue,
    "relax": _relax,
    "message": _message,
    "join": _join,
    "overflow": _overflow,
    "agent": _agent,
    "back-off": _back_off,
    "site": _site,
}
