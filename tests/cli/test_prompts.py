from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from acd.cli import main
from acd.lab.fetch import ensure_asterisk
from acd.lab.install import Tool
from tests.config.sites import WAV

ACD = "asterisk: {}\ncache_dir: cache\nprompts: {voices: %s}\n"
ESPEAK = "[{type: espeak-ng}]"
SILENT = "[{type: command, name: studio, command: ['false'], languages: {en: a, zh: b}}]"

TREE = """\
start: hello
prompts:
  welcome: {en: {text: "Welcome."}, zh: {text: "欢迎。"}}
  recorded: {en: {file: plain.wav}}
  never-played: {en: {text: "Nobody hears this."}}
nodes:
  hello: {type: play, prompt: [welcome, recorded], next: choose}
  choose: {type: menu, prompt: welcome, choices: {"9": chinese}, on_failure: bye}
  chinese: {type: language, language: zh, next: again}
  again: {type: play, prompt: recorded, next: bye}
  bye: {type: hangup, prompt: goodbye}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The engine's own prompts are many; a few tell as much.
    few = {"goodbye": {"en": "Goodbye.", "zh": "再见。"}}
    monkeypatch.setattr("acd.service.prompts.defaults.DEFAULT_TEXTS", few)
    monkeypatch.setattr("acd.service.prompts.report.DEFAULT_TEXTS", few)
    monkeypatch.setattr("acd.cli.prompts.speech_of_site", lambda site: site.forest.speech())
    monkeypatch.setenv("ACD_ESPEAK_NG", shlex.join(ensure_asterisk({Tool.ESPEAK_NG}).espeak_ng))
    monkeypatch.delenv("ACD_CACHE_DIR", raising=False)
    site = tmp_path / "site"
    (site / "ivr").mkdir(parents=True)
    (site / "prompts" / "en").mkdir(parents=True)
    (site / "acd.yaml").write_text(ACD % ESPEAK)
    (site / "routing.yaml").write_text('numbers: {"100": main}\nqueues: {sales: {}}\n')
    (site / "agents.yaml").write_text("agents:\n  anna: {phone: PJSIP/anna, queues: [sales]}\n")
    (site / "ivr" / "main.yaml").write_text(TREE)
    (site / "prompts" / "en" / "plain.wav").write_bytes(WAV)
    return site


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert main(["prompts", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def states(report: Any) -> dict[tuple[str, str], str]:
    return {(row["prompt"], row["language"]): row["state"] for row in report["prompts"]}


def test_what_was_not_made_is_built_and_then_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = told(capsys, "check", "--config", str(folder))
    built = told(capsys, "build", "--config", str(folder))
    after = told(capsys, "check", "--config", str(folder))

    assert states(before) == {
        ("welcome", "en"): "synthesised, not made yet",
        ("welcome", "zh"): "synthesised, not made yet",
        ("recorded", "en"): "recorded",
        ("never-played", "en"): "synthesised, not made yet",
        ("goodbye", "en"): "synthesised, not made yet",
        ("goodbye", "zh"): "synthesised, not made yet",
    }
    assert (built["ok"], built["failures"]) == (True, [])
    assert built["sounds"] >= 5
    assert built["bytes"] == sum(path.stat().st_size for path in (folder / "cache" / "prompts").glob("*.wav"))
    assert set(states(after).values()) == {"synthesised, cached", "recorded"}
    assert after["unused"] == ["never-played"]
    assert after["languages_missing"] == {"recorded": ["zh"]}
    assert (after["ok"], after["over_limit"]) == (True, False)


def test_one_language_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, "build", "--config", str(folder), "--language", "zh")
    report = told(capsys, "check", "--config", str(folder), "--language", "zh")

    assert set(states(report)) == {("welcome", "zh"), ("goodbye", "zh")}
    assert set(states(report).values()) == {"synthesised, cached"}


def test_recordings_that_are_missing_or_of_no_use_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recording = folder / "prompts" / "en" / "plain.wav"
    recording.write_bytes(WAV[:-6])
    report = told(capsys, "check", "--config", str(folder), code=1)
    (row,) = [row for row in report["prompts"] if row["prompt"] == "recorded"]
    assert (row["state"], row["fault"]) == ("wrong format", True)
    assert "plain.wav is truncated: 16 bytes of sound are announced, 10 are there" in row["detail"]

    recording.unlink()
    assert states(told(capsys, "check", "--config", str(folder), code=1))["recorded", "en"] == "missing"
    assert main(["prompts", "build", "--config", str(folder)]) == 1
    assert "plain.wav is missing" in capsys.readouterr().err


def test_a_voice_that_fails_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "acd.yaml").write_text(ACD % SILENT)

    report = told(capsys, "build", "--config", str(folder), code=1)

    assert {(failure["prompt"], failure["language"]) for failure in report["failures"]} >= {("welcome", "zh")}
    assert "studio failed with exit code 1" in report["failures"][0]["reason"]
    assert main(["prompts", "build", "--config", str(folder)]) == 1
    assert capsys.readouterr().out.splitlines()[-1].startswith("failed: 1 ready, ")


def test_more_than_is_to_be_kept(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(capsys, "build", "--config", str(folder))
    monkeypatch.setattr("acd.cli.prompts.MEGABYTE", 100)

    report = told(capsys, "check", "--config", str(folder), code=1)

    assert report["over_limit"]


def test_the_table_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompts", "check", "--config", str(folder)]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["prompt", "language", "state", "size", "detail"]
    assert any(line.split()[:3] == ["recorded", "en", "recorded"] for line in lines)
    assert "warning: prompt 'never-played' is played nowhere" in lines
    assert "warning: prompt 'recorded' has no zh, which callers may have chosen" in lines
    assert lines[-1] == "ok: 4 prompts of the site, 2 of the engine, 0 faults; 0.0 MB in the cache"


def test_wrong_usage(tmp_path: Path) -> None:
    for arguments in ([], ["polish"], ["check", "--language", "xx"]):
        with pytest.raises(SystemExit) as ended:
            main(["prompts", *arguments])
        assert ended.value.code == 2
    assert main(["prompts", "check", "--config", str(tmp_path / "nowhere")]) == 1
