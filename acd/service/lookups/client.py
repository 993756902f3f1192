"""HTTP requests of the engine's own: bounded in time and size, and to addresses that are allowed.

Nothing of a request, neither its address nor its headers nor its body, is ever part of an error: they hold secrets and
callers' data.
"""

from __future__ import annotations

import asyncio
import errno
import ssl
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from socket import AF_UNSPEC, AI_ADDRCONFIG, AI_NUMERICHOST, SOCK_STREAM, AddressFamily, getaddrinfo
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from acd.service.lookups.guard import AddressGuard, Network

__all__ = ["Fetched", "HttpClient", "HttpFailed", "HttpFault", "HttpRequest", "HttpRules", "origin"]

_READ_BYTES: Final = 16384
_RESOLVING_THREADS: Final = 8
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_CONNECT_TIMEOUT_S: Final = 10.0
"""Bounds a connection that nobody waits for any more (seconds); whoever waits has a shorter limit."""
_KEPT_FOR_S: Final = 30.0
"""A connection is kept for the next request for so long (seconds)."""


class HttpFault(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"
    NAME = "name-unknown"
    REFUSED = "address-refused"
    TLS = "tls"
    BROKEN = "connection-broken"
    REDIRECT = "redirect"
    TOO_LARGE = "answer-too-large"
    ENCODED = "answer-encoded"


class HttpFailed(Exception):
    """There is no answer, or none that can be used. The text has no data of the request in it."""

    def __init__(self, fault: HttpFault, text: str) -> None:
        super().__init__(text)
        self.fault = fault


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRules:
    """What holds for all requests of the process."""

    allowed: tuple[Network, ...] = ()
    """Private networks that may be connected to."""
    ca_file: Path | None = None
    """Certificates that are trusted beside the machine's own."""
    connections: int = 100
    """Open at the same time, in all."""
    connections_per_host: int = 20
    """Open to one host at the same time; further requests wait for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request, complete."""

    method: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    redirects: int = 0
    """So many are followed; only those of requests that change nothing (GET, HEAD)."""
    most_bytes: int = 262_144
    """An answer that is larger is not read."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class HttpClient:
    """See the module. One for the process; ``open`` before the first request, ``close`` at the end.

    No proxy of the environment is used, no cookie is kept, and no password out of a ``.netrc``.
    """

    def __init__(self, rules: HttpRules) -> None:
        self._rules = rules
        self._session: aiohttp.ClientSession | None = None
        self._resolver: _Resolver | None = None

    async def open(self) -> None:
        """Make the session.

        Raises:
            OSError, ssl.SSLError: the file with the certificates cannot be read.
        """
        tls = await asyncio.to_thread(_tls, self._rules.ca_file)
        guard = AddressGuard(self._rules.allowed)
        self._resolver = _Resolver()
        connector = aiohttp.TCPConnector(
            ssl=tls,
            resolver=self._resolver,
            limit=self._rules.connections,
            limit_per_host=self._rules.connections_per_host,
            keepalive_timeout=_KEPT_FOR_S,
            socket_factory=guard.socket_for,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT_S),
            headers={"User-Agent": f"acd-engine/{version('acd-engine')}", "Accept-Encoding": "identity"},
            raise_for_status=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def fetch(self, request: HttpRequest) -> Fetched:
        """Send a request and read the answer, whatever its status. No limit in time: that is the caller's.

        Raises:
            HttpFailed: there is no answer, or none that can be used.
        """
        url, headers = request.url, request.headers
        for _ in range(request.redirects + 1):
            answer, onward = await self._once(request, url, headers)
            if onward is None:
                return answer
            if origin(onward) != origin(url):
                # What was meant for one host is not for another: tokens, above all.
                headers = {}
            url = onward
        raise HttpFailed(HttpFault.REDIRECT, f"more than {request.redirects} redirects")

    async def _once(self, request: HttpRequest, url: URL, headers: Mapping[str, str]) -> tuple[Fetched, URL | None]:
        if self._session is None:
            raise RuntimeError("the HTTP client is not open")
        try:
            async with self._session.request(
                request.method, url, headers=headers, data=request.body, allow_redirects=False
            ) as response:
                if response.status in _REDIRECTS and request.redirects:
                    return Fetched(response.status, b""), _onward(request.method, url, response)
                body = b"" if request.method == "HEAD" else await _read(response, request.most_bytes)
                return Fetched(response.status, body, response.headers), None
        except (aiohttp.ClientError, ssl.SSLError, OSError, UnicodeError) as error:
            raise _told(error) from None  # the error of the library holds the address, with all data in it


def origin(url: URL) -> str:
    """Name whom a request goes to: scheme, host and port."""
    return f"{url.scheme}://{url.raw_authority.rpartition('@')[2].lower()}"


def _onward(method: str, url: URL, response: aiohttp.ClientResponse) -> URL:
    if method not in ("GET", "HEAD"):
        raise HttpFailed(HttpFault.REDIRECT, f"a {method} request is not sent on (status {response.status})")
    try:
        onward = url.join(URL(response.headers.get("Location", "")))
    except ValueError:
        raise HttpFailed(HttpFault.REDIRECT, "redirected to something that is no address") from None
    if not response.headers.get("Location") or not onward.host:
        raise HttpFailed(HttpFault.REDIRECT, "redirected to nowhere")
    if onward.scheme != "https" and onward.scheme != url.scheme:
        raise HttpFailed(HttpFault.REDIRECT, "redirected from https to something else")
    if onward.user is not None or onward.password is not None:
        raise HttpFailed(HttpFault.REDIRECT, "redirected to an address with a user in it")
    return onward


async def _read(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Read the body as far as it is allowed to go. The connection is given up if it goes on."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        response.close()
        raise HttpFailed(HttpFault.ENCODED, "the answer is compressed, which was not asked for")
    length = response.content_length or 0
    body = bytearray()
    if length <= most_bytes:
        async for part in response.content.iter_chunked(_READ_BYTES):
            body += part
            if len(body) > most_bytes:
                break
        else:
            return bytes(body)
    response.close()
    raise HttpFailed(HttpFault.TOO_LARGE, f"the answer is larger than {most_bytes} bytes")


def _told(error: Exception) -> HttpFailed:
    """Put an error of the library into words of ours."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            why = getattr(error.certificate_error, "verify_message", "") or "it does not fit"
            return HttpFailed(HttpFault.TLS, f"the certificate is not valid: {why}")
        case aiohttp.ClientSSLError() | ssl.SSLError():
            return HttpFailed(HttpFault.TLS, "no secure connection")
        case aiohttp.ClientConnectorDNSError() | UnicodeError():
            return HttpFailed(HttpFault.NAME, "the host's name is not known")
        case aiohttp.ClientConnectorError():
            cause = error.os_error
            if cause.errno == errno.EACCES:
                return HttpFailed(HttpFault.REFUSED, cause.strerror or "address refused")
            return HttpFailed(HttpFault.UNREACHABLE, cause.strerror or "no connection")
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return HttpFailed(HttpFault.REDIRECT, "not an address of http or https")
        case aiohttp.ServerTimeoutError():
            return HttpFailed(HttpFault.UNREACHABLE, "no connection in time")
        case _:
            return HttpFailed(HttpFault.BROKEN, f"the connection broke ({type(error).__name__})")


def _tls(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


class _Resolver(AbstractResolver):
    """Resolves names in threads of its own: a name server that is down must not hold up the rest of the process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_RESOLVING_THREADS, "lookup-names")

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_UNSPEC) -> list[ResolveResult]:
        """See ``AbstractResolver``."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads,
            partial(getaddrinfo, host, port, type=SOCK_STREAM, family=family, flags=AI_ADDRCONFIG),
        )
        return list(_results(host, found))

    async def close(self) -> None:
        """See ``AbstractResolver``."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _results(
    host: str, found: Iterable[tuple[AddressFamily, int, int, str, tuple[object, ...]]]
) -> Iterable[ResolveResult]:
    for family, _, protocol, _, address in found:
        yield ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=int(str(address[1])),
            family=family,
            proto=protocol,
            flags=AI_NUMERICHOST,
        )
