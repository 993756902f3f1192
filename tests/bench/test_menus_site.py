from __future__ import annotations

from pathlib import Path

from acd.service.compile import compile_config
from bench.menus_site import END_KEY, INVALID_KEY, UP_KEY, WELCOME, write_site
from config import load
from ivr.nodes import Menu
from ivr.outcome import NodeId


def test_the_site_is_a_tree_of_menus_that_is_as_deep_as_it_says(tmp_path: Path) -> None:
    site = tmp_path / "site"
    write_site(site)
    config = load(site, env={"ACD_AMI_PASSWORD": "secret"})
    assert not config.warnings
    assert (site / "prompts" / "en" / WELCOME).stat().st_size > 2 * 8000
    nodes = compile_config(config).forest.nodes
    at, menus = NodeId("main.m"), 0
    while isinstance(menu := nodes[at], Menu):
        menus += 1
        assert set(menu.choices) == {*"1234", UP_KEY, END_KEY}
        assert INVALID_KEY not in menu.choices
        assert menu.choices[END_KEY] == "main.bye"
        at = menu.choices["1"]
    assert menus == 4
    assert nodes[at].targets() == (at[:-1],), "what is heard leads back to its menu"
    assert sum(isinstance(node, Menu) for node in nodes.values()) == 1 + 4 + 16 + 64
