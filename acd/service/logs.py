"""Logging: one JSON object a line, or lines for people on a terminal; the library's and our own in the same stream.

Our own lines in JSON do not go through the standard library's logging, which costs several times as much: a call writes
some of them while its caller, or an agent, waits for the next step.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from threading import Lock
from typing import Any, TextIO

import orjson
import structlog
from aiohttp.http_exceptions import HttpProcessingError
from structlog.typing import Processor, WrappedLogger

__all__ = ["set_up_logging"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Lines:
    """Writes whole lines to a stream; several threads may.

    What cannot be written (a full disk, a reader that is gone) is lost: calls go on without their log.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = Lock()

    def write(self, line: str) -> None:
        with self._lock, suppress(OSError):
            self._stream.write(line)
            self._stream.flush()


class _NamedLogger:
    """What structlog hands a rendered line to; knows its name, which the line tells."""

    def __init__(self, lines: _Lines, name: str = "") -> None:
        self.name = name
        self._lines = lines

    def _write(self, line: str) -> None:
        self._lines.write(line + "\n")

    debug = info = warning = error = critical = exception = _write


class _Handler(logging.Handler):
    """Writes the standard library's records into the same stream."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.write(self.format(record) + "\n")
        except ValueError:
            self.handleError(record)


def set_up_logging(level: str, style: str, stream: TextIO | None = None, *, for_good: bool = False) -> None:
    """Send all logging to ``stream`` (standard error).

    ``level``: debug, info, warning or error. ``style``: json, console, or auto (console on a terminal). ``for_good``:
    each logger goes by this from its first line on, which is quicker, and cannot be set up otherwise afterwards.
    """
    out = stream if stream is not None else sys.stderr
    lines = _Lines(out)
    console = style == "console" or (style == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=out.isatty())]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_to_json)]
    )
    structlog.configure(
        processors=[*shared, _add_name, *renderer],
        logger_factory=lambda *name: _NamedLogger(lines, *name),
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        cache_logger_on_first_use=for_good,
    )
    handler = _Handler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for noisy in ("aiohttp.access", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.server").addFilter(_is_no_garbage)


def _is_no_garbage(record: logging.LogRecord) -> bool:
    """Leave out what came to the web port and is no HTTP: anybody may send that, and parts of it would be told."""
    return record.exc_info is None or not isinstance(record.exc_info[1], HttpProcessingError)


def _add_name(logger: WrappedLogger, _: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["logger"] = logger.name
    return event


def _to_json(value: object, **_: object) -> str:
    return orjson.dumps(value, default=str).decode()
