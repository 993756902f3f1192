from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from acd.doctor.findings import Finding, Level
from acd.doctor.recordings import check_recordings
from acd.doctor.site import Site
from acd.lab.ports import choose_ports
from config import load
from tests.doctor.site_files import write_site

NOBODY = "nobody"


class Asked:
    """An Asterisk with a user and modules."""

    def __init__(self, etc: Path, user: str = "", modules: tuple[str, ...] = ()) -> None:
        self.etc, self.user, self.modules = etc, user, modules

    def value(self, expression: str) -> str:
        return str(self.etc) if expression == "ASTETCDIR" else ""

    def action(self, _name: str) -> dict[str, str]:
        return {"CoreRunUser": self.user}

    def is_module_loaded(self, module: str) -> bool:
        return module in self.modules


def findings(tmp_path: Path, asked: Asked, boxes: str = "boxes: {cards: {agents: [anna]}}\n") -> list[Finding]:
    folder = write_site(tmp_path / "site", choose_ports(usual=False), 5038)
    if boxes:
        (folder / "voicemail.yaml").write_text(boxes)
    config = load(folder, {"ACD_RECORDINGS_DIR": str(tmp_path / "recordings")})
    return list(check_recordings(Site(config, asked)))  # type: ignore[arg-type]


def test_a_site_that_records_nothing_is_not_asked(tmp_path: Path) -> None:
    assert findings(tmp_path, Asked(tmp_path), "") == []


def test_all_is_well(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (found,) = findings(tmp_path, Asked(tmp_path))
    assert found.level is Level.OK


def test_no_folder(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, Asked(tmp_path))
    assert found.level is Level.FAULT
    assert "chmod 2770" in found.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_that_asterisk_s_user_cannot_write(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir(mode=0o755)
    for path in (tmp_path, *tmp_path.parents):
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o001)
    (found,) = findings(tmp_path, Asked(tmp_path, NOBODY))
    assert found.level is Level.FAULT
    assert f"'{NOBODY}' can't write" in found.text
    assert "usermod" in found.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_a_folder_of_a_group_that_both_are_of(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    os.chown(folder, -1, pwd.getpwnam(NOBODY).pw_gid)
    folder.chmod(0o2770)
    for path in (tmp_path, *tmp_path.parents):
        if not path.stat().st_mode & 0o001:
            path.chmod(path.stat().st_mode | 0o001)
    (found,) = findings(tmp_path, Asked(tmp_path, NOBODY))
    assert found.level is Level.OK


def test_lamps_need_a_module(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    boxes = "boxes: {cards: {agents: [anna], lamps: [anna@acd]}}\n"
    _, lamps = findings(tmp_path, Asked(tmp_path), boxes)
    assert lamps.level is Level.WARNING
    assert "app_minivm" in lamps.text


def test_lamps_with_it(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    boxes = "boxes: {cards: {agents: [anna], lamps: [anna@acd]}}\n"
    (found,) = findings(tmp_path, Asked(tmp_path, modules=("app_minivm",)), boxes)
    assert found.level is Level.OK
