"""Fixtures of the lab's own tests."""

from __future__ import annotations

import pytest

from acd.lab.fetch import ensure_asterisk
from acd.lab.install import AsteriskInstall


@pytest.fixture(scope="session")
def asterisk() -> AsteriskInstall:
    """The Asterisk and the SIPp that the tests run."""
    return ensure_asterisk()
