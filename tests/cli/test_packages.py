"""The application refuses to run with somebody else's package in the place of one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acd.cli.packages import PackagesError, check_packages


def test_our_own_packages_lie_together() -> None:
    check_packages()


def test_a_package_of_another_place_is_found_out() -> None:
    with pytest.raises(PackagesError, match="'pytest' is found in"):
        check_packages(["acd", "pytest"])


def test_a_missing_package_is_found_out() -> None:
    with pytest.raises(PackagesError, match="'no_such_package' is missing"):
        check_packages(["acd", "no_such_package"])


@pytest.mark.parametrize("kind", ["module", "package", "namespace"])
def test_a_foreign_config_stops_every_command(tmp_path: Path, kind: str) -> None:
    if kind == "module":
        (tmp_path / "config.py").write_text("")
    else:
        (tmp_path / "config").mkdir()
        if kind == "package":
            (tmp_path / "config" / "__init__.py").write_text("")
    root = Path(__file__).parents[2]
    path = [str(tmp_path), str(root)] if kind != "namespace" else [str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from acd.cli import main; sys.exit(main(['--version']))"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    if kind == "namespace":  # a mere folder of that name does not come before a real package
        assert done.returncode == 0, done.stderr
        return
    assert done.returncode == 1
    assert "'config'" in done.stderr
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr
