"""Carrying out look-ups: asks, tries again, spares hosts that do not answer, and counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric

from acd.service.lookups.answers import AnswerWrong, read_answer
from acd.service.lookups.breaker import Breaker, BreakerRule
from acd.service.lookups.client import Fetched, HttpClient, HttpFailed, HttpFault, HttpRequest
from acd.service.lookups.specs import LookUpSpec
from acd.service.lookups.templates import SECRET, CannotAsk
from ivr.lookups import FieldValue, LookUpAnswer, LookUpOutcome

__all__ = ["LookUpDesk"]

log = structlog.get_logger(__name__)

_BUCKETS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30)
_PAUSE_S: Final = 0.1
"""Before the first retry; twice as long before each further one (seconds)."""
_LATER: Final = frozenset({408, 425, 429})
"""Refusals that are for now (RFC 9110 section 15.5.9, RFC 8470, RFC 6585)."""
_ANSWERED: Final = frozenset({HttpFault.REDIRECT, HttpFault.TOO_LARGE, HttpFault.ENCODED})
"""Faults of an answer: the host is there."""
_BAD_ANSWER: Final = frozenset({HttpFault.TOO_LARGE, HttpFault.ENCODED})


class _NotAsked(Exception):
    """The host is left alone at present."""


class LookUpDesk:
    """Implements ``ivr.lookups.LookUps``.

    ``specs`` are the look-ups of the site in force, ``secrets`` the site's own by name. ``now``: a monotonic clock
    (seconds).
    """

    def __init__(
        self,
        client: HttpClient,
        specs: Callable[[], Mapping[str, LookUpSpec]],
        secrets: Callable[[], Mapping[str, str]],
        rule: BreakerRule,
        registry: CollectorRegistry,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._specs = specs
        self._secrets = secrets
        self._rule = rule
        self._now = now
        self._breakers: dict[str, Breaker] = {}
        self._outcomes = Counter(
            "acd_lookups", "Look-ups by what came of them.", ["lookup", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "acd_lookup_seconds", "How long look-ups took.", ["lookup"], buckets=_BUCKETS_S, registry=registry
        )

    async def ask(self, lookup: str, value: FieldValue, *, timeout_s: float | None = None) -> LookUpAnswer:
        """See ``LookUps``. ``timeout_s``: a shorter time-out than the look-up's own."""
        spec = self._specs().get(lookup)
        if spec is None:
            return LookUpAnswer(outcome=LookUpOutcome.ERROR, why="there is no such look-up any more")
        started = self._now()
        limit_s = spec.timeout_s if timeout_s is None else min(timeout_s, spec.timeout_s)
        try:
            answer = await self._answer(spec, value, limit_s)
        except asyncio.CancelledError:
            self._outcomes.labels(lookup, "abandoned").inc()
            raise
        self._seconds.labels(lookup).observe(self._now() - started)
        self._outcomes.labels(lookup, answer.outcome.value).inc()
        log.debug(
            "look-up",
            lookup=lookup,
            outcome=answer.outcome.value,
            status=answer.status,
            why=answer.why,
            took_s=round(self._now() - started, 3),
        )
        return answer

    def metrics(self) -> Iterator[Metric]:
        """Read the breakers for a scrape."""
        family = GaugeMetricFamily(
            "acd_lookup_breaker",
            "0: the host is asked; 1: it is asked once, to see; 2: it has not answered and is left alone.",
            labels=["host"],
        )
        hosts = {spec.request.host for spec in self._specs().values()}
        for host in sorted(hosts):
            breaker = self._breakers.get(host)
            family.add_metric([host], breaker.state(self._now()).value if breaker is not None else 0)
        yield family

    async def _answer(self, spec: LookUpSpec, value: FieldValue, limit_s: float) -> LookUpAnswer:
        try:
            request = self._request(spec, value)
        except CannotAsk as why:
            return LookUpAnswer(outcome=LookUpOutcome.ERROR, why=f"not asked: {why}")
        breaker = self._breakers.setdefault(spec.request.host, Breaker(self._rule))
        try:
            async with asyncio.timeout(limit_s):
                return _told(spec, await self._attempts(spec, request, breaker, self._now() + limit_s))
        except TimeoutError:
            breaker.failed(self._now())
            return LookUpAnswer(outcome=LookUpOutcome.TIMEOUT, why=f"no answer within {limit_s:g} s")
        except HttpFailed as failed:
            bad = failed.fault in _BAD_ANSWER
            outcome = LookUpOutcome.BAD_ANSWER if bad else LookUpOutcome.ERROR
            return LookUpAnswer(outcome=outcome, why=f"{failed.fault.value}: {failed}")
        except _NotAsked:
            return LookUpAnswer(outcome=LookUpOutcome.ERROR, why="not asked: the host has not answered of late")

    def _request(self, spec: LookUpSpec, value_of: FieldValue) -> HttpRequest:
        def value(name: str) -> str:
            found = value_of(name)
            if not name.startswith(SECRET):
                return found or ""
            key = name.removeprefix(SECRET)
            secret = found or self._secrets().get(key)
            if not secret:
                raise CannotAsk(f"there is no secret {key}")
            return secret

        template = spec.request
        return HttpRequest(
            method=template.method,
            url=template.fill_url(value),
            headers=template.fill_headers(value),
            body=template.fill_body(value),
            redirects=spec.redirects,
            most_bytes=spec.most_bytes,
        )

    async def _attempts(self, spec: LookUpSpec, request: HttpRequest, breaker: Breaker, until: float) -> Fetched:
        """Ask until there is an answer, or no attempt is left, or no time for one."""
        pause_s = _PAUSE_S
        for attempt in range(1, spec.attempts + 1):
            last = attempt == spec.attempts or self._now() + pause_s >= until
            try:
                fetched = await self._attempt(request, breaker)
            except HttpFailed as failed:
                if last or failed.fault in _ANSWERED or failed.fault is HttpFault.REFUSED:
                    raise
            else:
                if last or not _is_for_now(fetched.status):
                    return fetched
            await asyncio.sleep(pause_s)
            pause_s *= 2
        raise AssertionError("a look-up has at least one attempt")

    async def _attempt(self, request: HttpRequest, breaker: Breaker) -> Fetched:
        if not breaker.admit(self._now()):
            raise _NotAsked
        try:
            fetched = await self._client.fetch(request)
        except HttpFailed as failed:
            if failed.fault in _ANSWERED:
                breaker.answered()
            elif failed.fault is HttpFault.REFUSED:
                breaker.abandoned()
            else:
                breaker.failed(self._now())
            raise
        except asyncio.CancelledError:
            breaker.abandoned()
            raise
        if fetched.status >= 500:
            breaker.failed(self._now())
        else:
            breaker.answered()
        return fetched


def _is_for_now(status: int) -> bool:
    return status >= 500 or status in _LATER


def _told(spec: LookUpSpec, fetched: Fetched) -> LookUpAnswer:
    """Say what an answer is: by its status, then by what is in it."""
    status = fetched.status
    if not spec.accepts(status):
        refused = 400 <= status < 500 and status not in _LATER
        outcome = LookUpOutcome.NOT_FOUND if refused else LookUpOutcome.ERROR
        return LookUpAnswer(outcome=outcome, status=status, why=f"status {status}")
    try:
        values = read_answer(fetched.body, spec.answer) if spec.answer else {}
    except AnswerWrong as wrong:
        return LookUpAnswer(outcome=LookUpOutcome.BAD_ANSWER, status=status, why=str(wrong))
    return LookUpAnswer(outcome=LookUpOutcome.OK, status=status, values=values)
