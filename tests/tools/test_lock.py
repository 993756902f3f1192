from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.tools.loading import ROOT, load_tool


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The tool on a copy of the project's own files."""
    module = load_tool("lock")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOCKS", tmp_path / "requirements")
    return module


def test_the_projects_own_locks_are_sound(lock: ModuleType) -> None:
    assert lock.main(["--check"]) == 0


@pytest.mark.parametrize(
    "line",
    ["--index-url https://example.org/simple", "--find-links /wheels", "x @ file:///x", "# from http://example.org"],
)
def test_a_place_to_install_from_is_refused(lock: ModuleType, capsys: pytest.CaptureFixture[str], line: str) -> None:
    file = lock.LOCKS / "runtime.txt"
    file.write_text(f"{line}\n{file.read_text()}")
    assert lock.main(["--check"]) == 1
    assert "requirements/runtime.txt:1: names a place" in capsys.readouterr().err


@pytest.mark.parametrize("wanted", ["aiohttp>=999", "brand-new-package"])
def test_a_lock_that_does_not_fit_is_refused(lock: ModuleType, capsys: pytest.CaptureFixture[str], wanted: str) -> None:
    project = lock.ROOT / "pyproject.toml"
    written = re.sub(r'"aiohttp>=[0-9.]+"', f'"{wanted}"', project.read_text())
    assert written != project.read_text()
    project.write_text(written)
    assert lock.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert f"requirements/runtime.txt: pyproject.toml wants {wanted}" in said
    assert f"requirements/dev.txt: pyproject.toml wants {wanted}" in said


def test_every_pin_has_hashes() -> None:
    for name in ("build", "runtime", "dev"):
        pins = (ROOT / "requirements" / f"{name}.txt").read_text().split("\n")
        for number, line in enumerate(pins):
            if "==" in line:
                assert line.endswith(" \\"), line
                assert pins[number + 1].lstrip().startswith("--hash=sha256:"), line
