"""The site that a command works on: its configuration folder, and the engine that runs with it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from acd.cli.client import ApiClient
from config import Config, load

__all__ = ["add_config_options", "config_folder", "config_overrides", "engine_client", "load_config"]

_DEFAULT_FOLDER: Final = "/etc/acd"


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add the options by which every command finds its configuration: ``--config`` and ``--set``."""
    parser.add_argument(
        "--config",
        metavar="DIR",
        help=f"configuration folder (default: the environment's ACD_CONFIG, else {_DEFAULT_FOLDER})",
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        type=_setting,
        help="override a value of acd.yaml, such as web.port=9090; more than once if need be",
    )


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key or not value:
        # The text is not repeated: it may be a secret whose "=" was forgotten.
        raise argparse.ArgumentTypeError("give KEY=VALUE, such as web.port=9090")
    return key, value


def config_folder(args: argparse.Namespace, env: Mapping[str, str] = os.environ) -> Path:
    """Return the configuration folder that a command line with ``add_config_options`` asks for."""
    return Path(args.config or env.get("ACD_CONFIG") or _DEFAULT_FOLDER)


def config_overrides(args: argparse.Namespace) -> dict[str, str]:
    """Return the command line's settings: dotted path in acd.yaml and text."""
    return dict(args.set)


def load_config(args: argparse.Namespace) -> Config:
    """Load the configuration that the command line asks for. Raises ConfigErrors."""
    return load(config_folder(args), overrides=config_overrides(args))


def engine_client(config: Config) -> ApiClient:
    """Return a client of the engine that runs with this configuration. Raises ApiError."""
    return ApiClient.at(config.acd.web.host, config.acd.web.port, Path(config.acd.state_dir))
