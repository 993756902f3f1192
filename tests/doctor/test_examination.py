from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from acd.doctor.asterisk_checks import parse_version
from acd.doctor.conf_files import read_conf
from acd.doctor.examination import Examination, examine
from acd.doctor.findings import Finding, Level
from acd.doctor.manager import EVENTS_OF_ENGINE
from tests.doctor.fake_ami import HANG_UP, SILENCE, FakeAmi

CONF = Path(__file__).parents[2] / "asterisk-conf"


def doctor(site: Path, *, test_call: bool = True, timeout_s: float = 30.0) -> list[Finding]:
    return list(examine(Examination(site, {}, timeout_s=timeout_s, test_call=test_call)))


def of(findings: Iterable[Finding], check: str) -> list[Finding]:
    return [finding for finding in findings if finding.check == check]


def one(findings: Iterable[Finding], check: str) -> Finding:
    (finding,) = of(findings, check)
    return finding


def worst(findings: Iterable[Finding], check: str) -> Finding:
    order = [Level.FAULT, Level.WARNING, Level.UNCHECKED, Level.OK]
    return min(of(findings, check), key=lambda finding: order.index(finding.level))


def asterisk_here(ami: FakeAmi, tmp_path: Path) -> tuple[Path, Path]:
    """Gives the scripted Asterisk folders on this machine, filled as they should be."""
    etc, data = tmp_path / "etc", tmp_path / "data"
    (etc / "manager.d").mkdir(parents=True)
    shutil.copy(CONF / "manager.d" / "acd.conf", etc / "manager.d")
    (etc / "manager.conf").write_text("[general]\nenabled = yes\nbindaddr = 127.0.0.1\n#include manager.d/*.conf\n")
    (etc / "musiconhold.conf").write_text("[default]\nmode = files\ndirectory = moh\n")
    (data / "sounds" / "en").mkdir(parents=True)
    (data / "moh").mkdir()
    (data / "moh" / "music.gsm").touch()
    for sound in ("im-sorry", "please-try-call-later", "please-try-again"):
        (data / "sounds" / "en" / f"{sound}.gsm").touch()
    ami.values.update({"ASTETCDIR": str(etc), "ASTDATADIR": str(data)})
    return etc, data


def test_a_sound_set_up_has_no_fault(site: Path, ami: FakeAmi, tmp_path: Path) -> None:
    asterisk_here(ami, tmp_path)
    ami.actions["Ping"] = lambda _action: [f"Response: Success\r\nTimestamp: {time.time()}\r\n"]
    findings = doctor(site)
    assert [finding for finding in findings if finding.level is not Level.OK and finding.check != "engine"] == []
    assert {finding.check for finding in findings} == {
        *("config", "host-name", "folders", "engine", "ami", "version", "clock", "ami-rights", "manager-conf"),
        *("modules", "dialplan", "codecs", "sounds", "music", "prompts", "phones", "events"),
    }


def test_every_trouble_has_a_remedy(site: Path, ami: FakeAmi) -> None:
    ami.modules = {"func_module"}
    ami.values = {"ACD_ENGINE": "agi://10.0.0.1:1"}
    ami.allowed = []
    ami.call_events.append("VarSet")
    ami.version = "16.28.0"
    findings = doctor(site)
    assert sum(finding.level is Level.FAULT for finding in findings) > 10
    assert [finding for finding in findings if (finding.level is not Level.OK) != bool(finding.remedy)] == []


def test_a_broken_configuration_is_the_first_fault(site: Path) -> None:
    (site / "routing.yaml").write_text("queues: {}\n")
    (finding,) = doctor(site)
    assert finding.check == "config"
    assert finding.level is Level.FAULT
    assert "routing.yaml:1:1" in finding.text
    assert "check-config" in finding.remedy


def test_no_password(site: Path) -> None:
    text = (site / "acd.yaml").read_text().replace(", password: s3cret", "")
    (site / "acd.yaml").write_text(text)
    found = worst(doctor(site), "ami")
    assert found.level is Level.FAULT
    assert "ACD_AMI_PASSWORD_FILE" in found.remedy


def test_wrong_password_is_not_shown(site: Path, ami: FakeAmi) -> None:
    ami.actions["Login"] = lambda _action: ["Response: Error\r\nMessage: Authentication failed\r\n"]
    findings = doctor(site)
    assert one(findings, "ami").text.endswith("refuses user 'acd': Authentication failed")
    assert not [finding for finding in findings if "s3cret" in finding.text + finding.remedy]


def test_asterisk_that_falls_silent(site: Path, ami: FakeAmi) -> None:
    ami.actions["ListCommands"] = lambda _action: [SILENCE]
    found = worst(doctor(site, timeout_s=0.5), "ami")
    assert found.level is Level.FAULT
    assert "did not answer to ListCommands" in found.text


def test_asterisk_that_goes_away(site: Path, ami: FakeAmi) -> None:
    ami.actions["ListCommands"] = lambda _action: [HANG_UP]
    assert worst(doctor(site), "ami").level is Level.FAULT


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("22.10.1+dfsg+~cs6.17", Level.OK),
        ("certified/20.12-cert2", Level.OK),
        ("20.9.3", Level.WARNING),
        ("18.24.0", Level.WARNING),
        ("16.28.0", Level.FAULT),
        ("GIT-master-abc", Level.UNCHECKED),
    ],
)
def test_versions(site: Path, ami: FakeAmi, version: str, level: Level) -> None:
    ami.version = version
    assert one(doctor(site), "version").level is level


def test_version_numbers() -> None:
    assert parse_version("certified/18.9-cert5") == (18, 9)
    assert parse_version("22.0.0-rc1") == (22, 0, 0)


@pytest.mark.parametrize(("ahead_s", "level"), [(0, Level.OK), (30, Level.WARNING), (-30, Level.WARNING)])
def test_clocks(site: Path, ami: FakeAmi, ahead_s: float, level: Level) -> None:
    ami.actions["Ping"] = lambda _action: [f"Response: Success\r\nTimestamp: {time.time() + ahead_s}\r\n"]
    found = one(doctor(site), "clock")
    assert found.level is level
    assert ahead_s == 0 or ("ahead of" in found.text) is (ahead_s > 0)


def test_rights_that_are_missing(site: Path, ami: FakeAmi) -> None:
    ami.allowed.remove("ControlPlayback")
    found = one(doctor(site), "ami-rights")
    assert found.level is Level.FAULT
    assert "ControlPlayback" in found.text
    assert "write = call,originate,reporting" in found.remedy


def test_rights_that_are_dangerous(site: Path, ami: FakeAmi) -> None:
    ami.allowed += ["Command", "UpdateConfig"]
    found = one(doctor(site), "ami-rights")
    assert found.level is Level.WARNING
    assert "Command" in found.text
    assert "UpdateConfig" in found.text


def test_live_dangerously(site: Path, ami: FakeAmi) -> None:
    ami.values["STAT(e,/)"] = "1"
    assert "live_dangerously" in worst(doctor(site), "ami").text


def test_events_that_do_not_come(site: Path, ami: FakeAmi) -> None:
    ami.call_events = ["OriginateResponse", "Hangup"]
    found = one(doctor(site, timeout_s=0.5), "events")
    assert found.level is Level.FAULT
    assert "Newchannel" in found.text


def test_events_without_a_filter(site: Path, ami: FakeAmi) -> None:
    ami.call_events[0:0] = ["VarSet", "Newexten"]
    found = one(doctor(site), "events")
    assert found.level is Level.WARNING
    assert "(Newexten, VarSet)" in found.text


def test_without_the_test_call_no_call_is_placed(site: Path, ami: FakeAmi) -> None:
    assert one(doctor(site, test_call=False), "events").level is Level.UNCHECKED
    assert "Originate" not in {action["Action"] for action in ami.received}


def test_the_test_call_can_ring_nobody(site: Path, ami: FakeAmi) -> None:
    doctor(site)
    (call,) = [action for action in ami.received if action["Action"] == "Originate"]
    assert call["Channel"] == "Local/s@acd-doctor-nowhere"


def test_the_shipped_filter_is_the_one_that_is_expected() -> None:
    keys = [key for key, _value in read_conf(CONF / "manager.d" / "acd.conf")["acd"]]
    names = {key.partition("name(")[2].rstrip(")") for key in keys if key.startswith("eventfilter")}
    assert names == EVENTS_OF_ENGINE


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("writetimeout = 5000", "writetimeout = 100"), "writetimeout 100 ms"),
        (("writetimeout = 5000", ""), "writetimeout 100 ms"),
        (("read = system,call,dtmf", "read = all"), "not needed: all"),
        (("deny =", ";"), "every address"),
        (("eventfilter(", ";"), "no eventfilter"),
    ],
)
def test_manager_conf_with_a_flaw(site: Path, ami: FakeAmi, tmp_path: Path, change: tuple[str, str], text: str) -> None:
    etc, _data = asterisk_here(ami, tmp_path)
    file = etc / "manager.d" / "acd.conf"
    file.write_text(file.read_text().replace(*change))
    found = one(doctor(site), "manager-conf")
    assert found.level is Level.WARNING
    assert text in found.text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("read = system,call,dtmf", "read = system,call"), "does not read class dtmf"),
        (("read = system,call,dtmf", "read = call"), "does not read class dtmf, system: without it the engine never"),
        (("eventfilter(action(include),name(DialEnd)) =", ""), "let no DialEnd through"),
    ],
)
def test_manager_conf_that_keeps_events_back(
    site: Path, ami: FakeAmi, tmp_path: Path, change: tuple[str, str], text: str
) -> None:
    etc, _data = asterisk_here(ami, tmp_path)
    file = etc / "manager.d" / "acd.conf"
    file.write_text(file.read_text().replace(*change))
    found = one(doctor(site), "manager-conf")
    assert found.level is Level.FAULT
    assert text in found.text


def test_filters_of_a_sites_own_are_not_judged(site: Path, ami: FakeAmi, tmp_path: Path) -> None:
    etc, _data = asterisk_here(ami, tmp_path)
    file = etc / "manager.d" / "acd.conf"
    text = file.read_text().replace("eventfilter(action(include),name(DialEnd)) =", "eventfilter = Event: Dial.*")
    file.write_text(text)
    assert one(doctor(site), "manager-conf").level is Level.OK


def test_ami_that_listens_everywhere(site: Path, ami: FakeAmi, tmp_path: Path) -> None:
    etc, _data = asterisk_here(ami, tmp_path)
    file = etc / "manager.conf"
    file.write_text(file.read_text().replace("bindaddr = 127.0.0.1", ""))
    assert "listens on every address" in one(doctor(site), "manager-conf").text


def test_manager_conf_on_another_machine(site: Path) -> None:
    found = one(doctor(site), "manager-conf")
    assert found.level is Level.UNCHECKED
    assert "writetimeout" in found.text


def test_needed_module(site: Path, ami: FakeAmi) -> None:
    ami.modules.remove("res_agi")
    assert one(doctor(site), "modules").level is Level.FAULT


def test_useful_module(site: Path, ami: FakeAmi) -> None:
    ami.modules.remove("app_voicemail")
    assert one(doctor(site), "modules").level is Level.WARNING


def test_modules_of_the_phones_technology(site: Path, ami: FakeAmi) -> None:
    (site / "agents.yaml").write_text("agents: {anna: {phone: IAX2/anna, queues: [sales]}}\n")
    assert "chan_iax2" in one(doctor(site), "modules").text
    ami.modules = {module for module in ami.modules if "pjsip" not in module} | {"chan_iax2"}
    assert one(doctor(site), "modules").level is Level.OK


def test_modules_that_can_not_be_asked_for(site: Path, ami: FakeAmi) -> None:
    ami.modules.clear()
    assert one(doctor(site), "modules").level is Level.UNCHECKED


def test_dialplan_without_the_entry(site: Path, ami: FakeAmi) -> None:
    ami.values["DIALPLAN_EXISTS(acd-inbound,s,1)"] = "0"
    found = worst(doctor(site), "dialplan")
    assert found.level is Level.FAULT
    assert "[acd-inbound]" in found.text


@pytest.mark.parametrize("url", ["agi://127.0.0.1:1", "agi://10.0.0.1", "http://x"])
def test_dialplan_that_leads_elsewhere(site: Path, ami: FakeAmi, url: str) -> None:
    ami.values["ACD_ENGINE"] = url
    found = worst(doctor(site), "dialplan")
    assert found.level is Level.FAULT
    assert "ACD_ENGINE" in found.remedy


def test_no_fall_back_queue(site: Path, ami: FakeAmi) -> None:
    ami.values["QUEUE_EXISTS(acd-fallback)"] = "0"
    assert worst(doctor(site), "dialplan").level is Level.WARNING
    ami.values["ACD_FALLBACK"] = "closed"
    assert worst(doctor(site), "dialplan").level is Level.OK


def test_codec_that_can_not_be_translated(site: Path, ami: FakeAmi) -> None:
    ami.values["PJSIP_ENDPOINT(anna,allow)"] = "(g729|opus)"
    found = one(doctor(site), "codecs")
    assert found.level is Level.WARNING
    assert "anna (g729, opus)" in found.text
    ami.modules.add("codec_g729a")
    found = one(doctor(site), "codecs")
    assert found.level is Level.WARNING
    assert "can't translate opus, which anna may choose" in found.text
    ami.modules.add("codec_opus")
    assert one(doctor(site), "codecs").level is Level.OK


def test_each_codec_that_a_phone_or_the_trunk_may_choose_in_vain(site: Path, ami: FakeAmi) -> None:
    with (site / "routing.yaml").open("a") as routing:
        routing.write("outbound: {trunk: 'PJSIP/{number}@carrier', allowed: ['+49']}\n")
    ami.values["PJSIP_ENDPOINT(anna,allow)"] = "(alaw|opus|h264)"
    ami.values["PJSIP_ENDPOINT(carrier,allow)"] = "(ulaw|opus|g729)"
    found = [finding for finding in doctor(site) if finding.check == "codecs"]
    assert {finding.level for finding in found} == {Level.WARNING}
    assert [finding.text.partition(":")[0] for finding in found] == [
        "Asterisk can't translate g729, which the trunk may choose",
        "Asterisk can't translate opus, which anna, the trunk may choose",
    ]


def test_phones_that_cannot_register(site: Path, ami: FakeAmi) -> None:
    ami.modules.remove("res_pjsip_registrar")
    found = one(doctor(site), "modules")
    assert found.level is Level.WARNING
    assert "phones can't register" in found.text


def test_sounds_that_are_missing(site: Path, ami: FakeAmi, tmp_path: Path) -> None:
    _etc, data = asterisk_here(ami, tmp_path)
    (data / "sounds" / "en" / "im-sorry.gsm").unlink()
    ami.values["ACD_CLOSED_PROMPT"] = f"{data}/own&closed"
    (data / "own.wav").touch()
    found = one(doctor(site), "sounds")
    assert found.level is Level.WARNING
    assert "no closed, no im-sorry:" in found.text


def test_music_that_is_missing(site: Path, ami: FakeAmi, tmp_path: Path) -> None:
    _etc, data = asterisk_here(ami, tmp_path)
    (data / "moh" / "music.gsm").unlink()
    ami.values["ACD_MUSIC"] = "brass"
    brass, default = of(doctor(site), "music")
    assert "'brass' is not in musiconhold.conf" in brass.text
    assert "'default' has no file" in default.text


def test_phone_that_asterisk_does_not_know(site: Path, ami: FakeAmi) -> None:
    ami.values["DEVICE_STATE(PJSIP/anna)"] = "INVALID"
    found = one(doctor(site), "phones")
    assert found.level is Level.FAULT
    assert "anna (PJSIP/anna)" in found.text


def test_phone_that_is_off(site: Path, ami: FakeAmi) -> None:
    ami.values["DEVICE_STATE(PJSIP/anna)"] = "UNAVAILABLE"
    assert worst(doctor(site), "phones").level is Level.WARNING


def test_an_action_that_asterisk_refuses_spoils_only_its_own_check(site: Path, ami: FakeAmi) -> None:
    ami.actions["CoreSettings"] = lambda _action: ["Response: Error\r\nMessage: Permission denied\r\n"]
    findings = doctor(site)
    assert one(findings, "version").level is Level.UNCHECKED
    assert one(findings, "events").level is Level.OK
