"""What Asterisk holds at one moment: channels, bridges, device states. Taken after each (re)connect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ami_bridge.ami_client import AmiClient
from ami_bridge.ami_codec import AmiMessage, unescape
from ami_bridge.ami_protocol import AmiRefused


@dataclass(slots=True, frozen=True)
class ChannelSnapshot:
    """A channel as ``CoreShowChannels`` lists it. Names are without Asterisk's escapes."""

    uniqueid: str
    channel: str
    linkedid: str
    state: int
    """Asterisk's number: 4 ring, 5 ringing, 6 up…"""
    state_text: str
    caller_number: str
    caller_name: str
    connected_number: str
    connected_name: str
    context: str
    extension: str
    priority: str
    application: str
    application_data: str
    bridge_id: str
    """The bridge that the channel is in, or empty."""
    variables: Mapping[str, str]
    """The channel variables that manager.conf's ``channelvars`` names."""


@dataclass(slots=True, frozen=True)
class BridgeSnapshot:
    """A bridge as ``BridgeList`` lists it, with its members."""

    bridge_id: str
    bridge_type: str
    technology: str
    creator: str
    name: str
    channels: int
    """How many channels Asterisk counts in it, internal ones included."""
    members: tuple[str, ...]
    """Uniqueids of the channels seen in it."""


@dataclass(slots=True, frozen=True)
class AsteriskSnapshot:
    """Channels by Uniqueid, bridges by id, device states by device (``PJSIP/anna`` -> ``NOT_INUSE``).

    The three lists are taken one after the other, so they can differ by what happened between them.
    """

    channels: Mapping[str, ChannelSnapshot]
    bridges: Mapping[str, BridgeSnapshot]
    device_states: Mapping[str, str]
    missing: tuple[str, ...] = ()
    """Why a list could not be had (a module not loaded, a right not given), in words; its mapping is empty then."""


async def snapshot(client: AmiClient, timeout_s: float = 10.0) -> AsteriskSnapshot:
    """Take stock of Asterisk. Without the list of channels there is no stock, so its errors are raised."""
    missing: list[str] = []
    channels = await client.list_action("CoreShowChannels", timeout_s=timeout_s)
    others: dict[str, list[AmiMessage]] = {}
    for action in ("BridgeList", "DeviceStateList"):
        try:
            others[action] = await client.list_action(action, timeout_s=timeout_s)
        except AmiRefused as error:
            others[action] = []
            missing.append(str(error))
    return build_snapshot(channels, others["BridgeList"], others["DeviceStateList"], tuple(missing))


def build_snapshot(
    channels: list[AmiMessage], bridges: list[AmiMessage], devices: list[AmiMessage], missing: tuple[str, ...] = ()
) -> AsteriskSnapshot:
    """Put the three lists' events together."""
    by_uniqueid = {item["Uniqueid"]: _channel(item) for item in channels if "Uniqueid" in item}
    members: dict[str, list[str]] = {}
    for channel in by_uniqueid.values():
        if channel.bridge_id:
            members.setdefault(channel.bridge_id, []).append(channel.uniqueid)
    by_bridge_id = {
        item["BridgeUniqueid"]: _bridge(item, tuple(members.get(item["BridgeUniqueid"], ())))
        for item in bridges
        if "BridgeUniqueid" in item
    }
    states = {item["Device"]: item["State"] for item in devices if "Device" in item and "State" in item}
    return AsteriskSnapshot(
        MappingProxyType(by_uniqueid), MappingProxyType(by_bridge_id), MappingProxyType(states), missing
    )


def _channel(item: AmiMessage) -> ChannelSnapshot:
    get = item.get
    pairs = (variable.partition("=") for variable in item.all("ChanVariable"))
    return ChannelSnapshot(
        uniqueid=get("Uniqueid", ""),
        channel=get("Channel", ""),
        linkedid=get("Linkedid", ""),
        state=_number(get("ChannelState", "")),
        state_text=get("ChannelStateDesc", ""),
        caller_number=get("CallerIDNum", ""),
        caller_name=unescape(get("CallerIDName", "")),
        connected_number=get("ConnectedLineNum", ""),
        connected_name=unescape(get("ConnectedLineName", "")),
        context=get("Context", ""),
        extension=get("Exten", ""),
        priority=get("Priority", ""),
        application=get("Application", ""),
        application_data=get("ApplicationData", ""),
        bridge_id=get("BridgeId", ""),
        variables=MappingProxyType({name: unescape(value) for name, _, value in pairs}),
    )


def _bridge(item: AmiMessage, members: tuple[str, ...]) -> BridgeSnapshot:
    get = item.get
    return BridgeSnapshot(
        bridge_id=get("BridgeUniqueid", ""),
        bridge_type=get("BridgeType", ""),
        technology=get("BridgeTechnology", ""),
        creator=get("BridgeCreator", ""),
        name=get("BridgeName", ""),
        channels=_number(get("BridgeNumChannels", "")),
        members=members,
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
