"""One JSON object a line, from our own loggers and the libraries'."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from acd.service.logs import set_up_logging


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_both_kinds_of_loggers_write_json_lines() -> None:
    out = io.StringIO()
    set_up_logging("info", "auto", out)
    structlog.get_logger("ours").info("call arrived", call_id="c1", caller='"; rm -rf /\n')
    logging.getLogger("ami_bridge.x").warning("no answer from %s", "Asterisk")
    structlog.get_logger("ours").debug("not shown")
    ours, theirs = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (ours["event"], ours["call_id"], ours["level"], ours["logger"]) == ("call arrived", "c1", "info", "ours")
    assert ours["caller"] == '"; rm -rf /\n'
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"]) == ("no answer from Asterisk", "warning")


def test_an_exception_is_one_line_with_its_trace() -> None:
    out = io.StringIO()
    set_up_logging("info", "json", out)
    try:
        os.environ["GONE"]
    except KeyError:
        structlog.get_logger("ours").exception("failed")
    (line,) = out.getvalue().splitlines()
    assert "KeyError: 'GONE'" in json.loads(line)["exception"]


def test_lines_for_people() -> None:
    out = io.StringIO()
    set_up_logging("debug", "console", out)
    structlog.get_logger("ours").debug("call arrived", call_id="c1")
    assert "call arrived" in out.getvalue()
    assert "call_id=c1" in out.getvalue()
