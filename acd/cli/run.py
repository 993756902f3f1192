"""``acd run``: the engine's process."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from acd.cli.site import add_config_options, config_folder, config_overrides
from acd.service.errors import StartError
from acd.service.listening import listen
from config import Config, ConfigErrors, load

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_config_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run until a signal; returns the exit code."""
    try:
        read = partial(load, config_folder(args), overrides=config_overrides(args), password_required=True)
        config = read()
        agi, web = config.acd.asterisk.fastagi, config.acd.web
        with ExitStack() as stack:
            fastagi_socket = stack.enter_context(listen("asterisk.fastagi", agi.host, agi.port))
            web_socket = stack.enter_context(listen("web", web.host, web.port))
            return _run(config, fastagi_socket, web_socket, read)
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    except StartError as error:
        print(f"acd run: {error}", file=sys.stderr)
        return 1


def _run(config: Config, fastagi: socket.socket, web: socket.socket, read: Callable[[], Config]) -> int:
    # Read only now that the ports are open: callers of an engine before us come in meanwhile, and wait.
    import asyncio

    import structlog
    import uvloop

    from acd.service.app import Application
    from acd.service.logs import set_up_logging

    set_up_logging(config.acd.log.level, config.acd.log.format, for_good=True)
    log = structlog.get_logger("acd")
    for warning in config.warnings:
        log.warning("configuration", problem=str(warning))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(Application(config, fastagi, web, os.environ.get("ACD_API_TOKEN", ""), read).run())
