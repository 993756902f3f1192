"""Everything about look-ups that runs in the process, put together."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric

from acd.service.errors import StartError
from acd.service.lookups.client import HttpClient
from acd.service.lookups.compiling import http_rules
from acd.service.lookups.customers import CustomerDesk, CustomerSite
from acd.service.lookups.desk import LookUpDesk
from acd.service.lookups.hooks import GuardedHooks
from acd.service.lookups.specs import LookUpSpec
from config.schema.http import OutgoingHttp

__all__ = ["LookUpService"]


class LookUpsOfSite(Protocol):
    """What of ``acd.service.compile.Compiled`` matters here."""

    @property
    def lookups(self) -> Mapping[str, LookUpSpec]:
        """The look-ups by name."""
        ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """The site's secrets by name."""
        ...

    @property
    def customers(self) -> CustomerSite:
        """The site's customers."""
        ...


class LookUpService:
    """``site`` is the one in force. ``open`` before the first caller, ``close`` behind the last."""

    def __init__(self, http: OutgoingHttp, site: Callable[[], LookUpsOfSite], registry: CollectorRegistry) -> None:
        rules, breaker = http_rules(http)
        self._rules = rules
        self._client = HttpClient(rules)
        self.desk = LookUpDesk(self._client, lambda: site().lookups, lambda: site().secrets, breaker, registry)
        self.customers = CustomerDesk(lambda: site().customers, self.desk, registry)
        self.hooks = GuardedHooks(self._client)

    async def open(self) -> None:
        """Get ready to ask.

        Raises:
            StartError: the file with the certificates cannot be used.
        """
        try:
            await self._client.open()
        except (OSError, ssl.SSLError) as error:
            raise StartError(f"http.ca_file {self._rules.ca_file} cannot be used: {error.strerror or error}") from error

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    def metrics(self) -> Iterator[Metric]:
        """Read the breakers for a scrape."""
        return self.desk.metrics()
