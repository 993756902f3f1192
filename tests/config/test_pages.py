"""The pages on the routing core say what is so: their YAML loads, their tables are the code's, their example works."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from acd.core.commands import OfferCall
from acd.core.engine import Engine
from acd.core.events import AgentReady, CallArrived, CallQueued
from acd.core.specs import WrapUpMode
from acd.service.compile import Compiled, compile_config
from config import Config, ConfigErrors, load
from config.schema.overflow import ACTIONS, Condition
from routing.strategies import STRATEGIES, installed_strategies

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = ("strategies", "skills", "priority", "overflow", "waiting", "agent-states", "callback")
BLOCK: Final = re.compile(r"```yaml\n(# (\S+\.yaml).*?)```", flags=re.DOTALL)


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def blocks(name: str) -> list[tuple[str, str]]:
    """Return the YAML blocks of a page: file, text."""
    return [(file.rstrip(","), text) for text, file in BLOCK.findall(page(name))]


def sites(name: str) -> list[dict[str, str]]:
    """Return the sites that a page shows: blocks that follow each other, until a file comes again."""
    found: list[dict[str, str]] = []
    for file, text in blocks(name):
        if not found or file in found[-1]:
            found.append({})
        found[-1][file] = text
    return found


EVERY_SITE: Final = [(name, number) for name in PAGES for number in range(len(sites(name)))]


def write_site(folder: Path, name: str, number: int) -> Path:
    """Write a site of a page, its blocks as they are printed; files that are not shown are the least that will do."""
    files = sites(name)[number]
    routing = yaml.load(files.get("routing.yaml", "{}"), yaml.BaseLoader)
    queues = routing.get("queues", {"general": {}})
    files = {
        "acd.yaml": "{}\n",
        "routing.yaml": "numbers: {default: main}\nqueues: {general: {}}\n",
        "agents.yaml": as_yaml({"agents": {name: agent(name, routing) for name in ("anna", "bob")}}),
        "ivr/main.yaml": as_yaml(tree(queues)),
        **files,
    }
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def as_yaml(content: Any) -> str:
    return yaml.safe_dump(content, sort_keys=False)


def agent(name: str, routing: dict[str, Any]) -> dict[str, Any]:
    """Return an agent who may take every call of a site."""
    return {
        "phone": f"PJSIP/{name}",
        "queues": list(routing.get("queues", ["general"])),
        "skills": dict.fromkeys(routing.get("skills", ()), 9),
        "groups": ["seniors"],
    }


def tree(queues: dict[str, Any]) -> dict[str, Any]:
    """Return a tree with a menu of all queues and the prompts that the pages name."""
    names = ("ask", "all-busy", "please-hold", "press-a-key")
    choices = {str(key): f"to-{queue}" for key, queue in enumerate(queues, start=1)}
    enqueue = {f"to-{queue}": {"type": "enqueue", "queue": queue} for queue in queues}
    return {
        "start": "choice",
        "prompts": {name: {"en": {"text": name}} for name in names},
        "nodes": {"choice": {"type": "menu", "prompt": "ask", "choices": choices}, **enqueue},
    }


def loaded(folder: Path, name: str, number: int) -> Config:
    return load(write_site(folder, name, number), {"ACD_AMI_PASSWORD": "secret"})


def site_of(folder: Path, name: str) -> Compiled:
    """Return the first site that a page shows, compiled."""
    return compile_config(loaded(folder, name, 0))


def test_every_block_names_its_file() -> None:
    for name in (*PAGES, "reload"):
        assert len(blocks(name)) == page(name).count("```yaml"), name
        assert blocks(name) or name == "reload"


@pytest.mark.parametrize(("name", "number"), EVERY_SITE)
def test_every_block_loads(tmp_path: Path, name: str, number: int) -> None:
    config = loaded(tmp_path, name, number)
    assert config.warnings == ()
    for file, text in sites(name)[number].items():
        assert (tmp_path / file).read_text(encoding="utf-8") == text, "as it is printed"
    compile_config(config)


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of all rows of all tables."""
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_strategies() -> None:
    told = {
        names_in(cells[0])[0]: {*names_in(cells[2]), *names_in(cells[3])}
        for cells in rows(page("strategies"))
        if names_in(cells[0])[0] in STRATEGIES
    }
    assert {name: others - {name} for name, others in told.items()} == {
        name: set(strategy.aliases) for name, strategy in STRATEGIES.items()
    }


def test_each_strategy_says_which_peers_it_matches() -> None:
    for name, strategy in STRATEGIES.items():
        words = sys.modules[strategy.__module__].__doc__ or ""
        assert "app_queue" in words, name
        assert "mod_callcenter" in words, name


def test_conditions_and_actions() -> None:
    told = [names_in(cells[0])[0] for cells in rows(page("overflow")) if names_in(cells[0])]
    assert set(told) == {*Condition.model_fields, *ACTIONS}


def test_modes_of_wrap_up() -> None:
    for mode in WrapUpMode:
        assert f"`{mode}`" in page("agent-states")


def test_links_lead_somewhere() -> None:
    for name in (*PAGES, "reload"):
        for target in re.findall(r"\]\(([^)#]+)", page(name)):
            assert (DOCS / target).is_file(), f"{name}.md: {target}"


def test_what_the_pages_promise(tmp_path: Path) -> None:
    desk = site_of(tmp_path / "strategies", "strategies").routing.queues["desk"]
    assert (desk.strategy, dict(desk.strategy_options)) == ("progressive-ring", {"step_s": 8.0})
    lottery = site_of(tmp_path / "strategies", "strategies").routing.queues["lottery"]
    assert lottery.strategy == "weighted-random"
    cards = site_of(tmp_path / "skills", "skills").routing.queues["cards"]
    assert [str(step.requirement) for step in cards.relaxation] == [
        "cards>=2",
        "group seniors",
        "any agent of the queue",
    ]
    overflow = site_of(tmp_path / "overflow", "overflow")
    assert overflow.outbound.device("+493098765") == "PJSIP/+493098765@trunk"
    assert overflow.outbound.device("+498912345") is None
    customers = compile_config(loaded(tmp_path / "priority", "priority", 1)).customers
    assert {customer.id for customer in customers.listed.values()} == {"Important Ltd"}


# A strategy of one's own.


def python_example() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", page("strategies"), flags=re.DOTALL)
    return str(found)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, module: str, points: dict[str, str]) -> None:
    """Put a distribution beside the installed ones, as pip would, with a module ``my_package``."""
    info = folder / "my_package-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[acd.strategies]\n{lines}")
    (folder / "my_package.py").write_text(module)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "my_package", raising=False)


def entry_points_in_the_example() -> dict[str, str]:
    (found,) = re.findall(r"```toml\n(.*?)```", page("strategies"), flags=re.DOTALL)
    project = tomllib.loads(found)["project"]
    assert project["name"]
    assert project["version"], "pip installs it as it stands"
    points: dict[str, str] = project["entry-points"]["acd.strategies"]
    return points


def test_a_strategy_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the page shows it: installed, named in YAML, checked, and used by the engine."""
    install(tmp_path / "packages", monkeypatch, python_example(), entry_points_in_the_example())
    folder = write_site(tmp_path / "site", "strategies", 0)
    (folder / "routing.yaml").write_text(
        "numbers: {default: main}\nskills: {left-handed: Left-handed}\nqueues: {desk: {strategy: left-handed-first}}\n"
    )
    (folder / "agents.yaml").write_text(
        as_yaml(
            {
                "agents": {
                    "anna": {"phone": "PJSIP/anna", "queues": ["desk"], "start": "ready"},
                    "bob": {"phone": "PJSIP/bob", "queues": ["desk"], "start": "ready", "skills": {"left-handed": 1}},
                }
            }
        )
    )
    (folder / "ivr" / "main.yaml").write_text(as_yaml(tree({"desk": {}})))
    site = compile_config(load(folder, {"ACD_AMI_PASSWORD": "secret"}))
    assert site.routing.queues["desk"].strategy == "left-handed-first"

    engine = Engine(site.routing, NoChance(), 0.0, strategies=installed_strategies(), strict=True)
    rung: list[str] = []
    for agent_id in engine.agents:
        engine.handle(AgentReady(agent_id), 0.0)
    for number, call in enumerate(("first", "second")):
        engine.handle(CallArrived(call), 1.0 + number)
        commands = engine.handle(CallQueued(call, "desk"), 1.0 + number)
        rung += [agent for command in commands if isinstance(command, OfferCall) for agent in command.agent_ids]
    assert rung == ["bob", "anna"]
    explanation = engine.explain_call("first", 3.0)
    assert "left-handed, idle for 1.0 s" in str(explanation)


class NoChance:
    """A generator that nothing here may ask."""

    def random(self) -> float:
        raise AssertionError("nothing is drawn")


BROKEN: Final[dict[str, tuple[str, dict[str, str], str]]] = {
    "no strategy": (
        "Mine = object\n",
        {"mine": "my_package:Mine"},
        "entry point acd.strategies:mine is <class 'object'>, not a subclass of Strategy",
    ),
    "missing in the module": ("", {"mine": "my_package:Mine"}, "module 'my_package' has no attribute 'Mine'"),
    "missing module": ("", {"mine": "my_other_package:Mine"}, "No module named 'my_other_package'"),
    "name of another": (
        "from routing.strategies.hunt import Hunt\nclass Mine(Hunt): pass\n",
        {"mine": "my_package:Mine"},
        "entry point acd.strategies:mine takes the name 'hunt' of another strategy",
    ),
}


@pytest.mark.parametrize(("module", "points", "fault"), BROKEN.values(), ids=BROKEN)
def test_a_package_that_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, points: dict[str, str], fault: str
) -> None:
    """Told like any other error, and the rest of the configuration is checked as ever."""
    install(tmp_path / "packages", monkeypatch, module, points)
    folder = write_site(tmp_path / "site", "strategies", 0)
    (folder / "agents.yaml").write_text("agents: {anna: {phone: anna}}\n")
    with pytest.raises(ConfigErrors) as caught:
        load(folder, {"ACD_AMI_PASSWORD": "secret"})
    assert [str(error).replace(f"{folder}/", "") for error in caught.value.errors] == [
        "agents.yaml:1:24: 'anna' is no phone; write technology/address, such as PJSIP/anna",
        f"strategies of installed packages: {fault}; mend or remove that package",
    ]
