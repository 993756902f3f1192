"""Who may take a call: skills with levels, and agent groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["ONE_AGENT", "Requirement"]

ONE_AGENT = "@"
"""Before an agent's name: the skill that this agent alone has. A call that asks for it asks for it alone."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a call asks of an agent.

    ``skills``: pairs (skill, least level), sorted by skill, each skill once; levels 1 to 10.
    ``group``: the agent must belong to it; empty: any agent.
    """

    skills: tuple[tuple[str, int], ...] = ()
    group: str = ""

    @classmethod
    def of(cls, skills: Mapping[str, int] | Iterable[tuple[str, int]] = (), group: str = "") -> Requirement:
        """Build one from any order; a skill named twice keeps the higher level."""
        levels: dict[str, int] = {}
        for skill, level in skills.items() if isinstance(skills, Mapping) else skills:
            levels[skill] = max(level, levels.get(skill, 0))
        return cls(tuple(sorted(levels.items())), group)

    def plus(self, skills: Iterable[tuple[str, int]]) -> Requirement:
        """Add what one call asks for to what its queue asks for: of two levels the higher holds."""
        extra = tuple(skills)
        return Requirement.of((*self.skills, *extra), self.group) if extra else self

    @property
    def one_agent(self) -> str:
        """Name of the agent who alone may meet it; empty: anybody may (see ``ONE_AGENT``)."""
        return next((skill.removeprefix(ONE_AGENT) for skill, _ in self.skills if skill.startswith(ONE_AGENT)), "")

    def lacking(self, skills: Mapping[str, int], groups: frozenset[str]) -> str:
        """Say what an agent with these skills and groups lacks; empty when nothing."""
        for skill, level in self.skills:
            has = skills.get(skill, 0)
            if has < level and skill.startswith(ONE_AGENT):
                return f"not {skill.removeprefix(ONE_AGENT)}"
            if has < level:
                return f"skill {skill} {has} < {level}" if has else f"no skill {skill}"
        if self.group and self.group not in groups:
            return f"not in group {self.group}"
        return ""

    def met_by(self, skills: Mapping[str, int], groups: frozenset[str]) -> bool:
        """Tell whether an agent with these skills and groups may take the call."""
        for skill, level in self.skills:
            if skills.get(skill, 0) < level:
                return False
        return not self.group or self.group in groups

    def __str__(self) -> str:
        parts = [
            f"agent {skill.removeprefix(ONE_AGENT)}" if skill.startswith(ONE_AGENT) else f"{skill}>={level}"
            for skill, level in self.skills
        ]
        if self.group:
            parts.append(f"group {self.group}")
        return ", ".join(parts) or "any agent of the queue"
