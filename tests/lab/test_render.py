"""The rendered configuration: the site's files as they are, the rest filled in, nothing that could be misread."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from acd.lab.errors import PbxError
from acd.lab.install import AsteriskInstall
from acd.lab.ports import Ports
from acd.lab.render import SITE_FILES, LabSettings, Phone, conf_source, fill_in, phone_sections, render, with_password

PORTS = Ports(sip=15060, ami=15038, agi=14573, web=18080, http=18088, rtp_start=20000, rtp_end=21999)


@pytest.fixture
def settings(tmp_path: Path) -> LabSettings:
    data = tmp_path / "share"
    for name in ("documentation", "sounds/en", "moh"):
        (data / name).mkdir(parents=True)
    install = AsteriskInstall(
        asterisk=("asterisk",),
        sipp=(),
        espeak_ng=(),
        version="22.0.0",
        module_dir=tmp_path / "modules",
        data_dir=data,
        sounds_dir=data / "sounds",
        moh_dir=data / "moh",
    )
    phones = (
        Phone("anna", contact="sip:anna@127.0.0.1:5071"),
        Phone("ben", "secret-1"),
        Phone("caller", "x", context="c"),
    )
    run_dir = tmp_path / "run"
    return LabSettings(
        run_dir,
        run_dir / "run",
        install,
        PORTS,
        "ami-secret",
        phones=phones,
        dialplan_globals={"ACD_FALLBACK": "closed"},
    )


def test_site_files_are_copied_as_they_are(settings: LabSettings) -> None:
    render(settings)
    for name in SITE_FILES:
        assert (settings.run_dir / "etc" / name).read_text() == (conf_source() / name).read_text()


def test_no_placeholder_is_left_and_every_included_file_is_there(settings: LabSettings) -> None:
    render(settings)
    etc = settings.run_dir / "etc"
    for path in etc.rglob("*.conf"):
        text = path.read_text()
        assert not re.search(r"@[A-Z_]+@", text), path
        for included in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE):
            assert (etc / included).is_file(), f"{path} includes {included}"


def test_ports_secret_and_globals(settings: LabSettings) -> None:
    render(settings)
    etc = settings.run_dir / "etc"
    assert "bind = 127.0.0.1:15060" in (etc / "pjsip.conf").read_text()
    assert "port = 15038" in (etc / "manager.conf").read_text()
    assert (etc / "acd" / "ami_secret.conf").read_text() == "secret = ami-secret\n"
    assert "ACD_ENGINE = agi://127.0.0.1:14573\nACD_FALLBACK = closed\n" in (etc / "extensions.conf").read_text()
    assert "rtpstart = 20000\nrtpend = 21999\n" in (etc / "rtp.conf").read_text()


def test_secrets_are_for_this_user_only(settings: LabSettings) -> None:
    render(settings)
    assert stat.S_IMODE(settings.run_dir.stat().st_mode) == 0o700


def test_fall_back_members_are_the_agents(settings: LabSettings) -> None:
    render(settings)
    members = (settings.run_dir / "etc" / "acd" / "fallback_members.conf").read_text()
    assert members == "member => PJSIP/anna\nmember => PJSIP/ben\n"


def test_rendering_again_forgets_what_was(settings: LabSettings) -> None:
    render(settings)
    (settings.run_dir / "etc" / "stray.conf").write_text("x")
    (settings.run_dir / "log" / "messages.log").write_text("old")
    (settings.run_dir / "spool" / "voicemail").mkdir()
    render(settings)
    assert not (settings.run_dir / "etc" / "stray.conf").exists()
    assert not (settings.run_dir / "log" / "messages.log").exists()
    assert (settings.run_dir / "spool" / "voicemail").is_dir()


def test_phone_with_a_contact_needs_no_password() -> None:
    text = phone_sections(Phone("anna", contact="sip:anna@127.0.0.1:5071"), "127.0.0.1")
    assert "contact = sip:anna@127.0.0.1:5071" in text
    assert "auth" not in text


def test_phone_that_registers() -> None:
    text = phone_sections(Phone("web", "pass", webrtc=True), "127.0.0.1")
    assert text.startswith("[web](acd-webrtc)\n")
    assert "[web](acd-phone-auth)\nusername = web\npassword = pass\n" in text


def test_passwords_are_made_up_once() -> None:
    made = with_password(Phone("anna"))
    assert made.password is not None
    assert len(made.password) == 24
    assert with_password(made) is made
    assert with_password(Phone("anna")).password != made.password
    assert with_password(Phone("anna", contact="sip:a@b")).password is None


@pytest.mark.parametrize("name", ["Anna", "", "a b", "anna]", "anna\n[x]", "1a", "a;b", "ä"])
def test_names_that_asterisk_could_misread(name: str) -> None:
    with pytest.raises(PbxError):
        Phone(name)


@pytest.mark.parametrize("password", ["a;b", "a b", "a\nb", ""])
def test_passwords_that_asterisk_could_misread(password: str) -> None:
    with pytest.raises(PbxError):
        Phone("anna", password)


@pytest.mark.parametrize("contact", ["anna@host", "sip:a;b", "sip:a\nb", "sip:a,sip:b"])
def test_contacts_that_asterisk_could_misread(contact: str) -> None:
    with pytest.raises(PbxError):
        Phone("anna", contact=contact)


@pytest.mark.parametrize(("name", "value"), [("lower", "x"), ("A B", "x"), ("A", "x\ny"), ("A", "x;y")])
def test_globals_that_asterisk_could_misread(settings: LabSettings, name: str, value: str) -> None:
    bad = LabSettings(
        settings.run_dir, settings.runtime_dir, settings.install, PORTS, "s", dialplan_globals={name: value}
    )
    with pytest.raises(PbxError):
        render(bad)


def test_run_folders_that_asterisk_could_misread(settings: LabSettings, tmp_path: Path) -> None:
    bad = LabSettings(tmp_path / "a;b", settings.runtime_dir, settings.install, PORTS, "s")
    with pytest.raises(PbxError, match="run folder"):
        render(bad)


def test_a_word_that_nobody_knows() -> None:
    assert fill_in("a @X@ b", {"X": "1"}) == "a 1 b"
    with pytest.raises(PbxError, match="@Y@"):
        fill_in("@Y@", {"X": "1"})
