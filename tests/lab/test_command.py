"""``acd lab`` as it is called from a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from acd.cli import lab, main
from acd.lab.session import LabPlan
from config import load


def test_help_names_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for word in ("run", "call", "phone", "env", "fetch"):
        assert word in shown


@pytest.mark.parametrize("arguments", [["env"], ["call", "100"], ["phone", "anna"]])
def test_without_a_lab(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lab", *arguments, "--run-dir", str(tmp_path)]) == 1
    assert f"acd lab {arguments[0]}: no lab runs in {tmp_path}: start one with `acd lab run`" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["dance"], ["call"], ["call", "100", "--seconds", "x"]])
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["lab", *arguments])
    assert ended.value.code == 2


def test_a_broken_configuration_is_told_before_anything_is_fetched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lab", "run", "--config", str(tmp_path / "none"), "--run-dir", str(tmp_path)]) == 1
    assert str(tmp_path / "none") in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_bank_can_be_run_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plans: list[LabPlan] = []

    async def run(_install: object, plan: LabPlan, _say: object) -> int:
        plans.append(plan)
        return 0

    monkeypatch.setattr(lab, "ensure_asterisk", lambda **_options: None)
    monkeypatch.setattr(lab, "run_lab_somewhere", run)
    monkeypatch.delenv("ACD_SECRET_CORE_BANK", raising=False)
    bank = Path(config.__file__).parent / "examples" / "bank"
    arguments = ["lab", "run", "--config", str(bank), "--run-dir", str(tmp_path)]
    assert main(arguments) == 0
    assert "made up for the engine: secret core-bank" in capsys.readouterr().out
    monkeypatch.setenv("ACD_SECRET_CORE_BANK", "a real one")
    assert main(arguments) == 0
    assert [list(plan.settings) for plan in plans] == [["ACD_SECRET_CORE_BANK"], []]
    assert load(bank, {**plans[0].settings, "ACD_AMI_PASSWORD": "x"}, password_required=True).secrets
