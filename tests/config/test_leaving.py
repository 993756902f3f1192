"""Faults of callbacks, keys while waiting, and nodes that lead to agents and numbers, each with its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config import ConfigErrors
from tests.service.sites import MAIN, load_site, write_site

OUTBOUND = {"allowed": ["+4930"], "trunk": "PJSIP/{number}@trunk"}


def messages(folder: Path, *, nodes: dict[str, Any] | None = None, **site: Any) -> list[str]:
    """Every error and warning, without the file's position."""
    trees = {"main": {**MAIN, "nodes": {**MAIN["nodes"], **(nodes or {})}}}
    if nodes:
        site["routing"] = {**site.get("routing", {}), "numbers": {"default": "main", "1": f"main.{next(iter(nodes))}"}}
    write_site(folder, trees=trees, **site)
    try:
        config = load_site(folder)
    except ConfigErrors as errors:
        return [problem.message for problem in errors.errors]
    return [problem.message for problem in config.warnings]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ({"a": {"type": "agent", "agent": "ana", "on_failure": "cards"}}, "unknown agent 'ana'; did you mean 'anna'?"),
        ({"a": {"type": "agent", "agent": "anna", "queue": "crads"}}, "unknown queue 'crads'; did you mean 'cards'?"),
        ({"t": {"type": "transfer"}}, "this leads to nobody; give one of number, extension, phone"),
        (
            {"t": {"type": "transfer", "number": "+4930", "phone": "PJSIP/x"}},
            "'number' and 'phone' exclude each other; give one of number, extension, phone",
        ),
        (
            {"t": {"type": "transfer", "number": "+331"}},
            "number +331 may not be dialled; allow how it begins under 'outbound' in routing.yaml (now +4930)",
        ),
        ({"t": {"type": "transfer", "extension": "99"}}, "unknown extension '99'; "),
        ({"c": {"type": "callback", "queue": "card"}}, "unknown queue 'card'; did you mean 'cards'?"),
    ],
)
def test_nodes(tmp_path: Path, nodes: dict[str, Any], told: str) -> None:
    found = messages(tmp_path, nodes=nodes, routing={"outbound": OUTBOUND, "callbacks": {"home_country": "DE"}})
    assert any(message.startswith(told) for message in found), found


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        (
            {"t": {"type": "transfer", "number": "{call.caller}"}},
            "no number may be dialled: 'outbound' in routing.yaml",
        ),
        ({"c": {"type": "callback", "queue": "cards"}}, "nobody may be called back: 'outbound' in routing.yaml"),
    ],
)
def test_nothing_is_dialled_until_outbound_allows_it(tmp_path: Path, nodes: dict[str, Any], told: str) -> None:
    found = messages(tmp_path, nodes=nodes)
    assert any(message.startswith(told) for message in found), found


@pytest.mark.parametrize(
    ("callbacks", "told"),
    [
        ({"home_country": "XX"}, "unknown country 'XX'; "),
        ({"home_country": "DE", "countries": ["AT", "QQ"]}, "unknown country 'QQ'; "),
        ({"hours": "office"}, "unknown calendar 'office'"),
        ({"zone": "Europe/Berlim"}, "unknown time zone 'Europe/Berlim'; did you mean 'Europe/Berlin'?"),
        ({"attempts": "0"}, "'0' is out of range; give a whole number from 1 to 10"),
        ({"home_country": "germany"}, "'germany' cannot be used here; give a country's two capital letters"),
    ],
)
def test_settings_of_callbacks(tmp_path: Path, callbacks: dict[str, Any], told: str) -> None:
    found = messages(tmp_path, routing={"callbacks": callbacks})
    assert any(message.startswith(told) for message in found), found


def test_keys_lead_somewhere_and_callers_are_told_of_them(tmp_path: Path) -> None:
    queues: dict[str, Any] = {"cards": {"keys": {"1": {"menu": "main.nowhere"}}}, "general": {}}
    assert messages(tmp_path / "a", queues=queues) == ["tree 'main' has no node 'nowhere'; known: cards, general, menu"]
    queues["cards"]["keys"] = {"1": {"menu": "main"}}
    assert messages(tmp_path / "b", queues=queues) == [
        "nobody tells callers of these keys; add a message with 'play' to while_waiting"
    ]
    told = {"while_waiting": [{"play": "choose"}]}
    assert messages(tmp_path / "f", queues=queues, defaults=told) == [], "by what holds for all queues"
    queues["cards"]["keys"] = {"1": {"callback": "cards"}}
    assert any("nobody may be called back" in message for message in messages(tmp_path / "c", queues=queues))
    queues["cards"]["while_waiting"] = [{"play": "choose"}]
    found = messages(tmp_path / "d", queues=queues, routing={"outbound": OUTBOUND})
    assert [message.split(":")[0] for message in found] == [
        "callers are offered a callback, but callbacks has no 'home_country'"
    ]
    site = {"outbound": OUTBOUND, "callbacks": {"home_country": "DE"}}
    assert messages(tmp_path / "e", queues=queues, routing=site) == []


@pytest.mark.parametrize(
    ("allowed", "countries", "unreached"),
    [
        (["030"], [], ["DE (+49…)"]),
        (["0049"], [], ["DE (+49…)"]),
        (["+4930"], ["AT", "CH"], ["AT (+43…)", "CH (+41…)"]),
        (["+4"], ["AT"], []),
        (["+"], ["AT", "US"], []),
    ],
)
def test_countries_that_cannot_be_dialled(
    tmp_path: Path, allowed: list[str], countries: list[str], unreached: list[str]
) -> None:
    routing = {
        "outbound": {**OUTBOUND, "allowed": allowed},
        "callbacks": {"home_country": "DE", "countries": countries},
    }
    found = messages(tmp_path, nodes={"c": {"type": "callback", "queue": "cards"}}, routing=routing)
    assert found == [
        f"no number of {country} can be called back: such numbers are dialled as {begins}, which is not allowed; add"
        f' how they begin, such as "{begins[:-1]}"'
        for country, begins in (told.rstrip(")").split(" (") for told in unreached)
    ]
