"""Messages that were given up, on a real disk: seen, sent again, dropped."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from acd.service.messages import spool as spools
from acd.service.messages.message import OutgoingMail
from acd.service.messages.spool import Spool, SpoolFull
from tests.service.messages.test_spool import Wall, files, hook, mail, spool


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    path.write_bytes(b"sound")
    return path


def buried(folder: Path, sound: Path, wall: Wall | None = None) -> Spool:
    """A spool with a webhook and a mail that were given up, in this order."""
    wall = wall or Wall()
    box = spool(folder, wall, age_s=60.0)
    for message, why in ((hook("h-1"), "webhook crm answered 404"), (mail(sound), "550 no such box")):
        entry = box.add(message)
        assert entry is not None
        wall.now += 1
        box.give_up(entry, why)
    return box


@pytest.mark.parametrize("restarted", [False, True])
def test_all_is_told_the_last_first(tmp_path: Path, sound: Path, *, restarted: bool) -> None:
    box = buried(tmp_path / "spool", sound)
    if restarted:
        box = spool(tmp_path / "spool")
    letter, note = box.dead_letters()
    assert (letter.key, letter.kind, letter.to, letter.about) == ("m-1", "mail", "a@example.net", "s")
    assert (letter.why, letter.created, letter.given_up) == ("550 no such box", 1_000_000_001.0, 1_000_000_002.0)
    assert letter.size_bytes > 100
    assert (note.key, note.kind, note.to, note.about) == ("h-1", "hook", "crm", "call-ended")
    assert note.why == "webhook crm answered 404"


def test_sent_again_it_waits_whole_and_its_age_begins_anew(tmp_path: Path, sound: Path) -> None:
    wall = Wall()
    box = buried(tmp_path / "spool", sound, wall)
    wall.now += 3600
    entry = box.send_again("m-1")
    assert entry is not None
    assert files(tmp_path / "spool") == {"waiting": ["m-1.0", "m-1.json"], "dead": ["h-1.json"], "done": []}
    for again in (box, spool(tmp_path / "spool", wall, age_s=60.0)):
        (found,) = again.entries
        assert found == entry
        assert found.created == 1_000_000_001.0, "the mail bears its own date"
        assert not again.is_too_old(found)
        message = again.read(found)
        assert isinstance(message, OutgoingMail)
        assert message.attachments[0].path.read_bytes() == b"sound"
    wall.now += 61
    assert box.is_too_old(entry)
    box.give_up(entry, "451 again nothing")
    assert [letter.why for letter in box.dead_letters()] == ["451 again nothing", "webhook crm answered 404"]


def test_dropped_it_is_gone_and_never_taken_again(tmp_path: Path, sound: Path) -> None:
    box = buried(tmp_path / "spool", sound)
    assert box.drop("m-1")
    assert not box.drop("m-1")
    assert box.send_again("m-1") is None
    assert files(tmp_path / "spool") == {"waiting": [], "dead": ["h-1.json"], "done": ["m-1"]}
    for again in (box, spool(tmp_path / "spool")):
        assert again.dead == 1
        assert again.add(mail(sound)) is None


@pytest.mark.parametrize("key", ["", "m-2", "../dead/m-1", "/etc/passwd"])
def test_none_of_these(tmp_path: Path, sound: Path, key: str) -> None:
    box = buried(tmp_path / "spool", sound)
    assert box.send_again(key) is None
    assert not box.drop(key)
    assert box.dead == 2


def test_what_cannot_wait_again_stays(tmp_path: Path, sound: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    box = buried(tmp_path / "spool", sound)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(spools, "write_atomically", full)
        with pytest.raises(OSError, match="No space"):
            box.send_again("m-1")
    narrow = spool(tmp_path / "spool", messages=1)
    narrow.add(hook("h-2"))
    with pytest.raises(SpoolFull, match="1 messages wait"):
        narrow.send_again("m-1")
    assert files(tmp_path / "spool")["dead"] == ["h-1.json", "m-1.0", "m-1.json"]
    assert files(tmp_path / "spool")["waiting"] == ["h-2.json"]


def test_killed_while_one_is_sent_again_it_is_still_there(tmp_path: Path, sound: Path) -> None:
    box = buried(tmp_path / "spool", sound)
    kept = {path.name: path.read_bytes() for path in (tmp_path / "spool" / "dead").iterdir()}
    box.send_again("m-1")
    for name, content in kept.items():  # as it is before the last step
        (tmp_path / "spool" / "dead" / name).write_bytes(content)
    again = spool(tmp_path / "spool")
    assert (again.entries, again.dead) == ((), 2)
    assert again.send_again("m-1") is not None


@pytest.mark.parametrize("content", [b'{"format": 1, "mess', b"[]", b"\xff\xfe"])
def test_what_is_no_message_is_named_and_can_only_be_dropped(tmp_path: Path, content: bytes) -> None:
    spool(tmp_path)
    (tmp_path / "waiting" / "torn.json").write_bytes(content)
    for box in (spool(tmp_path), spool(tmp_path)):
        (letter,) = box.dead_letters()
        assert (letter.key, letter.kind, letter.why) == ("torn", "", "the spool's file is not a message")
        with pytest.raises(ValueError, match="not a message"):
            box.send_again("torn")
    assert box.drop("torn")
    assert not box.dead_letters()
