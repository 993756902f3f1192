"""Join and overflow rules: where they lead, what they may dial, and circles of queues that lead into each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from config.checks.draft import Draft, effective, refer
from config.checks.references import check_reference
from config.checks.rings import rings
from config.document import KeyPath
from config.problems import Findings
from config.schema import Routing
from config.schema.marks import Refers, marks
from config.schema.overflow import Action, Condition, JoinRule, OverflowRule
from config.schema.queues import QueueSettings

__all__ = ["RULES", "check_rules", "rules_of"]

RULES = ("join", "overflow")
"""The keys of a queue that hold rules."""


def rules_of(routing: Routing, queue: str, key: str) -> Iterator[tuple[JoinRule | OverflowRule, KeyPath]]:
    """Yield the rules of a queue under ``join`` or ``overflow``, its own or the site's, with where they stand.

    A rule of ``defaults`` that leads to this very queue means nothing here, and is left out.
    """
    rules, path = effective(routing, queue, key)
    for place, rule in enumerate(rules):
        if rule.then.queue != queue:
            yield rule, (*path, place)


def check_rules(draft: Draft, findings: Findings) -> None:
    """Check all rules of all queues."""
    routing = draft.routing.model
    if routing is None:
        return
    _check_settings(draft, findings, ("defaults",), routing.defaults)
    _check_keys_told(draft, findings, ("defaults",), routing.defaults, routing.defaults)
    for name, queue in routing.queues.items():
        _check_settings(draft, findings, ("queues", name), queue)
        own = "while_waiting" in queue.model_fields_set
        _check_keys_told(draft, findings, ("queues", name), queue, queue if own else routing.defaults)
    _check_hours(draft, findings, routing)
    _check_circles(draft, findings, routing)


def _check_settings(draft: Draft, findings: Findings, path: KeyPath, settings: QueueSettings) -> None:
    for key in RULES:
        for place, rule in enumerate(getattr(settings, key)):
            _check_action(draft, findings, (*path, key, place, "then"), rule.then)
    for key, action in settings.keys.items():
        _check_action(draft, findings, (*path, "keys", key), action)


def _check_keys_told(
    draft: Draft, findings: Findings, path: KeyPath, settings: QueueSettings, heard: QueueSettings
) -> None:
    """Tell of keys that no message while waiting can name; ``heard`` has the messages."""
    if settings.keys and not any(message.play for message in heard.while_waiting) and not findings.errors:
        position = draft.routing.source.key((*path, "keys"))
        findings.warning(position, "nobody tells callers of these keys; add a message with 'play' to while_waiting")


def _check_action(draft: Draft, findings: Findings, path: KeyPath, action: Action) -> None:
    position = draft.routing.source.value((*path, action.kind))
    match action.kind:
        case "queue" | "callback":
            refer(findings, position, "queue", action.target, draft.queues)
            if action.queue is not None and path[:2] == ("queues", action.queue):
                findings.error(position, f"calls of queue '{action.queue}' wait in it already; name another queue")
        case "menu":
            check_reference(draft, findings, position, "", action.target)
        case "closing":
            refer(findings, position, "prompt", action.target, draft.prompts)
    if action.number is not None or action.callback is not None:
        _check_outbound(draft, findings, path, action)


def _check_outbound(draft: Draft, findings: Findings, path: KeyPath, action: Action) -> None:
    """Refuse what could not be dialled: no trunk, or a number that the site has not allowed (toll fraud)."""
    routing, source = draft.routing.model, draft.routing.source
    if routing is None or ("outbound",) in draft.routing.refused:
        return
    position, outbound = source.value((*path, action.kind)), routing.outbound
    if ("outbound", "allowed") not in draft.routing.refused:
        if not outbound.allowed:
            what = f"number {action.number} may not be dialled" if action.number else "nobody may be called back"
            findings.error(position, f"{what}: 'allowed' under 'outbound' is empty; list there how numbers may begin")
        elif action.number is not None and not action.number.startswith(outbound.allowed):
            findings.error(
                position,
                f"number {action.number} may not be dialled; allow how it begins under 'outbound' "
                f"(now {', '.join(outbound.allowed)})",
            )
    if outbound.trunk is None and ("outbound", "trunk") not in draft.routing.refused:
        findings.error(position, "there is no trunk to dial by; give outbound: {trunk: PJSIP/{number}@trunk}")


def _check_hours(draft: Draft, findings: Findings, routing: Routing) -> None:
    """Refuse rules on opening hours that a queue does not have; warn of hours that no rule asks for."""
    source = draft.routing.source
    served: dict[KeyPath, bool] = {}
    asked: dict[KeyPath, bool] = {}
    for name in routing.queues:
        calendar, hours_at = effective(routing, name, "opening_hours")
        asking = [
            (*at, "when", "out_of_hours")
            for key in RULES
            for rule, at in rules_of(routing, name, key)
            if rule.when.out_of_hours
        ]
        if calendar is not None:
            asked[hours_at] = asked.get(hours_at, False) or bool(asking)
        for path in asking:
            has_hours = calendar is not None or ("queues", name, "opening_hours") in draft.routing.refused
            served[path] = served.get(path, False) or has_hours
    for path, is_served in served.items():
        if not is_served:
            lacking = f"queue '{path[1]}' has no" if path[0] == "queues" else "no queue has"
            findings.error(source.key(path), f"{lacking} 'opening_hours'; name a calendar there, or remove this rule")
    for path, is_asked in asked.items():
        if not is_asked and not findings.errors:
            findings.warning(
                source.key(path), "nothing happens when this calendar says closed; add a rule with out_of_hours"
            )
    used = {effective(routing, name, "opening_hours")[0] for name in routing.queues} | _asked_in_menus(draft)
    for name in draft.calendars.model.calendars if draft.calendars.model is not None else ():
        if name not in used and not findings.errors:
            position = draft.calendars.source.key(("calendars", name))
            findings.warning(
                position,
                f"nothing goes by these opening hours; name '{name}' as a queue's opening_hours or in a menu",
            )


def _asked_in_menus(draft: Draft) -> set[str]:
    """Return the calendars that nodes of the trees name."""
    nodes = [node for part in draft.trees.values() if part.model is not None for node in part.model.nodes.values()]
    return {mark.value for node in nodes for mark in marks(node) if mark.marker == Refers("calendar")}


@dataclass(frozen=True, slots=True)
class _Move:
    """A rule that sends calls to another queue."""

    to: str
    path: KeyPath
    after_s: float
    """Those alone who have waited so long; it may have been in the queue before."""
    keeps: bool
    """They keep the time waited."""
    repeats: bool


def _check_circles(draft: Draft, findings: Findings, routing: Routing) -> None:
    """Warn of queues that send a call round in a circle at once: the engine would stop it somewhere."""

    def moves(queue: str) -> Iterator[_Move]:
        for key in RULES:
            for rule, path in rules_of(routing, queue, key):
                after_s = (isinstance(rule.when, Condition) and rule.when.waiting_s) or 0.0
                repeats = isinstance(rule, JoinRule) or rule.repeat
                to = rule.then.queue
                if to is not None and to in routing.queues:
                    yield _Move(to, (*path, "then", "queue"), after_s, rule.then.keep_wait, repeats)

    def warn(circle: list[_Move], remedy: str) -> None:
        names = " -> ".join(move.to for move in (circle[-1], *circle))
        position = draft.routing.source.value(circle[-1].path)
        findings.warning(position, f"a call may be sent round at once: {names}; {remedy}")

    for circle in rings(routing.queues, lambda queue: [(move.to, move) for move in moves(queue) if not move.after_s]):
        warn(circle, "give one of these rules waiting_s")
    for circle in rings(routing.queues, lambda queue: [(move.to, move) for move in moves(queue) if move.keeps]):
        longest_s = max(move.after_s for move in circle)
        all_at_once = all(move.repeats or move.after_s == longest_s for move in circle)
        if longest_s and all_at_once:
            warn(circle, f"whoever has waited {longest_s:g} s has done so for all of them: write keep_wait: no at one")
