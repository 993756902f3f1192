"""Phones that were picked up and are asked for a key: they stop when the caller does not wait for them any more.

Such a phone is dialled by a ``Local`` channel. While the dialplan asks for the key, the inner ``Dial`` does not notice
the end of the outer channel, so the phone is hung up by us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

__all__ = ["ConfirmingPhones"]

_CONTEXT = "@acd-confirm-"


class ConfirmingPhones:
    """Follows AMI events. ``hang_up`` ends a channel."""

    def __init__(self, hang_up: Callable[[str], None]) -> None:
        self._hang_up = hang_up
        self._phones: dict[str, tuple[str, str]] = {}
        """Channel and Uniqueid of the phone, by the name of the Local channel without its end."""
        self._ways: dict[str, str] = {}
        """The name of the Local channel, by the phone's Uniqueid."""

    def on_event(self, event: Mapping[str, str]) -> None:
        """Take an AMI event; those of other channels are ignored."""
        match event.get("Event", ""):
            case "DialBegin":
                self._dialled(event)
            case "BridgeEnter":
                self._forget(event.get("Uniqueid", ""))
            case "Hangup":
                self._forget(event.get("Uniqueid", ""))
                self._way_gone(event.get("Channel", ""))

    def _dialled(self, event: Mapping[str, str]) -> None:
        way, end, _ = event.get("Channel", "").rpartition(";2")
        phone, uniqueid = event.get("DestChannel", ""), event.get("DestUniqueid", "")
        if end and _CONTEXT in way and phone and uniqueid:
            self._phones[way] = (phone, uniqueid)
            self._ways[uniqueid] = way

    def _way_gone(self, channel: str) -> None:
        found = self._phones.pop(channel.rpartition(";")[0], None) if _CONTEXT in channel else None
        if found is not None:
            phone, uniqueid = found
            self._ways.pop(uniqueid, None)
            self._hang_up(phone)

    def _forget(self, uniqueid: str) -> None:
        """The phone is connected, or gone: from now on Asterisk does what is to be done."""
        way = self._ways.pop(uniqueid, None)
        if way is not None:
            self._phones.pop(way, None)
