"""Following callers through the trees: rings and dead ends, nodes nobody reaches, prompts missing in a language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from config.checks.draft import Draft
from config.checks.references import Place
from config.checks.rings import rings
from config.checks.site_map import SiteMap, Step
from config.problems import Findings, Position
from config.schema.ivr import Branch, Return, SetData, Subtree
from config.schema.marks import Way, marks

__all__ = ["check_walks"]

_ASKING: Final = frozenset({"collect", "menu", "pin"})

_NAMED: Final = 5
"""Further nodes of a dead end that are named."""


def check_walks(draft: Draft, findings: Findings) -> None:
    """Check rings and languages on what is sound; and, if all ways are known, that nodes are reached and lead on."""
    site = SiteMap(draft)
    goes_round = _check_rings(site, findings)
    _check_languages(site, findings)
    _check_silent(site, findings)
    if site.is_whole() and not goes_round:
        _check_reached(site, findings)
        _check_dead_ends(site, findings)
        _check_returns(site, findings)


def _check_rings(site: SiteMap, findings: Findings) -> bool:
    """Refuse rings on which the caller is never asked; warn of those that a silent caller stays on.

    Returns whether there is one that is refused.
    """
    refused: set[Place] = set()
    for ring in _rings(site, {Way.BY_ITSELF}):
        if _is_counted(site, ring):
            continue
        refused.update(step.to for step in ring)
        findings.error(
            ring[-1].position,
            f"callers go round for ever without being asked: {_told(ring)}; lead one to a menu, a queue or hangup",
        )
    for ring in _rings(site, {Way.BY_ITSELF, Way.FAILURE}):
        if not refused.intersection(step.to for step in ring) and not _is_counted(site, ring):
            findings.warning(
                ring[-1].position,
                f"a caller who presses nothing goes round for ever: {_told(ring)}; lead on_failure elsewhere",
            )
    for ring in _rings(site, {Way.BY_ITSELF, Way.TURNED_AWAY}):
        if not refused.intersection(step.to for step in ring):
            findings.warning(
                ring[-1].position,
                f"callers whom a join rule leads on come back without being asked: {_told(ring)}; "
                "lead one to a menu or hangup",
            )
    return bool(refused)


def _is_counted(site: SiteMap, ring: list[Step]) -> bool:
    """Tell whether rounds are counted, and a branch in the ring asks how many there were: then it ends some time."""
    nodes = [site.nodes[step.to] for step in ring]
    counted = {f"data.{name}" for node in nodes if isinstance(node, SetData) for name in node.add}
    asked = {mark.value for node in nodes if isinstance(node, Branch) for mark in marks(node)}
    return bool(counted & asked)


def _told(ring: list[Step]) -> str:
    trees = {step.to[0] for step in ring}
    names = [step.to[1] if len(trees) == 1 else ".".join(step.to) for step in (ring[-1], *ring)]
    return " -> ".join(names)


def _rings(site: SiteMap, ways: set[Way]) -> Iterator[list[Step]]:
    """Yield rings of steps of the given kinds; the last step closes one."""
    return rings(site.nodes, lambda place: [(step.to, step) for step in site.steps[place] if step.edge.way in ways])


def _check_languages(site: SiteMap, findings: Findings) -> None:
    """Warn of prompts that a caller may come to in a language they do not have."""
    for found in site.untranslated():
        findings.warning(
            found.position,
            f"prompt '{found.prompt}' has no '{found.language}', which callers here may have chosen: they hear it in "
            f"another language; add '{found.language}' to the prompt",
        )


def _check_silent(site: SiteMap, findings: Findings) -> None:
    """Warn of nodes that ask a caller for keys without a word."""
    for place, node in site.nodes.items():
        if node.type in _ASKING and getattr(node, "prompt", None) == ():
            findings.warning(site.position(place), f"node '{place[1]}' asks callers for a key without a word; say what")


def _check_reached(site: SiteMap, findings: Findings) -> None:
    """Warn of trees and nodes that no call can come to."""
    for tree in site.unused_trees():
        file = site.draft.trees[tree].source.file
        findings.warning(Position(file), f"no number and no node leads to tree '{tree}'; name it under 'numbers'")
    for place in site.unreached():
        findings.warning(
            site.position(place),
            f"no call can come to node '{place[1]}'; lead to it from another node, or remove it",
        )


def _check_returns(site: SiteMap, findings: Findings) -> None:
    """Warn of return nodes that a call can come to without having been sent there by a subtree node."""
    todo = site.entries()
    reached = set(todo)
    while todo:
        place = todo.pop()
        if isinstance(site.nodes[place], Return):
            findings.warning(
                site.position(place),
                f"a call may come to node '{place[1]}' outside of any subtree, and is ended there; "
                "lead to its tree by nodes of type subtree alone",
            )
        into_it = {("tree",)} if isinstance(site.nodes[place], Subtree) else set()
        new = {step.to for step in site.steps[place] if step.edge.path not in into_it} - reached
        reached |= new
        todo.extend(new)


def _check_dead_ends(site: SiteMap, findings: Findings) -> None:
    """Warn of nodes from which callers come to nothing, once for each group of them that hangs together."""
    left = dict.fromkeys(site.dead_ends())
    while left:
        first = next(iter(left))
        group = [place for place in site.reached([first]) if place in left]
        for place in group:
            del left[place]
        rest = sorted(".".join(place) for place in group if place != first)
        more = f" (nor from {', '.join(rest[:_NAMED])}{' …' if len(rest) > _NAMED else ''})" if rest else ""
        findings.warning(
            site.position(first),
            f"dead end: from node '{first[1]}' no call comes to a queue, an action or an end{more}; "
            "give callers a way out",
        )
