from __future__ import annotations

import json
from pathlib import Path

import pytest

from ami_bridge.ami_codec import AmiParser
from bench import codec


def test_the_traffic_differs_from_copy_to_copy() -> None:
    parser = AmiParser()
    uniqueids = [message["Uniqueid"] for message in parser.feed(codec.traffic(3)) if message.event == "Newchannel"]
    assert len(uniqueids) == 3 * 61
    assert len(set(uniqueids)) == len(uniqueids)
    assert parser.garbage == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pyst2 uses names of threading that go away
def test_it_measures_all_three_and_writes_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "results" / "codec.json"
    assert codec.main(["--runs", "1", "--repeats", "1", "--output", str(output)]) == 0
    figures = json.loads(output.read_text())
    assert set(figures["events_per_s"]) == {"acd", "panoramisk", "pyst2"}
    assert set(figures["spread"]) == {"acd", "panoramisk", "pyst2"}
    assert (figures["runs"], figures["events"]) == (1, 718)
    assert "panoramisk" in capsys.readouterr().out


def test_libraries_that_disagree_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(codec.LIBRARIES, "panoramisk", lambda _: [("Hangup", "1.1")])
    monkeypatch.delitem(codec.LIBRARIES, "pyst2")
    with pytest.raises(SystemExit, match="panoramisk saw other events than acd: 1 and"):
        codec.measure([codec.traffic(1)], 1, lambda _: None)
