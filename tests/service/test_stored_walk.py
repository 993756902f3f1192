"""What the channel remembers of subtrees under way, and what is forgotten first when there is too much."""

from __future__ import annotations

from urllib.parse import parse_qsl

from hypothesis import given
from hypothesis import strategies as st

from acd.service.call_state import CallPhase, StoredCall
from acd.service.stored_walk import MOST_MENUS, StoredWalk
from ivr.context import CallContext, Frame
from ivr.outcome import NodeId

NAMES = st.text("abcdefghij-_0123456789", min_size=1, max_size=10)
NODES = st.builds(lambda tree, node: NodeId(f"{tree}.{node}"), NAMES, NAMES)
VALUES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
FRAMES = st.builds(Frame, NODES, st.dictionaries(NAMES, VALUES, max_size=3), st.integers(0, 8))
WALKS = st.builds(
    StoredWalk,
    frames=st.lists(FRAMES, max_size=4).map(tuple),
    frames_lost=st.booleans(),
    priority=st.integers(-1000, 1000),
    requires=st.dictionaries(NAMES, st.integers(1, 10), max_size=3),
    agent=NAMES | st.just(""),
    served_by=NAMES | st.just(""),
    served_in=NAMES | st.just(""),
    hours=st.dictionaries(NAMES, VALUES.filter(bool), max_size=3),
)


def stored(walk: StoredWalk, **data: str) -> StoredCall:
    return StoredCall(phase=CallPhase.MENU, arrived_at=1.0, node="a.b", menus=("a.b",), walk=walk, data=data)


@given(WALKS)
def test_what_fits_comes_back_as_it_was(walk: StoredWalk) -> None:
    text = stored(walk).encode()
    if len(text) < 1400:
        assert StoredCall.decode(text).walk == walk


@given(st.lists(FRAMES, min_size=1, max_size=40), st.dictionaries(NAMES, VALUES, max_size=10))
def test_of_too_much_the_innermost_subtrees_are_kept_whole(frames: list[Frame], data: dict[str, str]) -> None:
    text = stored(StoredWalk(frames=tuple(frames)), **data).encode()
    assert len(text) <= 1500
    walk = StoredCall.decode(text).walk
    kept = len(walk.frames)
    assert list(walk.frames) == frames[len(frames) - kept :]
    assert walk.frames_lost is (kept < len(frames))


def test_call_data_go_before_subtrees() -> None:
    frames = tuple(Frame(NodeId(f"tree{number}.node"), {"kind": "x" * 100}) for number in range(5))
    state = StoredCall.decode(stored(StoredWalk(frames=frames), long="y" * 1200).encode())
    assert state.walk.frames == frames
    assert not state.walk.frames_lost
    assert state.data == {}


def test_what_was_lost_once_stays_lost() -> None:
    walk = StoredWalk(frames=(Frame(NodeId("a.b")),), frames_lost=True)
    assert StoredCall.decode(stored(walk).encode()).walk == walk


def test_a_call_gets_back_what_was_kept_of_it() -> None:
    call = CallContext(call_id="c1", priority=50, requires={"english": 3}, agent="anna", hours={"why": "Christmas"})
    call.menus = [NodeId(f"main.m{number}") for number in range(MOST_MENUS + 3)]
    call.frames = [Frame(NodeId("main.a"), {"kind": ""}, 2), Frame(NodeId("sub.b"), {}, MOST_MENUS + 3)]
    kept = StoredCall(
        phase=CallPhase.QUEUE, arrived_at=1.0, menus=tuple(call.menus), walk=StoredWalk.of(call), queue="cards"
    )
    after = CallContext(call_id="c1")
    back = StoredCall.decode(kept.encode())
    after.menus.extend(NodeId(menu) for menu in back.menus)
    back.walk.restore(after)
    assert after.menus == call.menus[-MOST_MENUS:]
    assert after.frames == [Frame(NodeId("main.a"), {"kind": ""}, 0), Frame(NodeId("sub.b"), {}, MOST_MENUS)]
    assert (after.priority, after.requires, after.agent, after.hours) == (
        50,
        {"english": 3},
        "anna",
        {"why": "Christmas"},
    )


def test_menus_that_were_forgotten_leave_no_subtree_further_down_than_there_are() -> None:
    call = CallContext(call_id="c1")
    StoredWalk(frames=(Frame(NodeId("main.a"), {}, 5),)).restore(call)
    assert call.frames == [Frame(NodeId("main.a"), {}, 0)]


def test_nothing_is_written_for_a_call_that_is_in_no_subtree() -> None:
    assert dict(parse_qsl(stored(StoredWalk()).encode().partition("&")[2])).keys() == {"ph", "at", "n", "m"}
