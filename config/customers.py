"""The customers of a CSV file beside routing.yaml: a row for each number, checked when the configuration is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from sys import intern
from typing import Final, TypeAlias

from config.files import read, shown
from config.problems import Findings, Position
from config.schema.shared import LANGUAGES, is_name
from config.suggest import suggestion
from config.wording import quoted

__all__ = ["CUSTOMER_COLUMNS", "CustomerTable", "read_table"]

CUSTOMER_COLUMNS: Final = ("number", "id", "name", "language", "vip", "agent", "matter", "priority")
"""Columns with a meaning of their own; others are further data."""

_MAX_BYTES: Final = 64 * 1024 * 1024
_MAX_ROWS: Final = 1_000_000
_MAX_ERRORS: Final = 100
_LONGEST: Final = 200
_REPEATED: Final = frozenset({"language", "vip", "agent", "priority"})
"""Columns with few different values, each kept once in memory."""

Row: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomerTable:
    """The file's rows by number, in one way of writing; a row has a text for each of ``columns``."""

    columns: tuple[str, ...] = ()
    rows: Mapping[str, Row] = field(default_factory=dict, repr=False)

    def languages(self) -> frozenset[str]:
        """Return the languages that rows name."""
        if "language" not in self.columns:
            return frozenset()
        at = self.columns.index("language")
        return frozenset(row[at] for row in self.rows.values()) - {""}

    def find(self, number: str) -> Mapping[str, str] | None:
        """Return the row of a number, by column; None for none."""
        row = self.rows.get(number)
        return dict(zip(self.columns, row, strict=True)) if row is not None else None


@dataclass(slots=True)
class _Reading:
    """One file on its way: what is told is bounded, so that a wrong file does not drown everything else."""

    path: Path
    findings: Findings
    agents: Collection[str] | None
    normal: Callable[[str], str]
    errors: int = 0

    def error(self, line: int, message: str) -> None:
        self.errors += 1
        if self.errors < _MAX_ERRORS:
            self.findings.error(Position(shown(self.path), line, 1), message)
        elif self.errors == _MAX_ERRORS:
            self.findings.error(Position(shown(self.path), line, 1), "further errors in this file are not told")


def read_table(
    path: Path,
    normal: Callable[[str], str],
    agents: Collection[str] | None,
    findings: Findings,
    named: Position | None = None,
) -> CustomerTable:
    """Read and check the file. ``normal`` writes a number in one way; ``agents`` are known, None: nobody can tell.

    ``named``: what names the file; there it is told that the file is missing.
    """
    if named is not None and not path.exists():
        findings.error(named, f"there is no file {shown(path)}; create it, or name the right one")
        return CustomerTable()
    data = read(path, findings, _MAX_BYTES)
    if data is None:
        return CustomerTable()
    reading = _Reading(path, findings, agents, normal)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        reading.error(data[: error.start].count(b"\n") + 1, "this is not UTF-8; save the file in the encoding UTF-8")
        return CustomerTable()
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _columns(reading, next(rows, []))
        return CustomerTable(columns, dict(_rows(reading, columns, rows))) if columns else CustomerTable()
    except csv.Error as error:
        reading.error(max(rows.line_num, 1), f"the line cannot be read ({error}); is a quote left open?")
        return CustomerTable()


def _columns(reading: _Reading, header: list[str]) -> tuple[str, ...]:
    columns = tuple(intern(name.strip()) for name in header)
    before = reading.errors
    for name in columns:
        if not is_name(name):
            reading.error(1, f"{quoted(name)} is no name of a column; use letters, digits, '-' and '_', at most 40")
        elif columns.count(name) > 1:
            reading.error(1, f"column '{name}' is there twice; keep one of the two")
    if "number" not in columns:
        reading.error(1, "there is no column 'number'; call that of the numbers so, in the first line")
    return columns if reading.errors == before else ()


def _rows(reading: _Reading, columns: tuple[str, ...], rows: Iterator[list[str]]) -> Iterator[tuple[str, Row]]:
    lines: dict[str, int] = {}
    at = columns.index("number")
    checks = tuple((place, name, _CHECKS[name]) for place, name in enumerate(columns) if name in _CHECKS)
    repeated = tuple(place for place, name in enumerate(columns) if name in _REPEATED)
    end = 1
    for row in rows:
        line, end = end + 1, rows.line_num  # type: ignore[attr-defined]
        if not row:
            continue
        if len(row) != len(columns):
            reading.error(line, f"{len(row)} values stand here, {len(columns)} columns are named in line 1")
            continue
        values = [value.strip() for value in row]
        for place, value in enumerate(values):
            if len(value) > _LONGEST or not value.isprintable():
                reading.error(line, f"{columns[place]} is not one line of at most {_LONGEST} characters")
        for place, name, check in checks:
            wrong = check(values[place], reading) if values[place] else None
            if wrong is not None:
                reading.error(line, f"{name} {quoted(values[place])} {wrong}")
        number = reading.normal(values[at])
        if not number:
            reading.error(line, "the number is empty; give one, or remove the line")
        elif number in lines:
            reading.error(line, f"{quoted(values[at])} is the number of line {lines[number]}; keep one of the two")
        elif len(lines) == _MAX_ROWS:
            reading.error(line, f"more than {_MAX_ROWS} customers")
            return
        else:
            lines[number] = line
            for place in repeated:
                values[place] = intern(values[place])
            yield number, tuple(values)


def _whole_number(least: int, most: int) -> Callable[[str, _Reading], str | None]:
    def check(value: str, _: _Reading) -> str | None:
        digits = value.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= 6 and least <= int(value) <= most:
            return None
        return f"is no whole number from {least} to {most}"

    return check


def _known_agent(value: str, reading: _Reading) -> str | None:
    if reading.agents is None or value in reading.agents:
        return None
    return f"is no agent; {suggestion(value, reading.agents)}"


def _language(value: str, _: _Reading) -> str | None:
    return None if value in LANGUAGES else f"is no language; {suggestion(value, LANGUAGES)}"


def _number(value: str, _: _Reading) -> str | None:
    return None if any(char.isalnum() for char in value) else "is no number"


_CHECKS: Final[Mapping[str, Callable[[str, _Reading], str | None]]] = {
    "number": _number,
    "language": _language,
    "vip": _whole_number(0, 10),
    "agent": _known_agent,
    "priority": _whole_number(-1000, 1000),
}
