from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from tests.tools.loading import load_tool


class Workshop:
    """A checkout in which commands are noted down instead of run."""

    def __init__(self, root: Path, setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.setup = setup
        self.root = root
        self.commands: list[list[str]] = []
        self.failing = ""
        self._monkeypatch = monkeypatch
        (root / "requirements").mkdir(parents=True)
        for name in ("requirements/build.txt", "requirements/runtime.txt", "requirements/dev.txt", "pyproject.toml"):
            (root / name).write_text(name)
        self.move_to(root)
        monkeypatch.setattr(setup, "_run", self._run)

    def move_to(self, root: Path) -> None:
        self.root = root
        venv = root / ".venv"
        places = {"ROOT": root, "VENV": venv, "PYTHON": venv / "bin" / "python", "STAMP": venv / "acd-setup.json"}
        for name, place in {**places, "LOCKS": root / "requirements"}.items():
            self._monkeypatch.setattr(self.setup, name, place)

    def make(self, *arguments: str) -> int:
        """Runs the set-up; its exit code."""
        self.commands.clear()
        code: int = self.setup.main(list(arguments))
        return code

    @property
    def steps(self) -> list[str]:
        """What was done, in short."""
        names = {
            "venv": "venv",
            "build.txt": "build",
            "runtime.txt": "runtime",
            "dev.txt": "dev",
            "--editable": "project",
        }
        return [names[word] for command in self.commands for part in command for word in names if _ends(part, word)]

    def _run(self, argv: Sequence[str], failed: str, folder: Path | None = None) -> None:
        del folder
        self.commands.append(list(argv))
        if self.failing and any(part.endswith(self.failing) for part in argv):
            raise self.setup.SetupError(failed)
        if "venv" in argv:
            (self.root / ".venv" / "bin").mkdir(parents=True, exist_ok=True)
            for name in ("python", "pip"):
                (self.root / ".venv" / "bin" / name).unlink(missing_ok=True)
                (self.root / ".venv" / "bin" / name).symlink_to(self.setup.sys.executable)


def _ends(part: str, word: str) -> bool:
    return part == word or part.endswith("/" + word)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path / "checkout", load_tool("setup_venv"), monkeypatch)


def test_everything_at_first_and_nothing_afterwards(workshop: Workshop) -> None:
    assert workshop.make() == 0
    assert workshop.steps == ["venv", "build", "runtime", "project"]
    assert workshop.make() == 0
    assert workshop.steps == []


def test_tools_are_added_to_an_environment_that_has_none(workshop: Workshop) -> None:
    workshop.make()
    workshop.make("--dev")
    assert workshop.steps == ["dev"]
    workshop.make()
    assert workshop.steps == []


def test_the_dev_lock_holds_the_runtime_lock(workshop: Workshop) -> None:
    workshop.make("--dev")
    assert workshop.steps == ["venv", "build", "dev", "project"]
    workshop.make()
    assert workshop.steps == []


@pytest.mark.parametrize(("file", "step"), [("requirements/runtime.txt", "runtime"), ("pyproject.toml", "project")])
def test_what_has_changed_is_done_again(workshop: Workshop, file: str, step: str) -> None:
    workshop.make()
    (workshop.root / file).write_text("changed")
    workshop.make()
    assert workshop.steps == [step]


def test_hashes_are_required_and_nothing_unlocked_is_fetched(workshop: Workshop) -> None:
    workshop.make("--dev")
    for command in workshop.commands:
        if "--requirement" in command:
            assert {"--require-hashes", "--no-deps", "--no-build-isolation"} <= set(command)


def test_a_copied_checkout_makes_its_own(workshop: Workshop, tmp_path: Path) -> None:
    workshop.make()
    workshop.move_to(workshop.root.rename(tmp_path / "copy"))
    workshop.make()
    assert workshop.steps == ["venv", "build", "runtime", "project"]


def test_an_environment_of_another_python_is_made_anew(workshop: Workshop) -> None:
    workshop.make()
    stamp = workshop.root / ".venv" / "acd-setup.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "python": "3.10.0 /usr/bin/python3.10"}))
    workshop.make()
    assert workshop.steps[0] == "venv"


def test_a_stamp_that_is_no_json_is_no_stamp(workshop: Workshop) -> None:
    workshop.make()
    (workshop.root / ".venv" / "acd-setup.json").write_text("{")
    workshop.make()
    assert workshop.steps[0] == "venv"


def test_what_failed_is_taken_up_where_it_stopped(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    workshop.failing = "runtime.txt"
    assert workshop.make() == 1
    assert "setup: pip failed" in capsys.readouterr().err
    workshop.failing = ""
    assert workshop.make() == 0
    assert workshop.steps == ["runtime", "project"]


def test_without_ensurepip_the_machines_pip_serves(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop.setup, "DEBIAN_WHEELS", "nothing/pip-*.whl")
    found = workshop.setup.importlib.util.find_spec
    monkeypatch.setattr(
        workshop.setup.importlib.util, "find_spec", lambda name: None if name == "ensurepip" else found(name)
    )
    original = workshop._run

    def without_pip(argv: Sequence[str], failed: str, folder: Path | None = None) -> None:
        original(argv, failed, folder)
        if "venv" in argv:
            assert "--without-pip" in argv
            (workshop.root / ".venv" / "bin" / "pip").unlink()

    monkeypatch.setattr(workshop.setup, "_run", without_pip)
    assert workshop.make() == 0
    (build,) = [command for command in workshop.commands if any(part.endswith("build.txt") for part in command)]
    assert build[:5] == [
        *(workshop.setup.sys.executable, "-m", "pip"),
        *("--python", str(workshop.root / ".venv" / "bin" / "python")),
    ]


def test_without_any_pip_and_apt_it_says_what_to_install(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(workshop.setup, "DEBIAN_WHEELS", "nothing/pip-*.whl")
    found = workshop.setup.importlib.util.find_spec
    monkeypatch.setattr(
        workshop.setup.importlib.util, "find_spec", lambda name: None if name in ("ensurepip", "pip") else found(name)
    )
    monkeypatch.setattr(workshop.setup.shutil, "which", lambda _name: None)
    original = workshop._run

    def without_pip(argv: Sequence[str], failed: str, folder: Path | None = None) -> None:
        original(argv, failed, folder)
        (workshop.root / ".venv" / "bin" / "pip").unlink()

    monkeypatch.setattr(workshop.setup, "_run", without_pip)
    assert workshop.make() == 1
    assert "apt-get install python3-venv" in capsys.readouterr().err


def test_a_checkout_that_can_not_be_written(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    (workshop.root / ".venv").write_text("a file in the way of the folder")
    (workshop.root / "requirements" / "build.txt").unlink()
    assert workshop.make() == 1
    assert "may you write to" in capsys.readouterr().err
