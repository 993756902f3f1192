"""Scripted scenarios: every file of ``scenarios`` must come out as it stands.

After a wanted change of behaviour, ``ACD_REWRITE_SCENARIOS=1 pytest tests/core/test_scenarios.py`` writes the engine's
answers into the files; then read the difference.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.core.script import run

_FILES = sorted((Path(__file__).parent / "scenarios").glob("*.txt"))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_scenario(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    played = run(text)
    if os.environ.get("ACD_REWRITE_SCENARIOS"):
        path.write_text(played, encoding="utf-8")
    assert played == text


def test_there_are_scenarios() -> None:
    assert len(_FILES) >= 25
