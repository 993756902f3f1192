from __future__ import annotations

import wave
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from acd.service.voicemail.message import MessageState
from acd.service.voicemail.store import MessageStore
from ivr.mailboxes import BoxTrouble, BoxUnavailable, Login, MessageKind
from ivr.recordings import Draft
from ivr.speech import Prompt, Recording
from tests.service.voicemail.desks import Desk, call, spec, with_boxes
from tests.service.voicemail.sounds import record


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def names(folder: Path, pattern: str) -> list[str]:
    return sorted(path.name for path in folder.glob(pattern))


def remove(path: Path) -> None:
    path.unlink()


async def test_a_message_keeps_what_is_known_of_its_call(desk: Desk) -> None:
    message_id = await desk.leave(5.0, urgent=True)
    message = desk.store.get(message_id)
    assert message is not None
    assert (message.seconds, message.urgent, message.hung_up, message.state) == (5.0, True, False, MessageState.NEW)
    told = message.call
    assert (told.caller, told.dialled, told.queue, told.priority) == ("+49301", "500", "cards", 50)
    assert (dict(told.data), told.path) == ({"topic": "card"}, ("main.leave",))
    assert names(desk.folder / "recordings", "*") == []
    assert len(desk.drafts) == 0


async def test_full_by_number_and_by_size(desk: Desk) -> None:
    desk.boxes = with_boxes(spec(most_messages=1))
    assert desk.desk.takes_message("cards")
    draft = await desk.desk.open("cards", call("c1"), "n")
    with pytest.raises(BoxUnavailable) as refused:  # the one under way counts
        await desk.desk.open("cards", call("c2"), "n")
    assert refused.value.trouble is BoxTrouble.FULL
    await desk.desk.discard(draft)
    await desk.leave(call_id="c3")
    assert not desk.desk.takes_message("cards")
    desk.boxes = with_boxes(spec(most_bytes=1000))
    assert desk.desk.trouble("cards") is BoxTrouble.FULL


async def test_no_such_box(desk: Desk) -> None:
    with pytest.raises(BoxUnavailable) as refused:
        await desk.desk.open("loans", call(), "n")
    assert refused.value.trouble is BoxTrouble.UNKNOWN
    assert desk.desk.face("loans") is None
    assert not desk.desk.takes_message("loans")


async def test_a_folder_that_cannot_be_written(desk: Desk) -> None:
    (desk.folder / "recordings").rmdir()
    with pytest.raises(BoxUnavailable) as refused:
        await desk.desk.open("cards", call(), "n")
    assert refused.value.trouble is BoxTrouble.FAILED


async def test_a_message_that_cannot_be_written_now_is_kept_for_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await desk.desk.open("cards", call(), "n")
    record(draft.path, 5.0)

    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(MessageStore, "_write_new", full)
        with pytest.raises(BoxUnavailable):
            await desk.desk.deliver(draft, urgent=False, hung_up=False)
    assert len(desk.drafts) == 1
    assert names(desk.folder / "recordings", "*.wav") != []


async def test_a_caller_who_comes_back_after_a_restart_goes_on(desk: Desk) -> None:
    draft = await desk.desk.open("cards", call(), "n")
    record(draft.path, 7.0)
    desk.open()
    again = await desk.desk.open("cards", call(), "n")
    assert (again.id, again.path, again.seconds, again.is_kept) == (draft.id, draft.path, 7.0, False)


async def test_a_caller_whose_message_was_found_meanwhile_is_told_so_once(desk: Desk) -> None:
    draft = await desk.desk.open("cards", call(), "n")
    record(draft.path, 7.0)
    await desk.desk.deliver(draft, urgent=False, hung_up=True)
    again = await desk.desk.open("cards", call(), "n")
    assert again.is_kept
    third = await desk.desk.open("cards", call(), "n")
    assert not third.is_kept, "a second message of the same call"


async def test_pins_and_the_lock_out(desk: Desk) -> None:
    desk.boxes = with_boxes(
        spec(), spec("loans", number="502"), spec("open", number="503", pin_hash=""), tries=3, seconds=60
    )
    assert await desk.desk.login("501", "4711", call()) == (Login.RIGHT, "cards")
    assert await desk.desk.login("501", "1", call()) == (Login.WRONG, "")
    assert await desk.desk.login("501", "4711", call()) == (Login.RIGHT, "cards"), "which forgets the wrong one"
    for number in ("501", "999"):
        assert (await desk.desk.login(number, "1", call()))[0] is Login.WRONG
    assert (await desk.desk.login("501", "1", call()))[0] is Login.LOCKED, "the third of this caller"
    assert (await desk.desk.login("502", "4711", call()))[0] is Login.LOCKED, "whatever the box"
    assert (await desk.desk.login("502", "4711", call(caller="+49302")))[0] is Login.RIGHT
    assert (await desk.desk.login("503", "", call(caller="+49302")))[0] is Login.WRONG, (
        "without a PIN: from inside alone"
    )


async def test_what_is_keyed_in_for_a_box_that_is_none_is_written_down_nowhere(desk: Desk) -> None:
    """It may be a PIN, keyed in a moment too early."""
    with capture_logs() as logs:
        await desk.desk.login("918273", "1", call())
    assert b"918273" not in kept_failures(desk)
    assert any("PIN is wrong" in entry["event"] for entry in logs)
    assert "918273" not in str(logs)


def kept_failures(desk: Desk) -> bytes:
    return (desk.folder / "pins.json").read_bytes()


async def test_the_lock_out_is_the_box_s_as_well_survives_and_ends(desk: Desk) -> None:
    desk.boxes = with_boxes(spec(), tries=2, seconds=60)
    for number in range(2):
        await desk.desk.login("501", "1", call(caller=f"+4930{number}"))
    desk.open()
    assert (await desk.desk.login("501", "4711", call(caller="+49309")))[0] is Login.LOCKED
    desk.now += 61
    assert (await desk.desk.login("501", "4711", call(caller="+49309")))[0] is Login.RIGHT


async def test_a_file_of_lock_outs_that_is_none(desk: Desk) -> None:
    (desk.folder / "pins.json").write_text("[")
    desk.open()
    assert (await desk.desk.login("501", "4711", call()))[0] is Login.RIGHT


def test_an_agent_s_own_boxes(desk: Desk) -> None:
    desk.boxes = with_boxes(
        spec(agents=frozenset({"anna"})),
        spec("loans", agents=frozenset({"anna", "ben"}), pin_inside=True),
        spec("other"),
    )
    assert list(desk.desk.own(call())) == []
    desk.agent = "anna"
    assert [(access.box, access.needs_pin) for access in desk.desk.own(call())] == [("cards", False), ("loans", True)]


async def test_listening(desk: Desk) -> None:
    desk.boxes = with_boxes(spec(zone=timezone(timedelta(hours=5))))
    first = await desk.leave(call_id="c1")
    desk.now += 10
    second = await desk.leave(call_id="c2", urgent=True)
    desk.now += 10
    third = await desk.leave(call_id="c3")
    await desk.store.change(third, state=MessageState.CLOSED)
    shelf = await desk.desk.shelf("cards", call())
    assert (shelf.new, shelf.saved) == (2, 0)
    assert list(await shelf.messages()) == [second, first], "urgent ones first; closed ones not at all"
    heard = await shelf.take(first)
    assert heard is not None
    assert (heard.kind, heard.seconds, heard.caller) == (MessageKind.NEW, 5.0, "+49301")
    assert heard.left_at.utcoffset() == timedelta(hours=5)
    with wave.open(f"{heard.path}.wav") as sound:
        assert sound.getnframes() == 40_000
    await shelf.heard(first)
    assert (shelf.new, shelf.saved) == (1, 1)
    shelf.delete(first)
    shelf.delete(second)
    shelf.delete(second, undo=True)
    assert shelf.is_deleted(first)
    assert desk.store.get(first) is not None, "until the end"
    await shelf.close()
    assert desk.store.get(first) is None
    assert desk.store.get(second) is not None
    assert names(desk.folder / "recordings", "*") == [], "what was made ready to be played is gone"
    assert await shelf.take(first) is None


async def test_a_new_greeting_and_back(desk: Desk) -> None:
    assert desk.desk.greeting("cards") == (Prompt("voicemail-greeting"),)
    shelf = await desk.desk.shelf("cards", call())
    draft = await shelf.greeting()
    record(draft.path, 3.0)
    await shelf.use_greeting(draft)
    (own,) = desk.desk.greeting("cards")
    assert isinstance(own, Recording)
    assert names(Path(own.path).parent, "greeting-*") == [f"{Path(own.path).name}.wav"]
    desk.open()
    (kept,) = desk.desk.greeting("cards")
    assert isinstance(kept, Recording), "over a restart"
    remove(Path(f"{kept.path}.wav"))
    assert desk.desk.greeting("cards") == (Prompt("voicemail-greeting"),), "a file that is gone ends no call"
    await shelf.use_greeting(None)
    desk.open()
    assert desk.desk.greeting("cards") == (Prompt("voicemail-greeting"),)


async def test_a_new_greeting_leaves_those_of_boxes_with_like_names_alone(desk: Desk) -> None:
    desk.boxes = with_boxes(spec("cards"), spec("cards-abroad"))
    for box in ("cards-abroad", "cards"):
        shelf = await desk.desk.shelf(box, call())
        draft = await shelf.greeting()
        record(draft.path, 3.0)
        await shelf.use_greeting(draft)
    for _ in range(2):
        for box in ("cards-abroad", "cards"):
            (own,) = desk.desk.greeting(box)
            assert isinstance(own, Recording), box
        desk.open()


async def test_kept_so_many_days(desk: Desk) -> None:
    desk.boxes = with_boxes(spec(keep_days=2), spec("ever", number="502"))
    old = await desk.leave(call_id="c1")
    ever = await desk.leave(call_id="c2", box="ever")
    desk.now += 86_400 * 2 - 1
    young = await desk.leave(call_id="c3")
    assert await desk.desk.sweep() == 0
    desk.now += 2
    assert await desk.desk.sweep() == 1
    assert [desk.store.get(message) is not None for message in (old, ever, young)] == [False, True, True]


async def test_recordings_of_the_node(desk: Desk) -> None:
    draft = await desk.recordings.open(call(), "main.order")
    record(draft.path, 4.0)
    await desk.recordings.keep(draft)
    told = desk.recordings.told(draft.id)
    assert told is not None
    assert (told["node"], told["seconds"]) == ("main.order", 4.0)
    assert desk.recordings.sound(draft.id) is not None
    for hostile in ("../pins", "a/b", "", "x" * 100):
        assert desk.recordings.sound(hostile) is None
    assert isinstance(draft, Draft)
    desk.now = 4_000_000_000.0
    assert desk.recordings.sweep() == 1
    assert desk.recordings.told(draft.id) is None
