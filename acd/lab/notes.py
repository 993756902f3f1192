"""What a running lab leaves in its run folder for ``acd lab call``, ``phone`` and ``env`` in other terminals.

The phones' passwords stay the same from run to run, so that a softphone has to be set up only once.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acd.lab.errors import LabError

FILE = "lab.json"


@dataclass(frozen=True, slots=True)
class LabNotes:
    """Addresses and passwords of a lab. ``engine_env`` connects an engine to it."""

    pid: int
    sip_host: str
    sip_port: int
    web_host: str
    web_port: int
    passwords: Mapping[str, str]
    engine_env: Mapping[str, str]

    @property
    def running(self) -> bool:
        """Whether the process that wrote the notes is still there."""
        return Path(f"/proc/{self.pid}").exists()

    def write(self, run_dir: Path) -> None:
        """Puts the notes into the run folder, readable by this user only."""
        draft = run_dir / f"{FILE}.{os.getpid()}"
        draft.touch(0o600)
        draft.write_text(json.dumps(asdict(self), indent=2) + "\n")
        draft.replace(run_dir / FILE)


def read_notes(run_dir: Path) -> LabNotes | None:
    """The notes in a run folder; None when there are none. Raises LabError when they can't be read."""
    try:
        values: dict[str, Any] = json.loads((run_dir / FILE).read_text())
        return LabNotes(**values)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as failed:
        raise LabError(f"{run_dir / FILE} can't be read ({failed}); delete it and start `acd lab run` anew") from failed


def running_lab(run_dir: Path) -> LabNotes:
    """The notes of the lab that runs in ``run_dir``. Raises LabError when none does."""
    notes = read_notes(run_dir)
    if notes is None or not notes.running:
        raise LabError(f"no lab runs in {run_dir}: start one with `acd lab run` (or name its folder with --run-dir)")
    return notes
