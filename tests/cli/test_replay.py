"""``acd replay``: what it says of a journal, whole or damaged."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from acd.cli import main
from acd.store.journal import JournalLimits, segments
from tests.store.test_journal import Recorded


def record(folder: Path) -> list[Path]:
    recorded = Recorded(folder, limits=JournalLimits(segment_bytes=6_000))
    recorded.busy_day(20)
    recorded.journal.close()
    found = segments(folder)
    assert len(found) > 1
    return found


def test_all_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = record(tmp_path)
    assert main(["replay", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [str(path) for path in found]
    assert all(line.endswith("all the same") for line in lines)
    assert main(["replay", str(found[0]), "--commands"]) == 0
    assert '#1 0.250000 AgentLoggedIn {"agent_id":"anna"' in capsys.readouterr().out


def test_one_that_is_damaged_hides_none_of_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, *others = record(tmp_path)
    lines = first.read_bytes().splitlines(keepends=True)
    first.write_bytes(b"".join((*lines[:3], b"\xff" + lines[3], *lines[4:])))
    (tmp_path / "journal-99990101T000000.000000Z-000000000000.jsonl").write_bytes(b'{"acd_jour')
    assert main(["replay", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert f"acd replay: {first}:4: not an input" in err
    assert out.count("all the same") == len(others)
    assert "no input: the engine was killed as it began this segment" in out


def test_where_two_versions_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (first, *_) = record(tmp_path)
    header, *lines = first.read_bytes().splitlines(keepends=True)
    changed = orjson.loads(header) | {"version": "0.0.9"}
    changed["routing"]["queues"]["sales"]["strategy"] = "hunt"
    changed["routing"]["agents"]["dora"]["queues"]["sales"] = -1
    first.write_bytes(b"".join((orjson.dumps(changed), b"\n", *lines)))
    assert main(["replay", str(first)]) == 1
    out = capsys.readouterr().out
    assert "the two part at input 5 (1.250000 s): CallQueued" in out
    assert "recorded by version 0.0.9: commands of digest" in out
    assert '"agent_ids":["dora"]' in out


def test_what_is_no_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(tmp_path)]) == 1
    assert "no journal segments" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "none")]) == 1
    assert "No such file" in capsys.readouterr().err
