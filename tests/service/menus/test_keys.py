"""Keys that mean the same everywhere: what site, tree and node say, laid over each other and over what is shipped."""

from __future__ import annotations

import pytest

from acd.service.menus.keys import effective
from config.schema.keys import MenuKeys
from ivr.keys import Keys
from ivr.outcome import NodeId


def find(reference: str) -> NodeId:
    return NodeId(f"main.{reference}")


def written(**keys: str) -> MenuKeys:
    return MenuKeys.model_validate(keys)


@pytest.mark.parametrize(
    ("levels", "keys"),
    [
        ([], Keys(repeat="*", back="#")),
        ([None, None], Keys(repeat="*", back="#")),
        ([{"operator_to": "help"}], Keys(repeat="*", back="#", operator="0", operator_node=find("help"))),
        (
            [{"operator_to": "help"}, {"operator": "9"}],
            Keys(repeat="*", back="#", operator="9", operator_node=find("help")),
        ),
        ([{"operator_to": "help"}, {"operator": "off"}], Keys(repeat="*", back="#", operator_node=find("help"))),
        (
            [{"operator_to": "help"}, {"operator_to": "other"}],
            Keys(repeat="*", back="#", operator="0", operator_node=find("other")),
        ),
        ([{"top_to": "help"}], Keys(repeat="*", back="#", top_node=find("help"))),
        (
            [{"top": "9", "top_to": "help"}, {"top_to": "other"}],
            Keys(repeat="*", back="#", top="9", top_node=find("other")),
        ),
        ([{"repeat": "off"}, {"repeat": "9"}], Keys(repeat="9", back="#")),
        ([{"top": "*"}], Keys(back="#", top="*")),
        ([{"top": "*"}, {"repeat": "*"}], Keys(repeat="*", back="#")),
        ([{"repeat": "#", "back": "*"}], Keys(repeat="#", back="*")),
        ([dict.fromkeys(("repeat", "back", "top", "operator"), "no")], Keys()),
    ],
)
def test_the_innermost_that_says_something_holds(levels: list[dict[str, str] | None], keys: Keys) -> None:
    assert effective([(None if level is None else written(**level), find) for level in levels]) == keys
