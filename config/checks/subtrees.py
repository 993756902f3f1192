"""Trees that are walked as a part of others: what they are given, and what they return."""

from __future__ import annotations

from config.checks.draft import Draft, refer
from config.checks.references import lookup
from config.document import KeyPath
from config.problems import Findings
from config.schema.ivr import Return, SetData, Subtree
from config.suggest import suggestion

__all__ = ["check_subtrees"]


def check_subtrees(draft: Draft, findings: Findings) -> None:
    """Check what every subtree node gives and expects, and that nobody comes to a tree without what it needs."""
    _check_entries(draft, findings)
    for tree, part in draft.trees.items():
        for name, node in part.model.nodes.items() if part.model else ():
            path: KeyPath = ("nodes", name)
            if isinstance(node, Subtree):
                _check_given(draft, findings, tree, path, node)
                _check_results(draft, findings, tree, path, node)
            elif isinstance(node, SetData) and node.agent is not None and "{" not in node.agent and node.agent:
                refer(findings, part.source.value((*path, "agent")), "agent", node.agent, draft.agent_names)


def _check_given(draft: Draft, findings: Findings, tree: str, path: KeyPath, node: Subtree) -> None:
    called = lookup(draft, tree, node.tree)
    if called is None:
        return
    source, model = draft.trees[tree].source, draft.trees[called[0]].model
    known = draft.trees[called[0]].names("parameters")
    if known is None or model is None:
        return
    for name in node.given:
        if name not in known:
            right = suggestion(name, known) if known else "leave it out, there is none"
            findings.error(source.key((*path, "with", name)), f"tree '{called[0]}' has no parameter '{name}'; {right}")
    for name, parameter in model.parameters.items():
        refused = draft.trees[tree].refused & {(*path, "with"), (*path, "with", name)}
        if parameter.default is None and name not in node.given and not refused:
            findings.error(
                source.key((*path, "with") if node.given else path),
                f"tree '{called[0]}' needs the parameter '{name}'; give it under 'with', or a default in the tree",
            )


def _check_results(draft: Draft, findings: Findings, tree: str, path: KeyPath, node: Subtree) -> None:
    """Warn of results that no return node of the tree has, unless callers may return from another tree."""
    called = lookup(draft, tree, node.tree)
    model = draft.trees[called[0]].model if called is not None else None
    if called is None or model is None or draft.trees[called[0]].refused:
        return
    results = {one.result for one in model.nodes.values() if isinstance(one, Return)}
    for name in node.results:
        if name not in results:
            given = {result for result in results if result}
            right = suggestion(name, given) if given else "no return node there has a result"
            findings.warning(
                draft.trees[tree].source.key((*path, "results", name)),
                f"tree '{called[0]}' never returns '{name}'; {right}",
            )


def _check_entries(draft: Draft, findings: Findings) -> None:
    """Refuse numbers that lead to a tree which must be given something."""
    routing = draft.routing.model
    for number, reference in routing.numbers.items() if routing is not None else ():
        place = lookup(draft, "", reference)
        model = draft.trees[place[0]].model if place is not None else None
        needed = [name for name, given in model.parameters.items() if given.default is None] if model else []
        if place is not None and needed:
            findings.error(
                draft.routing.source.value(("numbers", number)),
                f"tree '{place[0]}' needs the parameter '{needed[0]}', which no number gives; "
                "lead to it by a node of type subtree, or give the parameter a default",
            )
