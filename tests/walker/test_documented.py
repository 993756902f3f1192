"""What docs/walk-and-graph.md shows is what comes out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from acd.cli import main

ROOT = Path(__file__).parents[2]
SHOWN = re.findall(r"```console\n\$ acd (.*)\n((?:.*\n)*?)```", (ROOT / "docs" / "walk-and-graph.md").read_text())


def test_there_is_something_shown() -> None:
    assert len(SHOWN) == 2


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_what_is_shown_comes_out(
    command: str, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)

    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out == output
