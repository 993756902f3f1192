"""Which addresses the engine may connect to for others: public ones, and private ones that the site names.

A look-up's host can be made to lead anywhere by whoever runs its name server or its redirects, also to the engine's own
machine or to a cloud's metadata service (server-side request forgery). So it is not the name that is checked but the
very address that a connection is about to be made to.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeAlias

__all__ = ["AddressGuard", "AddressRefused", "Network"]

Network: TypeAlias = IPv4Network | IPv6Network

_PUBLIC_BUT_INSIDE: Final[tuple[Network, ...]] = (
    ip_network("168.63.129.16/32"),  # Azure's host services
    ip_network("192.0.0.0/24"),  # IETF assignments (RFC 6890); Oracle's metadata service among them
    ip_network("64:ff9b::/96"),  # any IPv4 address, by way of a translator (RFC 6052)
    ip_network("64:ff9b:1::/48"),  # the same with a site's own prefix (RFC 8215)
    ip_network("2002::/16"),  # any IPv4 address, by way of a tunnel (6to4, RFC 3056)
    ip_network("2001::/32"),  # the same (Teredo, RFC 4380)
)


class AddressRefused(OSError):
    """The connection was not tried: its address is not one that look-ups may use."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(errno.EACCES, f"{address} is {why}; name its network under http.allow_private to allow it")


class AddressGuard:
    """Makes sockets for connections to addresses that are allowed, and to no others."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def why_refused(self, address: str) -> str | None:
        """Say what speaks against an address; None when it may be used.

        Raises:
            ValueError: it is no address.
        """
        at: IPv4Address | IPv6Address = ip_address(address)
        if isinstance(at, IPv6Address) and at.ipv4_mapped is not None:
            at = at.ipv4_mapped
        if any(at in network for network in self._allowed if network.version == at.version):
            return None
        if at.is_loopback:
            return "this machine itself"
        if at.is_link_local:
            return "link-local"
        if at.is_multicast or at.is_reserved or at.is_unspecified:
            return "no address of a host"
        if not at.is_global or any(at in network for network in _PUBLIC_BUT_INSIDE if network.version == at.version):
            return "private"
        return None

    def socket_for(self, info: tuple[Any, ...]) -> socket.socket:
        """Make the socket for one address, as ``getaddrinfo`` gives it, just before the connection is made.

        Raises:
            AddressRefused: the address is not allowed.
        """
        family, kind, protocol, _, address = info
        host = str(address[0])
        why = self.why_refused(host)
        if why is not None:
            raise AddressRefused(host, why)
        return socket.socket(family, kind, protocol)
