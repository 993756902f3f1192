from __future__ import annotations

from ivr.context import CallContext
from ivr.interpreter import Interpreter
from ivr.line import Recorded, RecordEnd, RecordLimits
from ivr.nodes import Record
from ivr.outcome import CallerGone
from ivr.recordings import Draft, Manner
from ivr.tools import Tools
from tests.ivr.boxes import Recordings
from tests.ivr.builders import at, call, end, forest, prompts
from tests.ivr.scripted_line import HANG_UP, ScriptedLine


def node(*, review: bool = False) -> Record:
    return Record(
        id=at("start"),
        prompts=prompts("speak"),
        into="order",
        manner=Manner(limits=RecordLimits(longest_s=30.0, silence_s=2), review=review),
        next=at("thanks"),
        too_short=at("nothing"),
        on_cancel=at("cancelled"),
        on_failure=at("sorry"),
    )


TREE = forest(node(), end("thanks"), end("nothing"), end("cancelled"), end("sorry"))


async def run(line: ScriptedLine, recordings: Recordings, tree: object = TREE) -> tuple[CallContext, object]:
    context = call()
    interpreter = Interpreter(tree, on_step=lambda _: None, tools=Tools(recordings=recordings))  # type: ignore[arg-type]
    return context, await interpreter.run(line, context, at("start"))


async def test_the_recording_s_id_and_length_are_call_data() -> None:
    line, recordings = ScriptedLine(talks_s=[12.4]), Recordings()
    context, _ = await run(line, recordings)
    assert context.data == {"order": "rec-1", "order_s": "12"}
    assert recordings.kept == ["rec-1"]
    assert line.heard_parts == ["speak", "thanks"]


async def test_a_hang_up_mid_word_keeps_it() -> None:
    context, outcome = await run(ScriptedLine(keys=[(8.0, HANG_UP)]), recordings := Recordings())
    assert isinstance(outcome, CallerGone)
    assert recordings.kept == ["rec-1"]
    assert context.data["order_s"] == "6"


async def test_nothing_said() -> None:
    line, recordings = ScriptedLine(talks_s=[0.0, 0.0, 0.0]), Recordings()
    context, _ = await run(line, recordings)
    assert line.heard_parts == ["speak", "record-too-short", "record-too-short", "nothing"]
    assert recordings.discarded == ["rec-1"]
    assert context.data == {}


async def test_the_silence_at_its_end_is_nothing_said() -> None:
    class Quiet(ScriptedLine):
        async def record(self, path: str, limits: RecordLimits) -> Recorded:
            return Recorded(RecordEnd.SILENCE, 1.02, silence_s=1.0)

    context, _ = await run(line := Quiet(), recordings := Recordings())
    assert line.heard_parts[-1] == "nothing"
    assert recordings.discarded == ["rec-1"]
    assert context.data == {}


async def test_cancelled_in_the_review() -> None:
    line, recordings = ScriptedLine(talks_s=[5.0], reactions={"record-review": [[(0.1, "*")]]}), Recordings()
    await run(
        line, recordings, forest(node(review=True), end("cancelled"), end("thanks"), end("nothing"), end("sorry"))
    )
    assert line.heard_parts[-1] == "cancelled"
    assert recordings.discarded == ["rec-1"]


async def test_no_place_for_it() -> None:
    line = ScriptedLine()
    await run(line, Recordings(full=True))
    assert line.heard_parts == ["sorry"]


async def test_a_line_that_cannot_record() -> None:
    line, recordings = ScriptedLine(cannot_record=True), Recordings()
    await run(line, recordings)
    assert line.heard_parts == ["speak", "sorry"]
    assert recordings.discarded == ["rec-1"]


async def test_who_comes_back_goes_on_with_what_was_recorded() -> None:
    line = ScriptedLine()
    recordings = Recordings(resumed=Draft(id="rec-0", path="/recordings/rec-0", seconds=3.0))
    context, _ = await run(line, recordings)
    assert line.recorded == []
    assert context.data["order"] == "rec-0"


async def test_branches_that_are_left_out_lead_on() -> None:
    plain = Record(id=at("start"), prompts=(), into="x", manner=node().manner, next=at("thanks"))
    line = ScriptedLine(talks_s=[0.0, 0.0, 0.0])
    await run(line, Recordings(), forest(plain, end("thanks")))
    assert line.heard_parts[-1] == "thanks"
    assert plain.targets() == (at("thanks"),)
