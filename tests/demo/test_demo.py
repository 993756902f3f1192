"""The demo as it is called from a shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from acd.cli import main
from acd.lab.demo import demo_site
from acd.lab.demo_engine import DemoEngine
from acd.lab.errors import EngineError
from acd.lab.lab import open_lab
from config import load


def demo(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = "import sys; from acd.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", command, "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )


@pytest.mark.pbx
@pytest.mark.slow
def test_a_talk_a_message_a_callback_and_a_survey_and_nothing_is_left_behind(tmp_path: Path) -> None:
    done = demo(tmp_path, "--callers", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Anna Li rings" in done.stdout
    sums = done.stdout.splitlines()[-1]
    assert sums.startswith("3 calls: 2 served; waited ")
    assert re.search(r"; 1 message left \(([4-9]|1\d)\.\d s of sound\); 1 callback done; 1 survey answered; ", sums)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.pbx
async def test_an_engine_that_can_not_start_says_why(tmp_path: Path) -> None:
    async with open_lab(tmp_path / "run") as lab:
        with pytest.raises(EngineError, match="ended with code 1") as failed:
            async with DemoEngine(lab.pbx, tmp_path / "no-site"):
                pass
    assert "there is no such folder" in str(failed.value)


@pytest.mark.pbx
async def test_an_engine_that_ends_is_noticed(tmp_path: Path) -> None:
    async with open_lab(tmp_path / "run") as lab:
        async with DemoEngine(lab.pbx, demo_site()) as engine:
            assert (await engine.status())["ready"]
        with pytest.raises(EngineError, match="no engine answers"):
            await engine.status()


@pytest.mark.parametrize("number", ["0", "-1", "100", "many"])
def test_wrong_usage(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--callers", number])
    assert ended.value.code == 2
    assert "no number from 1 to 99" in capsys.readouterr().err


def test_the_agents_of_the_demo_are_those_of_its_site() -> None:
    assert tuple(load(demo_site(), env={}).agents) == ("anna", "bob", "chen", "dora", "emil")
