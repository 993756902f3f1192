"""A scripted Asterisk manager interface, and a site that names it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from acd.lab.ports import choose_ports
from tests.doctor.fake_ami import FakeAmi
from tests.doctor.site_files import write_site


@pytest.fixture
def ami() -> Iterator[FakeAmi]:
    """A manager interface that answers as a well set-up Asterisk until a test changes it."""
    with FakeAmi() as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, ami: FakeAmi) -> Path:
    """A configuration folder for the scripted manager interface; its engine does not run."""
    ports = choose_ports(usual=False)
    ami.values["ACD_ENGINE"] = f"agi://127.0.0.1:{ports.agi}"
    return write_site(tmp_path / "site", ports, ami.port)
