"""The command line's frame."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import config
from acd.cli import COMMANDS, main


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_own_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert "usage: acd " + command in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["explode"], ["run", "--no-such-option"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: acd" in capsys.readouterr().err


def test_a_configuration_that_cannot_be_used_is_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", "/no/such/folder"]) == 1
    assert "/no/such/folder" in capsys.readouterr().err


def test_a_command_imports_no_other() -> None:
    code = "import sys; from acd.cli import main\ntry: main(['--version'])\nexcept SystemExit: pass\n"
    code += (
        "heavy = {'aiohttp', 'pydantic', 'prometheus_client', 'uvloop'} & set(sys.modules); sys.exit(str(heavy or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_a_reader_that_has_gone_is_no_trouble() -> None:
    demo = Path(config.__file__).parent / "examples" / "demo"
    code = f"from acd.cli import main; raise SystemExit(main(['check-config', '--config', {str(demo)!r}]))"
    command = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert command.stdout is not None
    command.stdout.close()
    assert command.stderr is not None
    with command.stderr:
        assert command.stderr.read() == b""
    assert command.wait(60) == 1
