"""What commands that ask the running engine have in common: the question, its failures, and how the answer is shown."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import TypeVar

import orjson

from acd.cli.client import ApiClient, ApiError
from acd.cli.site import engine_client, load_config
from config import ConfigErrors

__all__ = ["ask", "show"]

T = TypeVar("T")


def ask(
    args: argparse.Namespace,
    command: str,
    question: Callable[[ApiClient], T],
    *,
    unusable: str = "the configuration cannot be used",
) -> T | None:
    """Ask the engine of the configuration that the command line names.

    ``unusable``: what to say below the faults of a configuration. Returns None when there is no answer: why is told on
    stderr then, with the command's name.
    """
    try:
        return question(engine_client(load_config(args)))
    except ConfigErrors as errors:
        print(f"{errors}\n{command}: {unusable}", file=sys.stderr)
    except ApiError as error:
        print(f"{command}: {error}", file=sys.stderr)
    return None


def show(answer: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print an answer: for programs as JSON, for people these lines."""
    print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode() if as_json else "\n".join(lines))
