"""From look-ups and customers as written to those that are asked."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network

from acd.service.lookups.answers import AnswerField, ValueKind, parse_path
from acd.service.lookups.breaker import BreakerRule
from acd.service.lookups.client import HttpRules
from acd.service.lookups.customers import Customer, CustomerSite
from acd.service.lookups.specs import LookUpSpec
from acd.service.lookups.templates import BodyKind, BodyValue, RequestTemplate, SentAs
from config import Config
from config.schema import lookups as written
from config.schema import routing as site
from config.schema.http import OutgoingHttp
from config.schema.ivr import Http
from config.schema.shared import LANGUAGES
from ivr.tree import node_id

__all__ = ["compile_customers", "compile_lookups", "customer_languages", "http_rules", "status_ranges"]


def compile_lookups(config: Config) -> Mapping[str, LookUpSpec]:
    """Compile all look-ups: those of routing.yaml by their name, those of nodes by ``tree.node``."""
    specs = {name: _lookup(name, lookup) for name, lookup in config.routing.lookups.items()}
    for tree_name, tree in config.trees.items():
        for node_name, node in tree.nodes.items():
            if isinstance(node, Http) and node.request is not None:
                name = node_id(tree_name, node_name)
                specs[name] = _lookup(name, node.request)
    return specs


def http_rules(http: OutgoingHttp) -> tuple[HttpRules, BreakerRule]:
    """Compile what holds for all requests."""
    rules = HttpRules(
        allowed=tuple(ip_network(network) for network in http.allow_private),
        ca_file=http.ca_file,
        connections=http.connections,
        connections_per_host=http.connections_per_host,
    )
    return rules, BreakerRule(http.breaker.failures, http.breaker.open_s)


def compile_customers(config: Config) -> CustomerSite:
    """Compile who is known, and how others become so."""
    routing = config.routing
    numbering = routing.numbering.rule()
    asked = routing.caller_lookup
    return CustomerSite(
        numbering=numbering,
        listed={
            numbering.normal(number): _customer(number, customer, asked.vip_points)
            for number, customer in routing.customers.items()
        },
        table=config.customers,
        vip_points=asked.vip_points,
        lookup=asked.lookup or "",
        timeout_s=asked.timeout_s,
        agents=frozenset(config.agents),
    )


def customer_languages(config: Config) -> frozenset[str]:
    """Return the languages that customers are spoken to in, as far as that is known beforehand."""
    routing = config.routing
    lookup = routing.lookups.get(routing.caller_lookup.lookup or "")
    if lookup is not None and "language" in lookup.answer:
        return frozenset(LANGUAGES)
    listed = {customer.language for customer in routing.customers.values() if customer.language is not None}
    return frozenset({*listed, *config.customers.languages()})


def status_ranges(text: str) -> tuple[tuple[int, int], ...]:
    """Read statuses such as ``200-299, 304``."""
    ranges = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        ranges.append((int(first), int(last or first)))
    return tuple(ranges)


def _customer(number: str, customer: site.Customer, vip_points: int) -> Customer:
    return Customer(
        # Calls from several numbers with one name are one customer's.
        id=customer.name or number,
        name=customer.name,
        priority=customer.priority + customer.vip * vip_points,
        agent=customer.agent or "",
        language=customer.language or "",
        vip=customer.vip,
        matter=customer.matter,
        data=dict(customer.data),
        source="customers",
    )


def _lookup(name: str, lookup: written.LookUp) -> LookUpSpec:
    return LookUpSpec(
        name=name,
        request=RequestTemplate(
            method=lookup.method,
            url=lookup.url,
            query=dict(lookup.query),
            headers=dict(lookup.headers),
            body={key: _body_value(value) for key, value in lookup.body.items()},
            body_kind=BodyKind(lookup.body_type),
        ),
        timeout_s=lookup.timeout_s,
        retries=lookup.retries,
        idempotent=lookup.idempotent,
        redirects=lookup.redirects,
        most_bytes=lookup.answer_bytes,
        accepted=status_ranges(lookup.ok),
        answer={
            key: AnswerField(path=parse_path(value.path), kind=ValueKind(value.type), default=value.default)
            for key, value in lookup.answer.items()
        },
    )


def _body_value(value: written.BodyValue) -> BodyValue:
    if value.number is not None:
        return BodyValue(value.number, SentAs.NUMBER)
    if value.flag is not None:
        return BodyValue(value.flag, SentAs.FLAG)
    return BodyValue(value.text or "")
