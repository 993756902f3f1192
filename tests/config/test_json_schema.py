"""The schemas for editors: up to date, satisfied by every sound file, and as strict about shapes as the loader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from config import EXAMPLES
from config.json_schema import SHIPPED, json_schemas, write_json_schemas
from config.schema import Acd, Agents, Calendars, Routing, Tree
from config.schema.shared import Model
from config.schema.walk import child, models_of, plain
from tests.config.cases import Case, read_cases
from tests.config.sites import FILES

SCHEMAS = json_schemas()


def faults(name: str, text: str) -> list[str]:
    """Return what an editor would underline in a file."""
    kind = "ivr" if name.startswith("ivr/") else name.removesuffix(".yaml")
    validator = jsonschema.Draft202012Validator(SCHEMAS[f"{kind}.schema.json"])
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


def test_up_to_date(tmp_path: Path) -> None:
    """If this fails: python -m config.json_schema."""
    for path in write_json_schemas(tmp_path):
        assert (SHIPPED / path.name).read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    assert sorted(path.name for path in SHIPPED.iterdir()) == sorted(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_a_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_examples(path: Path) -> None:
    name = f"ivr/{path.name}" if path.parent.name == "ivr" else path.name
    assert faults(name, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".yaml")])
def test_small_site(name: str) -> None:
    assert faults(name, FILES[name]) == []
    assert faults(name, FILES[name].replace("barge_in: yes", "barge_in: 'yes'")) == [], "as YAML 1.2 reads it"


BEYOND_SHAPE = re.compile(
    r"unknown (agent|calendar|prompt|queue|skill|strategy|time zone|tree)|has no (node|option|'opening_hours')"
    r"|no queue has|not later than|wait in it already|may not be dialled|called back|no trunk|does not serve"
    r"|each its own"
)
"""Messages about names and values that do not fit to each other, of which a schema knows nothing."""

# YAML itself knows 0x1F90 as a number, so an editor has nothing to say.
VALUES = [
    case for case in read_cases(Path(__file__).parent / "broken" / "values.txt") if case.name != "values: port hex"
]


SHAPES = [
    case
    for name in ("agents", "queues", "rules", "site")
    for case in read_cases(Path(__file__).parent / "broken" / f"{name}.txt")
    if not all(BEYOND_SHAPE.search(message) for message in case.messages)
]


@pytest.mark.parametrize("case", VALUES + SHAPES, ids=[case.name for case in VALUES + SHAPES])
def test_editor_sees_what_the_loader_refuses(case: Case) -> None:
    found = [fault for name, text in case.changes().items() for fault in faults(name, str(text))]
    assert found


def every_field(shape: Any, path: str, within: frozenset[type] = frozenset()) -> list[tuple[str, str | None]]:
    """Return all fields below a model, each with its description; a model that holds itself is looked at once."""
    core = plain(shape)
    if core in within:
        return []
    if tagged := models_of(core):
        return [item for model in tagged.values() for item in every_field(model, f"{path}[{model.__name__}]", within)]
    if isinstance(core, type) and issubclass(core, Model):
        found: list[tuple[str, str | None]] = []
        for name, field in core.model_fields.items():
            found.append((f"{path}.{name}", field.description))
            found += every_field(field.annotation, f"{path}.{name}", within | {core})
        return found
    below, _ = child(core, "")
    return every_field(below, path, within) if below is not None else []


def test_every_field_is_described() -> None:
    fields = [item for model in (Acd, Routing, Agents, Calendars, Tree) for item in every_field(model, model.__name__)]
    assert len(fields) > 130
    assert [name for name, description in fields if not description or not description.endswith((".", "?"))] == []


def test_no_null() -> None:
    assert "null" not in json.dumps(SCHEMAS)
