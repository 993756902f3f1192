"""docs/configuration.md says what the engine does: its tables are the models', its snippets load, its messages come."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from config import Config, ConfigErrors, load
from config.checks.trees import CALL_FIELDS
from config.environment import VARIABLES
from config.reference import key_tables, with_tables
from config.schema.ivr import Hangup, Menu
from tests.config.sites import write_site

DOCUMENT: Final = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
SNIPPETS: Final = re.findall(r"```yaml\n# (\S+\.yaml)\n(.*?)```", DOCUMENT, flags=re.DOTALL)


def merged(base: Any, more: Any) -> Any:
    """Lay a snippet over a file."""
    if isinstance(base, dict) and isinstance(more, dict):
        return {**base, **{key: merged(base.get(key), value) for key, value in more.items()}}
    return more


def site(*, snippets: int) -> dict[str, str | bytes | None]:
    """Return the whole site of the first four snippets, with those that follow laid over it, up to a number."""
    files: dict[str, Any] = {}
    for name, text in SNIPPETS[:snippets]:
        files[name] = merged(files.get(name), yaml.load(text, yaml.BaseLoader))
    texts: dict[str, str | bytes | None] = {
        name: yaml.dump(content, allow_unicode=True, default_style='"') for name, content in files.items()
    }
    return {**texts, "ivr/other.yaml": None, "calendars.yaml": None, "prompts/zh/choose.wav": None}


def test_tables_are_up_to_date() -> None:
    """If this fails: python -m config.reference docs/configuration.md."""
    assert with_tables(DOCUMENT) == DOCUMENT
    assert sorted(re.findall(r"<!-- keys: (\S+) -->", DOCUMENT)) == sorted(key_tables())


def test_tables_name_every_variable() -> None:
    table = key_tables()["acd"]
    assert {name for name in VARIABLES if f"`{name}`" in table} == set(VARIABLES)


def test_every_row_has_a_meaning() -> None:
    rows = [line for table in key_tables().values() for line in table.splitlines() if line.startswith("| `")]
    assert len(rows) > 60
    for row in rows:
        assert re.match(r"\| `[^`]+` \| [^|]+ \| [^|]* \| [^|]+[.?] \|", row), row


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(KeyError):
        with_tables("<!-- keys: nothing -->\n\n<!-- end of keys -->")


def test_the_four_files_are_a_whole_site(tmp_path: Path) -> None:
    assert [name for name, _ in SNIPPETS[:4]] == ["acd.yaml", "routing.yaml", "agents.yaml", "ivr/main.yaml"]
    assert load(write_site(tmp_path, site(snippets=4)), {}).warnings == ()


def test_the_files_load_as_they_are_printed(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {"ivr/other.yaml": None, "calendars.yaml": None, **dict(SNIPPETS[:4])}
    assert list(load(write_site(tmp_path, files), {}).agents) == ["anna", "bob"]


def whole(folder: Path) -> Config:
    return load(write_site(folder, site(snippets=len(SNIPPETS))), {})


def test_every_snippet_fits(tmp_path: Path) -> None:
    assert len(SNIPPETS) == 7
    for count in range(5, len(SNIPPETS) + 1):
        load(write_site(tmp_path / str(count), site(snippets=count)), {})
    assert whole(tmp_path / "whole").warnings == ()


def test_snippets_mean_what_is_said(tmp_path: Path) -> None:
    config = whole(tmp_path)
    assert config.routing.queues["sales"].ring_timeout_s == 12
    assert config.routing.queues["support"].ring_timeout_s == 20
    assert config.routing.queues["support"].strategy.name == "progressive-ring"
    hello, bye = config.trees["main"].nodes["hello"], config.trees["main"].nodes["bye"]
    assert isinstance(hello, Menu)
    assert isinstance(bye, Hangup)
    assert hello.choices["*"] == "number"
    assert [played.prompt for played in bye.prompt] == ["thanks", "goodbye"]


def test_messages_are_those_shown(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {"ivr/other.yaml": None, "calendars.yaml": None, **dict(SNIPPETS[:4])}
    agents = dict(SNIPPETS[:4])["agents.yaml"]
    files["agents.yaml"] = agents.replace("[sales, support]", "[slaes, support]").replace(
        "    phone: PJSIP/bob", "    fone: PJSIP/bob"
    )
    with pytest.raises(ConfigErrors) as caught:
        load(write_site(tmp_path, files), {"ACD_WEB_PORT": "http"})
    lines = [str(error).replace(str(tmp_path), "/etc/acd") for error in caught.value.errors]
    assert len(lines) == 3
    for line in lines:
        assert f"\n{line}\n" in DOCUMENT


def test_fields_are_named() -> None:
    for name in CALL_FIELDS:
        assert f"`{{call.{name}}}`" in DOCUMENT
