from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from acd.service.voicemail.lamps import Lamps
from acd.service.voicemail.message import MessageState
from ami_bridge.ami_codec import HeaderValue
from tests.service.voicemail.desks import Desk, spec, with_boxes


class Asterisk:
    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.is_there = True

    def originate(self, headers: Mapping[str, HeaderValue]) -> bool:
        variables = headers["Variable"]
        if self.is_there:
            assert isinstance(variables, tuple)
            self.told.append(tuple(variable.partition("=")[2] for variable in variables))
        return self.is_there


async def test_counts_are_told_when_they_change(tmp_path: Path) -> None:
    boxes = with_boxes(
        spec(lamps=("anna@acd",)),
        spec("loans", number="502", lamps=("anna@acd", "ben@acd")),
        spec("dark", number="503"),
    )
    desk, asterisk = Desk(tmp_path, boxes), Asterisk()
    lamps = Lamps(lambda: desk.boxes, desk.store, asterisk.originate)
    assert lamps.tell()
    assert asterisk.told == [("anna@acd", "0", "0"), ("ben@acd", "0", "0")]
    first = await desk.leave(call_id="c1")
    await desk.leave(call_id="c2", box="loans")
    await desk.leave(call_id="c3", box="dark")
    lamps.tell()
    assert asterisk.told[2:] == [("anna@acd", "2", "0"), ("ben@acd", "1", "0")]
    await desk.store.change(first, state=MessageState.SAVED)
    lamps.tell()
    assert asterisk.told[4:] == [("anna@acd", "1", "1")], "the other is as it was"
    desk.boxes = with_boxes(spec(lamps=("anna@acd",)))
    lamps.tell()
    assert ("ben@acd", "0", "0") in asterisk.told[5:], "a lamp that has no box any more goes out"


async def test_an_asterisk_that_is_away_is_told_all_later(tmp_path: Path) -> None:
    desk, asterisk = Desk(tmp_path, with_boxes(spec(lamps=("anna@acd",)))), Asterisk()
    lamps = Lamps(lambda: desk.boxes, desk.store, asterisk.originate)
    asterisk.is_there = False
    assert not lamps.tell()
    asterisk.is_there = True
    assert lamps.tell()
    assert len(asterisk.told) == 1
    lamps.tell()
    assert len(asterisk.told) == 1
    lamps.refresh()
    lamps.tell()
    assert len(asterisk.told) == 2
