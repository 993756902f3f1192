"""Whatever the files hold: a configuration, or ConfigErrors of which every message is a printable line with a place."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import Config, ConfigErrors, document, load
from config.problems import Findings
from config.schema import Acd, Agents, Calendars, Routing, Tree
from config.validation import validate
from tests.config.sites import FILES, write_site

YAML_FILES: Final = [name for name in FILES if name.endswith(".yaml")]
KNOWN: Final[dict[str, dict[str, tuple[float, float]]]] = {"longest-idle": {}, "ring-all": {}}

LINE: Final = re.compile(r".+(:\d+:\d+: |(environment variable|command line) \S+: )\S.*")


@pytest.fixture(name="folder")
def scratch_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp())
    yield write_site(folder)
    shutil.rmtree(folder)


def load_or_refuse(folder: Path) -> None:
    try:
        config = load(folder, {}, known_strategies=KNOWN)
    except ConfigErrors as errors:
        for problem in (*errors.errors, *errors.warnings):
            assert str(problem).isprintable()
            assert LINE.fullmatch(str(problem))
    else:
        assert isinstance(config, Config)


def words(text: str) -> st.SearchStrategy[str]:
    return st.sampled_from(text.split())


PIECES: Final = (
    st.sampled_from(
        ["\n", "\n  ", "\n    ", " ", ": ", "- ", "&a ", "*a", "<<: ", "!x ", "|\n", "? ", "---\n", "...\n"]
    )
    | st.sampled_from(["\t", "\u2028", "\x85", "\ufeff", "é", "你好", "🙂"])
    | words("[ ] { } , ' \" # % \\ ~ null 1e999 -1 .inf agents queues nodes type:menu choices prompts en start next")
    | words("requires skills numbers asterisk ami password name strategy options text file value")
    | words("calendars overflow: when: then: - {when:{},then:{}} relax: 09:00-12:30 2026-02-30 zone: customers:")
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(YAML_FILES), data=st.binary(max_size=300))
def test_bytes(folder: Path, name: str, data: bytes) -> None:
    load_or_refuse(write_site(folder, {name: data}))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(YAML_FILES), pieces=st.lists(PIECES, max_size=40))
def test_pieces_of_yaml(folder: Path, name: str, pieces: list[str]) -> None:
    load_or_refuse(write_site(folder, {name: "".join(pieces)}))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files(folder: Path, data: st.DataObject) -> None:
    """Some places of the sound site are cut out, doubled or overwritten."""
    changes: dict[str, str | bytes | None] = {}
    for name in data.draw(st.lists(st.sampled_from(YAML_FILES), min_size=1, max_size=3, unique=True)):
        text = FILES[name]
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(text)))
            end = data.draw(st.integers(start, min(len(text), start + 40)))
            text = text[:start] + data.draw(st.sampled_from(["", text[start:end] * 2]) | PIECES) + text[end:]
        changes[name] = text
    load_or_refuse(write_site(folder, changes))


SCALARS: Final = words("x 1 0 -5 yes main cards PJSIP/a a.b en play") | st.text(
    st.characters(codec="utf-8"), max_size=8
)
KEYS: Final = (
    st.sampled_from([key for model in (Acd, Routing, Agents, Calendars, Tree) for key in model.model_fields])
    | words("cards anna welcome type prompt choices next queue value text file en zh requires strategy")
    | words("ami phone invalid data 1 * back_off_s title relax overflow join when then wrap_up while_waiting say play")
    | words("after_s waiting_s out_of_hours closing number sticky ageing mon-fri hours closed open zone 2026-12-24")
    | SCALARS
)
VALUES: Final = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=4) | st.dictionaries(KEYS, below, max_size=5), max_leaves=25
)


@settings(max_examples=250, deadline=None)
@given(model=st.sampled_from([Acd, Routing, Agents, Calendars, Tree]), root=st.dictionaries(KEYS, VALUES, max_size=6))
def test_any_structure_ends_in_a_verdict(
    model: type[Acd | Routing | Agents | Calendars | Tree], root: document.Raw
) -> None:
    """Taking out what is refused and validating again always comes to an end; what is left is sound by itself."""
    findings = Findings()
    text = yaml.safe_dump(root, allow_unicode=True)
    read = document.parse(text.encode(), "file.yaml", Findings())
    part = validate(model, read, findings)
    if not findings.errors and read.root is not None and not read.dropped:
        assert part.model is not None
    for problem in findings.errors:
        assert problem.position.file == "file.yaml"
        assert str(problem).isprintable()


@settings(max_examples=200, deadline=None)
@given(root=st.dictionaries(KEYS, VALUES, max_size=6))
def test_what_is_written_is_read(root: dict[str, document.Raw]) -> None:
    """Quoted scalars come back as they are, whatever they look like."""
    text = yaml.safe_dump(root, allow_unicode=True, default_style='"')
    findings = Findings()
    read = document.parse(text.encode(), "file.yaml", findings)
    if "<<" in text:
        return
    assert findings.errors == ()
    assert read.root == root


def test_the_python_parser_serves_where_libyaml_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_libyaml = load(folder, {})
    monkeypatch.setattr(document, "_LOADER", yaml.BaseLoader)
    assert load(folder, {}) == with_libyaml
    for name in YAML_FILES:
        for cut in range(0, len(FILES[name]), 7):
            load_or_refuse(write_site(folder, {name: FILES[name][:cut] + "\n ]: {" + FILES[name][cut:]}))
        write_site(folder)


def test_many_wrong_names_are_told_in_bounded_time(folder: Path) -> None:
    """Looking for the nearest name must not take minutes when every name in a large file is wrong."""
    queues = "".join(f"  queue-{number}: {{}}\n" for number in range(600))
    agents = "".join(f"  agent-{number}: {{phone: PJSIP/{number}, queues: [quuee{number}]}}\n" for number in range(600))
    routing = FILES["routing.yaml"] + queues
    write_site(folder, {"routing.yaml": routing, "agents.yaml": "agents:\n" + agents})
    with pytest.raises(ConfigErrors) as caught:
        load(folder, {})
    assert len(caught.value.errors) == 600
