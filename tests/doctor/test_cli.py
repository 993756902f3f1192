from __future__ import annotations

import json
from pathlib import Path

import pytest

from acd.cli import main
from tests.doctor.fake_ami import FakeAmi


def test_without_faults_it_succeeds(site: Path, ami: FakeAmi, capsys: pytest.CaptureFixture[str]) -> None:
    del ami
    assert main(["doctor", "--config", str(site)]) == 0
    printed = capsys.readouterr().out
    assert "warning    engine" in printed
    assert "-> start it: acd run" in printed
    assert "FAULT" not in printed


def test_strict_fails_at_warnings(site: Path, ami: FakeAmi) -> None:
    del ami
    assert main(["doctor", "--strict", "--config", str(site)]) == 1


def test_a_fault_fails_and_stands_out(site: Path, ami: FakeAmi, capsys: pytest.CaptureFixture[str]) -> None:
    ami.modules.remove("app_dial")
    assert main(["doctor", "--config", str(site)]) == 1
    printed = capsys.readouterr().out
    assert "FAULT      modules        app_dial is not loaded" in printed
    assert "1 fault" in printed.splitlines()[-1]


def test_json_for_programs(site: Path, ami: FakeAmi, capsys: pytest.CaptureFixture[str]) -> None:
    ami.values["DEVICE_STATE(PJSIP/anna)"] = "INVALID"
    assert main(["doctor", "--json", "--config", str(site)]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["result"] == "fault"
    (phones,) = [finding for finding in report["findings"] if finding["check"] == "phones"]
    assert phones["level"] == "fault"
    assert phones["remedy"]


def test_settings_of_the_command_line_hold(site: Path, ami: FakeAmi, capsys: pytest.CaptureFixture[str]) -> None:
    del ami
    assert main(["doctor", "--config", str(site), "--set", "asterisk.ami.user=other", "--no-test-call"]) == 0
    assert "logged in as 'other'" in capsys.readouterr().out


@pytest.mark.parametrize("timeout", ["0", "abc", "1e9", "nan"])
def test_wrong_usage(site: Path, timeout: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--config", str(site), "--timeout", timeout])
    assert ended.value.code == 2
    assert "no number of seconds" in capsys.readouterr().err
