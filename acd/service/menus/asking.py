"""Builds the nodes that ask the caller for keys."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from acd.service.menus.context import Builder, NodeContext, retries, speech
from config.schema.ivr.asking import Collect, Confirm, DirectDial, Menu, Pin
from ivr import nodes
from ivr.entries import EntryCheck, EntryRules
from ivr.patterns import Pattern

__all__ = ["BUILDERS"]


def _menu(here: NodeContext, node: Menu) -> nodes.Menu:
    dial = node.direct_dial or DirectDial()
    return nodes.Menu(
        id=here.id,
        prompts=speech(node.prompt),
        choices={digit: here.at(reference) for digit, reference in node.choices.items()},
        barge_in=node.barge_in,
        timeout_s=node.timeout_s,
        invalid=retries(node.invalid),
        no_input=retries(node.no_input),
        on_failure=here.maybe(node.on_failure),
        directory=here.directory if node.direct_dial is not None else None,
        inter_digit_s=dial.inter_digit_s,
        on_not_reached=here.maybe(dial.not_reached),
    )


def _rules(node: Collect | Pin) -> EntryRules:
    return EntryRules(
        min_digits=node.min_digits,
        max_digits=node.max_digits,
        terminator=node.terminator,
        first_digit_s=node.timeout_s,
        inter_digit_s=node.inter_digit_s,
    )


def _collect(here: NodeContext, node: Collect) -> nodes.Collect:
    valid = node.valid
    return nodes.Collect(
        id=here.id,
        prompts=speech(node.prompt),
        name=node.name,
        next=here.at(node.next),
        rules=_rules(node),
        check=EntryCheck(
            pattern=Pattern(valid.pattern) if valid.pattern is not None else None,
            luhn=valid.luhn,
            least=valid.least,
            most=valid.most,
            one_of=frozenset(valid.one_of),
        ),
        barge_in=node.barge_in,
        invalid=retries(node.invalid),
        no_input=retries(node.no_input),
        confirm=_confirmation(node.confirm) if node.confirm is not None else None,
        on_failure=here.maybe(node.on_failure),
    )


def _confirmation(confirm: Confirm) -> nodes.Confirmation:
    return nodes.Confirmation(
        before=speech(confirm.before),
        after=speech(confirm.after),
        kind=nodes.SayKind(confirm.kind),
        accept=confirm.accept,
        again=confirm.again,
        retries=confirm.retries,
    )


def _pin(here: NodeContext, node: Pin) -> nodes.Pin:
    return nodes.Pin(
        id=here.id,
        prompts=speech(node.prompt),
        name=node.name,
        next=here.at(node.next),
        rules=_rules(node),
        barge_in=node.barge_in,
        hash=node.hash,
        attempts=node.attempts,
        wrong=speech(node.wrong),
        no_input=retries(node.no_input),
        on_failure=here.maybe(node.on_failure),
        on_no_input=here.maybe(node.on_no_input),
    )


BUILDERS: Mapping[type, Builder[Any]] = MappingProxyType({Menu: _menu, Collect: _collect, Pin: _pin})
