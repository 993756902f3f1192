"""Prompts: each is defined once, is a text or a recorded file that is there, and every name used is defined."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.checks.draft import Draft, refer
from config.checks.fields import field_names
from config.document import KeyPath, SourceMap
from config.files import shown
from config.problems import Findings, Position
from config.recordings import RecordingError, look_at
from config.schema.ivr import Node, Prompt, Tree
from config.schema.marks import PROMPT, Refers, marks
from config.suggest import nearest
from config.validation import Part

__all__ = ["check_prompts", "faulty_recordings", "prompt_uses", "recording_fault"]

_FILES_COMPARED = 1000
_MISSING = "is missing; put it there, or use 'text'"


def prompt_uses(node: Node) -> Iterator[tuple[KeyPath, str]]:
    """Yield the prompts a node plays, each with the way to it from the node."""
    for mark in marks(node):
        if mark.marker == Refers(PROMPT):
            yield mark.path, mark.value


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
                _check_prompt(draft.folder, findings, part, ("prompts", name, language), prompt)
        for node_name, node in part.model.nodes.items():
            _check_uses(draft, findings, part.source, ("nodes", node_name), node)


def _check_prompt(folder: Path, findings: Findings, part: Part[Tree], path: tuple[str, ...], prompt: Prompt) -> None:
    if part.refused & {(*path, "text"), (*path, "file")}:
        return
    language = path[-1]
    if prompt.text is None and prompt.file is None:
        findings.error(part.source.key(path), f"'{language}' has neither 'text' nor 'file'; give one of the two")
    elif prompt.file is None:
        _check_text(findings, part.source.value((*path, "text")), prompt.text or "")
    elif prompt.text is not None:
        findings.error(part.source.key((*path, "file")), "'text' is given, too; keep one of 'text' and 'file'")
    else:
        _check_recording(folder / "prompts" / language, findings, part.source.value((*path, "file")), prompt.file)


def _check_text(findings: Findings, position: Position, text: str) -> None:
    """Warn of fields: a prompt's text is made into a sound once, for all callers."""
    fields = [name for name in field_names(text) if "." in name]
    if fields:
        findings.warning(
            position, f"'{{{fields[0]}}}' is not filled in in a prompt; say it by a node of type say, with 'value'"
        )


def faulty_recordings(draft: Draft) -> dict[str, tuple[str, ...]]:
    """Return the prompts whose recorded files are missing or of no use, each with its languages."""
    faulty: dict[str, tuple[str, ...]] = {}
    for part in draft.trees.values():
        for name, variants in part.model.prompts.items() if part.model else ():
            languages = tuple(
                language
                for language, prompt in variants.items()
                if prompt.file is not None and recording_fault(draft.folder / "prompts" / language / prompt.file)
            )
            if languages:
                faulty[name] = languages
    return faulty


def recording_fault(path: Path) -> str:
    """Return what is wrong with a recorded file and what to do about it; empty if nothing is."""
    try:
        if path.is_dir():
            return "is a folder; put a file there, or use 'text'"
        if not path.is_file():
            # By stem: common endings would make all files alike.
            entries = (entry for entry, _ in zip(path.parent.iterdir(), range(_FILES_COMPARED), strict=False))
            present = {entry.stem: entry.name for entry in entries}
            near = nearest(path.stem, present)
            return f"is missing; did you mean '{present[near]}'?" if near else _MISSING
        look_at(path)
    except FileNotFoundError:
        return _MISSING
    except RecordingError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror}); check its permissions"
    return ""


def _check_recording(folder: Path, findings: Findings, position: Position, name: str) -> None:
    path = folder / name
    fault = recording_fault(path)
    if fault:
        findings.error(position, f"recorded file {shown(path)} {fault}")


def _check_uses(draft: Draft, findings: Findings, source: SourceMap, path: KeyPath, node: Node) -> None:
    for below, name in prompt_uses(node):
        refer(findings, source.value((*path, *below)), "prompt", name, draft.prompts)
