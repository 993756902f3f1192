"""The other side of look-ups: a real HTTP server on this machine, good and bad at its job; and a desk that asks it."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path

from aiohttp import web
from prometheus_client import CollectorRegistry

from acd.service.lookups.answers import AnswerField, ValueKind, parse_path
from acd.service.lookups.breaker import BreakerRule
from acd.service.lookups.client import HttpClient, HttpRules
from acd.service.lookups.desk import LookUpDesk
from acd.service.lookups.specs import LookUpSpec
from acd.service.lookups.templates import RequestTemplate
from ivr.lookups import FieldValue

TLS = Path(__file__).parents[2] / "tls"
LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
ACCOUNT = {"account": {"balance": "1280.50", "currency": "EUR", "blocked": False}, "entries": [{"amount": -3}]}
MEGABYTE = b"x" * 1_000_000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request that reached the server."""

    method: str
    path: str
    """As it was sent, nothing decoded."""
    headers: Mapping[str, str]
    body: bytes


@dataclass
class OtherSide:
    """What the server does, and what has reached it."""

    port: int = 0
    scheme: str = "http"
    seen: list[Seen] = field(default_factory=list)
    plan: list[int] = field(default_factory=list)
    """Statuses that the path /planned answers with, one after the other; 200 beyond."""
    delay_s: float = 1.0
    """How long /slow thinks before it answers well."""
    thinking: int = 0
    most_thinking: int = 0
    """Requests to /slow at once: now, and at most so far."""
    customers: dict[str, object] = field(default_factory=dict)
    """What /customer?number=… answers, by number; 404 for others."""
    location: str = ""
    """Where /moved leads."""
    sent_bytes: int = 0
    """How much of /huge has been taken from us."""
    came: asyncio.Event = field(default_factory=asyncio.Event)
    """A request has come."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody has left while /hangs went on."""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(Seen(request.method, request.raw_path, request.headers.copy(), await request.read()))
        self.came.set()
        ways: dict[str, Handler] = {"hangs": self._hang, "stalls": self._stall, "huge": self._huge, "slow": self._think}
        first = request.path.split("/")[1]
        if first in ways:
            return await ways[first](request)
        if first == "planned":
            return web.json_response(ACCOUNT, status=self.plan.pop(0) if self.plan else 200)
        if first == "moved":
            return web.Response(status=302, headers={"Location": self.location})
        if first == "customer":
            known = self.customers.get(request.query["number"])
            return web.json_response(known or {}, status=200 if known else 404)
        fixed = {
            "missing": web.Response(status=404),
            "broken": web.Response(status=500),
            "html": web.Response(text="<html>", content_type="text/html"),
            "packed": web.Response(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
            "empty": web.Response(status=204),
        }
        return fixed.get(first) or web.json_response(ACCOUNT)

    async def _hang(self, request: web.Request) -> web.StreamResponse:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.gone.set()
            raise
        return web.Response()

    async def _think(self, request: web.Request) -> web.StreamResponse:
        self.thinking += 1
        self.most_thinking = max(self.most_thinking, self.thinking)
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self.thinking -= 1
        return web.json_response(ACCOUNT)

    async def _stall(self, request: web.Request) -> web.StreamResponse:
        """Begin an answer and never end it."""
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(json.dumps(ACCOUNT)[:10].encode())
        return await self._hang(request)

    async def _huge(self, request: web.Request) -> web.StreamResponse:
        """10 MB, its length told or not."""
        response = web.StreamResponse()
        if request.path.endswith("told"):
            response.content_length = 10 * len(MEGABYTE)
        await response.prepare(request)
        for _ in range(10):
            await response.write(MEGABYTE)
            self.sent_bytes += len(MEGABYTE)
        return response


@asynccontextmanager
async def other_side(*, tls: bool = False, host: str = "127.0.0.1") -> AsyncIterator[OtherSide]:
    """Run one; it listens until the end, and cuts off who is still there."""
    side = OtherSide(scheme="https" if tls else "http")
    app = web.Application()
    app.router.add_route("*", "/{way:.*}", side.serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    site = web.TCPSite(runner, host, 0, ssl_context=context)
    await site.start()
    side.port = runner.addresses[0][1]
    try:
        yield side
    finally:
        await runner.cleanup()


BALANCE = {"balance": AnswerField(path=parse_path("account.balance"), kind=ValueKind.NUMBER)}


def lookup(url: str, **more: object) -> LookUpSpec:
    """A look-up of the name `account` for the balance; `request` holds what is the request's."""
    request = {"method": "GET", "url": url, **dict(more.pop("request", {}))}  # type: ignore[call-overload]
    settings: dict[str, object] = {"name": "account", "timeout_s": 5.0, "answer": BALANCE, **more}
    return LookUpSpec(request=RequestTemplate(**request), **settings)  # type: ignore[arg-type]


def fields(values: Mapping[str, str], secrets: Mapping[str, str]) -> FieldValue:
    """What a node gives a desk."""
    return {**values, **{f"secret.{name}": secret for name, secret in secrets.items()}}.get


@dataclass
class Asking:
    """A desk with its clock and its counts."""

    desk: LookUpDesk
    specs: dict[str, LookUpSpec]
    registry: CollectorRegistry
    clock: list[float]
    """Seconds added to the real clock, for the breaker."""

    def count(self, outcome: str, name: str = "account") -> float:
        return self.registry.get_sample_value("acd_lookups_total", {"lookup": name, "outcome": outcome}) or 0.0

    def breaker(self) -> float:
        (family,) = self.desk.metrics()
        return float(family.samples[0].value)


@asynccontextmanager
async def asking(
    *specs: LookUpSpec,
    rules: HttpRules | None = None,
    secrets: Mapping[str, str] | None = None,
    rule: BreakerRule | None = None,
) -> AsyncIterator[Asking]:
    """A desk that may ask this machine, unless told otherwise."""
    client = HttpClient(rules or HttpRules(allowed=LOOPBACK))
    await client.open()
    by_name = {spec.name: spec for spec in specs}
    registry = CollectorRegistry()
    clock = [0.0]
    desk = LookUpDesk(
        client,
        lambda: by_name,
        lambda: secrets or {},
        rule or BreakerRule(failures=3, open_s=30.0),
        registry,
        lambda: asyncio.get_running_loop().time() + clock[0],
    )
    try:
        yield Asking(desk, by_name, registry, clock)
    finally:
        await client.close()
