"""Living a journal again: the same engine, the same inputs at the same times, and whether it decides the same."""

from __future__ import annotations

import base64
import io
import pickle
import random
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import EnumType
from pathlib import Path
from typing import Any

import orjson

from acd.core.commands import Command
from acd.core.engine import Engine
from acd.core.events import Event
from acd.store.event_codec import CodecError, decode_event, decode_routing
from acd.store.journal import FORMAT, digest_of
from routing.strategies import Strategy, installed_strategies

__all__ = [
    "Input",
    "JournalError",
    "Parting",
    "Replayed",
    "Segment",
    "TornSegment",
    "other_version",
    "read_segment",
    "replay",
]


_BEGINNING = b'{"acd_journal":'


class JournalError(ValueError):
    """A file that is no readable journal; the message names file and line."""


class TornSegment(JournalError):
    """A segment of which not even the header was written whole: the engine was killed as it began it."""


@dataclass(frozen=True, slots=True)
class Input:
    """One journalled input. ``now``: seconds on the engine's clock; ``digest``: of the commands it led to then."""

    number: int
    now: float
    event: Event
    digest: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A journal segment: its header and its inputs, read as they are asked for."""

    path: Path
    header: Mapping[str, Any]

    @property
    def goes_on(self) -> bool:
        """Whether the engine ran already when the segment was begun."""
        return "checkpoint" in self.header

    @property
    def began_at_s(self) -> float:
        """When the segment was begun, on the engine's clock."""
        return float(self.header["now"])

    @property
    def wall_s(self) -> float:
        """When the segment was begun (UNIX time)."""
        return float(self.header["wall_s"])

    def inputs(self) -> Iterator[Input]:
        """Go over the inputs. A torn last line ends them; anything else that is wrong raises JournalError."""
        with self.path.open("rb") as file:
            file.readline()
            for number, line in enumerate(file, start=2):
                if not line.endswith(b"\n"):
                    return
                yield _input(line, f"{self.path}:{number}")

    def engine(self, strategies: Mapping[str, type[Strategy]]) -> Engine:
        """Return the engine as it was when the segment began. Raises JournalError."""
        header = self.header
        if self.goes_on:
            return _from_checkpoint(str(header["checkpoint"]), self.path, strategies)
        try:
            routing = decode_routing(header["routing"])
        except (CodecError, KeyError) as error:
            raise JournalError(f"{self.path}:1: the header's configuration cannot be read: {error}") from error
        missing = sorted({queue.strategy for queue in routing.queues.values()} - set(strategies))
        if missing:
            raise JournalError(f"{self.path}:1: not installed here: strategy {', '.join(missing)}")
        rng = random.Random(header["seed"])  # noqa: S311 - the draws of a strategy, not a secret
        return Engine(routing, rng, self.began_at_s, strategies=strategies)

    def run_through(self, engine: Engine) -> Iterator[tuple[Input, list[Command]]]:
        """Feed the inputs to the engine that ``engine`` has returned; yield each with what it led to.

        Raises JournalError.
        """
        for entry in self.inputs():
            try:
                made = engine.handle(entry.event, entry.now)
            except AttributeError as error:
                if not self.goes_on:
                    raise
                raise other_version(self.path, error) from error
            yield entry, made


@dataclass(frozen=True, slots=True)
class Parting:
    """The first input at which this engine decided differently from the one that was recorded."""

    input: Input
    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay showed: how many inputs and commands, and where it parted from the record (None: nowhere)."""

    inputs: int
    commands: int
    parting: Parting | None


def read_segment(path: Path) -> Segment:
    """Open a segment. Raises JournalError (TornSegment) when it is not one, OSError when it cannot be read."""
    with path.open("rb") as file:
        first = file.readline()
    if not first.endswith(b"\n") and first[: len(_BEGINNING)] == _BEGINNING[: len(first)]:
        raise TornSegment(f"{path}: no input: the engine was killed as it began this segment")
    try:
        header = orjson.loads(first)
    except orjson.JSONDecodeError as error:
        raise JournalError(f"{path}:1: not a journal: {error}") from error
    if not isinstance(header, dict) or header.get("acd_journal") != FORMAT:
        raise JournalError(f"{path}:1: not a journal of format {FORMAT}")
    kinds: dict[str, Any] = {"now": int | float, "wall_s": int | float}
    kinds |= {"seed": int} if "routing" in header else {"checkpoint": str}
    damaged = [name for name, kind in kinds.items() if not isinstance(header.get(name), kind)]
    if damaged:
        raise JournalError(f"{path}:1: the header is damaged: {', '.join(damaged)}")
    return Segment(path, header)


def replay(
    segment: Segment, *, on_input: Callable[[Input, list[Command]], None] | None = None, go_on: bool = False
) -> Replayed:
    """Run the segment through the engine of this version; stop where the two part, unless ``go_on``."""
    inputs = commands = 0
    parting: Parting | None = None
    for entry, made in segment.run_through(segment.engine(installed_strategies())):
        inputs += 1
        commands += len(made)
        if on_input is not None:
            on_input(entry, made)
        if parting is None and digest_of(made) != entry.digest:
            parting = Parting(entry, tuple(made))
            if not go_on:
                break
    return Replayed(inputs, commands, parting)


def _input(line: bytes, where: str) -> Input:
    try:
        number, now, name, data, digest = orjson.loads(line)
        return Input(int(number), float(now), decode_event(str(name), data), str(digest))
    except (CodecError, orjson.JSONDecodeError, TypeError, ValueError) as error:
        raise JournalError(f"{where}: not an input: {error}") from error


def other_version(path: Path, error: Exception) -> JournalError:
    """Say that a checkpoint holds objects of another version, which lack or have what ours do not."""
    return JournalError(
        f"{path}:1: the checkpoint cannot be read by this version ({error}); "
        "replay the segment of the process start instead, or use the version that wrote it"
    )


def _from_checkpoint(text: str, path: Path, strategies: Mapping[str, type[Strategy]]) -> Engine:
    try:
        pickled = io.BytesIO(zlib.decompress(base64.b64decode(text)))
        engine = _CheckpointUnpickler(pickled, frozenset(strategies.values())).load()
    except (ValueError, zlib.error, pickle.UnpicklingError, AttributeError, EOFError, ImportError) as error:
        raise other_version(path, error) from error
    if not isinstance(engine, Engine):
        raise JournalError(f"{path}:1: the checkpoint holds no engine")
    return engine


class _CheckpointUnpickler(pickle.Unpickler):
    """Loads the engine's own classes and nothing that could run a command: a journal may come from elsewhere."""

    MODULES = ("acd.core.", "routing.", "sortedcontainers.")
    _NAMES = frozenset(
        {
            ("builtins", "set"),
            ("builtins", "frozenset"),
            ("builtins", "getattr"),
            ("collections", "deque"),
            ("functools", "partial"),
            ("operator", "attrgetter"),
            ("random", "Random"),
        }
    )

    def __init__(self, file: io.BytesIO, strategies: frozenset[type[Strategy]]) -> None:
        super().__init__(file)
        self._strategies = {(strategy.__module__, strategy.__qualname__): strategy for strategy in strategies}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._strategies:
            return self._strategies[module, name]
        if module == "builtins" and name == "getattr":
            return _attribute_of_ours
        if (module, name) in self._NAMES or module.startswith(self.MODULES):
            found = super().find_class(module, name)
            if (module, name) in self._NAMES or getattr(found, "__module__", "").startswith(self.MODULES):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a checkpoint")


def _attribute_of_ours(owner: object, name: str) -> Any:
    """``getattr`` for what is the engine's own: bound methods (a deadline's action) and the members of its enums.

    Early releases of Python 3.11 (the 3.11.2 of Debian 12) store a member as ``getattr(class, name)``.
    """
    kind = owner if isinstance(owner, EnumType) else type(owner)
    ours = kind.__module__.startswith(_CheckpointUnpickler.MODULES)
    known = name in owner.__members__ if isinstance(owner, EnumType) else not name.startswith("__")
    if not (ours and known):
        raise pickle.UnpicklingError(f"{kind.__module__}: {name} does not belong into a checkpoint")
    return getattr(owner, name)
