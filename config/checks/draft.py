"""The files as far as they are sound, and the names they define: what the checks work on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import SecretStr

from config.customers import CustomerTable
from config.document import KeyPath
from config.problems import Findings, Position
from config.schema import Acd, Agents, Calendars, Routing, Tree, Voicemail
from config.schema.follow_up import FollowUps
from config.schema.ivr import BUILT_IN_PROMPTS
from config.suggest import suggestion
from config.validation import Part

__all__ = ["Draft", "Strategies", "effective", "refer"]


Strategies: TypeAlias = Mapping[str, Mapping[str, tuple[float, float]]]
"""Names that a queue's strategy may have, each with its options and their bounds (least, most)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration whose files were read one by one but not yet held against each other.

    The names come from the files as written, so that a queue with a mistake in it is not reported as unknown
    wherever it is named. None stands for names that cannot be known because a file could not be read.
    """

    folder: Path
    acd: Part[Acd]
    routing: Part[Routing]
    agents: Part[Agents]
    calendars: Part[Calendars]
    voicemail: Part[Voicemail]
    follow_up: Part[FollowUps]
    trees: Mapping[str, Part[Tree]]
    strategies: Strategies
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    """The secrets that are given."""
    customers: CustomerTable = field(default_factory=CustomerTable)
    """The customers of the file beside routing.yaml."""

    @property
    def queues(self) -> frozenset[str] | None:
        """The names of all queues."""
        return self.routing.names("queues") or None  # An empty list is reported once, not wherever one is named.

    @property
    def skills(self) -> frozenset[str] | None:
        """The names of all skills."""
        return self.routing.names("skills")

    @property
    def agent_names(self) -> frozenset[str] | None:
        """The names of all agents."""
        return self.agents.names("agents")

    @property
    def calendar_names(self) -> frozenset[str] | None:
        """The names of all calendars."""
        names = self.calendars.names("calendars")
        return names if names or not self.calendars.raw else None  # As for queues, unless there is no such file.

    @property
    def box_names(self) -> frozenset[str] | None:
        """The names of all voicemail boxes."""
        return self.voicemail.names("boxes")

    @property
    def prompts(self) -> frozenset[str] | None:
        """The names of all prompts of all trees, and of those built in."""
        names = [part.names("prompts") for part in self.trees.values()]
        if not names or any(found is None for found in names):
            return None
        return reduce(or_, (found for found in names if found is not None), BUILT_IN_PROMPTS)

    def known(self, kind: str) -> frozenset[str] | None:
        """Return the names of all things of a kind that ``config.schema.marks.Refers`` names.

        Raises:
            KeyError: there is no such kind.
        """
        return _KINDS[kind](self)

    def nodes(self, tree: str) -> frozenset[str] | None:
        """Return the names of a tree's nodes."""
        return self.trees[tree].names("nodes")


_KINDS: Final[Mapping[str, Callable[[Draft], frozenset[str] | None]]] = {
    "agent": lambda draft: draft.agent_names,
    "calendar": lambda draft: draft.calendar_names,
    "voicemail box": lambda draft: draft.box_names,
    "look-up": lambda draft: draft.routing.names("lookups"),
    "prompt": lambda draft: draft.prompts,
    "queue": lambda draft: draft.queues,
    "skill": lambda draft: draft.skills,
    "webhook": lambda draft: draft.acd.names("webhooks"),
}


_PLACES: Final[Mapping[str, str]] = {
    "calendar": "'calendars' in calendars.yaml",
    "look-up": "'lookups' in routing.yaml",
    "skill": "'skills' in routing.yaml",
    "voicemail box": "'boxes' in voicemail.yaml",
    "webhook": "'webhooks' in acd.yaml",
}
"""Where things are defined of which a site may have none."""


def effective(routing: Routing, queue: str, key: str) -> tuple[Any, KeyPath]:
    """Return what holds for a queue, its own or that of ``defaults``, and where it stands if it is written at all."""
    settings = routing.queues[queue]
    if key in settings.model_fields_set or key not in routing.defaults.model_fields_set:
        return getattr(settings, key), ("queues", queue, key)
    return getattr(routing.defaults, key), ("defaults", key)


def refer(findings: Findings, position: Position, kind: str, name: str, known: Collection[str] | None) -> None:
    """Report a name that nothing has, with the nearest name there is."""
    if known is not None and name not in known:
        # The site's own prompts help; the many that are built in would push them off the list.
        listed = set(known) - BUILT_IN_PROMPTS if kind == "prompt" else known
        none_yet = not known and kind in _PLACES
        right = f"define it under {_PLACES[kind]}" if none_yet else suggestion(name, known, listed)
        findings.error(position, f"unknown {kind} '{name}'; {right}")
