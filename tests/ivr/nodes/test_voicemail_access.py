from __future__ import annotations

from dataclasses import dataclass, replace

from ivr.dialling import DialEnd
from ivr.interpreter import Interpreter
from ivr.mailboxes import Access, MessageKind
from ivr.nodes import VoicemailAccess
from ivr.outcome import CallerGone, HangUp, Outcome
from ivr.record import StepRecord
from ivr.tools import Tools
from tests.ivr.boxes import Letter, Mailboxes
from tests.ivr.builders import at, call, end, forest
from tests.ivr.scripted_line import HANG_UP, ScriptedLine

OWN = (Access(box="cards", needs_pin=False),)
PLAIN = forest(VoicemailAccess(id=at("start"), envelope=False))


@dataclass(frozen=True)
class Exchange:
    """Allows the numbers of one city."""

    def number(self, number: str) -> str:
        return f"PJSIP/{number}@trunk" if number.startswith("+4930") else ""

    def extension(self, extension: str) -> str:
        return ""


class Listener:
    """Somebody who listens to the boxes."""

    def __init__(self, boxes: Mailboxes, **line: object) -> None:
        self.boxes = boxes
        self.line = ScriptedLine(default_part_s=2.0, **line)  # type: ignore[arg-type]
        self.records: list[StepRecord] = []

    async def run(self, tree: object = PLAIN) -> Outcome:
        tools = Tools(mailboxes=self.boxes, exchange=Exchange())
        return await Interpreter(tree, on_step=self.records.append, tools=tools).run(self.line, call(), at("start"))  # type: ignore[arg-type]

    @property
    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.records]


def keys(*pressed: str) -> dict[str, list[list[tuple[float, str]]]]:
    """Press these one after the other, each on hearing the keys' prompt."""
    return {"voicemail-keys": [[(0.1, key)] for key in pressed]}


async def test_new_and_saved_messages_one_after_the_other() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a"), Letter("b", MessageKind.SAVED)])
    listener = Listener(boxes, reactions=keys("6", "6", "#"))
    assert isinstance(await listener.run(), HangUp)
    assert [part.removesuffix("…") for part in listener.line.heard_parts] == [
        *("voicemail-you-have", "number 1", "voicemail-new-message", "voicemail-and", "number 1"),
        "voicemail-saved-message",
        *("voicemail-new", "number 1", "a recording", "voicemail-keys"),
        *("voicemail-saved-one", "number 2", "a recording", "voicemail-keys"),
        *("voicemail-no-more", "voicemail-keys", "goodbye"),
    ]
    assert boxes.letters[0].kind is MessageKind.SAVED, "it has been heard"
    assert boxes.closed == ["cards"]


async def test_no_messages() -> None:
    listener = Listener(Mailboxes(own_boxes=OWN), reactions={"voicemail-keys-empty": [[(0.1, "#")]]})
    await listener.run()
    assert listener.line.heard_parts == ["voicemail-none", "voicemail-keys-empty…", "goodbye"]


async def test_repeat_previous_and_help() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a"), Letter("b")])
    listener = Listener(boxes, reactions=keys("5", "4", "*", "6", "4", "#"))
    await listener.run()
    heard = [part.removesuffix("…") for part in listener.line.heard_parts]
    assert heard.count("a recording") == 4
    assert "voicemail-first" in heard
    assert "voicemail-help" in heard


async def test_deleted_at_the_end_and_undone_until_then() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a"), Letter("b")])
    listener = Listener(boxes, reactions=keys("7", "7", "6", "7", "#"))
    await listener.run()
    assert [letter.id for letter in boxes.letters] == ["a"]
    assert [outcome for outcome in listener.outcomes if "deleted" in outcome] == ["deleted", "undeleted", "deleted"]


async def test_a_hang_up_deletes_what_was_deleted() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    listener = Listener(boxes, reactions={"voicemail-keys": [[(0.1, "7")], [(0.1, HANG_UP)]]})
    assert isinstance(await listener.run(), CallerGone)
    assert boxes.letters == []


async def test_saved_takes_a_deletion_back() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    await Listener(boxes, reactions=keys("7", "9", "#")).run()
    assert len(boxes.letters) == 1


async def test_a_hang_up_before_the_sound_has_been_heard_leaves_it_new() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    await Listener(boxes, reactions={"a recording": [[(0.5, HANG_UP)]]}).run()
    assert boxes.letters[0].kind is MessageKind.NEW


async def test_a_key_before_the_sound_leaves_it_new() -> None:
    """Who calls for something else, and keys it at once, has not heard the message."""
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    listener = Listener(boxes, reactions={"voicemail-new": [[(0.1, "0")]], "voicemail-greeting-keys": [[(0.1, "1")]]})
    await listener.run()
    assert boxes.letters[0].kind is MessageKind.NEW
    assert "a recording" not in listener.line.heard_parts[: listener.line.heard_parts.index("voicemail-greeting-keys…")]


async def test_left_while_listening() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    original = boxes.shelf

    async def shelf(box: str, context: object) -> object:
        found = await original(box, context)  # type: ignore[arg-type]
        heard = found.heard

        async def and_another(message: str) -> None:
            await heard(message)
            if len(boxes.letters) == 1:
                boxes.letters.append(Letter("late"))

        found.heard = and_another  # type: ignore[method-assign]
        return found

    boxes.shelf = shelf  # type: ignore[method-assign, assignment]
    listener = Listener(boxes, reactions=keys("6", "#"))
    await listener.run()
    assert listener.line.heard_parts.count("a recording") == 2


async def test_details_and_urgency() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a", urgent=True)])
    listener = Listener(boxes, reactions=keys("3", "#"))
    await listener.run()
    heard = [part.removesuffix("…") for part in listener.line.heard_parts]
    assert "voicemail-urgent" in heard
    at_details = heard.index("voicemail-received")
    assert heard[at_details : at_details + 7] == [
        *("voicemail-received", "date 2026-11-21", "time 15:15", "voicemail-from", "digits +4930123"),
        *("voicemail-length", "duration 5 s"),
    ]


async def test_the_envelope_comes_before_each_message() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a", caller="")])
    listener = Listener(boxes, reactions=keys("#"))
    await listener.run(forest(VoicemailAccess(id=at("start"))))
    heard = listener.line.heard_parts
    assert heard.index("voicemail-from-unknown") < heard.index("a recording")


async def test_calling_the_sender_back() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a"), Letter("b", caller="+881999")])
    listener = Listener(boxes, reactions=keys("8", "6", "8", "#"))
    listener.line.dial_ends = [DialEnd.ANSWERED]
    await listener.run()
    assert [dial.device for dial in listener.line.dialled] == ["PJSIP/+4930123@trunk"]
    assert "voicemail-no-callback" in listener.line.heard_parts, "the other number is not allowed"


async def test_a_new_greeting() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    listener = Listener(
        boxes,
        talks_s=[8.0],
        reactions={
            **keys("0", "0", "#"),
            "voicemail-greeting-keys": [[(0.1, "2")], [(0.1, "3")]],
            "record-review": [[(0.1, "1")]],
        },
    )
    await listener.run()
    assert boxes.greetings == ["greeting-1", None]
    heard = [part.removesuffix("…") for part in listener.line.heard_parts]
    assert "voicemail-greeting-recorded" in heard
    assert "voicemail-greeting-default" in heard


async def test_a_greeting_that_was_not_finished_is_dropped() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    listener = Listener(
        boxes,
        reactions={**keys("0"), "voicemail-greeting-keys": [[(0.1, "2")]], "record-start": [[(6.0, HANG_UP)]]},
    )
    assert isinstance(await listener.run(), CallerGone)
    assert (boxes.greetings, boxes.discarded) == ([], ["greeting-1"])


async def test_silence_ends_it() -> None:
    boxes = Mailboxes(own_boxes=OWN, letters=[Letter("a")])
    listener = Listener(boxes)
    assert isinstance(await listener.run(), HangUp)
    assert listener.line.heard_parts.count("voicemail-keys") == 3


async def test_from_outside_with_box_and_pin() -> None:
    boxes = Mailboxes(letters=[Letter("a")])
    listener = Listener(
        boxes,
        reactions={
            "voicemail-box": [[(0.1, "5"), (0.2, "0"), (0.3, "1"), (0.4, "#")]],
            "voicemail-pin": [[(0.1, "4"), (0.2, "7"), (0.3, "1"), (0.4, "1"), (0.5, "#")]],
            **keys("#"),
        },
        work_s=[1.0],
    )
    await listener.run()
    assert boxes.tried == [("501", "4711")]
    assert len(listener.line.music) == 1, "while the PIN is compared keys are taken as everywhere"
    assert "a recording" in listener.line.heard_parts
    assert not any("4711" in record.key for record in listener.records), "no record holds the PIN"


async def test_three_wrong_pins_end_the_attempt() -> None:
    boxes = Mailboxes()
    entered = [[(0.1, "5"), (0.2, "0"), (0.3, "1"), (0.4, "#")]] * 3
    pins = [[(0.1, "1"), (0.2, "#")]] * 3
    listener = Listener(boxes, reactions={"voicemail-box": entered, "voicemail-pin": pins})
    await listener.run(forest(VoicemailAccess(id=at("start"), on_failure=at("out")), end("out")))
    assert len(boxes.tried) == 3
    assert listener.line.heard_parts[-1] == "out"
    assert listener.outcomes == ["pin-wrong", "pin-wrong", "pin-wrong", "failed", "hang-up"]


async def test_a_lock_ends_it_at_once() -> None:
    boxes = Mailboxes(locked_after=0)
    listener = Listener(boxes, reactions={"voicemail-box": [[(0.1, "#")]], "voicemail-pin": [[(0.1, "1"), (0.2, "#")]]})
    await listener.run()
    assert "voicemail-locked" in listener.line.heard_parts
    assert boxes.closed == []


async def test_an_agent_whose_box_asks_for_its_pin_gives_no_number() -> None:
    boxes = Mailboxes(own_boxes=(replace(OWN[0], needs_pin=True),), letters=[Letter("a")])
    pin = [[(0.1, "4"), (0.2, "7"), (0.3, "1"), (0.4, "1"), (0.5, "#")]]
    listener = Listener(boxes, reactions={"voicemail-pin": pin, **keys("#")})
    await listener.run()
    assert boxes.tried == [("501", "4711")]
    assert "voicemail-box" not in listener.line.heard_parts


async def test_an_agent_with_several_boxes_chooses() -> None:
    boxes = Mailboxes(own_boxes=(*OWN, Access(box="loans", needs_pin=False)), letters=[Letter("a")])
    number = [[(0.1, "5"), (0.2, "0"), (0.3, "1"), (0.4, "#")]]
    listener = Listener(boxes, reactions={"voicemail-box": number, **keys("#")})
    await listener.run()
    assert (boxes.tried, boxes.closed) == ([], ["cards"])
