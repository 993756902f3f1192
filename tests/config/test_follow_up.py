"""followup.yaml: what it can say, and each of its faults with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ConfigErrors, load
from tests.config.sites import changed, write_site

ACD = (
    "webhooks: {crm: {url: 'https://crm.example/acd'}}\n"
    "mail: {host: localhost, tls: none, sender: acd@example.net}\nlog:"
)
SURVEY = """\
nodes:
  opinion:
    type: survey
    questions: {friendly: {prompt: goodbye}}
"""
SOUND = """\
rules:
  lost:
    event: abandoned
    queues: [cards]
    waited_over_s: 30
    webhook: {target: crm, event: sms, data: {to: "{call.caller}", text: "Sorry, {data.name}"}}
  bad:
    event: survey
    answers: {friendly: {at_most: 2}}
    mail: {to: team@example.net, subject: "{survey.friendly} for {call.agent}", text: "Call {call.id}\\n"}
"""


def site(folder: Path, text: str, acd: str = ACD) -> Path:
    more = changed("acd.yaml", "log:", acd) | changed("ivr/main.yaml", "nodes:\n", SURVEY)
    write_site(folder, more)
    (folder / "followup.yaml").write_text(text)
    return folder


def faults(folder: Path) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(folder, {})
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.errors]


def test_a_sound_file(tmp_path: Path) -> None:
    rules = load(site(tmp_path, SOUND), {}).follow_up
    assert list(rules) == ["lost", "bad"]
    assert rules["lost"].webhook is not None
    assert rules["lost"].webhook.data["to"] == "{call.caller}"
    assert rules["bad"].answers["friendly"].at_most == 2


def test_no_file_no_rules(tmp_path: Path) -> None:
    assert load(write_site(tmp_path), {}).follow_up == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("event: abandoned", "event: lost", "followup.yaml:3:12: unknown event 'lost'"),
        ("[cards]", "[card]", "followup.yaml:4:14: unknown queue 'card'; did you mean 'cards'?"),
        ("target: crm", "target: crn", "followup.yaml:6:23: unknown webhook 'crn'; did you mean 'crm'?"),
        ("{call.caller}", "{call.callr}", "unknown field '{call.callr}'; did you mean 'call.caller'?"),
        ("{call.caller}", "{survey.friendly}", "unknown field '{survey.friendly}'"),
        ("{call.caller}", "{secret.pin}", "unknown field '{secret.pin}'"),
        ("{survey.friendly}", "{survey.frendly}", "unknown field '{survey.frendly}'; did you mean 'survey.friendly'?"),
        ("{friendly:", "{frendly:", "followup.yaml:9:15: unknown question 'frendly'; did you mean 'friendly'?"),
        ("event: survey", "event: ended", "'answers' goes with event survey; remove it beside event ended"),
        ("team@example.net", "team", "give one mail address alone"),
        ("    webhook:", "    wait:", "followup.yaml:2:3: this sends nothing; give 'mail' or 'webhook'"),
    ],
)
def test_faults(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert SOUND.count(old) >= 1
    found = faults(site(tmp_path, SOUND.replace(old, new, 1)))
    assert any(message in fault for fault in found), found


@pytest.mark.parametrize(
    ("old", "new", "only"),
    [
        ("team@example.net", "team", "followup.yaml:10:16: 'team' cannot be used here"),
        ("    webhook:", "    webhok:", "followup.yaml:6:5: unknown key 'webhok'; did you mean 'webhook'?"),
    ],
)
def test_what_is_sent_with_a_mistake_is_not_missed_as_well(tmp_path: Path, old: str, new: str, only: str) -> None:
    (found,) = faults(site(tmp_path, SOUND.replace(old, new, 1)))
    assert found.startswith(only)


def test_questions_of_a_tree_that_cannot_be_read_are_let_pass(tmp_path: Path) -> None:
    folder = site(tmp_path, SOUND)
    (folder / "ivr" / "main.yaml").write_text("start: [")
    (found,) = (fault for fault in faults(folder) if not fault.startswith("routing.yaml"))
    assert found.startswith("ivr/main.yaml:")


def test_an_open_brace_is_told(tmp_path: Path) -> None:
    found = load(site(tmp_path, SOUND.replace("{call.agent}", "{call.agent")), {}).warnings
    (told,) = (str(problem) for problem in found if "brace" in problem.message)
    assert told.removeprefix(f"{tmp_path}/").startswith(
        "followup.yaml:10:43: warning: a brace that is part of no field"
    )


def test_mail_without_a_mail_server(tmp_path: Path) -> None:
    found = faults(
        site(tmp_path, SOUND, ACD.replace("mail: {host: localhost, tls: none, sender: acd@example.net}\n", ""))
    )
    (fault,) = found
    assert fault.startswith("followup.yaml:10:5: this follow-up sends mail, but acd.yaml names no mail server")


def test_an_empty_file(tmp_path: Path) -> None:
    assert faults(site(tmp_path, "")) == ["followup.yaml:1:1: the file is empty; give rules, or remove it"]
