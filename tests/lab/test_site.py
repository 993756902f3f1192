"""What a site does: install.sh, its own phones, and an Asterisk that starts with the result."""

from __future__ import annotations

import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from acd.lab.install import AsteriskInstall
from acd.lab.pbx import Pbx
from acd.lab.render import SITE_FILES, conf_source

INSTALL = conf_source() / "install.sh"


def install(folder: Path, *options: str) -> str:
    done = subprocess.run(["sh", str(INSTALL), *options, str(folder)], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def contents(folder: Path) -> Mapping[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "asterisk"
    folder.mkdir()
    for name in ("asterisk.conf", "extensions.conf", "pjsip.conf", "queues.conf", "musiconhold.conf"):
        (folder / name).write_text("; the site's own\n")
    (folder / "manager.conf").write_text("[general]\nenabled = yes\n")
    return folder


def test_install_twice_is_install_once(etc: Path) -> None:
    said = install(etc)
    assert "added to" in said
    assert "still to do" not in said
    for name in SITE_FILES:
        assert (etc / name).read_text() == (conf_source() / name).read_text()
    assert (etc / "extensions.conf").read_text() == '; the site\'s own\n\n#include "extensions_acd.conf"\n'
    before = contents(etc)
    assert install(etc) == ""
    assert contents(etc) == before


def test_the_secret_is_long_random_and_not_for_everybody(etc: Path, tmp_path: Path) -> None:
    install(etc)
    secret = (etc / "acd" / "ami_password").read_text().strip()
    assert re.fullmatch("[0-9a-f]{48}", secret)
    assert (etc / "acd" / "ami_secret.conf").read_text() == f"secret = {secret}\n"
    for path in (etc / "acd", *(etc / "acd").iterdir()):
        assert not stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO
    other = tmp_path / "other"
    other.mkdir()
    (other / "asterisk.conf").touch()
    install(other)
    assert (other / "acd" / "ami_password").read_text().strip() != secret


def test_asterisk_and_the_engine_reach_the_recordings(
    etc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = tmp_path / "spool" / "acd" / "recordings"
    monkeypatch.setenv("ACD_RECORDINGS_DIR", str(recordings))
    said = install(etc)
    assert f"made {recordings} for recordings" in said
    assert stat.S_IMODE(recordings.stat().st_mode) == 0o2770
    for folder in (recordings.parent, recordings.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert install(etc) == ""


def test_the_sites_own_files_stay(etc: Path) -> None:
    install(etc)
    (etc / "acd" / "phones.conf").write_text("; mine\n")
    (etc / "extensions_acd.conf").write_text("an older version\n")
    install(etc)
    assert (etc / "acd" / "phones.conf").read_text() == "; mine\n"
    assert (etc / "extensions_acd.conf").read_text() == (conf_source() / "extensions_acd.conf").read_text()


def test_debians_manager_folder_is_not_included_twice(etc: Path) -> None:
    (etc / "manager.conf").write_text('[general]\n#include "manager.d/*.conf"\n')
    said = install(etc)
    assert (etc / "manager.conf").read_text() == '[general]\n#include "manager.d/*.conf"\n'
    assert "still to do: enabled = yes" in said


def test_freepbx_gets_custom_files_only(etc: Path) -> None:
    before = contents(etc)
    install(etc, "--freepbx")
    after = contents(etc)
    assert {name: after[name] for name in before} == before
    assert '#include "extensions_acd.conf"' in after["extensions_custom.conf"]
    assert "include => acd-feature-codes" in after["extensions_custom.conf"]
    assert "ACD_TRANSFER_CONTEXT = from-internal-xfer" in after["globals_custom.conf"]
    install(etc, "--freepbx")
    assert contents(etc) == after


@pytest.mark.parametrize("arguments", [["--wrong"], ["/no/such/folder"]])
def test_install_refuses(arguments: list[str]) -> None:
    done = subprocess.run(["sh", str(INSTALL), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2)
    assert done.stderr


def example_phones() -> str:
    """The example at the end of pjsip_acd.conf, with its comment marks removed and passwords chosen."""
    text = (conf_source() / "pjsip_acd.conf").read_text()
    example = text.split("An example of each")[1].split("; The site's own")[0]
    lines = [line.removeprefix("; ") for line in example.splitlines()[1:] if line != ";"]
    return "\n".join(lines).replace("password =", "password = 0123456789abcdef") + "\n"


@pytest.mark.pbx
async def test_an_asterisk_with_the_installed_files_and_the_example(tmp_path: Path, asterisk: AsteriskInstall) -> None:
    pbx = Pbx(asterisk, tmp_path, usual_ports=False)
    await pbx.start()
    await pbx.kill()
    etc = tmp_path / "etc"
    for name in (*SITE_FILES, "acd/ami_secret.conf", "acd/phones.conf", "acd/fallback_members.conf"):
        (etc / name).unlink()
    install(etc)
    (etc / "acd" / "phones.conf").write_text(example_phones())
    (etc / "acd" / "fallback_members.conf").write_text("member => PJSIP/anna\n")
    pbx.ami_secret = (etc / "acd" / "ami_password").read_text().strip()
    await pbx.start()
    try:
        endpoints = await pbx.cli("pjsip show endpoints")
        queue = await pbx.cli("queue show acd-fallback")
        warnings = (pbx.log_dir / "messages.log").read_text()
    finally:
        await pbx.stop()
    for name in ("provider", "anna/anna", "ben/ben"):
        assert name in endpoints
    assert "PJSIP/anna" in queue
    assert not re.search(r"(WARNING|ERROR)\[\d+\]", warnings), warnings
