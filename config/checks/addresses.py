"""acd.yaml: ports and folders that exclude each other."""

from __future__ import annotations

from config.checks.draft import Draft
from config.document import KeyPath
from config.problems import Findings

__all__ = ["check_addresses"]

_EVERYWHERE = frozenset({"0.0.0.0", "::"})
_LOOPBACK = {"localhost": "127.0.0.1", "::1": "127.0.0.1"}


def check_addresses(draft: Draft, findings: Findings) -> None:
    """Refuse two listeners on one port, a listener on Asterisk's own, and one folder for two purposes."""
    acd, source = draft.acd.model, draft.acd.source
    if acd is None:
        return
    ami, fastagi, web = acd.asterisk.ami, acd.asterisk.fastagi, acd.web
    users: list[tuple[str, int, KeyPath, str]] = [
        (ami.host, ami.port, ("asterisk", "ami", "port"), "Asterisk's manager"),
        (fastagi.host, fastagi.port, ("asterisk", "fastagi", "port"), "FastAGI"),
        (web.host, web.port, ("web", "port"), "the web port"),
    ]
    for later, user in enumerate(users):
        for earlier in users[:later]:
            if user[1] == earlier[1] and _overlap(user[0], earlier[0]):
                # A port left to its default has no position of its own.
                here, other = (user, earlier) if user[2] in source.values else (earlier, user)
                findings.error(source.value(here[2]), f"port {here[1]} is used by {other[3]}, too; choose another")
    if acd.state_dir == acd.cache_dir:
        at = ("cache_dir",) if ("cache_dir",) in source.values else ("state_dir",)
        findings.error(source.value(at), "state_dir and cache_dir are the same folder; give each its own")


def _overlap(host: str, other: str) -> bool:
    """Tell whether listeners on two addresses of this machine would meet."""
    first, second = _LOOPBACK.get(host, host), _LOOPBACK.get(other, other)
    return first == second or bool({first, second} & _EVERYWHERE)
