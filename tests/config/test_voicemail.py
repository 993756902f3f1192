"""voicemail.yaml: what is taken, what is refused, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import ConfigErrors, load
from tests.config.sites import changed, write_site

HASH = "$argon2id$v=19$m=64,t=1,p=1$r3LhLqO14TesHnNdTcHp0g$A53e6AgBwtOCvP4TF473foGJtXI/i1pv4QKFIgSXHKw"
GOOD = f"""\
defaults: {{longest_s: 60, review: no, zone: Europe/Berlin}}
lock_out: {{tries: 3, minutes: 5}}
boxes:
  cards:
    title: Cards
    number: "501"
    agents: [anna]
    pin_hash: {HASH}
    lamps: [anna@acd]
    queue: cards
    review: yes
  "700": {{agents: [anna], pin_hash: "{HASH}"}}
"""


def box(line: str, more: str = "") -> str:
    """One box with this line in it."""
    return f"boxes:\n  cards:\n    agents: [anna]\n    {line}\n{more}"


def test_defaults_hold_for_every_box_that_does_not_say_otherwise(tmp_path: Path) -> None:
    site = load(write_site(tmp_path, {"voicemail.yaml": GOOD}), {})
    cards, other = site.voicemail.boxes["cards"], site.voicemail.boxes["700"]
    assert (cards.longest_s, cards.review, cards.zone) == (60.0, True, "Europe/Berlin")
    assert (other.longest_s, other.review, other.keep_days) == (60.0, False, 30)
    assert site.voicemail.lock_out.tries == 3
    assert not [warning for warning in site.warnings if "voicemail" in str(warning)]


def test_a_site_without_the_file_has_no_boxes(tmp_path: Path) -> None:
    assert load(write_site(tmp_path), {}).voicemail.boxes == {}


BROKEN = {
    "unknown agent": (
        "boxes: {a: {agents: [annna]}}\n",
        "voicemail.yaml:1:22: unknown agent 'annna'; did you mean 'anna'?",
    ),
    "unknown queue": (box("queue: crads"), "voicemail.yaml:4:12: unknown queue 'crads'; did you mean 'cards'?"),
    "unknown prompt": (
        box("greeting: no-inptu"),
        "voicemail.yaml:4:15: unknown prompt 'no-inptu'; did you mean 'no-input'?",
    ),
    "PIN itself": (
        box('pin_hash: "4711"'),
        "voicemail.yaml:4:15: '4711' cannot be used here; give the hash that 'acd voicemail pin' makes",
    ),
    "PIN without a number": (
        box(f"pin_hash: {HASH}"),
        "voicemail.yaml:4:5: box 'cards' cannot be keyed in; give it a number for its PIN",
    ),
    "no PIN to ask for": (box("pin_inside: yes"), "voicemail.yaml:4:5: there is no PIN to ask for; give 'pin_hash'"),
    "no mail address": (
        box("email: [anna]"),
        "voicemail.yaml:4:13: 'anna' cannot be used here; give one mail address alone, such as team@example.net",
    ),
    "mail without a server": (
        box("email: [a@example.com]"),
        "voicemail.yaml:4:5: box 'cards' sends mail, but acd.yaml names no mail server; give mail.host and mail.sender",
    ),
    "one number for two": (
        box('number: "1"', '  "1": {agents: [anna]}\n'),
        "voicemail.yaml:5:3: box 'cards' is keyed in by 1 already; give another number",
    ),
    "lengths that exclude each other": (
        box("{shortest_s: 60, longest_s: 30}").replace("    {", "    ").replace("}", "").replace(", ", "\n    "),
        "voicemail.yaml:4:5: shortest_s is not below longest_s: no message could be left",
    ),
    "skills without a queue": (
        box("requires: {english: 1}"),
        "voicemail.yaml:4:5: 'requires' means nothing without 'queue'; add it",
    ),
    "zone": (
        box("zone: Europe/Berlinn"),
        "voicemail.yaml:4:11: unknown time zone 'Europe/Berlinn'; did you mean 'Europe/Berlin'?",
    ),
    "lamp": (
        box("lamps: [anna]"),
        "voicemail.yaml:4:13: 'anna' cannot be used here; name a mailbox of pjsip.conf, such as anna@acd",
    ),
    "unknown webhook": (
        box("webhook: sms"),
        "voicemail.yaml:4:14: unknown webhook 'sms'; define it under 'webhooks' in acd.yaml",
    ),
    "no boxes": ("boxes: {}\n", "voicemail.yaml:1:8: 'boxes' is empty; give at least one"),
    "empty": ("", "voicemail.yaml:1:1: the file is empty; give boxes, or remove it"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_is_told_at_its_place(tmp_path: Path, name: str) -> None:
    text, message = BROKEN[name]
    folder = write_site(tmp_path, {"voicemail.yaml": text})
    with pytest.raises(ConfigErrors) as caught:
        load(folder, {})
    assert [str(problem).replace(f"{folder}/", "") for problem in caught.value.errors] == [message]


def test_a_node_s_box_must_be_there(tmp_path: Path) -> None:
    tree = "start: a\nnodes:\n  a: {type: voicemail, box: crads}\n"
    folder = write_site(tmp_path, {"voicemail.yaml": GOOD, "ivr/other.yaml": tree})
    with pytest.raises(ConfigErrors, match="unknown voicemail box 'crads'; did you mean 'cards'"):
        load(folder, {})


def test_warnings(tmp_path: Path) -> None:
    """A box that nobody can listen to; a rule whose box is Asterisk's own."""
    text = "boxes:\n  lonely: {title: Nobody's}\n"
    site = load(write_site(tmp_path, {"voicemail.yaml": text}), {})
    assert any(
        "nobody can listen to box 'lonely'; give it agents, a pin_hash or email" in str(warning)
        for warning in site.warnings
    )


@pytest.mark.parametrize(("name", "told"), [("cards", 0), ("100", 1)])
def test_a_rule_s_box_may_be_asterisk_s_own_which_is_told(tmp_path: Path, name: str, told: int) -> None:
    rule = f'overflow: [{{when: {{waiting_s: 20}}, then: {{voicemail: "{name}"}}}}]'
    changes = {**changed("routing.yaml", "wrap_up: {seconds: 5}", rule), "voicemail.yaml": GOOD}
    site = load(write_site(tmp_path, changes), {})
    words = f"voicemail.yaml has no box '{name}'; Asterisk's own voicemail is used, which must have it"
    assert [words in str(warning) for warning in site.warnings].count(True) == told
