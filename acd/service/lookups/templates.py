"""Filling a caller's data into a request, each in its place.

Nothing that a caller keys in or a network sends can change the host, the structure of the path, or another field.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, urlencode

import orjson
from yarl import URL

from acd.service.lookups.client import origin
from ivr.fields import field_names, substitute

__all__ = ["BodyKind", "BodyValue", "CannotAsk", "RequestTemplate", "SentAs"]

SECRET = "secret."  # noqa: S105 - a prefix of names
"""What the names of secret fields begin with."""
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_SEPARATOR = re.compile(r"[/\\]")

Lookup = Callable[[str], str]
"""A field's value by its name, such as ``call.caller``."""


class CannotAsk(Exception):
    """The request cannot be made of these values. The text names fields, never values."""


class BodyKind(StrEnum):
    """What a body is written as."""

    JSON = "json"
    FORM = "form"


class SentAs(StrEnum):
    """What a value in a JSON body is."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class BodyValue:
    """One value of a body: its template, and what it is in JSON."""

    template: str
    kind: SentAs = SentAs.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTemplate:
    """A request with fields such as ``{data.account}`` and ``{secret.token}`` in it. Has been checked by the schema:
    no field stands in scheme, host or port of ``url``, which has no fragment.
    """

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, BodyValue] = field(default_factory=dict)
    body_kind: BodyKind = BodyKind.JSON

    @property
    def host(self) -> str:
        """Whom it goes to: scheme, host and port."""
        return origin(URL(self.url.partition("?")[0].partition("{")[0]))

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all fields that are no secrets, each once."""
        return tuple(name for name in self._names() if not name.startswith(SECRET))

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of all secrets, each once."""
        return tuple(name.removeprefix(SECRET) for name in self._names() if name.startswith(SECRET))

    def fill_url(self, lookup: Lookup) -> URL:
        """Fill in path and query.

        Raises:
            CannotAsk: a value would change the path.
        """
        address, _, query = self.url.partition("?")
        scheme, _, rest = address.partition("://")
        host, slash, path = rest.partition("/")
        segments = [_segment(segment, lookup) for segment in path.split("/")]
        pairs = [substitute(query, lambda name: _quoted(lookup(name)))] if query else []
        pairs += [f"{_quoted(name)}={_quoted(substitute(value, lookup))}" for name, value in self.query.items()]
        text = f"{scheme}://{host}{slash}{'/'.join(segments)}" + ("?" if pairs else "") + "&".join(pairs)
        try:
            return URL(text, encoded=True)
        except ValueError:
            raise CannotAsk("the values make no address") from None

    def fill_headers(self, lookup: Lookup) -> dict[str, str]:
        """Fill in the headers; those that tell what is sent and wanted are there unless the template has its own.

        Raises:
            CannotAsk: a value has a line end in it.
        """
        headers = {"Accept": "application/json"}
        if self.body:
            form = self.body_kind is BodyKind.FORM
            headers["Content-Type"] = "application/x-www-form-urlencoded" if form else "application/json"
        own = {name: substitute(value, lookup) for name, value in self.headers.items()}
        for name, value in own.items():
            if any(char < " " or char == "\x7f" for char in value):
                raise CannotAsk(f"header {name} would have more than one line")
        given = {name.lower() for name in own}
        return {name: value for name, value in headers.items() if name.lower() not in given} | own

    def fill_body(self, lookup: Lookup) -> bytes | None:
        """Fill in the body; None for none.

        Raises:
            CannotAsk: a value is not what it has to be.
        """
        if not self.body:
            return None
        if self.body_kind is BodyKind.FORM:
            return urlencode({name: substitute(value.template, lookup) for name, value in self.body.items()}).encode()
        document: dict[str, object] = {}
        for name, value in self.body.items():
            *above, last = name.split(".")
            holder = document
            for step in above:
                below = holder.setdefault(step, {})
                if not isinstance(below, dict):
                    raise CannotAsk(f"body {name} stands below a value")
                holder = below
            holder[last] = _sent(name, substitute(value.template, lookup), value.kind)
        return orjson.dumps(document)

    def _names(self) -> tuple[str, ...]:
        templates = (
            self.url,
            *self.query.values(),
            *self.headers.values(),
            *(value.template for value in self.body.values()),
        )
        return tuple(dict.fromkeys(name for template in templates for name in field_names(template)))


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _segment(template: str, lookup: Lookup) -> str:
    """Fill one part of the path between two slashes. It stays one part, and is never one that leads elsewhere."""
    names = field_names(template)
    if not names:
        return template

    def value(name: str) -> str:
        found = lookup(name)
        if not found:
            raise CannotAsk(f"{name} is empty, and stands in the path")
        # Some servers decode before they take a path apart: then what is quoted here would be steps up after all.
        if any(part in (".", "..") for part in _SEPARATOR.split(found)):
            raise CannotAsk(f"{name} would change the path")
        return _quoted(found)

    filled = substitute(template, value)
    if filled in (".", ".."):
        raise CannotAsk(f"{names[0]} would change the path")
    return filled


def _sent(name: str, text: str, kind: SentAs) -> object:
    match kind:
        case SentAs.NUMBER:
            if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
                raise CannotAsk(f"body {name} is not a number")
            return float(text) if "." in text else int(text)
        case SentAs.FLAG:
            flags = {"yes": True, "true": True, "no": False, "false": False}
            if text.lower() not in flags:
                raise CannotAsk(f"body {name} is neither yes nor no")
            return flags[text.lower()]
        case SentAs.TEXT:
            return text
