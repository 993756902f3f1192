"""ivr/*.yaml: every name in a tree leads to something."""

from __future__ import annotations

from config.checks.calendars import check_zone
from config.checks.draft import Draft, refer
from config.checks.fields import CALL_FIELDS, check_field, check_fields
from config.checks.references import check_reference
from config.problems import Findings
from config.schema.ivr import Branch, Menu, Node, Tree
from config.schema.marks import FIELD, NODE, PROMPT, ZONE, SetsDatum, Templated, marks
from config.validation import Part

__all__ = ["CALL_FIELDS", "check_trees"]


def check_trees(draft: Draft, findings: Findings) -> None:
    """Check dialled numbers and, tree by tree, the start, all references, queues, skills and fields."""
    if draft.routing.model is not None:
        for number, reference in draft.routing.model.numbers.items():
            position = draft.routing.source.value(("numbers", number))
            check_reference(draft, findings, position, "", reference)
        if draft.routing.model.menus.on_limit is not None:
            position = draft.routing.source.value(("menus", "on_limit"))
            check_reference(draft, findings, position, "", draft.routing.model.menus.on_limit)
    for name, part in draft.trees.items():
        if part.model is not None:
            _check_tree(draft, findings, name, part, part.model)


def _check_tree(draft: Draft, findings: Findings, name: str, part: Part[Tree], tree: Tree) -> None:
    source = part.source
    if ("nodes",) in source.values and part.names("nodes") == frozenset():
        findings.error(source.value(("nodes",)), "'nodes' is empty; give at least one")
    if ("start",) in source.values and ("start",) not in part.refused:
        refer(findings, source.value(("start",)), "node", tree.start, part.names("nodes"))
    for node_name in sorted((part.names("nodes") or frozenset()) & set(draft.trees)):
        findings.error(
            source.key(("nodes", node_name)),
            f"node '{node_name}' has the name of a tree ({draft.trees[node_name].source.file}); choose another name",
        )
    for node_name, node in tree.nodes.items():
        _check_node(draft, findings, name, ("nodes", node_name), node)


def _check_node(draft: Draft, findings: Findings, tree: str, path: tuple[str, ...], node: Node) -> None:
    source = draft.trees[tree].source
    for mark in marks(node):
        at = (*path, *mark.path)
        if isinstance(mark.marker, SetsDatum):
            continue
        if isinstance(mark.marker, Templated):
            check_fields(draft, findings, tree, source.value(at), mark.value, secrets=mark.marker.secrets)
        elif mark.marker.kind == NODE:
            check_reference(draft, findings, source.value(at), tree, mark.value)
        elif mark.marker.kind == FIELD:
            check_field(draft, findings, tree, source.value(at), mark.value)
        elif mark.marker.kind == ZONE:
            check_zone(findings, source.value(at), mark.value)
        elif mark.marker.kind != PROMPT:  # prompts have checks of their own
            position = source.key(at) if mark.is_key else source.value(at)
            refer(findings, position, mark.marker.kind, mark.value, draft.known(mark.marker.kind))
    if isinstance(node, Menu) and draft.trees[tree].names(*path, "choices") == frozenset():
        findings.error(source.value((*path, "choices")), "'choices' is empty; give at least one key")
    elif isinstance(node, Branch) and not node.cases and (*path, "cases") not in draft.trees[tree].refused:
        findings.error(source.value((*path, "cases")), "'cases' is empty; give at least one")
