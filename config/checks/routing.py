"""routing.yaml: the names that queues and customers use, and settings that go together."""

from __future__ import annotations

from itertools import pairwise

from config.checks.draft import Draft, effective, refer
from config.checks.references import check_reference, lookup
from config.document import KeyPath
from config.problems import Findings
from config.schema import Routing
from config.schema.queues import QueueSettings, Strategy
from config.schema.routing import DEFAULT_NUMBER
from config.suggest import known_names

__all__ = ["check_routing"]


def check_routing(draft: Draft, findings: Findings) -> None:
    """Check what is given for single queues, for all of them, and for customers."""
    routing, source = draft.routing.model, draft.routing.source
    if routing is None:
        return
    for key in ("numbers", "queues"):
        if (key,) in source.values and draft.routing.names(key) == frozenset():
            findings.error(source.value((key,)), f"'{key}' is empty; give at least one")
    if routing.numbers and DEFAULT_NUMBER not in (draft.routing.names("numbers") or ()):
        findings.warning(
            source.key(("numbers",)),
            f"no '{DEFAULT_NUMBER}' here: calls to other numbers enter as the first does; add it",
        )
    _check_settings(draft, findings, ("defaults",), routing.defaults)
    for name, queue in routing.queues.items():
        _check_settings(draft, findings, ("queues", name), queue)
    _check_customers(draft, findings, routing)


def _check_settings(draft: Draft, findings: Findings, path: KeyPath, settings: QueueSettings) -> None:
    source = draft.routing.source
    for skill in settings.requires:
        refer(findings, source.key((*path, "requires", skill)), "skill", skill, draft.skills)
    _check_strategy(draft, findings, (*path, "strategy"), settings.strategy)
    _check_relaxation(draft, findings, (*path, "relax"), settings)
    for place, message in enumerate(settings.while_waiting):
        if message.play is not None:
            position = source.value((*path, "while_waiting", place, "play"))
            refer(findings, position, "prompt", message.play, draft.prompts)
    if settings.survey is not None:
        _check_survey(draft, findings, (*path, "survey"), settings.survey)
    if settings.opening_hours is not None:
        position = draft.routing.source.value((*path, "opening_hours"))
        refer(findings, position, "calendar", settings.opening_hours, draft.calendar_names)
    if settings.wrap_up.mode == "until-done":
        for key in sorted(settings.wrap_up.model_fields_set - {"mode"}):
            findings.warning(
                source.key((*path, "wrap_up", key)), f"'{key}' has no effect with mode until-done; remove it"
            )


def _check_survey(draft: Draft, findings: Findings, path: KeyPath, reference: str) -> None:
    position = draft.routing.source.value(path)
    check_reference(draft, findings, position, "", reference)
    place = lookup(draft, "", reference)
    tree = draft.trees[place[0]].model if place is not None else None
    node = tree.nodes.get(place[1]) if tree is not None and place is not None else None
    if node is not None and node.type != "survey":
        findings.warning(position, f"'{reference}' is a node of type {node.type}, not of type survey")


def _check_relaxation(draft: Draft, findings: Findings, path: KeyPath, settings: QueueSettings) -> None:
    source = draft.routing.source
    for place, step in enumerate(settings.relax):
        for skill in step.requires:
            refer(findings, source.key((*path, place, "requires", skill)), "skill", skill, draft.skills)
    for place, (before, step) in enumerate(pairwise(settings.relax), start=1):
        if step.after_s <= before.after_s:
            findings.error(
                source.value((*path, place, "after_s")),
                f"{step.after_s:g} s is not later than the step before ({before.after_s:g} s); put the steps in order",
            )


def _check_customers(draft: Draft, findings: Findings, routing: Routing) -> None:
    source = draft.routing.source
    sticky = any(effective(routing, name, "sticky")[0] for name in routing.queues)
    for number, customer in routing.customers.items():
        if customer.agent is None:
            continue
        position = source.value(("customers", number, "agent"))
        refer(findings, position, "agent", customer.agent, draft.agent_names)
        if not sticky and not findings.errors:
            findings.warning(position, "no queue has 'sticky', so nobody is offered these calls first; add it to one")


def _check_strategy(draft: Draft, findings: Findings, path: KeyPath, strategy: Strategy) -> None:
    source = draft.routing.source
    bounds = draft.strategies.get(strategy.name)
    if bounds is None:
        position = source.values.get((*path, "name")) or source.value(path)
        refer(findings, position, "strategy", strategy.name, draft.strategies)
        return
    for option, value in strategy.options.items():
        position = source.key((*path, "options", option))
        if option not in bounds:
            right = f"it has {known_names(bounds)}" if bounds else "it has none"
            findings.error(position, f"strategy '{strategy.name}' has no option '{option}'; {right}")
        elif not bounds[option][0] <= value <= bounds[option][1]:
            least, most = bounds[option]
            findings.error(
                source.value((*path, "options", option)),
                f"'{value:g}' is out of range; give a number from {least:g} to {most:g}",
            )
