"""Look-ups and customers: fields, secrets, places in bodies, one entry for each number."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

from config.checks.draft import Draft, refer
from config.checks.fields import check_fields
from config.document import KeyPath, SourceMap
from config.files import reason
from config.problems import Findings
from config.schema.hosts import goes_over_net_readable
from config.schema.ivr import Http
from config.schema.lookups import LookUp
from config.schema.marks import Templated, marks

__all__ = ["check_lookups"]

_UNSAFE = "{secret."


def check_lookups(draft: Draft, findings: Findings) -> None:
    """Check the look-ups of routing.yaml and of nodes, and the customers."""
    routing, source = draft.routing.model, draft.routing.source
    _check_authority(draft, findings)
    if routing is not None:
        for name, lookup in routing.lookups.items():
            path = ("lookups", name)
            for mark in marks(lookup):
                if isinstance(mark.marker, Templated):
                    at = source.value((*path, *mark.path))
                    check_fields(draft, findings, "", at, mark.value, secrets=mark.marker.secrets)
            _check_lookup(findings, source, path, lookup)
        _check_customers(draft, findings)
    for tree, part in draft.trees.items():
        for name, node in part.model.nodes.items() if part.model is not None else ():
            if isinstance(node, Http) and node.request is not None:
                _check_lookup(findings, draft.trees[tree].source, ("nodes", name, "request"), node.request)


def _check_authority(draft: Draft, findings: Findings) -> None:
    """Check that the certificates can be used: the engine would not start."""
    acd = draft.acd.model
    if acd is None or acd.http.ca_file is None:
        return
    position = draft.acd.source.value(("http", "ca_file"))
    try:
        ssl.create_default_context().load_verify_locations(cafile=acd.http.ca_file)
    except ssl.SSLError:
        findings.error(position, "this is no file of certificates (PEM)")
    except OSError as error:
        findings.error(position, f"the file cannot be read ({reason(error)})")


def _check_lookup(findings: Findings, source: SourceMap, path: KeyPath, lookup: LookUp) -> None:
    if lookup.body and lookup.method in ("GET", "HEAD"):
        findings.error(
            source.key((*path, "body")), f"a {lookup.method} request has no body; give method: POST, or use 'query'"
        )
    if lookup.answer and lookup.method == "HEAD":
        findings.error(source.key((*path, "answer")), "the answer to HEAD has no body; give method: GET")
    if lookup.retries and lookup.method not in ("GET", "HEAD") and not lookup.idempotent:
        findings.warning(
            source.key((*path, "retries")),
            f"a {lookup.method} request is not sent twice; say 'idempotent: yes' if that does no harm",
        )
    if goes_over_net_readable(lookup.url) and any(_UNSAFE in mark.value for mark in marks(lookup)):
        findings.warning(source.value((*path, "url")), "secrets go over the net readable; use https")
    _check_body(findings, source, (*path, "body"), lookup)


def _check_body(findings: Findings, source: SourceMap, path: KeyPath, lookup: LookUp) -> None:
    for name in lookup.body:
        steps = name.split(".")
        if lookup.body_type == "json" and "" in steps:
            findings.error(source.key((*path, name)), f"'{name}' has a dot at its edge or two in a row")
        for length in range(1, len(steps)):
            above = ".".join(steps[:length])
            if lookup.body_type == "json" and above in lookup.body:
                findings.error(source.key((*path, name)), f"'{above}' is a value, so nothing can stand below it")


def _check_customers(draft: Draft, findings: Findings) -> None:
    routing, source = draft.routing.model, draft.routing.source
    if routing is None:
        return
    asked = routing.caller_lookup.lookup
    if asked is not None:
        position = source.value(("caller_lookup", "lookup"))
        refer(findings, position, "look-up", asked, draft.routing.names("lookups"))
    normal = routing.numbering.rule().normal
    first: dict[str, str] = {}
    for number in routing.customers:
        same = first.setdefault(normal(number), number)
        if same != number:
            findings.error(source.key(("customers", number)), f"'{same}' is the same number; keep one of the two")
    _check_languages(draft, findings, {number: customer.language for number, customer in routing.customers.items()})


def _check_languages(draft: Draft, findings: Findings, languages: Mapping[str, str | None]) -> None:
    """Warn of customers who are spoken to in a language that no prompt of the site has."""
    spoken = {
        language
        for part in draft.trees.values()
        if part.model is not None
        for variants in part.model.prompts.values()
        for language in variants
    }
    for number, language in languages.items():
        if language is not None and spoken and language not in spoken:
            findings.warning(
                draft.routing.source.value(("customers", number, "language")),
                f"no prompt of this site is in '{language}'; this customer hears them in another language",
            )
