"""What differs between two configurations, in plain words, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from acd.core.specs import (
    AgentSpec,
    CountScope,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    RelaxationStep,
    RoutingSpec,
    WaitingMessage,
    WaitingMessageKind,
)

__all__ = ["condition_words", "describe_changes"]

_WORDS = {
    "ageing_cap": "cap of ageing",
    "auto_answer": "auto-answer",
    "back_off": "back-off",
    "base": "points",
    "confirm": "confirms with a key",
    "count_scope": "calls counted",
    "idle_scope": "idle time counted",
    "lease_margin_s": "lease margin",
    "max_legs": "phones that ring at once",
    "max_login_s": "login limit",
    "missed_in_row_limit": "missed calls in a row",
    "missed_resets_idle": "missed call resets idle time",
    "ring_timeout_s": "ring time-out",
    "service_level_s": "service level threshold",
    "short_call_s": "short calls",
    "start": "state at first start",
    "strategy_options": "strategy options",
    "while_ringing": "heard while ringing",
    "wrap_up": "wrap-up",
    "wait_for_wrap_up_s": "wait for wrap-up",
}
_LISTS = {
    "join": "join rule",
    "messages": "message",
    "overflow": "overflow rule",
    "relaxation": "relaxation step",
}
_SCOPES = {CountScope.GLOBAL: "over all queues", CountScope.QUEUE: "per queue"}


def describe_changes(before: RoutingSpec, after: RoutingSpec) -> list[str]:
    """Return one sentence for each thing that changed, queues first; empty when nothing did."""
    return [*_queues(before, after), *_agents(before, after), *_places(before, after), *_site(before, after)]


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
    for queue in before.queues:
        if queue not in after.queues:
            yield f"no longer serves {queue}"
    for skill in {**before.skills, **after.skills}:
        old, new = before.skills.get(skill), after.skills.get(skill)
        if old != new:
            yield f"skill {skill} {_or_none(old)} -> {_or_none(new)}"
    yield from _fields(before, after, leaving_out=("queues", "skills"))


def _places(before: RoutingSpec, after: RoutingSpec) -> Iterator[str]:
    """Tell whose place in a hunt order changed: among those who served the queue before and still do.

    Somebody new at the top of a list moves all others down by one, which is no change that anyone made to them.
    """
    both: dict[str, list[tuple[AgentSpec, AgentSpec]]] = {}
    for name, agent in after.agents.items():
        old = before.agents.get(name)
        if old is not None:
            for queue in agent.queues:
                if queue in old.queues:
                    both.setdefault(queue, []).append((old, agent))
    for queue, pairs in both.items():
        now = sorted(pairs, key=lambda pair: pair[1].queues[queue])
        places = {new.id: place for place, (_, new) in enumerate(now, start=1)}
        for place, (_, new) in enumerate(sorted(pairs, key=lambda pair: pair[0].queues[queue]), start=1):
            if places[new.id] != place:
                yield f"agent {new.id}: place in {queue} {place} -> {places[new.id]}"


def _site(before: RoutingSpec, after: RoutingSpec) -> Iterator[str]:
    yield from (f"site: {change}" for change in _fields(before, after, leaving_out=("queues", "agents")))


def _fields(before: Any, after: Any, leaving_out: tuple[str, ...] = (), prefix: str = "") -> Iterator[str]:
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if field.name in leaving_out or old == new:
            continue
        if field.name in _LISTS:
            yield from _list_changes(_LISTS[field.name], old, new)
        elif _has_parts(old):
            yield from _fields(old, new, prefix=f"{prefix}{_label(field.name)} ")
        else:
            yield f"{prefix}{_label(field.name)} {_shown(old, field.name)} -> {_shown(new, field.name)}"


def _list_changes(kind: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[str]:
    gone, new = _only_in(before, after), _only_in(after, before)
    yield from (f"{kind} {number} gone: {_item(item)}" for number, item in gone)
    yield from (f"{kind} {number} new: {_item(item)}" for number, item in new)
    if not gone and not new:
        yield f"{kind}s in another order: {'; '.join(map(_item, after))}"


def _only_in(items: Sequence[Any], others: Sequence[Any]) -> list[tuple[int, Any]]:
    """Return the items, with their numbers from 1, for which there is none among the others."""
    left = list(others)
    found = []
    for number, item in enumerate(items, start=1):
        if item in left:
            left.remove(item)
        else:
            found.append((number, item))
    return found


def _item(item: Any) -> str:
    match item:
        case RelaxationStep():
            dropped = "" if item.keep_call_skills else ", whatever the call itself asks for"
            return f"after {item.after_s:g} s {item.requirement}{dropped}"
        case WaitingMessage():
            what = f"prompt {item.prompt}" if item.kind is WaitingMessageKind.PROMPT else item.kind.replace("-", " ")
            return f"{what} after {item.after_s:g} s, " + (f"every {item.every_s:g} s" if item.every_s else "once")
        case OverflowRule():
            repeated = ", again and again" if item.repeat else ""
            return f"when {condition_words(item.when)}: {_action(item.then)}{repeated}"
        case _:
            return str(item)


def condition_words(when: OverflowCondition) -> str:
    """Say what a rule asks for."""
    parts = {
        "waiting {:g} s": when.waiting_s,
        "{:g} calls waiting": when.calls_waiting,
        "estimated wait {:g} s": when.estimated_wait_s,
        "{:g} calls per ready agent": when.calls_per_ready_agent,
        "nobody ready": when.nobody_ready or None,
        "nobody logged in": when.nobody_logged_in or None,
        "out of hours": when.out_of_hours or None,
    }
    return " and ".join(words.format(value) for words, value in parts.items() if value is not None)


def _action(action: OverflowAction) -> str:
    if action.kind is OverflowActionKind.QUEUE:
        return f"queue {action.target}" + ("" if action.keep_wait else ", its wait starts anew")
    words = {OverflowActionKind.CALLBACK: "callback by queue", OverflowActionKind.CLOSING: "closing message"}
    return f"{words.get(action.kind, action.kind.value)} {action.target}"


def _label(name: str) -> str:
    return _WORDS.get(name, name.removesuffix("_s").replace("_", " "))


def _has_parts(value: Any) -> bool:
    """Tell whether it is told part by part: made of fields, and without words of its own for all of them."""
    return hasattr(value, "__dataclass_fields__") and "__str__" not in vars(type(value))


def _shown(value: Any, name: str = "") -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | int):
        return f"{value:g} s" if name.endswith("_s") or name == "seconds" else f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) or "none"
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(map(str, value))) or "none"
    if isinstance(value, CountScope):
        return _SCOPES[value]
    return str(value) or "none"


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _or_none(level: int | None) -> str:
    return "none" if level is None else str(level)
