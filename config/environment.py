"""Settings from the command line and the environment, laid over acd.yaml.

Precedence: command line, then environment, then acd.yaml, then the default. Every single value of acd.yaml has a
variable: ``ACD_`` and its path in capitals, without the leading ``asterisk`` (``asterisk.ami.host`` is
``ACD_AMI_HOST``, ``web.port`` is ``ACD_WEB_PORT``). A variable that is set to nothing counts as not set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, get_origin

from config.document import Document, KeyPath, Raw, SourceMap
from config.files import resolved
from config.problems import Findings, Position
from config.schema import Acd
from config.schema.walk import Leaf, leaves, plain
from config.suggest import nearest, suggestion

__all__ = ["MAIL_SECRET", "MAIL_SECRET_FILE", "SECRET", "SECRET_FILE", "SECRET_PREFIX", "VARIABLES", "overlay"]

_PREFIX = "ACD_"
_NOT_OURS = frozenset({"ACD_CONFIG", "ACD_CACHE_HOME"})
"""Read elsewhere: the configuration folder, and where the lab keeps what it fetched."""

SECRET: Final[KeyPath] = ("asterisk", "ami", "password")
SECRET_FILE: Final[KeyPath] = ("asterisk", "ami", "password_file")
MAIL_SECRET: Final[KeyPath] = ("mail", "password")
MAIL_SECRET_FILE: Final[KeyPath] = ("mail", "password_file")
_SECRETS: Final[Mapping[KeyPath, KeyPath]] = MappingProxyType({SECRET: SECRET_FILE, MAIL_SECRET: MAIL_SECRET_FILE})
"""Passwords, each with the file that may hold it instead."""
_FOLDERS: Final[tuple[KeyPath, ...]] = (
    *_SECRETS.values(),
    ("mail", "ca_file"),
    ("http", "ca_file"),
    ("state_dir",),
    ("cache_dir",),
    ("recordings_dir",),
)
SECRET_PREFIX: Final = "ACD_SECRET_"  # noqa: S105 - a prefix of names
"""What the variables of the site's own secrets begin with."""
_TOO_LIKE = 0.85
_UNPRINTABLE = "the value has characters that cannot be used; give one line of UTF-8 text"


def _variable(path: tuple[str, ...]) -> str:
    return _PREFIX + "_".join(path[1:] if path[0] == "asterisk" else path).upper()


def _is_listing(leaf: Leaf) -> bool:
    """Tell whether a value is made of several, which no variable can hold."""
    origin: Any = get_origin(plain(leaf.field.annotation))
    return isinstance(origin, type) and issubclass(origin, Mapping | tuple)


VARIABLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {_variable(leaf.path): leaf.path for leaf in leaves(Acd) if not _is_listing(leaf)}
)
"""Every variable, with the path of the value in acd.yaml that it overrides."""


def overlay(document: Document, env: Mapping[str, str], overrides: Mapping[str, str], findings: Findings) -> Document:
    """Return acd.yaml's document with environment and command line laid over it.

    ``overrides`` are the command line's: dotted path (``asterisk.ami.host``) and text. A relative path given by
    environment or command line is relative to the working folder, as usual there.
    """
    root = document.root if isinstance(document.root, dict) else None
    if root is None:
        return document
    source = SourceMap(document.source.file, dict(document.source.keys), dict(document.source.values))
    _one_secret(root, source, findings)
    given: set[KeyPath] = set()
    for layer in (_from_environment(env, findings), _from_command_line(overrides, findings)):
        settings = dict(layer)
        for secret, file in _SECRETS.items():
            if secret in settings and file in settings:
                findings.error(
                    settings[file][0], f"the password is given, too ({settings[secret][0]}); keep one of the two"
                )
        for path, (position, text) in settings.items():
            _set(root, source, path, text, position)
        given.update(settings)
    return Document(root, source, document.dropped - given)


def _one_secret(root: dict[str, Raw], source: SourceMap, findings: Findings) -> None:
    for secret, file in _SECRETS.items():
        holder: Any = root
        for key in secret[:-1]:
            holder = holder.get(str(key)) if isinstance(holder, dict) else None
        if isinstance(holder, dict) and "password" in holder and "password_file" in holder:
            findings.error(source.key(file), "'password' is given, too; keep one of 'password' and 'password_file'")


def _from_environment(env: Mapping[str, str], findings: Findings) -> Iterator[tuple[KeyPath, tuple[Position, str]]]:
    for name in sorted(env):
        if not name.startswith(_PREFIX) or name.startswith(SECRET_PREFIX) or name in _NOT_OURS or not env[name]:
            continue
        position = Position(f"environment variable {name}", 0, 0)
        if not env[name].isprintable():
            findings.error(position, _UNPRINTABLE)
        elif path := VARIABLES.get(name):
            yield path, (position, _from_working_folder(path, env[name]))
        elif near := nearest(name, VARIABLES, cutoff=_TOO_LIKE):
            findings.warning(position, f"unknown setting, ignored; did you mean {near}?")


def _from_command_line(
    overrides: Mapping[str, str], findings: Findings
) -> Iterator[tuple[KeyPath, tuple[Position, str]]]:
    paths = {".".join(path): path for path in VARIABLES.values()}
    for name, text in overrides.items():
        position = Position(f"command line {name}", 0, 0)
        path = paths.get(name)
        if path and path in _SECRETS:
            variable = _variable(tuple(map(str, _SECRETS[path])))
            findings.error(position, f"every user of the machine can see it there; use {variable}")
        elif path and not text.isprintable():
            findings.error(position, _UNPRINTABLE)
        elif path:
            yield path, (position, _from_working_folder(path, text))
        else:
            findings.error(position, f"unknown setting; {suggestion(name, paths)}")


def _from_working_folder(path: KeyPath, text: str) -> str:
    return str(resolved(Path(text), Path.cwd())) if path in _FOLDERS else text


def _set(root: dict[str, Raw], source: SourceMap, path: KeyPath, text: str, position: Position) -> None:
    """Put one value over what the file says. A secret replaces the lower layers' secret in either form."""
    holder = root
    for key in path[:-1]:
        below = holder.setdefault(str(key), {})
        if not isinstance(below, dict):
            return  # The file has something else there, which validation reports.
        holder = below
    for secret, file in _SECRETS.items():
        if path in (secret, file):
            holder.pop(str((file if path == secret else secret)[-1]), None)
    holder[str(path[-1])] = text
    source.keys[path] = source.values[path] = position
