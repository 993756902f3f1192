"""One JSON object a line, from our own loggers and the libraries'."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
import os
import threading

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer

from acd.service.logs import set_up_logging


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


def test_the_level_holds_for_our_own_lines_and_the_libraries() -> None:
    out = io.StringIO()
    set_up_logging("warning", "json", out)
    structlog.get_logger("ours").info("not shown")
    logging.getLogger("theirs").info("not shown")
    structlog.get_logger("ours").error("shown %s", "so")
    logging.getLogger("theirs").error("shown too")
    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["shown so", "shown too"]


def test_lines_of_several_threads_stay_whole() -> None:
    out = io.StringIO()
    set_up_logging("info", "json", out)
    log = structlog.get_logger("ours")

    def write(number: int) -> None:
        for count in range(200):
            log.info("line", number=number, count=count)
            logging.getLogger("theirs").info("line %d of %d", count, number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([json.loads(line) for line in out.getvalue().splitlines()]) == 4 * 200 * 2


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    set_up_logging("info", "json", FullDisk())
    structlog.get_logger("ours").info("lost")
    logging.getLogger("theirs").warning("lost")


@pytest.mark.parametrize(
    "garbage", [b"GET /" + b"a" * 10_000 + b" HTTP/1.1", b"GET / HTTP/1.1\r\nAuthoriz\0ation: Bearer t"]
)
async def test_garbage_on_the_web_port_is_not_told_as_an_error(garbage: bytes) -> None:
    out = io.StringIO()
    set_up_logging("info", "json", out)
    async with TestServer(web.Application()) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(garbage + b"\r\n\r\n")
        assert b"400 Bad Request" in await reader.read()
        writer.close()
        await writer.wait_closed()
    assert out.getvalue() == ""
