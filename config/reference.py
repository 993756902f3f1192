"""The tables of keys in docs/configuration.md, made from the models so that they cannot differ from them.

``python -m config.reference docs/configuration.md`` brings the tables between the marks up to date.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

from config.environment import VARIABLES
from config.json_schema import json_schemas
from config.schema.shared import ONLY_YES

__all__ = ["key_tables", "with_tables"]

Schema: TypeAlias = dict[str, Any]
_Row: TypeAlias = tuple[str, str, str, str]

_NODES: Final = "ivr.nodes"
_TOLD_ELSEWHERE: Final = ("defaults", "join", "request", "all", "any", "not")
"""Keys whose content has its rows elsewhere: that of a queue, of overflow, of a look-up, of a condition."""
_PLACEHOLDERS: Final = {
    "numbers": "<number>",
    "skills": "<skill>",
    "requires": "<skill>",
    "queues": "<queue>",
    "agents": "<agent>",
    "options": "<option>",
    "prompts": "<prompt>",
    "<prompt>": "<language>",
    "nodes": "<node>",
    "choices": "<key>",
    "extensions": "<extension>",
    "questions": "<question>",
    "rules": "<rule>",
    "answers": "<question>",
    "webhooks": "<webhook>",
    "data": "<name>",
    "customers": "<number>",
    "calendars": "<calendar>",
    "boxes": "<box>",
    "hours": "<days>",
    "open": "<date>",
    "place": "<queue>",
    "by_name": "<holiday>",
    "keys": "<key>",
    "parameters": "<parameter>",
    "secrets": "<secret>",
    "lookups": "<look-up>",
    "body": "<name>",
    "answer": "<name>",
}
"""What a key of the site's own choice is called in the tables, by the key above it."""


def key_tables() -> dict[str, str]:
    """Return the tables in Markdown: ``acd``, ``routing`` and so on, ``ivr.nodes`` last."""
    tables: dict[str, str] = {}
    for file, schema in json_schemas().items():
        name = file.partition(".")[0]
        definitions = schema["$defs"]
        variable = _variable if name == "acd" else None
        tables[name] = _table(_rows(schema, definitions, ""), variable)
        if name == "ivr":
            node = next(iter(schema["properties"]["nodes"]["patternProperties"].values()))
            tables[_NODES] = "\n\n".join(
                f"**`type: {kind}`** {definitions[_name(reference)]['description']}\n\n"
                + _table(_rows(definitions[_name(reference)], definitions, ""), None)
                for kind, reference in node["discriminator"]["mapping"].items()
            )
    return tables


def with_tables(text: str) -> str:
    """Return a document with its tables replaced by the present ones. Raises KeyError for a mark of no table."""
    tables = key_tables()
    return re.sub(
        r"(<!-- keys: (\S+) -->\n).*?(<!-- end of keys -->)",
        lambda match: f"{match[1]}\n{tables[match[2]]}\n\n{match[3]}",
        text,
        flags=re.DOTALL,
    )


def _rows(schema: Schema, definitions: dict[str, Schema], path: str) -> Iterator[_Row]:
    """Yield key, value, default and meaning of everything below an object."""
    needed = schema.get("required", ())
    for key, value in schema.get("properties", {}).items():
        if "const" in value:  # tells what kind of node it is: a heading does
            continue
        resolved = _resolved(value, definitions)
        here = f"{path}{key}"
        default = _default(value) if "default" in value else "needed" if key in needed else ""
        yield here, _kind(resolved, definitions), default, value.get("description") or resolved["description"]
        if key not in _TOLD_ELSEWHERE:
            yield from _below(resolved, definitions, here, key)


def _below(schema: Schema, definitions: dict[str, Schema], path: str, key: str) -> Iterator[_Row]:
    if "properties" in schema:
        yield from _rows(schema, definitions, f"{path}.")
    if schema.get("type") == "array":
        item = _resolved(schema["items"], definitions)
        if "properties" in item:
            yield from _rows(item, definitions, f"{path}[].")
    for part in schema.get("anyOf", ()):
        if "$ref" in part:
            yield from _below(_resolved(part, definitions), definitions, path, key)
    for entry in _entries(schema):
        resolved = _long_form(_resolved(entry, definitions))
        if "properties" in resolved or _entries(resolved):
            placeholder = _PLACEHOLDERS[key]
            yield from _below(resolved, definitions, f"{path}.{placeholder}", placeholder)


def _long_form(schema: Schema) -> Schema:
    """Return the mapping among the forms that a value may have; what has one form alone as it is."""
    return next((form for form in schema.get("anyOf", ()) if "properties" in form), schema)


def _entries(schema: Schema) -> list[Schema]:
    """Return what a mapping with keys of the site's choice holds."""
    entries = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    return [entry for entry in entries if isinstance(entry, dict)]


def _resolved(schema: Schema, definitions: dict[str, Schema]) -> Schema:
    return definitions[_name(schema["$ref"])] if "$ref" in schema else schema


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _kind(schema: Schema, definitions: dict[str, Schema]) -> str:
    """Say in words what a value may be."""
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if {"type": "boolean"} in schema.get("anyOf", ()):
        return "yes or no"
    if ONLY_YES in schema.get("anyOf", ()):
        return "`yes`"
    if "anyOf" in schema:
        return " or ".join(_kind(_resolved(part, definitions), definitions) for part in schema["anyOf"])
    if _entries(schema):
        return "mapping"
    match schema.get("type"):
        case "integer":
            return f"whole number, {schema['minimum']} to {schema['maximum']}"
        case "number":
            return f"number, {schema['minimum']:.10g} to {schema['maximum']:.10g}"
        case "array":
            return "list"
        case "object":
            return "mapping"
        case _:
            return "text"


def _default(value: Schema) -> str:
    default = value["default"]
    if isinstance(default, dict):
        return ", ".join(f"{key} `{_plain(below)}`" for key, below in default.items())
    return f"`{_plain(default)}`"


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _variable(path: str) -> str:
    by_path = {".".join(keys): name for name, keys in VARIABLES.items()}
    return f"`{by_path[path]}`" if path in by_path else ""


def _table(rows: Iterator[_Row], variable: Callable[[str], str] | None) -> str:
    heads = ["key", "value", "default", "meaning", *(["variable"] if variable else [])]
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    for path, kind, default, meaning in rows:
        cells = [f"`{path}`", kind, default, meaning.replace("``", "`"), *([variable(path)] if variable else [])]
        lines.append("| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        document = Path(name)
        document.write_text(with_tables(document.read_text(encoding="utf-8")), encoding="utf-8")
