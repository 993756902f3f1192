"""JSON Schemas of the configuration files, for editors that check YAML while it is typed.

``python -m config.json_schema`` writes them anew after a change of the models. An editor finds them by the first line
of a file: ``# yaml-language-server: $schema=…``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from config.readonly import ReadOnlyMap
from config.schema import Acd, Agents, Calendars, Routing, Tree, Voicemail
from config.schema.follow_up import FollowUps
from config.schema.shared import ONLY_YES

__all__ = ["SHIPPED", "json_schemas", "write_json_schemas"]

SHIPPED: Final = Path(__file__).parent / "schema" / "json"
"""The folder with the schemas as shipped."""

_MODELS: Final[Mapping[str, type[BaseModel]]] = ReadOnlyMap(
    {
        "acd": Acd,
        "routing": Routing,
        "agents": Agents,
        "calendars": Calendars,
        "voicemail": Voicemail,
        "followup": FollowUps,
        "ivr": Tree,
    }
)


class _ForEditors(GenerateJsonSchema):
    """Leaves null out: a key without a value is refused, so an editor should say so."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Describe ``X | None`` as X."""
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the base class's signature
        """Leave titles out: they would only repeat the key."""
        return False

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Refuse keys that are not of the form given."""
        described = super().dict_schema(schema)
        if "patternProperties" in described:
            described["additionalProperties"] = False
        return described

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out a default that stands for nothing at all."""
        described = super().default_schema(schema)
        nothing = described.get("default", ...) in (None, [], "") or ONLY_YES in described.get("anyOf", ())
        if nothing:
            del described["default"]
        return described


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the schemas by file name: ``acd.schema.json`` for acd.yaml, ``ivr.schema.json`` for the files in ivr/."""
    return {
        f"{name}.schema.json": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **model.model_json_schema(schema_generator=_ForEditors),
        }
        for name, model in _MODELS.items()
    }


def write_json_schemas(folder: Path) -> list[Path]:
    """Write the schemas into ``folder``, which is made if need be, and return their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, schema in json_schemas().items():
        path = folder / name
        path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    for file in write_json_schemas(Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED):
        sys.stdout.write(f"{file}\n")
