"""Nodes that ask, from the configuration as written to what the interpreter walks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acd.service.compile import Compiled, compile_config
from ivr.keys import Keys
from ivr.nodes import Collect, Menu, Pin, Play
from ivr.outcome import NodeId
from ivr.speech import Prompt
from ivr.tree import Node
from ivr.values import SayKind
from tests.service.sites import load_site, write_site

HASH = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c29tZWhhc2g"

TREE: dict[str, Any] = {
    "start": "menu",
    "keys": {"operator_to": "help"},
    "prompts": {name: {"en": {"text": name}} for name in ("ask", "law")},
    "nodes": {
        "menu": {
            "type": "menu",
            "prompt": ["ask", {"prompt": "law", "barge_in": "no"}],
            "choices": {"1": "account", "2": "pin", "3": "told"},
            "direct_dial": {"inter_digit_s": "3", "not_reached": "help"},
        },
        "account": {
            "type": "collect",
            "prompt": "ask",
            "name": "account",
            "min_digits": "6",
            "max_digits": "8",
            "terminator": "none",
            "valid": {"pattern": "1.*", "luhn": "yes", "least": "5", "one_of": ["123455"]},
            "confirm": {"kind": "phone"},
            "next": "help",
        },
        "pin": {"type": "pin", "prompt": "ask", "hash": HASH, "keys": "off", "next": "help", "on_no_input": "told"},
        "told": {"type": "play", "prompt": "ask", "keys": {"repeat": "9"}, "next": "help"},
        "help": {"type": "enqueue", "queue": "cards"},
    },
}


def compiled(folder: Path) -> Compiled:
    site = write_site(
        folder,
        trees={"main": TREE},
        extensions={"anna": "61"},
        routing={"numbers": {"default": "main"}, "extensions": {"31": "main.account"}},
    )
    return compile_config(load_site(site))


def node(site: Compiled, name: str) -> Node:
    return site.forest.nodes[NodeId(f"main.{name}")]


def test_a_menu_with_extensions(tmp_path: Path) -> None:
    menu = node(compiled(tmp_path), "menu")

    assert isinstance(menu, Menu)
    assert menu.prompts == (Prompt("ask"), Prompt("law", barge_in=False))
    assert menu.directory is not None
    assert (menu.directory.nodes, menu.directory.agents) == ({"31": "main.account"}, {"61": "anna"})
    assert (menu.inter_digit_s, menu.on_not_reached) == (3.0, "main.help")


def test_a_number_that_is_asked_for(tmp_path: Path) -> None:
    account = node(compiled(tmp_path), "account")

    assert isinstance(account, Collect)
    assert (account.rules.min_digits, account.rules.max_digits, account.rules.terminator) == (6, 8, "")
    assert account.check.accepts("123455")
    assert not account.check.accepts("182")
    assert account.confirm is not None
    assert (account.confirm.kind, account.confirm.before) == (SayKind.PHONE, (Prompt("you-entered"),))


def test_a_secret_that_is_asked_for(tmp_path: Path) -> None:
    pin = node(compiled(tmp_path), "pin")

    assert isinstance(pin, Pin)
    assert (pin.name, pin.hash, pin.attempts, pin.wrong) == ("pin", HASH, 3, (Prompt("pin-wrong"),))
    assert (pin.on_failure, pin.on_no_input) == (None, "main.told")


def test_keys_of_the_tree_and_of_nodes(tmp_path: Path) -> None:
    site = compiled(tmp_path)

    def keys(name: str) -> Keys:
        return site.forest.keys_at(NodeId(f"main.{name}"))

    tree = Keys(repeat="*", back="#", operator="0", operator_node=NodeId("main.help"))
    assert keys("menu") == keys("account") == tree
    assert keys("pin") == Keys(operator_node=NodeId("main.help"))
    assert keys("told") == Keys(repeat="9", back="#", operator="0", operator_node=NodeId("main.help"))
    assert isinstance(node(site, "told"), Play)
