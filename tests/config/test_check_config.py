"""``acd check-config`` as it is called from a shell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acd.cli import main
from config import EXAMPLES
from tests.config.sites import FILES, changed, write_site


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ACD_"):
            monkeypatch.delenv(name)


def test_ok(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", "--config", str(write_site(tmp_path))]) == 0
    assert capsys.readouterr().out == "ok: 2 queues, 2 agents, 2 trees\n"


def test_warnings_are_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_site(tmp_path, changed("agents.yaml", "[cards, general]", "[general]"))
    assert main(["check-config", "--config", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/routing.yaml:10:3: warning: no agent serves queue 'cards'; add it to the 'queues' of some",
        "ok: 2 queues, 2 agents, 2 trees; 1 warning",
    ]


def test_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    agents = FILES["agents.yaml"].replace("PJSIP/bob", "bob").replace("cards: 5", "cards: 50")
    write_site(tmp_path, {"agents.yaml": agents})
    assert main(["check-config", "--config", str(tmp_path)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/agents.yaml:6:21: '50' is out of range; give a whole number from 1 to 10",
        f"{tmp_path}/agents.yaml:9:12: 'bob' is no phone; write technology/address, such as PJSIP/bob",
        f"failed: 2 errors, 0 warnings in {tmp_path}",
    ]


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write_site(tmp_path, changed("agents.yaml", "PJSIP/bob", "bob"))
    monkeypatch.setenv("ACD_WEB_PORT", "http")
    assert main(["check-config", "--json", "--config", str(tmp_path)]) == 1
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert report == {
        "ok": False,
        "folder": str(tmp_path),
        "errors": [
            {
                "file": f"{tmp_path}/agents.yaml",
                "line": 9,
                "column": 12,
                "message": "'bob' is no phone; write technology/address, such as PJSIP/bob",
            },
            {
                "file": "environment variable ACD_WEB_PORT",
                "line": None,
                "column": None,
                "message": "'http' is not a whole number; give a whole number from 1 to 65535",
            },
        ],
        "warnings": [],
    }


def test_json_of_a_sound_site(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACD_AMI_PASSWORD", "secret")
    assert main(["check-config", "--json", "--config", str(EXAMPLES / "bank")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["queues"], report["agents"], report["trees"]) == (True, 4, 8, 6)


def test_folder_from_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACD_CONFIG", str(write_site(tmp_path)))
    assert main(["check-config"]) == 0
    assert main(["check-config", "--config", str(tmp_path / "other")]) == 1
    assert capsys.readouterr().out.splitlines()[1].startswith(f"{tmp_path}/other:1:1: there is no such folder")


def test_default_folder(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check-config"])
    assert "/etc/acd" in capsys.readouterr().out


def test_settings_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_site(tmp_path)
    assert main(["check-config", "--config", str(tmp_path), "--set", "web.port=0"]) == 1
    assert main(["check-config", "--config", str(tmp_path), "--set", "web.port=9000", "--set", "log.level=debug"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == (
        "command line web.port: '0' is out of range; give a whole number from 1 to 65535"
    )


@pytest.mark.parametrize("arguments", [["--set", "web.port"], ["--set", "=1"], ["--nonsense"], ["extra"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check-config", *arguments])
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_a_password_without_its_key_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check-config", "--set", "asterisk.ami.password hunter2"])
    assert "hunter2" not in capsys.readouterr().err


def test_json_schemas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "schemas"
    assert main(["check-config", "--json-schema", str(out)]) == 0
    written = sorted(path.name for path in out.iterdir())
    assert written == [
        f"{name}.schema.json" for name in ("acd", "agents", "calendars", "followup", "ivr", "routing", "voicemail")
    ]
    assert sorted(Path(line).name for line in capsys.readouterr().out.splitlines()) == written


def test_json_schemas_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["check-config", "--json-schema", str(tmp_path / "file" / "below")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_names_in_any_script_on_any_terminal(tmp_path: Path) -> None:
    """A terminal that knows ASCII only gets escapes rather than a traceback."""
    write_site(tmp_path, changed("agents.yaml", "- general", "- 队列"))
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from acd.cli import main; sys.exit(main())",
            "check-config",
            "--config",
            str(tmp_path),
        ],
        env={"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stderr == ""
    assert result.returncode == 1
    assert r"agents.yaml:11:9: '\u961f\u5217' cannot be used here" in result.stdout
