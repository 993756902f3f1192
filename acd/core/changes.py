"""What differs between two configurations, in plain words, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from acd.core.specs import AgentSpec, RoutingSpec

__all__ = ["describe_changes"]

_WORDS = {
    "ring_timeout_s": "ring time-out",
    "wrap_up": "wrap-up",
    "requirement": "requirement",
    "relaxation": "relaxation",
    "service_level_s": "service level threshold",
    "while_ringing": "heard while ringing",
    "strategy_options": "strategy options",
    "back_off": "back-off",
    "idle_scope": "idle time counted",
    "missed_resets_idle": "missed call resets idle time",
    "short_call_s": "short calls",
    "count_scope": "calls counted",
    "lease_margin_s": "lease margin",
    "max_legs": "phones that ring at once",
    "max_login_s": "login limit",
    "auto_answer": "auto-answer",
    "confirm": "confirms with a key",
    "start": "state at first start",
}


def describe_changes(before: RoutingSpec, after: RoutingSpec) -> list[str]:
    """Return one sentence for each thing that changed, queues first; empty when nothing did."""
    return [*_queues(before, after), *_agents(before, after), *_site(before, after)]


def _queues(before: RoutingSpec, after: RoutingSpec) -> Iterator[str]:
    for name, queue in after.queues.items():
        old = before.queues.get(name)
        if old is None:
            yield f"queue {name}: new, strategy {queue.strategy}, asks for {queue.requirement}"
        elif old != queue:
            yield from (f"queue {name}: {change}" for change in _fields(old, queue))
    for name in before.queues:
        if name not in after.queues:
            yield f"queue {name}: gone; whoever waits in it is still served, new calls are refused"


def _agents(before: RoutingSpec, after: RoutingSpec) -> Iterator[str]:
    for name, agent in after.agents.items():
        old = before.agents.get(name)
        if old is None:
            yield f"agent {name}: new, serves {_listed(agent.queues) or 'no queue'}"
        elif old != agent:
            yield from (f"agent {name}: {change}" for change in _agent(old, agent))
    for name in before.agents:
        if name not in after.agents:
            yield f"agent {name}: gone; a call in progress goes on to its end"


def _agent(before: AgentSpec, after: AgentSpec) -> Iterator[str]:
    for queue in after.queues:
        if queue not in before.queues:
            yield f"serves {queue} now"
        elif after.queues[queue] != before.queues[queue]:
            yield f"place in {queue} {before.queues[queue] + 1} -> {after.queues[queue] + 1}"
    for queue in before.queues:
        if queue not in after.queues:
            yield f"no longer serves {queue}"
    for skill in {**before.skills, **after.skills}:
        old, new = before.skills.get(skill), after.skills.get(skill)
        if old != new:
            yield f"skill {skill} {_or_none(old)} -> {_or_none(new)}"
    yield from _fields(before, after, leaving_out=("queues", "skills"))


def _site(before: RoutingSpec, after: RoutingSpec) -> Iterator[str]:
    yield from (f"site: {change}" for change in _fields(before, after, leaving_out=("queues", "agents")))


def _fields(before: Any, after: Any, leaving_out: tuple[str, ...] = ()) -> Iterator[str]:
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if field.name not in leaving_out and old != new:
            yield f"{_label(field.name)} {_shown(old, field.name)} -> {_shown(new, field.name)}"


def _label(name: str) -> str:
    return _WORDS.get(name, name.removesuffix("_s").replace("_", " "))


def _shown(value: Any, name: str = "") -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return f"{value:g} s" if name.endswith("_s") or name == "seconds" else f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) or "none"
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(map(str, value))) or "none"
    if isinstance(value, tuple):
        return "; ".join(_shown(item) for item in value) or "none"
    if hasattr(value, "__dataclass_fields__") and "__str__" not in vars(type(value)):
        parts = ((field.name, getattr(value, field.name)) for field in fields(value))
        return ", ".join(
            f"{_label(part)} {_shown(item, part)}" for part, item in parts if item not in (None, False, "")
        )
    return str(value) or "none"


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _or_none(level: int | None) -> str:
    return "none" if level is None else str(level)
