"""Prompts: each is defined once, is a text or a recorded file that is there, and every name used is defined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.checks.draft import Draft, refer
from config.document import KeyPath
from config.files import shown
from config.problems import Findings, Position
from config.schema.ivr import Enqueue, Hangup, Menu, Node, Play, Prompt
from config.suggest import nearest

__all__ = ["check_prompts", "prompt_uses"]

_FILES_COMPARED = 1000


def prompt_uses(node: Node) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield the prompts a node plays, with the way to them from the node."""
    if isinstance(node, Play | Menu | Enqueue | Hangup):
        yield ("prompt",), node.prompt
    if isinstance(node, Menu):
        yield ("invalid", "prompt"), node.invalid.prompt
        yield ("no_input", "prompt"), node.no_input.prompt


def check_prompts(draft: Draft, findings: Findings) -> None:
    """Check where prompts are defined and where they are used."""
    defined: dict[str, Position] = {}
    for part in draft.trees.values():
        if part.model is None:
            continue
        for name, languages in part.model.prompts.items():
            at = part.source.key(("prompts", name))
            first = defined.setdefault(name, at)
            if first != at:
                findings.error(at, f"prompt '{name}' is defined in {first}, too; names hold in all files, rename one")
            if not languages and part.names("prompts", name) == frozenset():
                findings.error(at, f"prompt '{name}' has no language; write en: {{text: …}}")
            for language, prompt in languages.items():
                position = part.source.key(("prompts", name, language))
                _check_prompt(
                    draft.folder,
                    findings,
                    position,
                    part.source.value(("prompts", name, language, "file")),
                    language,
                    prompt,
                )
        for node_name, node in part.model.nodes.items():
            _check_uses(draft, findings, part.source.values, ("nodes", node_name), node)


def _check_prompt(
    folder: Path, findings: Findings, position: Position, file_position: Position, language: str, prompt: Prompt
) -> None:
    if (prompt.text is None) == (prompt.file is None):
        wrong = "has neither 'text' nor 'file'; give one" if prompt.text is None else "has both; keep 'text' or 'file'"
        findings.error(position, f"the prompt's '{language}' {wrong}")
    elif prompt.file is not None:
        _check_recording(folder / "prompts" / language, findings, file_position, prompt.file)


def _check_recording(folder: Path, findings: Findings, position: Position, name: str) -> None:
    path = folder / name
    try:
        if not path.is_file():
            present = [entry.name for entry, _ in zip(path.parent.iterdir(), range(_FILES_COMPARED), strict=False)]
            near = nearest(path.name, present)
            right = f"did you mean '{near}'?" if near else "put it there, or use 'text'"
            findings.error(position, f"recorded file {shown(path)} is missing; {right}")
        elif path.stat().st_size == 0:
            findings.error(position, f"recorded file {shown(path)} is empty; record it again, or use 'text'")
    except FileNotFoundError:
        findings.error(position, f"recorded file {shown(path)} is missing; put it there, or use 'text'")
    except OSError as error:
        findings.error(
            position, f"recorded file {shown(path)} cannot be read ({error.strerror}); check its permissions"
        )


def _check_uses(
    draft: Draft, findings: Findings, positions: dict[KeyPath, Position], path: KeyPath, node: Node
) -> None:
    for below, names in prompt_uses(node):
        for place, name in enumerate(names):
            # One prompt stands by itself, several in a list.
            at = positions.get((*path, *below, place)) or positions[(*path, *below)]
            refer(findings, at, "prompt", name, draft.prompts)
