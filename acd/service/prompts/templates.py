"""Places in the settings of voices: `{text}`, `{voice}`, `{secret.NAME}` and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["filled", "places"]

_PLACE = re.compile(r"\{([a-z_]+(?:\.[A-Za-z0-9_-]+)?)\}")


def filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with its places filled in; one that is not known stays as it stands. Values are not looked into."""
    return _PLACE.sub(lambda match: values.get(match.group(1), match.group(0)), template)


def places(template: str) -> frozenset[str]:
    """The names of the places in `template`."""
    return frozenset(_PLACE.findall(template))
