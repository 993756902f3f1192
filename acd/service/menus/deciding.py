"""Builds the nodes that decide or remember and say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from acd.service.menus.context import Builder, NodeContext
from config.schema.calendars import span_times, weekdays
from config.schema.ivr import Branch, Hours, Return, SetData, Subtree
from config.schema.ivr import conditions as written
from ivr import conditions, nodes
from ivr.patterns import Pattern

__all__ = ["BUILDERS", "condition"]


def condition(when: written.Condition) -> conditions.Condition:
    """Build a condition."""
    if when.all:
        return conditions.AllOf(tuple(map(condition, when.all)))
    if when.any:
        return conditions.AnyOf(tuple(map(condition, when.any)))
    if when.not_ is not None:
        return conditions.NotOf(condition(when.not_))
    if when.time is not None:
        return _time(when.time)
    if when.queue is not None:
        return _queue(when.queue)
    if when.calendar is not None:
        return conditions.CalendarTest(when.calendar.name, when.calendar.says == "open")
    return _field(when) if when.field is not None else conditions.NumberWithheld()


def _field(when: written.Condition) -> conditions.FieldTest:
    return conditions.FieldTest(
        name=when.field or "",
        equals=when.equals,
        one_of=when.one_of,
        prefix=when.prefix,
        pattern=Pattern(when.pattern) if when.pattern is not None else None,
        present=True if when.present else (False if when.empty else None),
        number=_bounds(when.number),
        any_case=when.any_case,
    )


def _time(when: written.TimeCondition) -> conditions.TimeTest:
    return conditions.TimeTest(
        zone=ZoneInfo(when.zone),
        between=tuple(span_times(span) for span in when.between),
        days=frozenset(day for days in when.days for day in weekdays(days)),
    )


def _queue(when: written.QueueCondition) -> conditions.QueueTest:
    return conditions.QueueTest(
        queue=when.name,
        calls_waiting=_bounds(when.calls_waiting),
        estimated_wait_s=_bounds(when.estimated_wait_s),
        ready_agents=_bounds(when.ready_agents),
        nobody_ready=when.nobody_ready,
        nobody_logged_in=when.nobody_logged_in,
        out_of_hours=when.out_of_hours,
    )


def _bounds(bounds: written.Bounds | None) -> conditions.Bounds | None:
    if bounds is None:
        return None
    return conditions.Bounds(
        at_least=bounds.at_least,
        at_most=bounds.at_most,
        above=bounds.above,
        below=bounds.below,
        equals=bounds.equals,
    )


def _branch(here: NodeContext, node: Branch) -> nodes.Branch:
    return nodes.Branch(
        id=here.id,
        cases=tuple(nodes.Case(condition(case.when), here.at(case.next)) for case in node.cases),
        default=here.at(node.default),
    )


def _hours(here: NodeContext, node: Hours) -> nodes.Hours:
    return nodes.Hours(
        id=here.id,
        calendar=node.calendar,
        open=here.at(node.open),
        closed=here.at(node.closed),
        holiday=here.maybe(node.holiday),
        override=here.maybe(node.override),
    )


def _set(here: NodeContext, node: SetData) -> nodes.SetNode:
    return nodes.SetNode(
        id=here.id,
        data=dict(node.data),
        add=dict(node.add),
        unset=node.unset,
        language=node.language,
        priority=node.priority,
        requires=dict(node.requires),
        agent=node.agent,
        next=here.at(node.next),
    )


def _subtree(here: NodeContext, node: Subtree) -> nodes.Subtree:
    start = here.at(node.tree)
    return nodes.Subtree(
        id=here.id,
        start=start,
        params={**here.defaults(start), **node.given},
        on={result: here.at(reference) for result, reference in node.results.items()},
        next=here.at(node.next),
    )


def _return(here: NodeContext, node: Return) -> nodes.ReturnNode:
    return nodes.ReturnNode(id=here.id, result=node.result or "")


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType(
    {Branch: _branch, Hours: _hours, SetData: _set, Subtree: _subtree, Return: _return}
)
