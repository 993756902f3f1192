"""From voicemail.yaml to the running boxes, and what a reload says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from acd.service.compile import Compiled, compile_config
from acd.service.site_changes import changes_between
from acd.service.voicemail.boxes import access_node, box_node
from ivr.nodes import Voicemail, VoicemailAccess
from ivr.speech import Prompt
from tests.service.sites import load_site, write_site

AGENTS = {"agents": {"anna": {"phone": "PJSIP/anna", "groups": ["desk"]}, "bob": {"phone": "PJSIP/bob"}}}


def site(folder: Path, voicemail: dict[str, Any] | None) -> Compiled:
    write_site(folder)
    (folder / "agents.yaml").write_text(yaml.safe_dump(AGENTS))
    if voicemail is not None:
        (folder / "voicemail.yaml").write_text(yaml.safe_dump(voicemail))
    return compile_config(load_site(folder))


def test_a_box(tmp_path: Path) -> None:
    compiled = site(
        tmp_path / "site",
        {
            "defaults": {"silence_s": "4"},
            "boxes": {
                "cards": {"number": "501", "groups": ["desk"], "agents": ["bob"], "queue": "cards", "most_mb": "2"},
                "700": {"greeting": "goodbye", "agents": ["bob"]},
            },
        },
    )
    cards, other = compiled.boxes.by_name["cards"], compiled.boxes.by_name["700"]
    assert cards.agents == {"anna", "bob"}
    assert (cards.manner.limits.silence_s, cards.manner.limits.longest_s, cards.most_bytes) == (4, 180.0, 2_000_000)
    assert cards.items is not None
    assert cards.items.queue == "cards"
    assert cards.greeting == (Prompt("voicemail-greeting"),)
    assert (other.number, other.title, other.greeting) == ("700", "700", (Prompt("goodbye"),))
    assert compiled.boxes.by_number("501") is cards
    assert compiled.boxes.by_number("") is None
    assert {box.name for box in compiled.boxes.of_agent("bob")} == {"cards", "700"}
    assert compiled.boxes.of_agent("") == ()


def test_every_box_has_a_node_and_agents_a_number(tmp_path: Path) -> None:
    compiled = site(tmp_path / "site", {"boxes": {"cards": {"agents": ["bob"]}}})
    assert isinstance(compiled.forest.nodes[box_node("cards")], Voicemail)
    assert isinstance(compiled.forest.nodes[access_node()], VoicemailAccess)
    assert compiled.entry_node("*27") == access_node()
    without = site(tmp_path / "without", None)
    assert "*27" not in without.numbers
    assert without.boxes.by_name == {}


def test_a_site_s_own_number_goes_first(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site", routing={"numbers": {"*27": "main.cards", "default": "main"}})
    (folder / "voicemail.yaml").write_text(yaml.safe_dump({"boxes": {"cards": {"agents": ["bob"]}}}))
    assert compile_config(load_site(folder)).entry_node("*27") == "main.cards"


def test_what_a_reload_says(tmp_path: Path) -> None:
    one = {"boxes": {"cards": {"agents": ["bob"]}, "gone": {"agents": ["bob"]}}}
    two = {
        "boxes": {"cards": {"agents": ["bob"], "review": "no"}, "new": {"agents": ["bob"]}},
        "lock_out": {"tries": "3"},
    }
    before, after = site(tmp_path / "one", one), site(tmp_path / "two", two)
    told = changes_between(before, after)
    assert [line for line in told if line.startswith("voicemail box")] == [
        "voicemail box cards: changed",
        "voicemail box new: new",
        "voicemail box gone: gone",
    ]
    assert any("lock-out of voicemail" in line for line in told)
    assert not any("@voicemail" in line for line in told)
    assert changes_between(before, site(tmp_path / "three", one)) == []
