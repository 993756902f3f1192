"""Where things are: hosts, ports, folders and files."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from config.schema.shared import PathText, Text, WholeNumber

__all__ = ["FolderOrFile", "Host", "Port", "goes_over_net_readable"]

Host: TypeAlias = Annotated[
    str,
    Text(
        # A name or an IPv4 address; or an IPv6 address, which has two colons at least: with one it would be a port.
        r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f.]{0,40}:[0-9A-Fa-f.]{0,40}:[0-9A-Fa-f:.]{0,40}",
        "give a host name or an address alone, such as 127.0.0.1",
    ),
]
Port: TypeAlias = Annotated[int, WholeNumber(1, 65535)]
FolderOrFile: TypeAlias = Annotated[Path, PathText()]


def goes_over_net_readable(url: str) -> bool:
    """Tell whether others could read what is sent to an address: not by https, and not within this machine."""
    if not url.startswith("http://"):
        return False
    host = urlsplit(url).hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:  # A name.
        return host != "localhost"
