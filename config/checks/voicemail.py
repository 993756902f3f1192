"""voicemail.yaml: names that lead somewhere, numbers that are one box's, boxes that somebody can listen to."""

from __future__ import annotations

from collections.abc import Iterator

from config.checks.calendars import check_zone
from config.checks.draft import Draft, refer
from config.checks.mail import require_mail
from config.checks.rules import RULES
from config.document import KeyPath
from config.problems import Findings
from config.schema import Voicemail
from config.schema.marks import Refers, marks
from config.schema.overflow import Action
from config.schema.voicemail import Box

__all__ = ["check_voicemail"]


def check_voicemail(draft: Draft, findings: Findings) -> None:
    """Check the boxes, and what leads to them from queues."""
    voicemail, source = draft.voicemail.model, draft.voicemail.source
    if voicemail is None:
        return
    if ("boxes",) in source.values and draft.voicemail.names("boxes") == frozenset():
        findings.error(source.value(("boxes",)), "'boxes' is empty; give at least one")
    for mark in marks(voicemail):
        if isinstance(mark.marker, Refers) and mark.marker.kind not in ("node",):
            position = source.key(mark.path) if mark.is_key else source.value(mark.path)
            refer(findings, position, mark.marker.kind, mark.value, draft.known(mark.marker.kind))
    _check_numbers(voicemail, draft, findings)
    for name, box in voicemail.boxes.items():
        _check_box(name, box, draft, findings)
    _check_zones(voicemail, draft, findings)
    _check_overflow(draft, findings)


def _check_numbers(voicemail: Voicemail, draft: Draft, findings: Findings) -> None:
    """Refuse a number that would lead to two boxes."""
    by_number: dict[str, str] = {}
    for name, box in voicemail.boxes.items():
        number = box.number or name
        other = by_number.setdefault(number, name)
        if other != name:
            path: KeyPath = ("boxes", name, "number") if box.number else ("boxes", name)
            findings.error(
                draft.voicemail.source.key(path), f"box '{other}' is keyed in by {number} already; give another number"
            )


def _check_box(name: str, box: Box, draft: Draft, findings: Findings) -> None:
    source = draft.voicemail.source
    path: KeyPath = ("boxes", name)
    groups = _groups(draft)
    for place, group in enumerate(box.groups):
        if groups is not None:
            refer(findings, source.value((*path, "groups", place)), "group", group, groups)
    if box.email:
        require_mail(draft, findings, source.key((*path, "email")), f"box '{name}'")
    if box.requires and box.queue is None:
        findings.error(source.key((*path, "requires")), "'requires' means nothing without 'queue'; add it")
    if box.shortest_s >= box.longest_s:
        key = "shortest_s" if "shortest_s" in box.model_fields_set else "longest_s"
        at = (*path, key) if key in box.model_fields_set else path
        findings.error(source.key(at), "shortest_s is not below longest_s: no message could be left")
    heard = box.agents or box.groups or box.pin_hash or box.email or box.webhook or box.queue
    if not heard and not findings.errors:
        findings.warning(source.key(path), f"nobody can listen to box '{name}'; give it agents, a pin_hash or email")
    if box.pin_hash and box.number is None and not name.isdigit():
        findings.error(
            source.key((*path, "pin_hash")), f"box '{name}' cannot be keyed in; give it a number for its PIN"
        )
    if box.pin_inside and box.pin_hash is None and "pin_inside" in box.model_fields_set:
        findings.error(source.key((*path, "pin_inside")), "there is no PIN to ask for; give 'pin_hash'")


def _groups(draft: Draft) -> frozenset[str] | None:
    agents = draft.agents.model
    if agents is None or draft.agents.refused:
        return None
    return frozenset(group for agent in agents.agents.values() for group in agent.groups)


def _check_zones(voicemail: Voicemail, draft: Draft, findings: Findings) -> None:
    source = draft.voicemail.source
    if voicemail.defaults.zone is not None:
        check_zone(findings, source.value(("defaults", "zone")), voicemail.defaults.zone)
    for name, box in voicemail.boxes.items():
        if box.zone is not None:
            check_zone(findings, source.value(("boxes", name, "zone")), box.zone)


def _check_overflow(draft: Draft, findings: Findings) -> None:
    """Warn of rules that lead to a box that is not ours: Asterisk's own voicemail would have to have it."""
    boxes = draft.box_names
    if not boxes or findings.errors:
        return
    for path, action in _actions(draft):
        if action.voicemail is not None and action.voicemail not in boxes:
            findings.warning(
                draft.routing.source.value((*path, "voicemail")),
                f"voicemail.yaml has no box '{action.voicemail}'; Asterisk's own voicemail is used, which must have it",
            )


def _actions(draft: Draft) -> Iterator[tuple[KeyPath, Action]]:
    routing = draft.routing.model
    if routing is None:
        return
    places = [(("defaults",), routing.defaults)]
    settings = [*places, *((("queues", name), queue) for name, queue in routing.queues.items())]
    for path, queue in settings:
        for key in RULES:
            for place, rule in enumerate(getattr(queue, key)):
                yield (*path, key, place, "then"), rule.then
