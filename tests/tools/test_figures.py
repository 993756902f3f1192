from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.tools.loading import ROOT, load_tool

SUMMARY = {"mean": 1.25, "p50": 1.0, "p95": 2.0, "p99": 3.0, "max": 1234.5, "n": 1500}
SYSTEMS = dict.fromkeys(("acd", "app_queue", "floor"), SUMMARY)
PBX = {
    "idle_gap_ms": SYSTEMS,
    "offer_ms": SYSTEMS,
    "phones": 20,
    "callers": 150,
    "asterisk": "22.10.1",
    "processors": 2,
}


@pytest.fixture
def figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load_tool("figures")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    (tmp_path / "bench" / "results").mkdir(parents=True)
    (tmp_path / "README.md").write_text(f"# x\n{module.BEGIN}old\n{module.END}\nafter\n")
    return module


def test_what_was_measured_takes_the_place_of_the_old_figures(figures: ModuleType) -> None:
    results = figures.ROOT / "bench" / "results"
    (results / "pbx.json").write_text(json.dumps(PBX))
    (results / "codec.json").write_text(json.dumps({"events_per_s": {"acd": 224886, "pyst2": 18680.4}}))
    assert figures.main() == 0
    once = (figures.ROOT / "README.md").read_text()
    assert "| this engine | 1.2 | 1.0 | 2.0 | 3.0 | 1,234.5 | 1,500 |" in once
    assert "| acd | 224,886 |" in once
    assert "20 phones, 150 callers, Asterisk 22.10.1, 2 processors" in once
    assert "old" not in once
    assert once.startswith("# x\n")
    assert once.endswith("\nafter\n")
    assert figures.main() == 0
    assert (figures.ROOT / "README.md").read_text() == once


def test_the_cores_decisions_stand_beside_the_peers(figures: ModuleType) -> None:
    site = figures.CORE_SITE | {"p50_us": 27.6, "p99_us": 94.2}
    cases = [site | {"event": event} for event in ("agent_freed", "call_arrives")]
    smaller = [case | {"agents": 10, "p50_us": 1.0} for case in cases]
    rich = [case | {"all_features": True, "p50_us": 99.0} for case in cases]
    peers = [case | {"peer": "mod_callcenter", "p50_us": 205496.0, "at_least": True} for case in cases]
    results = {"cases": [*smaller, *cases, *rich], "peers": peers}
    (figures.ROOT / "bench" / "results" / "core.json").write_text(json.dumps(results))
    assert figures.main() == 0
    text = (figures.ROOT / "README.md").read_text()
    assert "| this engine | 28 / 94 | 28 / 94 |" in text
    assert "| mod_callcenter's SQL | over 205,496 / 94 | over 205,496 / 94 |" in text
    assert "app_queue" not in text.partition("| --- |")[2]


def test_callers_in_menus(figures: ModuleType) -> None:
    sound = {"p50": 1.18, "p95": 3.74, "p99": 6.2}
    found = {"cores": 0.2219, "us_per_key": 1746.6, "kb_per_caller": {"rss": 19.3, "uss": 18.2}, "next_sound_ms": sound}
    results = {"callers": 300, "systems": {"acd": found, "floor": found}}
    (figures.ROOT / "bench" / "results" / "menus.json").write_text(json.dumps(results))
    assert figures.main() == 0
    text = (figures.ROOT / "README.md").read_text()
    assert "| 300 callers in menus, a key a second each | cores |" in text
    assert "| this engine | 0.22 | 1,747 | 19 | 1.2 / 3.7 / 6.2 |" in text
    assert "| floor | 0.22 |" in text


def test_what_was_not_measured_has_no_table(figures: ModuleType) -> None:
    assert figures.main() == 0
    assert "|" not in (figures.ROOT / "README.md").read_text()


def test_a_readme_without_the_marks_is_left_alone(figures: ModuleType) -> None:
    (figures.ROOT / "README.md").write_text("# x\n")
    assert figures.main() == 1
    assert (figures.ROOT / "README.md").read_text() == "# x\n"


def test_the_projects_readme_has_the_marks() -> None:
    text = (ROOT / "README.md").read_text()
    module = load_tool("figures")
    assert text.count(module.BEGIN) == text.count(module.END) == 1
