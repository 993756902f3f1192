"""A call's state on its channel: whole after a round trip, harmless to Asterisk, never trusted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.service.call_state import CallPhase, CallStateError, StoredCall, is_call_id

names = st.text("abcxyz0189_-", min_size=1, max_size=20)
anything = st.text(st.characters(codec="utf-8"), min_size=1, max_size=10)
times = st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)

calls = st.builds(
    StoredCall,
    phase=st.sampled_from(CallPhase),
    arrived_at=times,
    node=names,
    language=st.sampled_from(["", "en", "zh"]),
    dialled=anything,
    queue=names,
    entered_at=times,
    priority=st.integers(-1000, 1000),
    requires=st.dictionaries(names, st.integers(1, 10), max_size=5),
    customer=anything,
    menus=st.lists(names, max_size=8).map(tuple),
    known=st.dictionaries(names, anything, max_size=3),
    data=st.dictionaries(names, anything, max_size=3),
)


@given(calls)
def test_a_state_comes_back_as_it_was(call: StoredCall) -> None:
    assert StoredCall.decode(call.encode()) == call


@given(calls)
def test_what_is_written_means_nothing_to_asterisk(call: StoredCall) -> None:
    assert re.fullmatch(r"[A-Za-z0-9&=%+._~-]+", call.encode())


def test_an_empty_state_is_short() -> None:
    state = StoredCall(phase=CallPhase.MENU, arrived_at=1.5, node="main.welcome")
    assert state.encode() == "1&ph=menu&at=1.500&n=main.welcome"


def test_too_much_data_is_cut_and_the_rest_stays_whole() -> None:
    state = StoredCall(
        phase=CallPhase.QUEUE, arrived_at=1.0, queue="cards", entered_at=2.0, data={"first": "x", "huge": "y" * 10_000}
    )
    encoded = state.encode()
    assert len(encoded) <= 1500
    decoded = StoredCall.decode(encoded)
    assert decoded.data == {"first": "x"}
    assert decoded.queue == "cards"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2&ph=menu&at=1",
        "1",
        "1&",
        "1&ph=menu",
        "1&at=1",
        "1&ph=nowhere&at=1",
        "1&ph=menu&at=soon",
        "1&ph=menu&at=nan",
        "1&ph=menu&at=1&t=inf",
        "1&ph=menu&at=1&p=high",
        "1&ph=menu&at=1&%ff",
        "1&ph=menu&at=1&c=%ff",
        "1&" + "&".join(f"d.{n}=1" for n in range(600)),
        "${SHELL(reboot)}",
    ],
)
def test_what_is_not_a_state_is_refused(text: str) -> None:
    with pytest.raises(CallStateError):
        StoredCall.decode(text)


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("20261121T203355-3fa9c1", True),
        ("", False),
        ("a" * 41, False),
        ("a b", False),
        ('x"', False),
        ("../etc", False),
        ("${CALLERID(num)}", False),
        ("x\n", False),
    ],
)
def test_ids_from_channels_are_checked(text: str, good: bool) -> None:
    assert is_call_id(text) is good
