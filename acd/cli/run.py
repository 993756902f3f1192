"""``acd run``: the engine's process."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import structlog
import uvloop

from acd.cli.check_config import add_config_options, config_folder, config_overrides
from acd.service.app import Application
from acd.service.errors import StartError
from acd.service.logs import set_up_logging
from config import Config, ConfigErrors, load

__all__ = ["add_parser", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_config_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run until a signal; returns the exit code."""
    try:
        config = load(config_folder(args), overrides=config_overrides(args), password_required=True)
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    set_up_logging(config.acd.log.level, config.acd.log.format)
    log = structlog.get_logger("acd")
    for warning in config.warnings:
        log.warning("configuration", problem=str(warning))
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_run(config))
    except StartError as error:
        print(f"acd run: {error}", file=sys.stderr)
        return 1


async def _run(config: Config) -> int:
    return await Application(config, os.environ.get("ACD_API_TOKEN", "")).run()
