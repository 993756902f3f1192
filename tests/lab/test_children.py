"""What ends a lab and the processes in it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from acd.lab.children import stop_signals


@pytest.fixture(autouse=True)
def hang_up_as_it_was() -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


def test_the_end_of_the_terminal_stops_a_lab() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    assert stop_signals() == (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def test_nohup_keeps_a_lab() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert stop_signals() == (signal.SIGINT, signal.SIGTERM)
