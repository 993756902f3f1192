"""What a sound configuration becomes: values as meant, defaults filled in, nothing that can be changed."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from config import Config, ConfigErrors, Position, load
from config.schema.ivr import Enqueue, Menu, Play, Say
from config.schema.ivr.values import PlayedPrompt
from tests.config.cases import Case, read_cases
from tests.config.sites import FILES, changed, write_site


def site(folder: Path, *edits: tuple[str, str, str]) -> Config:
    files = {name: FILES[name] for name, _, _ in edits}
    for name, old, new in edits:
        assert old in files[name]
        files[name] = files[name].replace(old, new)
    return load(write_site(folder, dict(files)), {})


def names(prompts: tuple[PlayedPrompt, ...]) -> list[str]:
    return [played.prompt for played in prompts]


def test_queues_are_complete(tmp_path: Path) -> None:
    config = site(
        tmp_path,
        (
            "routing.yaml",
            "  ring_timeout_s: 15",
            "  ring_timeout_s: 25\n  wrap_up: {seconds: 7}\n  requires: {english: 2}",
        ),
    )
    cards, general = config.routing.queues["cards"], config.routing.queues["general"]
    assert (cards.title, cards.ring_timeout_s, cards.wrap_up.seconds) == ("Cards", 25, 7)
    assert dict(cards.requires) == {"cards": 3}
    assert (general.title, general.ring_timeout_s, general.wrap_up.seconds) == ("general", 25, 5)
    assert dict(general.requires) == {"english": 2}, "what a queue does not set comes from the defaults"
    assert (general.music, general.while_ringing, general.service_level_s, general.priority) == (
        "default",
        "music",
        20,
        0,
    )
    assert (general.strategy.name, dict(general.strategy.options)) == ("longest-idle", {})


def test_back_offs_have_defaults(tmp_path: Path) -> None:
    routing = site(tmp_path).routing
    assert (routing.missed_ring.back_off_s, routing.rejected.back_off_s, routing.unreachable.back_off_s) == (30, 10, 60)


def test_agents(tmp_path: Path) -> None:
    agents = site(tmp_path).agents
    assert list(agents) == ["anna", "bob"], "in the order of the file"
    assert (agents["anna"].name, agents["bob"].name) == ("Anna Li", "bob")
    assert (agents["anna"].start, agents["bob"].start) == ("ready", "logged-out")
    assert agents["anna"].queues == ("cards", "general")
    assert dict(agents["anna"].skills) == {"cards": 5, "english": 3}


def test_trees_and_prompts(tmp_path: Path) -> None:
    config = site(tmp_path)
    main = config.trees["main"]
    welcome, ask, to_cards = main.nodes["welcome"], main.nodes["ask"], main.nodes["to-cards"]
    assert isinstance(welcome, Play)
    assert isinstance(ask, Menu)
    assert isinstance(to_cards, Enqueue)
    assert (names(welcome.prompt), welcome.barge_in, welcome.next) == (["hello"], True, "ask")
    assert dict(ask.choices) == {"1": "to-cards", "2": "other.greet"}
    assert (names(ask.invalid.prompt), ask.invalid.retries, ask.no_input.prompt) == (["not-valid"], 2, ())
    assert (to_cards.priority, dict(to_cards.data)) == (0, {"topic": "{call.dialled}"})
    greet = config.trees["other"].nodes["greet"]
    assert isinstance(greet, Say)
    assert dict(greet.value) == {"": "42"}
    assert sorted(config.prompts) == ["choose", "hello"]
    assert config.prompts["choose"]["en"].text == "Press one."
    assert config.recording("zh", config.prompts["choose"]["zh"]) == tmp_path / "prompts/zh/choose.wav"
    assert config.recording("en", config.prompts["choose"]["en"]) is None


def test_several_prompts_and_texts_by_language(tmp_path: Path) -> None:
    config = site(
        tmp_path,
        ("ivr/main.yaml", "prompt: hello", "prompt: [hello, choose]"),
        ("ivr/other.yaml", 'kind: digits\n    value: "42"', "value: {en: Hello, zh: 你好}"),
    )
    welcome, greet = config.trees["main"].nodes["welcome"], config.trees["other"].nodes["greet"]
    assert isinstance(welcome, Play)
    assert isinstance(greet, Say)
    assert names(welcome.prompt) == ["hello", "choose"]
    assert dict(greet.value) == {"en": "Hello", "zh": "你好"}


@pytest.mark.parametrize("number", ["0123", "+493012345", "10:30", "no", "1_000", "0x1F", "1e3", ".5"])
def test_texts_stay_as_written(tmp_path: Path, number: str) -> None:
    config = site(tmp_path, ("ivr/main.yaml", '"{call.dialled}"', number), ("agents.yaml", "Anna Li", number))
    to_cards = config.trees["main"].nodes["to-cards"]
    assert isinstance(to_cards, Enqueue)
    assert to_cards.data["topic"] == number
    assert config.agents["anna"].name == number


@pytest.mark.parametrize("number", ["0123", "+493012345", "100", "*98", "s"])
def test_dialled_numbers_stay_as_written(tmp_path: Path, number: str) -> None:
    config = site(tmp_path, ("routing.yaml", '"100"', f"'{number}'"))
    assert list(config.routing.numbers) == [number, "default"]
    if number[0] != "*":
        unquoted = site(tmp_path / "unquoted", ("routing.yaml", '"100"', number))
        assert list(unquoted.routing.numbers) == [number, "default"]


@pytest.mark.parametrize(
    ("word", "value"),
    [("yes", True), ("Yes", True), ("true", True), ("on", True), ("no", False), ("FALSE", False), ("off", False)],
)
def test_booleans(tmp_path: Path, word: str, *, value: bool) -> None:
    welcome = site(tmp_path, ("ivr/main.yaml", "barge_in: yes", f"barge_in: {word}")).trees["main"].nodes["welcome"]
    assert isinstance(welcome, Play)
    assert welcome.barge_in is value


def test_names_that_yaml_would_take_for_something_else(tmp_path: Path) -> None:
    config = site(
        tmp_path,
        ("routing.yaml", "  general:\n", "  no:\n"),
        ("agents.yaml", "[cards, general]", "[cards, no]"),
        ("agents.yaml", "      - general", "      - no"),
        ("ivr/other.yaml", "queue: general", "queue: no"),
    )
    assert list(config.routing.queues) == ["cards", "no"]
    assert config.agents["bob"].queues == ("no",)


def test_aliases_are_expanded(tmp_path: Path) -> None:
    config = site(
        tmp_path,
        ("agents.yaml", "{cards: 5, english: 3}", "&skilled {cards: 5, english: 3}"),
        ("agents.yaml", "  bob:\n", "  bob:\n    skills: *skilled\n"),
    )
    assert config.agents["bob"].skills == config.agents["anna"].skills


def test_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    text = FILES["agents.yaml"].replace("\n", "\r\n")
    assert list(load(write_site(tmp_path, {"agents.yaml": b"\xef\xbb\xbf" + text.encode()}), {}).agents) == [
        "anna",
        "bob",
    ]


def test_positions(tmp_path: Path) -> None:
    config = site(tmp_path)
    assert config.where("routing", "queues", "cards") == Position(f"{tmp_path}/routing.yaml", 10, 3)
    assert config.where("agents", "agents", "anna", "phone") == Position(f"{tmp_path}/agents.yaml", 4, 5)
    assert config.where("ivr/main", "nodes", "ask", "choices", "2") == Position(f"{tmp_path}/ivr/main.yaml", 21, 7)
    assert config.where("routing", "queues", "cards", "music").line == 10, "what is not written: what is around it"
    assert str(config.where("agents")) == f"{tmp_path}/agents.yaml:1:1"


def test_nothing_can_be_changed(tmp_path: Path) -> None:
    config = site(tmp_path)
    with pytest.raises(AttributeError):
        config.agents = {}  # type: ignore[misc]
    with pytest.raises(ValidationError):
        config.agents["anna"].phone = "PJSIP/eve"
    for mapping in (config.agents, config.agents["anna"].skills, config.routing.queues, config.trees["main"].nodes):
        with pytest.raises(TypeError):
            mapping["new"] = None  # type: ignore[index]


def test_copies_and_pickles(tmp_path: Path) -> None:
    config = site(tmp_path)
    assert copy.deepcopy(config) == config
    assert pickle.loads(pickle.dumps(config)) == config
    assert config != site(tmp_path / "other", ("agents.yaml", "Anna Li", "Anna Lo"))


def test_models_dump_to_plain_values(tmp_path: Path) -> None:
    config = site(tmp_path)
    assert config.agents["anna"].model_dump()["skills"] == {"cards": 5, "english": 3}
    assert '"choices":{"1":"to-cards"' in config.trees["main"].model_dump_json()


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_site(tmp_path / "site", changed("acd.yaml", "web: {port: 8080}", "state_dir: state\ncache_dir: ~/cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/acd")
    config = load("site", {})
    assert config.folder == tmp_path / "site"
    assert config.acd.state_dir == tmp_path / "site" / "state"
    assert config.acd.cache_dir == Path("/home/acd/cache")
    assert config.acd.asterisk.ami.password_file == tmp_path / "site" / "ami-password"


def test_default_paths(tmp_path: Path) -> None:
    acd = site(tmp_path).acd
    assert (acd.state_dir, acd.cache_dir) == (Path("/var/lib/acd"), Path("/var/cache/acd"))


WARNINGS = list(read_cases(Path(__file__).parent / "warnings.txt"))


@pytest.mark.parametrize("case", WARNINGS, ids=[case.name for case in WARNINGS])
def test_warnings(tmp_path: Path, case: Case) -> None:
    assert case.messages
    config = load(write_site(tmp_path, case.changes()), {})
    assert [str(warning).replace(f"{tmp_path}/", "") for warning in config.warnings] == case.messages


SOUND = list(read_cases(Path(__file__).parent / "sound.txt"))


@pytest.mark.parametrize("case", SOUND, ids=[case.name for case in SOUND])
def test_sound(tmp_path: Path, case: Case) -> None:
    assert case.messages == []
    assert load(write_site(tmp_path, case.changes()), {}).warnings == ()


def test_files_that_are_not_read(tmp_path: Path) -> None:
    config = load(write_site(tmp_path, {"skills.yaml": ""}), {})
    assert [warning.message for warning in config.warnings] == [
        (
            "this file is not read; known here: acd.yaml, routing.yaml, agents.yaml, calendars.yaml, voicemail.yaml, "
            "followup.yaml and ivr/*.yaml"
        )
    ]


def test_a_menu_that_leads_to_itself_is_the_callers_wish(tmp_path: Path) -> None:
    config = site(
        tmp_path, ("ivr/main.yaml", '      "2": other.greet\n', '      "2": other.greet\n      "*": welcome\n')
    )
    assert config.warnings == ()


def test_language_follows_the_caller_over_trees(tmp_path: Path) -> None:
    config = site(
        tmp_path,
        (
            "ivr/other.yaml",
            "    next: leave\n",
            "    next: chinese\n  chinese: {type: language, language: zh, next: main}\n",
        ),
        ("ivr/other.yaml", "  leave:\n    type: enqueue\n    queue: general\n", ""),
    )
    assert [warning.message.split(",")[0] for warning in config.warnings] == ["prompt 'hello' has no 'zh'"]


def test_built_in_prompts_need_no_definition_in_any_language(tmp_path: Path) -> None:
    config = site(
        tmp_path,
        ("ivr/main.yaml", "language: en", "language: zh"),
        ("ivr/main.yaml", "prompt: hello", "prompt: [goodbye, no-input]"),
    )
    assert config.warnings == ()


def test_node_of_the_same_file_goes_before_a_tree(tmp_path: Path) -> None:
    """A reference `other` in a file with a node of that name would be in doubt, so the name is refused."""
    with pytest.raises(ConfigErrors, match="node 'other' has the name of a tree"):
        site(
            tmp_path,
            ("ivr/main.yaml", "  bye:\n", "  other:\n"),
            ("ivr/main.yaml", "on_failure: bye", "on_failure: other"),
        )


def test_strategies_may_be_given(tmp_path: Path) -> None:
    write_site(
        tmp_path, changed("routing.yaml", "wrap_up: {seconds: 5}", "strategy: {name: mine, options: {speed: 2.5}}")
    )
    config = load(tmp_path, {}, known_strategies={"mine": {"speed": (1.0, 3.0)}, "longest-idle": {}})
    strategy = config.routing.queues["general"].strategy
    assert (strategy.name, dict(strategy.options)) == ("mine", {"speed": 2.5})


def test_installed_strategies_are_known(tmp_path: Path) -> None:
    config = site(tmp_path, ("routing.yaml", "wrap_up: {seconds: 5}", "strategy: ring-all"))
    assert config.routing.queues["general"].strategy.name == "ring-all"
