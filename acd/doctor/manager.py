"""Checks of the AMI user: its rights, its file when it can be read, and the events that reach it."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from acd.doctor.ami import AmiRefused, names_of
from acd.doctor.conf_files import Sections, setting, settings
from acd.doctor.findings import Findings, fault, ok, unchecked, warning
from acd.doctor.site import Site

__all__ = ["EVENTS_OF_ENGINE", "check_connection", "check_events", "check_manager_conf", "check_rights"]

ACTIONS_OF_ENGINE: Final = (
    *("Ping", "Originate", "Hangup", "ControlPlayback", "Getvar"),
    *("Status", "CoreShowChannels", "BridgeList", "BridgeInfo", "DeviceStateList", "CoreSettings"),
)
"""What the engine's user must be allowed to do."""

MORE_THAN_NEEDED: Final = {
    "Command": "any command of Asterisk's command line",
    "UpdateConfig": "changing Asterisk's configuration, so running programs as Asterisk's user",
    "GetConfig": "reading Asterisk's configuration with all passwords in it",
    "ModuleLoad": "loading and unloading modules",
    "DBPut": "changing Asterisk's database",
    "PJSIPShowEndpoints": "class system, which together with originate runs programs as Asterisk's user",
}
"""Actions the engine never uses, with what they would allow to whoever gets its password."""

EVENTS_OF_ENGINE: Final = frozenset(
    {
        *("FullyBooted", "Shutdown", "Newchannel", "Newstate", "Rename", "DialBegin", "DialState", "DialEnd"),
        *("BridgeEnter", "BridgeLeave", "BridgeDestroy", "BridgeMerge", "Hangup", "HangupRequest"),
        *("SoftHangupRequest", "Hold", "Unhold", "DTMFEnd", "BlindTransfer", "AttendedTransfer"),
        *("OriginateResponse", "DeviceStateChange", "ContactStatus"),
    }
)
"""What the shipped event filter lets through."""

READ_CLASSES: Final = frozenset({"system", "call", "dtmf"})
WRITE_CLASSES: Final = frozenset({"call", "reporting", "originate"})
_NOWHERE: Final = "Local/s@acd-doctor-nowhere"
_EVENTS_OF_NOWHERE: Final = Counter({"Newchannel": 2, "Hangup": 2, "OriginateResponse": 1})
_INCLUDED: Final = re.compile(r"eventfilter\(action\(include\),\s*name\((\w+)\)\)")
_LEAST_WRITE_TIMEOUT_MS: Final = 1000
_SHIPPED: Final = "take manager.d/acd.conf from asterisk-conf/"


def check_connection(site: Site) -> Findings:
    """Is the way to Asterisk's manager as safe as it should be?"""
    ami = site.config.acd.asterisk.ami
    yield ok("ami", f"{ami.host}:{ami.port} answers, logged in as {ami.user!r}")
    try:
        beyond = not ipaddress.ip_address(ami.host).is_loopback
    except ValueError:
        beyond = ami.host != "localhost"
    if beyond:
        yield warning(
            "ami",
            f"the password crosses the network to {ami.host} in clear text",
            "keep that network private (VLAN, WireGuard), and permit only this machine in manager.conf",
        )
    if site.ami.value("STAT(e,/)") == "1":
        yield warning(
            "ami",
            "live_dangerously is on: every AMI user with class call can read and write files by dialplan functions",
            "set live_dangerously = no in asterisk.conf, section [options]",
        )


def check_rights(site: Site) -> Findings:
    """May the engine's user do all that the engine needs, and nothing that is dangerous?"""
    allowed = site.ami.action("ListCommands").keys()
    user = site.config.acd.asterisk.ami.user
    missing = [action for action in ACTIONS_OF_ENGINE if action not in allowed]
    if missing:
        yield fault(
            "ami-rights",
            f"user {user!r} may not do: {', '.join(missing)}",
            f"in manager.conf, section [{user}]: write = {','.join(sorted(WRITE_CLASSES))} ({_SHIPPED})",
        )
    surplus = [f"{action} ({meaning})" for action, meaning in MORE_THAN_NEEDED.items() if action in allowed]
    if surplus:
        yield warning(
            "ami-rights",
            f"user {user!r} may do more than the engine needs: {'; '.join(surplus)}",
            f"in manager.conf, section [{user}]: write = {','.join(sorted(WRITE_CLASSES))} ({_SHIPPED})",
        )
    if not missing and not surplus:
        yield ok("ami-rights", f"all {len(ACTIONS_OF_ENGINE)} actions of the engine are allowed, no dangerous one is")


def check_manager_conf(site: Site) -> Findings:
    """What manager.conf says of the user: its addresses, event classes and write time-out. AMI itself does not tell."""
    user = site.config.acd.asterisk.ami.user
    sections = site.conf("manager.conf")
    if sections is None or user not in sections:
        yield unchecked(
            "manager-conf",
            f"manager.conf can't be read from here, so writetimeout, permit and read classes of [{user}] are not known",
            f"look there: writetimeout = 5000, deny and permit, read = {','.join(sorted(READ_CLASSES))}",
        )
        return
    faults, troubles = _faults_of_user(sections, user), _trouble_of_user(sections, user)
    for text, remedy in faults:
        yield fault("manager-conf", f"[{user}] {text}", remedy)
    for text, remedy in troubles:
        yield warning("manager-conf", f"[{user}] {text}", remedy)
    if not faults and not troubles:
        filters = len(settings(sections, user, "eventfilter")) + sum(
            key.startswith("eventfilter") for key, _value in sections[user] if key != "eventfilter"
        )
        yield ok(
            "manager-conf",
            f"[{user}] writetimeout {setting(sections, user, 'writetimeout')} ms, read "
            f"{setting(sections, user, 'read')}, {filters} event filters, addresses limited",
        )


def _faults_of_user(sections: Sections, user: str) -> list[tuple[str, str]]:
    """What keeps events from the engine that it lives on."""
    faults = []
    read = set(_words(setting(sections, user, "read")))
    if missing := sorted(READ_CLASSES - read) if "all" not in read else []:
        without = ": without it the engine never becomes ready" if "system" in missing else ""
        faults.append(
            (f"does not read class {', '.join(missing)}{without}", f"read = {','.join(sorted(READ_CLASSES))}")
        )
    filters = [key for key, _value in sections[user] if key.startswith("eventfilter")]
    included = {found.group(1) for key in filters if (found := _INCLUDED.fullmatch(key))}
    # Filters of another form may let through what these do not.
    if filters and len(included) == len(filters) and (missing := sorted(EVENTS_OF_ENGINE - included)):
        faults.append((f"has event filters that let no {', '.join(missing)} through", _SHIPPED))
    return faults


def _trouble_of_user(sections: Sections, user: str) -> list[tuple[str, str]]:
    troubles = []
    timeout = setting(sections, user, "writetimeout") or "100"
    if not timeout.isdigit() or int(timeout) < _LEAST_WRITE_TIMEOUT_MS:
        troubles.append(
            (f"has writetimeout {timeout} ms: Asterisk drops it at the slightest pause", "writetimeout = 5000")
        )
    read = set(_words(setting(sections, user, "read")))
    if surplus := sorted(read - READ_CLASSES):
        troubles.append(
            (f"reads classes that are not needed: {', '.join(surplus)}", f"read = {','.join(sorted(READ_CLASSES))}")
        )
    if not settings(sections, user, "deny") and not settings(sections, user, "acl"):
        troubles.append(
            ("may log in from every address", "deny = 0.0.0.0/0.0.0.0 and permit = the engine's address alone")
        )
    if setting(sections, "general", "bindaddr") in ("", "0.0.0.0", "::"):
        troubles.append(
            (
                "is within reach of the network: [general] has no bindaddr, so AMI listens on every address",
                "bindaddr = 127.0.0.1 in [general], if the engine runs on the same machine",
            )
        )
    if not any(key.startswith("eventfilter") for key, _value in sections[user]):
        troubles.append(("has no eventfilter: Asterisk sends it many events for nothing", _SHIPPED))
    return troubles


def check_events(site: Site) -> Findings:
    """Do the events the engine lives on arrive, and no others? Seen by a call to nowhere, which rings no phone."""
    before = site.ami.event_count
    try:
        site.ami.action("Events", EventMask="on")
        # A caller's name makes NewCallerid, which the engine does not need: it shows whether there is an event filter.
        site.ami.action("Originate", Channel=_NOWHERE, Application="NoOp", Async="true", CallerID="doctor <0>")
    except AmiRefused as error:
        yield unchecked("events", f"a call to nowhere could not be made: {error}", "mend the rights first")
        return
    site.ami.wait_for_events(lambda events: Counter(names_of(events)) >= _EVENTS_OF_NOWHERE, since=before)
    site.ami.action("Events", EventMask="off")
    yield from _judge_events(names_of(site.ami.events_since(before)))


def _judge_events(seen: Sequence[str]) -> Findings:
    missing = [name for name in _EVENTS_OF_NOWHERE if name not in seen]
    surplus = sorted(set(seen) - EVENTS_OF_ENGINE)
    if missing:
        yield fault(
            "events",
            f"of a call to nowhere these events did not come: {', '.join(missing)}",
            f"class call must be in the user's read classes, and the events in its eventfilter ({_SHIPPED})",
        )
    if surplus:
        shown = ", ".join(surplus[:6]) + (", …" if len(surplus) > 6 else "")
        yield warning(
            "events",
            f"events come that the engine does not need ({shown}): a busy Asterisk sends thousands of them each second",
            f"limit read classes and set the eventfilter lines ({_SHIPPED}); they need Asterisk 18.25, 20.10, 21.5, 22",
        )
    if not missing and not surplus:
        yield ok("events", "the events of a call to nowhere came, and none that are not needed")


def _words(value: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", value) if word]
