from __future__ import annotations

import pytest

from ivr.interpreter import Interpreter
from ivr.line import LineHungUp, Recorded, RecordEnd, RecordLimits
from ivr.mailboxes import BoxTrouble
from ivr.nodes import Voicemail
from ivr.outcome import CallerGone, HangUp, Outcome
from ivr.record import StepRecord
from ivr.recordings import Draft
from ivr.tools import Tools
from tests.ivr.boxes import Mailboxes, face
from tests.ivr.builders import at, call, end, forest, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine

TREE = forest(
    Voicemail(id=at("start"), box="cards", next=at("bye"), no_message=at("none"), on_failure=at("sorry")),
    end("bye"),
    end("none"),
    end("sorry"),
)


class Visited:
    """A caller's visit to a tree with boxes."""

    def __init__(self, boxes: Mailboxes | None = None, **line: object) -> None:
        self.boxes = boxes or Mailboxes()
        self.line = ScriptedLine(**line)  # type: ignore[arg-type]
        self.records: list[StepRecord] = []

    async def run(self, tree: object = TREE) -> Outcome:
        interpreter = Interpreter(tree, on_step=self.records.append, tools=Tools(mailboxes=self.boxes))  # type: ignore[arg-type]
        return await interpreter.run(self.line, call(), at("start"))

    @property
    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.records]


async def test_a_message_is_left() -> None:
    visited = Visited(talks_s=[5.0])
    assert isinstance(await visited.run(), HangUp)
    assert visited.boxes.delivered == [("vm-1", False, False)]
    assert visited.line.heard_parts == ["greet", "voicemail-saved", "bye"]
    assert visited.outcomes == ["recorded", "hang-up"]
    ((path, limits),) = visited.line.recorded
    assert path == "/recordings/vm-1"
    assert (limits.longest_s, limits.silence_s, limits.finish_keys) == (60.0, 3, "#")


async def test_without_a_next_node_the_caller_is_thanked_and_let_go() -> None:
    visited = Visited(talks_s=[5.0])
    await visited.run(forest(Voicemail(id=at("start"), box="cards")))
    assert visited.line.heard_parts == ["greet", "voicemail-saved", "goodbye"]
    assert visited.line.hung_up_with == "normal"


async def test_a_key_skips_the_greeting_and_means_nothing_else() -> None:
    visited = Visited(Mailboxes(faces={"cards": face(review=True)}), reactions={"greet": [[(0.5, "3")]]}, talks_s=[5.0])
    await visited.run()
    assert visited.line.heard_parts[0] == "greet…"
    assert len(visited.line.recorded) == 1, "the 3 that skipped the greeting does not record again"


async def test_a_hang_up_mid_word_keeps_the_message() -> None:
    visited = Visited(keys=[(6.0, HANG_UP)])
    assert isinstance(await visited.run(), CallerGone)
    assert visited.boxes.delivered == [("vm-1", False, True)]


async def test_a_hang_up_at_once_leaves_nothing() -> None:
    visited = Visited(keys=[(3.0, HANG_UP)])
    assert isinstance(await visited.run(), CallerGone)
    assert visited.boxes.delivered == []
    assert visited.boxes.discarded == ["vm-1"]


async def test_who_hangs_up_and_was_silent_leaves_nothing() -> None:
    class Silent(ScriptedLine):
        async def record(self, path: str, limits: RecordLimits) -> Recorded:
            return Recorded(RecordEnd.HUNG_UP, 6.0, silence_s=6.0)

    visited = Visited()
    visited.line = Silent()
    assert isinstance(await visited.run(), CallerGone)
    assert (visited.boxes.delivered, visited.boxes.discarded) == ([], ["vm-1"])


async def test_a_hang_up_during_the_greeting_is_left_to_be_found() -> None:
    visited = Visited(keys=[(1.0, HANG_UP)])
    assert isinstance(await visited.run(), CallerGone)
    assert (visited.boxes.delivered, visited.boxes.left) == ([], ["vm-1"])


async def test_a_line_that_is_lost_while_recording_leaves_the_draft() -> None:
    class Torn(ScriptedLine):
        async def record(self, path: str, limits: RecordLimits) -> Recorded:
            raise LineHungUp("Asterisk closed the socket")

    visited = Visited()
    visited.line = Torn()
    assert isinstance(await visited.run(), CallerGone)
    assert (visited.boxes.delivered, visited.boxes.discarded, visited.boxes.left) == ([], [], ["vm-1"])


async def test_too_short_is_asked_for_again_three_times_in_all() -> None:
    visited = Visited(talks_s=[0.5, 1.0, 0.0])
    await visited.run()
    assert visited.line.heard_parts == ["greet", "record-too-short", "record-too-short", "none"]
    assert visited.outcomes == ["too-short", "too-short", "too-short", "too-short", "hang-up"]
    assert visited.boxes.discarded == ["vm-1"]


async def test_review() -> None:
    """Listen, again, mark as urgent, send."""
    visited = Visited(
        Mailboxes(faces={"cards": face(review=True, urgent=True)}),
        talks_s=[5.0, 6.0],
        reactions={
            "record-review-urgent": [[(0.1, "2")], [(0.1, "3")], [(0.1, "4")], [(0.1, "1")]],
        },
    )
    await visited.run()
    assert visited.line.heard_parts == [
        *("greet", "record-review", "record-review-urgent…"),
        *("a recording", "record-review", "record-review-urgent…"),
        "record-again",
        *("record-review", "record-review-urgent…"),
        *("record-urgent", "record-review", "record-review-urgent…"),
        *("voicemail-saved", "bye"),
    ]
    assert visited.boxes.delivered == [("vm-1", True, False)]
    assert len(visited.line.recorded) == 2


async def test_review_cancelled() -> None:
    visited = Visited(
        Mailboxes(faces={"cards": face(review=True)}), talks_s=[5.0], reactions={"record-review": [[(0.1, "*")]]}
    )
    await visited.run()
    assert visited.boxes.delivered == []
    assert visited.boxes.discarded == ["vm-1"]
    assert visited.outcomes[0] == "cancelled"
    assert visited.line.heard_parts[-1] == "none"


@pytest.mark.parametrize("keys", [[], [[(0.1, HANG_UP)]]])
async def test_who_does_nothing_or_hangs_up_in_the_review_means_it_to_be_kept(
    keys: list[list[tuple[float, str]]],
) -> None:
    visited = Visited(Mailboxes(faces={"cards": face(review=True)}), talks_s=[5.0], reactions={"record-review": keys})
    await visited.run()
    assert visited.boxes.delivered == [("vm-1", False, bool(keys))]


async def test_a_full_box_leads_on() -> None:
    visited = Visited(Mailboxes(trouble=BoxTrouble.FULL))
    await visited.run()
    assert visited.line.heard_parts == ["sorry"]
    assert visited.outcomes == ["failed", "hang-up"]
    assert visited.records[0].problems[0].subject == "cards: box-full"


async def test_without_a_branch_a_failure_is_told() -> None:
    visited = Visited(Mailboxes(trouble=BoxTrouble.FAILED))
    assert isinstance(await visited.run(forest(Voicemail(id=at("start"), box="cards"))), HangUp)
    assert visited.line.heard_parts == ["voicemail-unavailable"]


async def test_a_line_that_cannot_record_leads_on() -> None:
    visited = Visited(cannot_record=True)
    await visited.run()
    assert visited.line.heard_parts == ["greet", "sorry"]
    assert visited.boxes.discarded == ["vm-1"]


async def test_a_message_that_cannot_be_kept_now_leads_on() -> None:
    visited = Visited(Mailboxes(undeliverable=True), talks_s=[5.0])
    await visited.run()
    assert visited.line.heard_parts == ["greet", "sorry"]
    assert visited.boxes.discarded == [], "it is tried again later"


async def test_a_caller_who_comes_back_goes_on_with_what_was_recorded() -> None:
    resumed = Draft(id="vm-0", path="/recordings/vm-0", seconds=7.0)
    visited = Visited(Mailboxes(resumed=resumed))
    await visited.run()
    assert visited.line.recorded == []
    assert visited.boxes.delivered == [("vm-0", False, False)]
    assert visited.line.heard_parts == ["voicemail-saved", "bye"]


async def test_a_caller_whose_message_was_found_meanwhile_is_thanked() -> None:
    visited = Visited(Mailboxes(resumed=Draft(id="vm-0", path="", seconds=7.0, is_kept=True)))
    await visited.run()
    assert visited.boxes.delivered == []
    assert visited.line.heard_parts == ["voicemail-saved", "bye"]


async def test_a_greeting_of_the_node_goes_before_the_box_s() -> None:
    visited = Visited(talks_s=[5.0])
    await visited.run(forest(Voicemail(id=at("start"), box="cards", greeting=prompts("mine"))))
    assert visited.line.heard_parts[0] == "mine"


def test_what_it_may_say_and_where_it_leads() -> None:
    node = TREE.nodes[at("start")]
    assert node.targets() == (at("bye"), at("none"), at("sorry"))
    assert {"voicemail-greeting", "record-review", "record-too-short", "voicemail-saved"} <= {
        str(part) for part in node.speech()
    }
