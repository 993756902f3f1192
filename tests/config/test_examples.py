"""The example sites are sound, say what the documents promise, and come with the wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from config import EXAMPLES, Config, load
from config.json_schema import SHIPPED
from config.schema.ivr import Enqueue, Menu, Node, SetLanguage

ENV = {"ACD_AMI_PASSWORD": "secret", "ACD_SECRET_CORE_BANK": "secret"}
SITES = ["bank", "demo"]


@pytest.mark.parametrize("name", SITES)
def test_sound_and_without_a_warning(name: str) -> None:
    assert load(EXAMPLES / name, ENV).warnings == ()


def test_no_other_examples() -> None:
    assert sorted(path.name for path in EXAMPLES.iterdir()) == SITES


def test_no_password_in_an_example() -> None:
    for name in SITES:
        assert load(EXAMPLES / name, {}).acd.asterisk.ami.password is None


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_editors_find_the_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    prefix = "# yaml-language-server: $schema="
    assert first.startswith(prefix)
    schema = (path.parent / first.removeprefix(prefix)).resolve()
    assert schema.is_relative_to(SHIPPED)
    assert schema.name == ("ivr" if path.parent.name == "ivr" else path.stem) + ".schema.json"
    assert schema.exists()


def nodes(config: Config) -> Iterator[Node]:
    for tree in config.trees.values():
        yield from tree.nodes.values()


def test_demo() -> None:
    config = load(EXAMPLES / "demo", ENV)
    assert config.routing.numbers["100"] == "welcome"
    assert list(config.routing.queues) == ["sales", "support"]
    assert {name: agent.phone for name, agent in config.agents.items()} == {
        name: f"PJSIP/{name}" for name in ("anna", "bob", "chen", "dora", "emil")
    }
    assert {agent.start for agent in config.agents.values()} == {"ready"}
    assert config.trees["welcome"].language == "en"
    menu = config.trees["welcome"].nodes["choose"]
    assert isinstance(menu, Menu)
    assert dict(menu.choices) == {
        "1": "sales",
        "2": "support",
        "3": "message",
        "4": "call-back",
        "9": "chinese",
    }
    assert {node.queue for node in nodes(config) if isinstance(node, Enqueue)} == {"sales", "support"}
    assert [node.language for node in nodes(config) if isinstance(node, SetLanguage)] == ["zh"]


def test_demo_works_without_its_comments_being_wrong() -> None:
    """Whoever speaks Mandarin in the demo can be reached by both Chinese choices."""
    config = load(EXAMPLES / "demo", ENV)
    for node in nodes(config):
        if isinstance(node, Enqueue):
            fit = [
                name
                for name, agent in config.agents.items()
                if node.queue in agent.queues
                and all(agent.skills.get(skill, 0) >= level for skill, level in node.requires.items())
            ]
            assert len(fit) >= 2, node


def test_bank() -> None:
    config = load(EXAMPLES / "bank", ENV)
    queues = config.routing.queues
    assert all(queues["card-loss"].priority > queue.priority for name, queue in queues.items() if name != "card-loss")
    shared = [name for name, agent in config.agents.items() if len(agent.queues) > 1]
    assert len(shared) >= 5, "several queues share agents"
    for name, prompt in config.prompts.items():
        assert set(prompt) == {"en", "zh"} or name in ("choose-language", "lost-card-language"), name


def test_bank_shows_the_menus() -> None:
    """Language, card loss first, balance by account and PIN, opening hours, and a library three levels deep."""
    config = load(EXAMPLES / "bank", ENV)
    assert {node.type for node in nodes(config)} >= {
        "branch",
        "callback",
        "collect",
        "enqueue",
        "hours",
        "http",
        "language",
        "menu",
        "pin",
        "return",
        "say",
        "set",
        "subtree",
        "survey",
        "voicemail",
        "voicemail-access",
    }
    assert {node.language for node in nodes(config) if isinstance(node, SetLanguage)} == {"en", "zh"}
    library = config.trees["library"].nodes
    deepest = max(_depth(library, "subjects", name) for name in library)
    assert deepest == 3, "subjects, questions, answers"


def _depth(tree: Mapping[str, Node], start: str, name: str) -> int:
    """Menus on the shortest way down to a node, itself included; 0 if it is no menu."""
    ways = {start: 1}
    todo = [start]
    while todo:
        here = todo.pop(0)
        node = tree.get(here)
        for target in node.choices.values() if isinstance(node, Menu) else ():
            if target not in ways:
                ways[target] = ways[here] + 1
                todo.append(target)
    return ways.get(name, 0) if isinstance(tree[name], Menu) else 0


def test_bank_shows_the_routing_core() -> None:
    """Each concept that has a page is to be seen in it."""
    config = load(EXAMPLES / "bank", ENV)
    routing, queues = config.routing, config.routing.queues.values()
    assert any(queue.relax and queue.requires for queue in queues)
    assert any(step.group for queue in queues for step in queue.relax)
    assert {queue.strategy.name for queue in queues} == {"longest-idle", "least-proficient"}
    for key in ("ageing", "sticky", "while_waiting", "opening_hours", "join", "overflow"):
        assert any(getattr(queue, key) for queue in queues), key
    assert {message.say for queue in queues for message in queue.while_waiting} == {"position", "estimated-wait", None}
    assert set(config.calendars) == {queue.opening_hours for queue in queues}
    assert routing.customers
    assert routing.outbound.allowed == ("116116", "+49"), "and nothing else may be dialled"


def test_demo_tells_callers_their_position() -> None:
    for queue in load(EXAMPLES / "demo", ENV).routing.queues.values():
        position, key = queue.while_waiting
        assert (position.say, key.play) == ("position", "please-hold")


def test_demo_shows_messages_callbacks_and_a_survey() -> None:
    config = load(EXAMPLES / "demo", ENV)
    assert {node.type for node in nodes(config)} >= {"menu", "enqueue", "voicemail", "callback", "survey"}
    assert {agent for box in config.voicemail.boxes.values() for agent in box.agents} == set(config.agents)
    assert {queue.survey for queue in config.routing.queues.values()} == {"welcome.survey"}
    assert {key for queue in config.routing.queues.values() for key in queue.keys} == {"4"}
    assert config.routing.callbacks.home_country == "DE"
    assert config.routing.outbound.allowed == ("+49",), "and nobody abroad"
    assert config.routing.outbound.trunk == "PJSIP/{number}@caller", "a phone of the lab"


@pytest.mark.slow
def test_wheel_brings_examples_and_schemas(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    shipped = {str(path.relative_to(root)) for path in (*EXAMPLES.rglob("*.yaml"), *SHIPPED.glob("*.json"))}
    assert len(shipped) >= 14
    assert shipped <= set(zipfile.ZipFile(wheel).namelist())
