"""Check of the agents' phones: does Asterisk know them, and are they there?"""

from __future__ import annotations

from typing import Final

from acd.doctor.findings import Findings, fault, ok, some, warning
from acd.doctor.site import Site

__all__ = ["check_phones"]

_ABSENT: Final = frozenset({"UNAVAILABLE", "UNKNOWN"})


def check_phones(site: Site) -> Findings:
    """Does Asterisk know each agent's phone, and has it a contact?"""
    states = {
        f"{name} ({agent.phone})": site.ami.value(f"DEVICE_STATE({agent.phone})")
        for name, agent in site.config.agents.items()
    }
    unknown = [phone for phone, state in states.items() if state in ("INVALID", "")]
    absent = [phone for phone, state in states.items() if state in _ABSENT]
    if unknown:
        yield fault(
            "phones",
            f"Asterisk does not know the phones of {some(unknown)}",
            "add them to acd/phones.conf (examples: asterisk-conf/pjsip_acd.conf), or mend 'phone' in agents.yaml",
        )
    if absent:
        yield warning(
            "phones",
            f"not registered, so not reachable now: {some(absent)}",
            "switch these phones on; asterisk -rx 'pjsip show contacts' tells what has registered",
        )
    if not unknown:
        there = len(states) - len(absent)
        yield ok("phones", f"Asterisk knows all {len(states)} agents' phones; {there} can be reached now")
