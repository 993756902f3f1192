"""Moments on the engine's clock get their dates."""

from __future__ import annotations

from acd.service.clocks import Clocks
from acd.service.status import dated

CLOCKS = Clocks(monotonic=lambda: 1000.0, wall=lambda: 1_800_000_000.0)


def test_dates_stand_beside_the_moments() -> None:
    told = {"at_s": 990.0, "entered_at_s": None, "story": [{"at_s": 1000.0, "what": "x"}], "in_state_s": 5.0}
    assert dated(told, CLOCKS.to_wall) == {
        "at_s": 990.0,
        "at": "2027-01-15T07:59:50.000Z",
        "entered_at_s": None,
        "story": [{"at_s": 1000.0, "at": "2027-01-15T08:00:00.000Z", "what": "x"}],
        "in_state_s": 5.0,
    }
    assert dated(None, CLOCKS.to_wall) is None


def test_both_clocks_agree() -> None:
    assert CLOCKS.to_monotonic(1_799_999_990.0) == 990.0
    assert CLOCKS.to_wall(990.0) == 1_799_999_990.0
    assert CLOCKS.to_monotonic(1_800_000_999.0) == 1000.0, "what lies in the future counts as now"
