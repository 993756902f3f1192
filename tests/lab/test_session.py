"""``acd lab run``: the order of start and stop, and the notes for other terminals."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from acd.lab.engine import EngineProcess
from acd.lab.errors import EngineError, LabError, PbxError
from acd.lab.install import AsteriskInstall
from acd.lab.notes import LabNotes, read_notes, running_lab
from acd.lab.session import LabPlan, default_run_dir, run_dirs, run_lab, run_lab_somewhere
from acd.lab.terminal import CallWish, PhoneWish, planned_digits, press_typed, run_call, run_phone
from tests.lab.fast_agi import FastAgi, dial
from tests.lab.waiting import until

ENGINE = Path(__file__).with_name("stand_in_engine.py")


def plan(run_dir: Path, mode: str) -> LabPlan:
    engine = (sys.executable, str(ENGINE), mode)
    return LabPlan(run_dir, {"anna": "Anna Li", "ben": "Ben"}, "100", engine, run_dir / "site")


@pytest.mark.pbx
async def test_ready_is_said_when_the_engine_is(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    said: list[str] = []
    running = asyncio.create_task(run_lab(asterisk, plan(tmp_path, "late"), said.append))
    await until(lambda: running.done() or any("Ready." in text for text in said))
    text = said[-1]
    notes = running_lab(tmp_path)
    assert f"server 127.0.0.1:{notes.sip_port}, UDP" in text
    assert f"anna    password {notes.passwords['anna']}  agent Anna Li" in text
    assert "dials 100" in text
    assert stat.S_IMODE((tmp_path / "lab.json").stat().st_mode) == 0o600
    assert notes.engine_env["ACD_CONFIG"] == str(tmp_path / "site")
    os.kill(os.getpid(), signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await running == 0
    assert (tmp_path / "engine" / "state" / "ended").exists()
    assert "Asterisk cleanly ending" in (tmp_path / "log" / "full.log").read_text()
    assert f"engine here late {notes.engine_env['ACD_FASTAGI_PORT']}" in (tmp_path / "log" / "engine.log").read_text()


@pytest.mark.pbx
async def test_passwords_stay_from_run_to_run(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    passwords: list[object] = []
    for _ in range(2):
        said: list[str] = []
        running = asyncio.create_task(run_lab(asterisk, plan(tmp_path, "good"), said.append))
        await until(lambda said=said: any("Ready." in text for text in said))  # type: ignore[misc]
        passwords.append(running_lab(tmp_path).passwords)
        os.kill(os.getpid(), signal.SIGINT)
        assert await running == 0
    assert passwords[0] == passwords[1]


@pytest.mark.pbx
async def test_an_engine_that_does_not_start(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    with pytest.raises(EngineError, match=r"the engine ended with code 3\.\n(.|\n)*cannot go on"):
        await run_lab(asterisk, plan(tmp_path, "dies"), print)
    assert "Asterisk cleanly ending" in (tmp_path / "log" / "full.log").read_text()


@pytest.mark.pbx
async def test_an_engine_that_ends_by_itself(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    said: list[str] = []
    async with asyncio.timeout(20):
        assert await run_lab(asterisk, plan(tmp_path, "ends"), said.append) == 1
    assert "The engine has ended by itself." in said[-1]


@pytest.mark.pbx
async def test_one_lab_in_one_folder(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    running = asyncio.create_task(run_lab(asterisk, plan(tmp_path, "good"), print))
    await until(lambda: (tmp_path / "lab.json").exists())
    with pytest.raises(PbxError, match="another lab runs"):
        await run_lab(asterisk, plan(tmp_path, "good"), print)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.gather(running)


@pytest.mark.pbx
async def test_a_call_and_a_phone_at_the_terminal(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    lab_said: list[str] = []
    phone_said: list[str] = []
    call_said: list[str] = []
    lab = asyncio.create_task(run_lab(asterisk, plan(tmp_path, "good"), lab_said.append))
    await until(lambda: any("Ready." in text for text in lab_said))
    notes = running_lab(tmp_path)
    record = tmp_path / "heard.wav"
    async with FastAgi(int(notes.engine_env["ACD_FASTAGI_PORT"]), dial("anna")):
        phone = asyncio.create_task(run_phone(asterisk.sipp, notes, PhoneWish("anna", 0.8, 0.3), phone_said.append))
        await until(lambda: bool(phone_said))
        wish = CallWish("100", "+49301", "Li", "1", None, record)
        assert await run_call(asterisk.sipp, notes, wish, call_said.append) == 0
        await until(lambda: "The call has ended" in phone_said)
        phone.cancel()
        await asyncio.gather(phone, return_exceptions=True)
    assert phone_said[1:] == ["A call from +49301", "Talking", "The call has ended"]
    assert call_said[0] == "Ringing"
    assert call_said[1].startswith("Answered after 0.")
    assert call_said[2] == "The other end has hung up"
    assert call_said[3].startswith("The call lasted 1.")
    assert record.stat().st_size > 4000
    gone = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=asyncio.subprocess.PIPE)
    registered = len(phone_said) + 1
    left = replace(notes, pid=gone.pid)
    phone = asyncio.create_task(run_phone(asterisk.sipp, left, PhoneWish("anna", 1, None), phone_said.append))
    await until(lambda: len(phone_said) == registered)
    await gone.communicate(b"\n")
    with pytest.raises(LabError, match="the lab has ended"):
        async with asyncio.timeout(20):
            await phone
    os.kill(os.getpid(), signal.SIGTERM)
    # The three share this process and so its signal handlers; the last to set one gets the signal.
    lab.cancel()
    await asyncio.gather(lab, return_exceptions=True)


@pytest.mark.pbx
async def test_the_users_second_lab_runs_beside_the_first(
    tmp_path: Path, asterisk: AsteriskInstall, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACD_LAB_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = default_run_dir()
    first.mkdir(parents=True)
    said: list[str] = []
    with (first / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        running = asyncio.create_task(run_lab_somewhere(asterisk, plan(first, "good"), said.append))
        await until(lambda: running.done() or any("Ready." in text for text in said))
        assert f"lab call 100 --run-dir {first}-2" in said[-1]
        os.kill(os.getpid(), signal.SIGTERM)
        assert await running == 0


async def test_a_folder_that_was_named_is_the_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("ACD_LAB_DIR", raising=False)
    assert list(run_dirs(tmp_path)) == [tmp_path]
    assert [path.name for path in run_dirs(default_run_dir())][:3] == ["lab", "lab-2", "lab-3"]
    monkeypatch.setenv("ACD_LAB_DIR", str(tmp_path))
    assert list(run_dirs(default_run_dir())) == [tmp_path]


class Pressed:
    """A telephone that notes its keys."""

    def __init__(self) -> None:
        self.keys = ""

    async def press(self, digits: str) -> None:
        self.keys += digits


async def test_keys_come_through_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    read_fd, write_fd = os.pipe()
    said: list[str] = []
    keys = Pressed()
    with os.fdopen(read_fd) as reader, os.fdopen(write_fd, "w", buffering=1) as writer:
        monkeypatch.setattr(sys, "stdin", reader)
        pressing = asyncio.create_task(press_typed(keys, said.append))
        writer.write("1\n2#\n")
        await until(lambda: keys.keys == "12#")
        writer.write("x\n")
        await until(lambda: bool(said))
        writer.close()
        await pressing
    assert said == ["only 0-9, * and # are keys"]


def test_nobody_types_where_nothing_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        asyncio.run(press_typed(Pressed(), print))


async def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    engine = EngineProcess(["/no/such/engine"], {}, tmp_path / "log")

    async def run() -> None:
        await engine.start()
        await engine.ready("127.0.0.1", 9)

    with pytest.raises(EngineError, match="/no/such/engine"):
        await run()


def test_no_lab_runs(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="start one with `acd lab run`"):
        running_lab(tmp_path)
    notes = LabNotes(2**22 + 1, "127.0.0.1", 5060, "127.0.0.1", 8080, {"anna": "x"}, {})
    notes.write(tmp_path)
    assert read_notes(tmp_path) == notes
    with pytest.raises(LabError, match="no lab runs"):
        running_lab(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}'])
def test_notes_that_are_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "lab.json").write_text(text)
    with pytest.raises(LabError, match="delete it"):
        read_notes(tmp_path)


async def test_a_phone_that_the_lab_does_not_have() -> None:
    notes = LabNotes(os.getpid(), "127.0.0.1", 5060, "127.0.0.1", 8080, {"anna": "x"}, {})
    with pytest.raises(LabError, match="its phones are anna"):
        await run_phone(("sipp",), notes, PhoneWish("zoe", 1, None), print)


@pytest.mark.parametrize(
    ("text", "steps"),
    [("", ()), ("1", ((1.0, "1"),)), ("1,,2#", ((1.0, "1"), (2.0, "2"), (0.0, "#"))), (",*", ((2.0, "*"),))],
)
def test_digits_with_commas(text: str, steps: tuple[tuple[float, str], ...]) -> None:
    assert planned_digits(text) == steps


def test_digits_that_are_none() -> None:
    with pytest.raises(LabError, match="'x' is no key"):
        planned_digits("1x")


def test_run_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACD_LAB_DIR", "/x")
    assert default_run_dir() == Path("/x")
    monkeypatch.delenv("ACD_LAB_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_run_dir() == Path("/state/acd/lab")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    assert default_run_dir() == Path.home() / ".local/state/acd/lab"


def test_notes_are_json(tmp_path: Path) -> None:
    LabNotes(1, "a", 2, "b", 3, {}, {"X": "y"}).write(tmp_path)
    assert json.loads((tmp_path / "lab.json").read_text())["engine_env"] == {"X": "y"}
