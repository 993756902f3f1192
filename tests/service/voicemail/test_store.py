from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest

from acd.service.voicemail.message import CallFacts, MessageState, StoredMessage, decode, encode
from acd.service.voicemail.store import MessageStore
from tests.service.voicemail.sounds import wav


def message(number: int, box: str = "cards", **more: object) -> StoredMessage:
    call = CallFacts(call_id=f"c{number}", caller="+4930", data={"topic": "card"}, path=("main.menu", "main.leave"))
    settings: dict[str, object] = {"left_at": 1000.0 + number, "seconds": 2.0, "size_bytes": 32_044} | more
    return StoredMessage(id=f"m{number}", box=box, call=call, **settings)  # type: ignore[arg-type]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "draft.wav"
    path.write_bytes(wav(2.0, closed=False))
    return path


@pytest.fixture
def store(tmp_path: Path) -> MessageStore:
    return MessageStore(tmp_path / "voicemail", lambda: 5000.0)


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def again(store: MessageStore) -> MessageStore:
    """The store of the next process."""
    other = MessageStore(store.folder, lambda: 6000.0)
    other.load()
    return other


async def test_a_message_is_there_after_a_restart_with_all_that_is_known(store: MessageStore, sound: Path) -> None:
    await store.add(message(1, urgent=True), sound)
    found = again(store).get("m1")
    assert found == message(1, urgent=True)
    assert store.of_box("cards") == [found]
    with wave.open(str(store.sound(message(1)))) as played:
        assert played.getnframes() == 16_000, "its header has been mended"
    assert sound in files(sound.parent), "the draft's file is the draft's affair"


async def test_adding_it_again_changes_nothing(store: MessageStore, sound: Path) -> None:
    await store.add(message(1), sound)
    await store.change("m1", state=MessageState.SAVED)
    await store.add(message(1), sound)
    assert store.get("m1") is not None
    assert store.get("m1").state is MessageState.SAVED  # type: ignore[union-attr]


async def test_a_sound_without_its_message_is_none(store: MessageStore, sound: Path) -> None:
    """The process ended between the two files."""
    await store.add(message(1), sound)
    (store.folder / "cards" / "m1.json").unlink()
    assert list(again(store).all()) == []
    await again(store).add(message(1), sound)
    assert again(store).get("m1") is not None


async def test_what_cannot_be_written_is_not_there(store: MessageStore, sound: Path) -> None:
    store.folder.mkdir()
    (store.folder / "cards").write_text("a file where the box's folder should be")
    with pytest.raises(OSError):  # noqa: PT011 - whichever the system says
        await store.add(message(1), sound)
    assert store.get("m1") is None


async def test_changes_survive_and_are_told(store: MessageStore, sound: Path) -> None:
    told: list[tuple[str, str]] = []
    store.watch(lambda changed: told.append((changed.id, changed.state)))
    await store.add(message(1), sound)
    changed = await store.change("m1", state=MessageState.ASSIGNED, agent="anna")
    assert changed is not None
    assert changed.changed_at == 5000.0
    found = again(store).get("m1")
    assert found is not None
    assert (found.state, found.agent) == (MessageState.ASSIGNED, "anna")
    assert told == [("m1", "new"), ("m1", "assigned")]


async def test_a_change_from_a_state_it_is_not_in_is_none(store: MessageStore, sound: Path) -> None:
    await store.add(message(1), sound)
    await store.change("m1", state=MessageState.CLOSED)
    assert await store.change("m1", only_from=(MessageState.NEW,), state=MessageState.SAVED) is None
    assert await store.change("other", state=MessageState.SAVED) is None


async def test_deleted_for_good(store: MessageStore, sound: Path) -> None:
    await store.add(message(1), sound)
    assert await store.delete("m1")
    assert not await store.delete("m1")
    assert list((store.folder / "cards").iterdir()) == []
    assert list(again(store).all()) == []


async def test_a_deletion_that_was_interrupted_is_finished(store: MessageStore, sound: Path) -> None:
    await store.add(message(1), sound)
    await store.change("m1", state=MessageState.DELETED)
    assert list(again(store).all()) == []
    assert list((store.folder / "cards").iterdir()) == []


async def test_counts_and_fill(store: MessageStore, sound: Path) -> None:
    for number in (1, 2, 3):
        await store.add(message(number), sound)
    await store.add(message(4, "loans"), sound)
    await store.change("m2", state=MessageState.SAVED)
    assert store.counts("cards") == {MessageState.NEW: 2, MessageState.SAVED: 1}
    assert store.fill("cards") == (3, 3 * 32_044)
    assert [found.id for found in store.of_box("cards")] == ["m1", "m2", "m3"]
    assert sorted(store.boxes()) == ["cards", "loans"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format": 2}', b"\xff\x00", encode(message(9))])
async def test_files_that_are_no_message_of_the_box_are_left_alone(store: MessageStore, content: bytes) -> None:
    folder = store.folder / "loans"
    folder.mkdir(parents=True)
    (folder / "m1.json").write_bytes(content)
    assert list(again(store).all()) == []
    assert (folder / "m1.json").read_bytes() == content


def test_hostile_texts_stay_texts() -> None:
    call = CallFacts(call_id="c1", caller='"\n\x00', caller_name="</script>", data={"a\nb": "c\r\n"})
    told = message(1)
    hostile = StoredMessage(
        id=told.id, box=told.box, left_at=1.0, seconds=1.0, size_bytes=1, call=call, state=MessageState.NEW
    )
    assert decode(encode(hostile)) == hostile
    json.loads(encode(hostile))
