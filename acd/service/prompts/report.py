"""What there is to say of a site's prompts: which are recorded, made, still to be made, missing or of no use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from acd.service.prompts.defaults import DEFAULT_TEXTS
from acd.service.prompts.store import PromptStore
from config.checks import Draft
from config.checks.onward import prompts_heard
from config.checks.prompts import prompt_uses, recording_fault
from config.checks.site_map import SiteMap
from config.recordings import look_at
from config.schema.ivr import BUILT_IN_PROMPTS, Prompt
from config.schema.marks import PROMPT, Refers, marks

__all__ = ["PromptReport", "PromptRow", "PromptState", "report_on"]


class PromptState(StrEnum):
    """How a prompt stands in one language."""

    RECORDED = "recorded"
    """A recording that Asterisk plays as it is."""
    CONVERTED = "recorded, converted"
    """A recording that is converted by itself."""
    CACHED = "synthesised, cached"
    NOT_MADE = "synthesised, not made yet"
    NO_VOICE = "no voice"
    MISSING = "missing"
    WRONG_FORMAT = "wrong format"


FAULTS = frozenset({PromptState.NO_VOICE, PromptState.MISSING, PromptState.WRONG_FORMAT})


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One prompt in one language. `size_bytes` is what it takes in the cache."""

    prompt: str
    language: str
    state: PromptState
    detail: str = ""
    size_bytes: int = 0
    built_in: bool = False
    """The engine's own, of which the site has none."""

    @property
    def is_fault(self) -> bool:
        """Whether callers do not hear it."""
        return self.state in FAULTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptReport:
    """All prompts of a site."""

    rows: tuple[PromptRow, ...]
    unused: tuple[str, ...] = ()
    """Prompts of the site that nothing plays."""
    untranslated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages that a prompt lacks although callers may come to it in them; they hear it in another."""
    size_bytes: int = 0
    limit_bytes: int = 0

    @property
    def over_limit(self) -> bool:
        """Whether what the site needs is more than what is to be kept."""
        return self.size_bytes > self.limit_bytes

    @property
    def faults(self) -> int:
        """How many rows are faults."""
        return sum(row.is_fault for row in self.rows)


def report_on(draft: Draft, store: PromptStore, limit_bytes: int, language: str = "") -> PromptReport:
    """Report on the prompts of a configuration, which may have errors; with `language` on that one alone."""
    prompts: dict[str, dict[str, Prompt]] = {
        name: {str(key): prompt for key, prompt in variants.items()}
        for part in draft.trees.values()
        for name, variants in (part.model.prompts.items() if part.model else ())
    }
    heard = dict.fromkeys(_heard(draft))
    rows = [
        *(row for name, variants in prompts.items() for row in _rows(draft.folder, store, name, variants)),
        *(replace(_row_of_text(store, *each), built_in=True) for each in _built_in(prompts)),
        *(
            PromptRow(name, "", PromptState.MISSING, "played, but defined nowhere")
            for name in heard
            if name not in prompts and name not in BUILT_IN_PROMPTS
        ),
    ]
    rows = [row for row in rows if not language or row.language in (language, "")]
    lacking: dict[str, dict[str, None]] = {}
    for found in SiteMap(draft).untranslated():
        if not language or found.language == language:
            lacking.setdefault(found.prompt, {})[found.language] = None
    return PromptReport(
        rows=tuple(rows),
        unused=tuple(name for name in prompts if name not in heard and name not in BUILT_IN_PROMPTS),
        untranslated={name: tuple(languages) for name, languages in lacking.items()},
        size_bytes=sum(row.size_bytes for row in rows),
        limit_bytes=limit_bytes,
    )


def _rows(folder: Path, store: PromptStore, name: str, variants: Mapping[str, Prompt]) -> Iterator[PromptRow]:
    for language, prompt in variants.items():
        if prompt.file is not None:
            yield _row_of_recording(folder / "prompts" / language / prompt.file, name, language)
        elif prompt.text is not None:
            yield _row_of_text(store, name, language, prompt.text)


def _row_of_recording(path: Path, name: str, language: str) -> PromptRow:
    fault = recording_fault(path)
    if fault:
        state = PromptState.MISSING if fault.startswith("is missing") else PromptState.WRONG_FORMAT
        return PromptRow(name, language, state, f"{path.name} {fault}")
    sound = look_at(path)
    if sound.plays_as_it_is:
        return PromptRow(name, language, PromptState.RECORDED, f"{path.name}: {sound.described}")
    return PromptRow(name, language, PromptState.CONVERTED, f"{path.name}: {sound.conversion}")


def _row_of_text(store: PromptStore, name: str, language: str, text: str) -> PromptRow:
    voices = store.voices(language)
    if not voices:
        return PromptRow(name, language, PromptState.NO_VOICE, f"nobody speaks '{language}'")
    found = store.found(text, language)
    if found is None:
        return PromptRow(name, language, PromptState.NOT_MADE, voices[0])
    by = found.voice if found.voice == voices[0] else f"{found.voice}, as {voices[0]} failed"
    return PromptRow(name, language, PromptState.CACHED, by, found.size_bytes)


def _built_in(prompts: Mapping[str, dict[str, Prompt]]) -> Iterator[tuple[str, str, str]]:
    """Yield the built-in prompts, as far as the site has none of its own."""
    for name, texts in DEFAULT_TEXTS.items():
        for language, text in texts.items():
            if language not in prompts.get(name, {}):
                yield name, language, text


def _heard(draft: Draft) -> Iterator[str]:
    """Yield what trees, queues and boxes play."""
    for part in draft.trees.values():
        for node in part.model.nodes.values() if part.model else ():
            for _, name in prompt_uses(node):
                yield name
    for model in (draft.routing.model, draft.voicemail.model):
        for mark in marks(model) if model is not None else ():
            if mark.marker == Refers(PROMPT):
                yield mark.value
    routing = draft.routing.model
    for queue in routing.queues if routing is not None else ():
        for name, _ in prompts_heard(routing, queue) if routing is not None else ():
            yield name
