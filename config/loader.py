"""Loading a configuration folder: all its files, checked one by one and against each other, all errors in one go."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from config.checks import Draft, Strategies, check_all
from config.customers import CustomerTable, read_table
from config.document import Document, SourceMap, parse
from config.environment import overlay
from config.files import read, reason, resolved, shown
from config.problems import ConfigErrors, Findings, Position, Problem
from config.readonly import ReadOnlyMap
from config.schema import Acd, Agents, Calendars, Routing, Tree, Voicemail
from config.schema.agents import Agent
from config.schema.calendars import Calendar
from config.schema.follow_up import FollowUp, FollowUps
from config.schema.ivr import Prompt
from config.schema.queues import Queue
from config.schema.shared import Language, is_name
from config.secrets import site_secrets, with_secret
from config.suggest import nearest
from config.validation import Part, validate
from config.wording import printable
from routing.strategies import by_any_name, installed_strategies

__all__ = ["FILES", "Config", "examine", "load"]

FILES: Final = ("acd.yaml", "routing.yaml", "agents.yaml")
"""Files every configuration folder has, beside the folder ivr/ with at least one tree."""

CALENDARS: Final = "calendars.yaml"
"""The file that only sites with opening hours have."""

FOLLOW_UP: Final = "followup.yaml"
"""The file that only sites with messages after calls have."""

VOICEMAIL: Final = "voicemail.yaml"
"""The file that only sites with voicemail boxes have."""

_MAX_TREES = 1000
_NONE: Final[Mapping[str, str]] = ReadOnlyMap({})


@dataclass(frozen=True, slots=True)
class Config:
    """A checked configuration. Every name in it leads to something, every bound holds, nothing in it can change."""

    folder: Path
    """The folder it was read from."""
    acd: Acd
    """acd.yaml with environment and command line laid over it; paths absolute, the password read."""
    routing: Routing
    """routing.yaml; every queue has a title, and what it does not set from ``defaults``."""
    agents: Mapping[str, Agent]
    """The agents by login name, in the order of agents.yaml; every agent has a name."""
    not_ready_reasons: Mapping[str, str]
    """Reasons for being not ready by the digit that is dialled for them."""
    calendars: Mapping[str, Calendar]
    """The calendars by name; none without calendars.yaml."""
    voicemail: Voicemail
    """voicemail.yaml; every box has what it does not set from ``defaults``. No boxes without the file."""
    follow_up: Mapping[str, FollowUp]
    """The rules of followup.yaml by name; none without the file."""
    trees: Mapping[str, Tree]
    """The menu trees by name."""
    prompts: Mapping[str, Mapping[Language, Prompt]]
    """All prompts of all trees: name, language, variant."""
    sources: Mapping[str, SourceMap]
    """Positions by file: its name without ``.yaml``, ``ivr/<tree>`` for a tree."""
    warnings: tuple[Problem, ...]
    """What is probably not meant, but can be lived with."""
    secrets: Mapping[str, SecretStr] = field(default_factory=lambda: ReadOnlyMap({}))
    """The site's own secrets by name, as far as they are given."""
    customers: CustomerTable = field(default_factory=CustomerTable)
    """Customers out of a file beside routing.yaml, by number in one way of writing."""

    def where(self, source: str, *path: str | int) -> Position:
        """Return where a value was written: ``where("routing", "queues", "cards")``."""
        return self.sources[source].key(path)

    def recording(self, language: str, prompt: Prompt) -> Path | None:
        """Return the recorded file of a prompt's variant; None if it is a text."""
        return self.folder / "prompts" / language / prompt.file if prompt.file else None


def load(
    folder: Path | str,
    env: Mapping[str, str] = os.environ,
    *,
    overrides: Mapping[str, str] = _NONE,
    known_strategies: Strategies | None = None,
    password_required: bool = False,
) -> Config:
    """Load and check the configuration in ``folder``.

    ``env`` and ``overrides`` (the command line's: dotted path in acd.yaml and text) take precedence over acd.yaml.
    ``known_strategies`` are the names that queues may use, each with the bounds of its options; without them those
    that are installed. ``password_required``: a missing AMI password is an
    error; else it is a warning, so that a configuration can be checked where the password is not at hand.

    Raises:
        ConfigErrors: the configuration cannot be used; it carries every error found.
    """
    root = Path(folder)
    findings = Findings()
    draft, acd = _examined(root, env, overrides, known_strategies, password_required, findings)
    if findings.errors or draft is None:
        raise ConfigErrors(findings.errors, findings.warnings)
    routing, agents, calendars = draft.routing.model, draft.agents.model, draft.calendars.model
    voicemail, follow_up = draft.voicemail.model, draft.follow_up.model
    trees = {name: part.model for name, part in draft.trees.items() if part.model is not None}
    whole = len(trees) == len(draft.trees)
    if (
        acd is None
        or routing is None
        or agents is None
        or calendars is None
        or voicemail is None
        or follow_up is None
        or not whole
    ):
        raise RuntimeError("a file was refused without an error being recorded")
    return Config(
        folder=root.absolute(),
        acd=acd,
        routing=_completed(routing),
        agents=ReadOnlyMap({name: _named(name, agent) for name, agent in agents.agents.items()}),
        not_ready_reasons=agents.not_ready_reasons,
        calendars=calendars.calendars,
        voicemail=_completed_boxes(voicemail),
        follow_up=follow_up.rules,
        trees=ReadOnlyMap(trees),
        prompts=ReadOnlyMap({name: prompt for tree in trees.values() for name, prompt in tree.prompts.items()}),
        sources=_sources(draft),
        warnings=findings.warnings,
        secrets=ReadOnlyMap(draft.secrets),
        customers=draft.customers,
    )


def examine(
    folder: Path | str, env: Mapping[str, str] = os.environ, *, overrides: Mapping[str, str] = _NONE
) -> tuple[Draft, Findings]:
    """Read and check the configuration in ``folder``, and return what is sound of it beside all that was found.

    For looking at a configuration that may have errors; what is to be run is loaded.

    Raises:
        ConfigErrors: there is no such folder.
    """
    findings = Findings()
    draft, _ = _examined(Path(folder), env, overrides, None, False, findings)
    if draft is None:
        raise ConfigErrors(findings.errors, findings.warnings)
    return draft, findings


def _examined(
    root: Path,
    env: Mapping[str, str],
    overrides: Mapping[str, str],
    known_strategies: Strategies | None,
    password_required: bool,
    findings: Findings,
) -> tuple[Draft | None, Acd | None]:
    """Read and check everything; None for a folder that is none. acd.yaml comes with the password read."""
    _check_folder(root, findings)
    if findings.errors:
        return None, None
    strategies = _installed(findings) if known_strategies is None else known_strategies
    draft = _read_all(root, env, overrides, strategies, findings)
    acd = with_secret(draft.acd, root, findings, required=password_required)
    draft = replace(
        draft,
        secrets=site_secrets(draft.acd, env, findings, required=password_required),
        customers=_customers(draft, findings),
    )
    check_all(draft, findings)
    return draft, acd


def _customers(draft: Draft, findings: Findings) -> CustomerTable:
    """Read the customers' file, if routing.yaml names one."""
    routing = draft.routing.model
    if routing is None or routing.caller_lookup.table is None:
        return CustomerTable()
    path = draft.folder / routing.caller_lookup.table
    named = draft.routing.source.value(("caller_lookup", "table"))
    return read_table(path, routing.numbering.rule().normal, draft.agent_names, findings, named)


def _installed(findings: Findings) -> Strategies:
    """Return the strategies that are installed: built in, or a site's own."""
    try:
        found = installed_strategies()
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        position = Position("strategies of installed packages", 0, 0)
        findings.error(position, f"{printable(str(error))}; mend or remove that package")
        found = by_any_name()
    return {name: strategy.options for name, strategy in found.items()}


def _check_folder(root: Path, findings: Findings) -> None:
    position = Position(shown(root))
    try:
        if not root.exists():
            findings.error(position, "there is no such folder; name the configuration folder (--config or ACD_CONFIG)")
        elif not root.is_dir():
            findings.error(position, "this is a file; name the folder that holds acd.yaml")
        else:
            _warn_of_strays(root, findings)
    except OSError as error:
        findings.error(position, f"the folder cannot be read ({reason(error)}); let the engine's user read it")


def _warn_of_strays(root: Path, findings: Findings) -> None:
    """Warn of files that look like configuration but are not read."""
    known = (*FILES, CALENDARS, VOICEMAIL, FOLLOW_UP)
    for path in sorted(root.iterdir()):
        if path.suffix in (".yaml", ".yml") and path.name not in known:
            near = nearest(path.stem, [Path(name).stem for name in known])
            right = f"; did you mean {near}.yaml?" if near else f"; known here: {', '.join(known)} and ivr/*.yaml"
            findings.warning(Position(shown(path)), f"this file is not read{right}")


def _read_all(
    root: Path, env: Mapping[str, str], overrides: Mapping[str, str], strategies: Strategies, findings: Findings
) -> Draft:
    acd, routing, agents = (_document(root / name, findings) for name in FILES)
    acd = overlay(acd, env, overrides, findings)
    return Draft(
        folder=root,
        acd=_with_absolute_paths(validate(Acd, acd, findings), root),
        routing=validate(Routing, routing, findings),
        agents=validate(Agents, agents, findings),
        calendars=_calendars(root / CALENDARS, findings),
        voicemail=_voicemail(root / VOICEMAIL, findings),
        follow_up=_follow_up(root / FOLLOW_UP, findings),
        trees={path.stem: validate(Tree, _document(path, findings), findings) for path in _tree_files(root, findings)},
        strategies=strategies,
    )


def _calendars(path: Path, findings: Findings) -> Part[Calendars]:
    if not os.path.lexists(path):
        return Part(Calendars(calendars={}), {}, SourceMap(shown(path)))
    return validate(Calendars, _document(path, findings), findings)


def _follow_up(path: Path, findings: Findings) -> Part[FollowUps]:
    if not os.path.lexists(path):
        return Part(FollowUps(rules={}), {}, SourceMap(shown(path)))
    return validate(FollowUps, _document(path, findings), findings)


def _voicemail(path: Path, findings: Findings) -> Part[Voicemail]:
    if not os.path.lexists(path):
        return Part(Voicemail(boxes={}), {}, SourceMap(shown(path)))
    return validate(Voicemail, _document(path, findings), findings)


def _document(path: Path, findings: Findings) -> Document:
    name = shown(path)
    findings.file(name)
    data = read(path, findings, if_missing=_remedy(path))
    if data is None:
        return Document(None, SourceMap(name))
    before = len(findings.errors)
    document = parse(data, name, findings)
    if document.root is None and len(findings.errors) == before:
        findings.error(Position(name), f"the file is empty; {_EMPTY.get(path.name, 'give the tree start and nodes')}")
    return document


def _remedy(path: Path) -> str:
    other = path.with_suffix(".yml")
    try:
        found = other.exists()
    except OSError:
        found = False
    return (
        f"rename {other.name} to {path.name}"
        if found
        else "create it, or name the right folder (--config or ACD_CONFIG)"
    )


_EMPTY: Final = {
    "acd.yaml": "give at least 'asterisk: {}'",
    "routing.yaml": "give numbers and queues",
    "agents.yaml": "give the agents",
    CALENDARS: "give calendars, or remove it",
    VOICEMAIL: "give boxes, or remove it",
    FOLLOW_UP: "give rules, or remove it",
}


def _tree_files(root: Path, findings: Findings) -> list[Path]:
    """Return the files of ivr/ by name, those whose name cannot be a tree's left out."""
    folder = root / "ivr"
    position = Position(shown(folder))
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        findings.error(position, "the folder is missing; create it with at least one tree, such as main.yaml")
        return []
    except OSError as error:
        findings.error(position, f"the folder cannot be read ({reason(error)}); make it a readable folder")
        return []
    found: list[Path] = []
    for path in entries:
        if path.suffix == ".yml":
            findings.error(Position(shown(path)), f"this file is not read; rename it to {shown(Path(path.stem))}.yaml")
        elif path.suffix == ".yaml" and not path.name.startswith("."):
            if is_name(path.stem):
                found.append(path)
            else:
                findings.error(
                    Position(shown(path)),
                    "the file's name names the tree: use letters, digits, '-' and '_', at most 40",
                )
    if not found and not findings.errors:
        findings.error(position, "there is no tree here; create one, such as main.yaml")
    if len(found) > _MAX_TREES:
        findings.error(position, f"more than {_MAX_TREES} trees; join some")
    return found[:_MAX_TREES]


def _with_absolute_paths(part: Part[Acd], root: Path) -> Part[Acd]:
    """Return the settings with paths made absolute; relative ones in acd.yaml start from its folder."""
    acd = part.model
    if acd is None:
        return part
    base = root.absolute()
    ami = acd.asterisk.ami
    if ami.password_file is not None:
        ami = ami.model_copy(update={"password_file": resolved(ami.password_file, base)})
    asterisk = acd.asterisk.model_copy(update={"ami": ami})
    http = acd.http
    if http.ca_file is not None:
        http = http.model_copy(update={"ca_file": resolved(http.ca_file, base)})
    secrets = {
        name: secret.model_copy(update={"file": resolved(secret.file, base)}) if secret.file is not None else secret
        for name, secret in acd.secrets.items()
    }
    files = {"ca_file": acd.mail.ca_file, "password_file": acd.mail.password_file}
    mail = acd.mail.model_copy(update={key: resolved(path, base) for key, path in files.items() if path is not None})
    folders = {"state_dir": resolved(acd.state_dir, base), "cache_dir": resolved(acd.cache_dir, base)}
    folders["recordings_dir"] = resolved(acd.recordings_dir, base)
    update = {"asterisk": asterisk, "mail": mail, "http": http, "secrets": ReadOnlyMap(secrets), **folders}
    return Part(acd.model_copy(update=update), part.raw, part.source, part.refused)


def _completed(routing: Routing) -> Routing:
    """Return routing with every queue complete: its own settings, else the site's defaults; a title."""
    defaults = routing.defaults
    queues: dict[str, Queue] = {}
    for name, queue in routing.queues.items():
        inherited = defaults.model_fields_set - queue.model_fields_set
        update: dict[str, object] = {key: getattr(defaults, key) for key in inherited}
        queues[name] = queue.model_copy(update={**update, "title": queue.title or name})
    return routing.model_copy(update={"queues": ReadOnlyMap(queues)})


def _completed_boxes(voicemail: Voicemail) -> Voicemail:
    """Return voicemail with every box complete: its own settings, else the site's defaults; a title."""
    defaults = voicemail.defaults
    boxes = {
        name: box.model_copy(
            update={key: getattr(defaults, key) for key in defaults.model_fields_set - box.model_fields_set}
        )
        for name, box in voicemail.boxes.items()
    }
    return voicemail.model_copy(update={"boxes": ReadOnlyMap(boxes)})


def _named(name: str, agent: Agent) -> Agent:
    return agent if agent.name else agent.model_copy(update={"name": name})


def _sources(draft: Draft) -> Mapping[str, SourceMap]:
    trees: dict[str, SourceMap] = {f"ivr/{name}": part.source for name, part in draft.trees.items()}
    files = {
        "acd": draft.acd.source,
        "routing": draft.routing.source,
        "agents": draft.agents.source,
        "calendars": draft.calendars.source,
        "voicemail": draft.voicemail.source,
        "followup": draft.follow_up.source,
    }
    return ReadOnlyMap({**files, **trees})
