"""Which addresses may be connected to."""

from __future__ import annotations

import socket
from ipaddress import ip_network

import pytest

from acd.service.lookups.guard import AddressGuard, AddressRefused


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1"),
        *("224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1"),
        *("::ffff:10.0.0.1", "::7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1"),
    ],
)
def test_what_is_not_public_is_refused(address: str) -> None:
    assert AddressGuard().why_refused(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_what_is_public_is_not(address: str) -> None:
    assert AddressGuard().why_refused(address) is None


def test_networks_that_the_site_names() -> None:
    guard = AddressGuard((ip_network("10.1.0.0/16"), ip_network("fd00::/8")))
    assert guard.why_refused("10.1.2.3") is None
    assert guard.why_refused("::ffff:10.1.2.3") is None
    assert guard.why_refused("fd00::1") is None
    assert guard.why_refused("10.2.0.1") == "private"


def test_the_socket_is_made_for_allowed_addresses_alone() -> None:
    with pytest.raises(AddressRefused, match="allow_private"):
        AddressGuard().socket_for((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443)))
    with AddressGuard().socket_for((socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443))) as made:
        assert made.family is socket.AF_INET
