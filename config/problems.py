"""What is wrong with a configuration, and where: positions, problems and the error that carries all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["ConfigErrors", "Findings", "Position", "Problem", "Severity"]


class Severity(StrEnum):
    """An error stops the configuration from being used; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file: line and column count from 1, columns in characters.

    Settings from the environment or the command line have no line: ``line`` is 0 and ``file`` names the source.
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding: where, what is wrong and what would be right."""

    position: Position
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        kind = "warning: " if self.severity is Severity.WARNING else ""
        return f"{self.position}: {kind}{self.message}"


class ConfigErrors(Exception):
    """The configuration cannot be used. Carries every error found, and the warnings beside them.

    ``str()`` gives one line per error, each ``file:line:column: what is wrong; what would be right``.
    """

    def __init__(self, errors: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.errors: tuple[Problem, ...] = tuple(errors)
        self.warnings: tuple[Problem, ...] = tuple(warnings)
        if not self.errors:
            raise ValueError("ConfigErrors needs at least one error")
        super().__init__("\n".join(str(problem) for problem in self.errors))


class Findings:
    """Collects problems while a configuration is read; each is kept once."""

    def __init__(self) -> None:
        self._problems: dict[Problem, None] = {}
        self._files: list[str] = []

    def file(self, name: str) -> None:
        """Name a file: its findings come after those of the files named before."""
        self._files.append(name)

    def error(self, position: Position, message: str) -> None:
        """Record something that makes the configuration unusable."""
        self._problems.setdefault(Problem(position, message))

    def warning(self, position: Position, message: str) -> None:
        """Record something that is probably not meant, but can be lived with."""
        self._problems.setdefault(Problem(position, message, Severity.WARNING))

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The errors found so far, files in the order they were read, top to bottom in each."""
        return self._sorted(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """The warnings found so far, ordered as the errors are."""
        return self._sorted(Severity.WARNING)

    def _sorted(self, severity: Severity) -> tuple[Problem, ...]:
        named = (*self._files, *(problem.position.file for problem in self._problems))
        files = {file: place for place, file in enumerate(dict.fromkeys(named))}
        chosen = (problem for problem in self._problems if problem.severity is severity)
        return tuple(sorted(chosen, key=lambda p: (files[p.position.file], p.position.line, p.position.column)))
