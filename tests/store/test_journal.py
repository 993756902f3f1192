"""The journal: what is written can be lived again, whatever broke it off."""

from __future__ import annotations

import base64
import io
import os
import pickle
import random
import threading
import time
import zlib
from enum import Enum
from pathlib import Path
from typing import Any

import orjson
import pytest

from acd.core.commands import Command
from acd.core.engine import Engine
from acd.core.events import (
    AgentLoggedIn,
    AgentNotReady,
    CallEnded,
    CallQueued,
    ConfigurationChanged,
    Event,
    OfferBridged,
    OfferEnded,
    TalkEnded,
    TimePassed,
)
from acd.core.specs import (
    AgentSpec,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    QueueSpec,
    RelaxationStep,
    RoutingSpec,
    WaitingMessage,
    WaitingMessageKind,
)
from acd.store.event_codec import CodecError, decode_event, decode_routing, encode
from acd.store.history import recall_call
from acd.store.journal import Journal, JournalLimits, segments
from acd.store.replay import JournalError, TornSegment, read_segment, replay
from routing.skills import Requirement
from routing.strategies import STRATEGIES


def site(strategy: str = "random") -> RoutingSpec:
    """A small site with something of everything."""
    queue = QueueSpec(
        "sales",
        strategy=strategy,
        requirement=Requirement.of({"en": 2}),
        relaxation=(RelaxationStep(5.0, Requirement.of({"en": 1}, group="desk")),),
        messages=(WaitingMessage(WaitingMessageKind.POSITION, 3.0, 10.0),),
        overflow=(
            OverflowRule(OverflowCondition(waiting_s=60.0), OverflowAction(OverflowActionKind.VOICEMAIL, "box")),
        ),
    )
    agents = {
        name: AgentSpec(name, queues={"sales": 0}, skills={"en": level}, groups=frozenset({"desk", "floor"}))
        for name, level in (("anna", 5), ("bob", 3), ("chen", 1), ("dora", 4))
    }
    return RoutingSpec({"sales": queue}, agents)


class Recorded:
    """An engine whose inputs are journalled, driven by hand."""

    def __init__(self, folder: Path, *, limits: JournalLimits = JournalLimits(), seed: int = 7) -> None:
        self.routing = site()
        self.engine = Engine(self.routing, random.Random(seed), 0.0, strict=True)
        self.errors: list[str] = []
        self.told = threading.Event()
        self.journal = Journal(folder, time.time, limits=limits, on_error=self._told)
        self.journal.start(self.engine, self.routing, seed, 0.0)
        self.now = 0.0

    def _told(self, error: str) -> None:
        self.errors.append(error)
        self.told.set()

    def feed(self, event: Event, after_s: float = 0.25) -> list[Command]:
        self.now += after_s
        made = self.engine.handle(event, self.now)
        self.journal.record(event, self.now, made)
        return made

    def busy_day(self, calls: int = 30) -> None:
        for name in self.routing.agents:
            self.feed(AgentLoggedIn(name))
        for number in range(calls):
            made = self.feed(CallQueued(f"c{number}", "sales", requires=(("en", number % 3),)))
            for command in made:
                if type(command).__name__ == "OfferCall":
                    offer, agent = f"c{number}.1", command.agent_ids[0]  # type: ignore[union-attr]
                    self.feed(OfferEnded(offer) if number % 4 == 0 else OfferBridged(offer, agent))
            if number % 5 == 4:
                self.feed(TalkEnded(f"c{number - 1}"), after_s=2.0)
            if number % 7 == 6:
                self.feed(CallEnded(f"c{number - 2}"), after_s=3.0)
        self.feed(ConfigurationChanged(site("hunt")))
        self.feed(AgentNotReady("anna", "tea"))
        self.feed(TimePassed(), after_s=70.0)


def test_a_replay_gives_the_same_commands_byte_for_byte(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.busy_day()
    recorded.journal.close()
    (segment,) = segments(tmp_path)
    result = replay(read_segment(segment))
    assert result.parting is None
    assert result.inputs == recorded.engine.inputs
    assert result.commands > result.inputs
    assert segment.stat().st_mode & 0o077 == 0


def test_every_segment_replays_from_its_own_checkpoint_and_old_ones_go(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path, limits=JournalLimits(segment_bytes=6_000, max_bytes=30_000))
    recorded.busy_day(60)
    recorded.journal.close()
    found = segments(tmp_path)
    assert 2 <= len(found) <= 8
    total = 0
    for segment in found:
        result = replay(read_segment(segment))
        assert result.parting is None, segment
        total += result.inputs
    assert b'"checkpoint"' in found[-1].read_bytes()
    assert 0 < total < recorded.engine.inputs
    assert sum(segment.stat().st_size for segment in found) <= 30_000 + 40_000


def test_a_torn_last_line_is_no_input(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.busy_day(5)
    recorded.journal.close()
    (segment,) = segments(tmp_path)
    whole = segment.read_bytes()
    for cut in range(1, len(whole.splitlines(keepends=True)[-1])):
        segment.write_bytes(whole[:-cut])
        result = replay(read_segment(segment))
        assert (result.inputs, result.parting) == (recorded.engine.inputs - 1, None)


def test_the_input_at_which_two_versions_part_is_named(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.busy_day(10)
    recorded.journal.close()
    (segment,) = segments(tmp_path)
    header, *lines = segment.read_bytes().splitlines(keepends=True)
    changed = orjson.loads(header)
    changed["routing"]["queues"]["sales"]["strategy"] = "hunt"
    changed["routing"]["agents"]["dora"]["queues"]["sales"] = -1  # dora stands first in the list now
    segment.write_bytes(orjson.dumps(changed) + b"\n" + b"".join(lines))
    parting = replay(read_segment(segment)).parting
    assert parting is not None
    assert parting.input.event == CallQueued("c0", "sales", requires=(("en", 0),))
    assert "dora" in str(parting.commands)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'[1,0.5,"NoSuchEvent",{},""]\n', "no engine input is called 'NoSuchEvent'"),
        (b'[1,0.5,"CallEnded",{},""]\n', "call_id is missing"),
        (b'[1,0.5,"CallEnded",{"call_id":3},""]\n', "3 is not of the kind str"),
        (b'[1,0.5,"CallEnded",{"call_id":"x","more":1},""]\n', "unknown more"),
        (b'{"half\n', "not an input"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes, says: str) -> None:
    recorded = Recorded(tmp_path)
    recorded.journal.close()
    (segment,) = segments(tmp_path)
    with segment.open("ab") as file:
        file.write(line)
    with pytest.raises(JournalError, match=says) as error:
        replay(read_segment(segment))
    assert f"{segment}:2" in str(error.value)


def test_a_header_that_is_damaged_is_named(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.journal.close()
    (segment,) = segments(tmp_path)
    whole = orjson.loads(segment.read_bytes())
    for name in ("now", "wall_s", "seed"):
        for wrong in ({}, {name: "soon"}):
            segment.write_bytes(orjson.dumps({key: whole[key] for key in whole if key != name} | wrong) + b"\n")
            with pytest.raises(JournalError, match=f":1: the header is damaged: {name}"):
                read_segment(segment)
    whole["routing"]["queues"]["sales"]["strategy"] = "a-site's-own"
    segment.write_bytes(orjson.dumps(whole) + b"\n")
    with pytest.raises(JournalError, match="not installed here: strategy a-site's-own"):
        replay(read_segment(segment))


def test_a_segment_that_a_kill_cut_off_in_its_header_holds_nothing(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    recorded.journal.close()
    (segment,) = segments(tmp_path)
    header = segment.read_bytes()
    for cut in (0, 1, 10, 100, len(header) - 1):
        segment.write_bytes(header[:cut])
        with pytest.raises(TornSegment, match="no input"):
            read_segment(segment)


def test_a_segment_is_closed_after_its_time_when_no_call_is_there(tmp_path: Path) -> None:
    limits = JournalLimits(segment_age_s=3600.0)
    recorded = Recorded(tmp_path, limits=limits)
    recorded.feed(CallQueued("c1", "sales", requires=(("en", 9),)))
    recorded.feed(TimePassed(), after_s=3600.0)  # a call waits
    recorded.feed(CallEnded("c1"))
    recorded.feed(CallQueued("c2", "sales", requires=(("en", 9),)))
    recorded.feed(TimePassed(), after_s=7200.0)  # one waits, and it has been twice the time
    recorded.journal.close()
    begun = [read_segment(segment) for segment in segments(tmp_path)]
    assert [segment.header["inputs"] for segment in begun] == [0, 3, 5]
    for segment in begun:
        assert replay(segment).parting is None
    (ended,) = recall_call(tmp_path, "c1")
    assert ended.explanation["state"] == "ended"
    (waiting,) = recall_call(tmp_path, "c2")
    assert waiting.segment.path == begun[1].path


def test_segments_that_are_too_old_go_when_one_begins(tmp_path: Path) -> None:
    Recorded(tmp_path).journal.close()
    Recorded(tmp_path).journal.close()
    old, young = segments(tmp_path)
    for path, age_s in ((old, 101.0), (young, 50.0)):
        os.utime(path, (time.time() - age_s,) * 2)
    Recorded(tmp_path, limits=JournalLimits(max_age_s=100.0)).journal.close()
    kept = segments(tmp_path)
    assert old not in kept
    assert (len(kept), young in kept) == (2, True)


def test_a_checkpoint_of_another_version_is_named(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path, limits=JournalLimits(segment_age_s=1.0))
    recorded.feed(CallQueued("c1", "sales", requires=(("en", 9),)))
    del recorded.engine.calls["c1"].extra_priority  # as if that version's calls had none yet
    recorded.now += 3.0
    recorded.journal.record(TimePassed(), recorded.now, [])
    recorded.journal.record(ConfigurationChanged(site("hunt")), recorded.now, [])
    recorded.journal.close()
    with pytest.raises(JournalError, match=r"cannot be read by this version .*extra_priority"):
        replay(read_segment(segments(tmp_path)[-1]))


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    for text in (b"hello", b"hello\n", b'{"acd_journal": 99}\n', b"[]\n"):
        file.write_bytes(text)
        with pytest.raises(JournalError, match="not a journal"):
            read_segment(file)


class _Harmful:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("echo harmed > harmed",)


class _Reaching:
    def __reduce__(self) -> tuple[object, tuple[object, str]]:
        return getattr, (Engine, "__init__")


class _ReachingIntoAnEnum:
    def __reduce__(self) -> tuple[object, tuple[object, str]]:
        return getattr, (WaitingMessageKind, "mro")


def with_checkpoint(folder: Path, pickled: bytes) -> Path:
    """A segment that begins from this."""
    recorded = Recorded(folder)
    recorded.journal.close()
    (segment,) = segments(folder)
    header = orjson.loads(segment.read_bytes().splitlines()[0])
    del header["routing"]
    header["checkpoint"] = base64.b64encode(zlib.compress(pickled)).decode()
    segment.write_bytes(orjson.dumps(header) + b"\n")
    return segment


@pytest.mark.parametrize("hostile", [_Harmful(), _Reaching(), _ReachingIntoAnEnum()])
def test_a_hostile_checkpoint_runs_nothing(tmp_path: Path, hostile: object) -> None:
    segment = with_checkpoint(tmp_path, pickle.dumps(hostile))
    with pytest.raises(JournalError, match="does not belong into a checkpoint"):
        replay(read_segment(segment))
    assert not Path("harmed").exists()


class _EarlyPickler(pickle.Pickler):
    """Stores the members of enums as early releases of Python 3.11 do: their class and their name."""

    def reducer_override(self, value: object) -> Any:
        return (getattr, (type(value), value.name)) if isinstance(value, Enum) else NotImplemented


def test_a_checkpoint_of_an_early_python_can_be_read(tmp_path: Path) -> None:
    pickled = io.BytesIO()
    _EarlyPickler(pickled, pickle.HIGHEST_PROTOCOL).dump(Engine(site(), random.Random(1), 0.0))
    engine = read_segment(with_checkpoint(tmp_path, pickled.getvalue())).engine(STRATEGIES)
    event = CallQueued("c1", "sales")
    assert engine.handle(event, 2.0) == Engine(site(), random.Random(1), 0.0).handle(event, 2.0)


def test_a_full_disk_stops_the_journal_and_not_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded(tmp_path)
    recorded.feed(AgentLoggedIn("anna"))
    recorded.told.wait(10)
    real_write = os.write

    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    recorded.told.clear()
    monkeypatch.setattr(os, "write", full)
    recorded.feed(AgentLoggedIn("bob"))
    assert recorded.told.wait(10)
    assert "No space left on device" in recorded.errors[-1]
    assert recorded.journal.failing
    recorded.feed(CallQueued("c1", "sales"))
    assert recorded.errors[-1].count("No space") == 1
    recorded.told.clear()
    recorded.feed(TimePassed(), after_s=61.0)  # tried again after a minute, in vain
    assert recorded.told.wait(10)
    assert len(segments(tmp_path)) == 1, "nothing is left of the attempt"

    monkeypatch.setattr(os, "write", real_write)
    recorded.feed(TimePassed())
    recorded.feed(TimePassed(), after_s=61.0)  # and again, from a checkpoint
    recorded.feed(CallQueued("c2", "sales"))
    recorded.journal.close()
    assert recorded.errors[-1] == ""
    newest = segments(tmp_path)[-1]
    result = replay(read_segment(newest))
    assert (result.inputs, result.parting) == (1, None)


def test_every_strategy_can_be_checkpointed(tmp_path: Path) -> None:
    for strategy in STRATEGIES:
        engine = Engine(site(strategy), random.Random(1), 0.0)
        for name in engine.agents:
            engine.handle(AgentLoggedIn(name), 1.0)
        copy: Engine = pickle.loads(pickle.dumps(engine))
        event = CallQueued("c1", "sales")
        assert engine.handle(event, 2.0) == copy.handle(event, 2.0), strategy


def test_a_configuration_survives_its_encoding() -> None:
    assert decode_routing(orjson.loads(encode(site()))) == site()
    event = ConfigurationChanged(site())
    assert decode_event("ConfigurationChanged", orjson.loads(encode(event))) == event
    with pytest.raises(CodecError, match=r"routing.queues.*is missing|queues is missing"):
        decode_routing({})
