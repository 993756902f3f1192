"""What may become of a caller who enters a queue: the menus its rules lead to, and the prompts heard on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.checks.draft import effective
from config.checks.rules import RULES, rules_of
from config.document import KeyPath
from config.schema import Routing
from config.schema.overflow import Action

__all__ = ["Exit", "exits", "prompts_heard"]


@dataclass(frozen=True, slots=True)
class Exit:
    """A rule that leads from a queue to a menu node."""

    reference: str
    path: KeyPath
    """Where the reference stands in routing.yaml."""
    at_once: bool
    """By join rules alone: the caller may come back without having waited."""
    after_call: bool = False
    """The queue's survey: for who is still there when the agent has hung up."""


def exits(routing: Routing, queue: str) -> Iterator[Exit]:
    """Yield every rule that may lead a caller who enters the queue to a menu, over other queues, too."""
    for name, at_once in _queues_from(routing, queue):
        for key in RULES:
            for rule, path in rules_of(routing, name, key):
                if rule.then.menu is not None:
                    yield Exit(rule.then.menu, (*path, "then", "menu"), at_once and key == "join")
        for action, path in _keys(routing, name):
            if action.menu is not None:
                yield Exit(action.menu, (*path, "menu"), at_once=False)
        survey, at = effective(routing, name, "survey")
        if survey is not None:
            yield Exit(survey, at, at_once=False, after_call=True)


def prompts_heard(routing: Routing, queue: str) -> Iterator[tuple[str, KeyPath]]:
    """Yield the prompts that a caller who enters the queue may hear, with where they stand in routing.yaml."""
    for name in dict.fromkeys(name for name, _ in _queues_from(routing, queue)):
        messages, path = effective(routing, name, "while_waiting")
        for place, message in enumerate(messages):
            if message.play is not None:
                yield message.play, (*path, place, "play")
        for key in RULES:
            for rule, at in rules_of(routing, name, key):
                if rule.then.closing is not None:
                    yield rule.then.closing, (*at, "then", "closing")
        for action, at in _keys(routing, name):
            if action.closing is not None:
                yield action.closing, (*at, "closing")


def _queues_from(routing: Routing, queue: str) -> Iterator[tuple[str, bool]]:
    """Yield the queue and those its rules lead to, each with whether it may be reached at once, by join rules alone."""
    seen: set[tuple[str, bool]] = set()
    todo = [(queue, True)]
    while todo:
        place = todo.pop()
        name, at_once = place
        if place in seen or name not in routing.queues:
            continue
        seen.add(place)
        yield place
        for key in RULES:
            for rule, _ in rules_of(routing, name, key):
                if rule.then.queue is not None:
                    todo.append((rule.then.queue, at_once and key == "join"))
        todo.extend((action.queue, False) for action, _ in _keys(routing, name) if action.queue is not None)


def _keys(routing: Routing, queue: str) -> Iterator[tuple[Action, KeyPath]]:
    """Yield what the keys of a waiting caller do, with where it stands in routing.yaml."""
    keys, path = effective(routing, queue, "keys")
    for key, action in keys.items():
        yield action, (*path, key)
