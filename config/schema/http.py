"""How the engine reaches other systems over HTTP, and the secrets it shows them."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field

from config.schema.hosts import FolderOrFile
from config.schema.shared import Model, Number, Text, WholeNumber, wrong

__all__ = ["Breaker", "OutgoingHttp", "SecretSource"]


def _network(value: str) -> str:
    try:
        ip_network(value)
    except ValueError:
        raise wrong("{value} is no network; give one such as 10.1.2.0/24, or an address", value) from None
    return value


Network: TypeAlias = Annotated[
    str, Text(r"[0-9A-Fa-f.:]{2,45}(?:/[0-9]{1,3})?", "give a network such as 10.1.2.0/24"), AfterValidator(_network)
]


class Breaker(Model):
    """When a host that does not answer is left alone, so that no caller waits for it."""

    failures: Annotated[int, WholeNumber(1, 100)] = 5
    """After so many failures in a row (no connection, no answer in time, 5xx)."""

    open_s: Annotated[float, Number(1, 3600, "seconds")] = 30.0
    """For so long; then one request is sent to see whether it is back."""


class OutgoingHttp(Model):
    """Requests to other systems: look-ups and webhooks."""

    allow_private: tuple[Network, ...] = ()
    """Networks that may be reached although they are not public; without one only public addresses may."""

    ca_file: FolderOrFile | None = None
    """Certificates (PEM) of authorities that are trusted beside those of the system. Relative to this folder."""

    connections: Annotated[int, WholeNumber(1, 10_000)] = 100
    """Open at the same time, in all."""

    connections_per_host: Annotated[int, WholeNumber(1, 1000)] = 20
    """Open to one host at the same time; further requests wait, within their time-out."""

    breaker: Breaker = Field(default_factory=Breaker)
    """When a host is left alone."""


class SecretSource(Model):
    """Where a secret comes from; never what it is. Without file: ACD_SECRET_<NAME> or ACD_SECRET_<NAME>_FILE."""

    file: FolderOrFile | None = None
    """File that holds the secret alone, readable by the engine's user only. Relative to this folder."""
