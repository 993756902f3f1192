"""The spool on a real disk: whole messages, known ids, bounds, and what a crash leaves."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest

from acd.service.messages import spool as spools
from acd.service.messages.message import Attachment, OutgoingHook, OutgoingMail
from acd.service.messages.spool import Spool, SpoolFull, SpoolLimits


class Wall:
    def __init__(self) -> None:
        self.now = 1_000_000_000.0

    def __call__(self) -> float:
        return self.now


def hook(message_id: str = "h-1", **data: Any) -> OutgoingHook:
    return OutgoingHook(id=message_id, target="crm", event="call-ended", data=data)


def mail(sound: Path, **more: Any) -> OutgoingMail:
    attachment = Attachment(path=sound, name="message.wav")
    return OutgoingMail(
        **{"id": "m-1", "to": "a@example.net", "subject": "s", "text": "t", "attachments": (attachment,), **more}
    )


def spool(folder: Path, wall: Wall | None = None, **limits: Any) -> Spool:
    found = Spool(folder, SpoolLimits(**limits), wall or Wall())
    found.open()
    return found


def files(folder: Path) -> dict[str, list[str]]:
    return {below.name: sorted(path.name for path in below.iterdir()) for below in folder.iterdir()}


def test_a_message_survives_a_restart_whole(tmp_path: Path) -> None:
    entry = spool(tmp_path).add(hook(caller="+861012345678", name="王"))
    again = spool(tmp_path)
    assert again.entries == (entry,)
    assert again.read(again.entries[0]) == hook(caller="+861012345678", name="王")


def test_files_are_private(tmp_path: Path) -> None:
    spool(tmp_path).add(hook())
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_sound_may_be_removed_once_the_mail_is_handed_in(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"sound")
    box = spool(tmp_path / "spool")
    entry = box.add(mail(sound))
    assert entry is not None
    sound.unlink()
    found = box.read(entry)
    assert isinstance(found, OutgoingMail)
    assert found.attachments[0].path.read_bytes() == b"sound"
    assert found.attachments[0].name == "message.wav"
    box.done(entry)
    assert files(tmp_path / "spool") == {"waiting": [], "dead": [], "done": ["m-1"]}


def test_where_links_are_refused_the_sound_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "other file system")

    monkeypatch.setattr(os, "link", refuse)
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"sound")
    box = spool(tmp_path / "spool")
    box.add(mail(sound))
    copy = tmp_path / "spool" / "waiting" / "m-1.0"
    assert copy.read_bytes() == b"sound"
    assert copy.stat().st_ino != sound.stat().st_ino


def test_a_sound_gone_before_is_left_out_and_told(tmp_path: Path) -> None:
    box = spool(tmp_path / "spool")
    entry = box.add(mail(tmp_path / "gone.wav", without_attachments="The sound is gone."))
    assert entry is not None
    found = box.read(entry)
    assert isinstance(found, OutgoingMail)
    assert found.attachments == ()
    assert found.text == "t\n\nThe sound is gone."


@pytest.mark.parametrize("message_id", ["h-1", "a/../../b", "x" * 300, "ключ", ".hidden", "a\nb"])
def test_an_id_is_sent_once_whatever_became_of_it(tmp_path: Path, message_id: str) -> None:
    box = spool(tmp_path)
    entry = box.add(hook(message_id))
    assert entry is not None
    assert box.add(hook(message_id)) is None
    assert spool(tmp_path).add(hook(message_id)) is None
    box.done(entry)
    assert box.add(hook(message_id)) is None
    assert spool(tmp_path).add(hook(message_id)) is None
    assert {path.parent.parent for path in tmp_path.rglob("*") if path.is_file()} == {tmp_path}


def test_a_dead_message_is_kept_with_the_reason_and_not_taken_again(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"sound")
    box = spool(tmp_path / "spool")
    entry = box.add(mail(sound))
    assert entry is not None
    box.give_up(entry, "550 no such box")
    assert files(tmp_path / "spool") == {"waiting": [], "dead": ["m-1.0", "m-1.json"], "done": []}
    document = orjson.loads((tmp_path / "spool" / "dead" / "m-1.json").read_bytes())
    assert document["why"] == "550 no such box"
    assert spool(tmp_path / "spool").add(mail(sound)) is None
    assert box.entries == ()


def test_a_dead_message_moved_back_is_sent_after_the_next_start(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"sound")
    box = spool(tmp_path / "spool")
    entry = box.add(mail(sound))
    assert entry is not None
    box.give_up(entry, "why")
    for path in (tmp_path / "spool" / "dead").iterdir():
        path.rename(tmp_path / "spool" / "waiting" / path.name)
    again = spool(tmp_path / "spool")
    (found,) = again.entries
    message = again.read(found)
    assert isinstance(message, OutgoingMail)
    assert message.attachments[0].path.read_bytes() == b"sound"


def test_bounds_in_number_and_size(tmp_path: Path) -> None:
    box = spool(tmp_path, messages=2)
    box.add(hook("1"))
    box.add(hook("2"))
    with pytest.raises(SpoolFull, match="2 messages"):
        box.add(hook("3"))
    assert files(tmp_path)["waiting"] == ["1.json", "2.json"]
    box.done(box.entries[0])
    assert box.add(hook("3")) is not None
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(1000))
    small = spool(tmp_path / "small", size_bytes=1500)
    small.add(mail(sound))
    with pytest.raises(SpoolFull, match="bytes"):
        small.add(mail(sound, id="m-2"))
    restarted = spool(tmp_path / "small", size_bytes=1500)
    with pytest.raises(SpoolFull, match="bytes"):
        restarted.add(mail(sound, id="m-2"))


def test_bounds_of_what_is_remembered(tmp_path: Path) -> None:
    wall = Wall()
    box = spool(tmp_path, wall, dead=2, done=2, done_s=100.0)
    for number in range(3):
        for kind, settle in (("done", box.done), ("dead", lambda entry: box.give_up(entry, "why"))):
            entry = box.add(hook(f"{kind}{number}"))
            assert entry is not None
            settle(entry)
    assert files(tmp_path) == {"waiting": [], "done": ["done1", "done2"], "dead": ["dead1.json", "dead2.json"]}
    wall.now += 101
    assert spool(tmp_path, wall, done_s=100.0).add(hook("done1")) is not None


def test_dead_messages_are_bounded_in_size_too(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(1000))
    box = spool(tmp_path / "spool", dead_bytes=3000)
    for number in range(4):
        entry = box.add(mail(sound, id=f"m-{number}"))
        assert entry is not None
        box.give_up(entry, "why")
    assert files(tmp_path / "spool")["dead"] == ["m-2.0", "m-2.json", "m-3.0", "m-3.json"]
    assert spool(tmp_path / "spool").dead == 2


def test_age(tmp_path: Path) -> None:
    wall = Wall()
    box = spool(tmp_path, wall, age_s=60.0)
    entry = box.add(hook())
    assert entry is not None
    wall.now += 61
    assert box.is_too_old(entry)
    assert spool(tmp_path, wall, age_s=60.0).is_too_old(box.entries[0])


def test_what_a_crash_leaves_is_cleaned_up(tmp_path: Path) -> None:
    box = spool(tmp_path)
    entry = box.add(hook("sent"))
    assert entry is not None
    waiting = tmp_path / "waiting"
    content = (waiting / "sent.json").read_bytes()
    box.done(entry)
    (waiting / "sent.json").write_bytes(content)  # marked, but the power went before it was removed
    (waiting / "orphan.0").write_bytes(b"sound of a mail that was never complete")
    (waiting / ".half.json.12.ab").write_bytes(b"{")
    (waiting / "torn.json").write_bytes(content[:20])
    again = spool(tmp_path)
    assert again.entries == ()
    assert files(tmp_path) == {"waiting": [], "done": ["sent"], "dead": ["torn.json"]}


def test_a_full_disk_refuses_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(b"sound")
    box = spool(tmp_path / "spool")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(spools, "write_atomically", full)
        with pytest.raises(OSError, match="No space"):
            box.add(mail(sound))
    assert files(tmp_path / "spool")["waiting"] == []
    assert box.add(mail(sound)) is not None


def test_a_folder_that_cannot_be_written_refuses(tmp_path: Path) -> None:
    box = spool(tmp_path)
    (tmp_path / "waiting").rmdir()
    with pytest.raises(OSError, match="waiting"):
        box.add(hook())
    assert box.entries == ()


def test_what_was_sent_is_not_sent_again_though_the_disk_takes_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = spool(tmp_path)
    entry = box.add(hook())
    assert entry is not None

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "touch", full)
    box.done(entry)
    assert box.entries == ()
    assert box.add(hook()) is None
    assert spool(tmp_path).entries == ()
    assert not os.listdir(tmp_path / "waiting")  # noqa: PTH208
