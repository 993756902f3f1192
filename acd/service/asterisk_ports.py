"""The two ways to Asterisk, made as acd.yaml says: FastAGI, on which we listen, and AMI, which we call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from acd.service.asterisk_link import AsteriskLink
from ami_bridge.agi_server import AgiLimits, AgiServer
from ami_bridge.agi_session import AgiSession
from ami_bridge.ami_client import AmiClient, AmiStatus, AmiTimings
from config.schema import Acd

__all__ = ["make_agi_server", "make_ami_client"]

CALL_SCRIPT: Final = "acd/call"
LEG_SCRIPT: Final = "acd/leg"
AGENT_SCRIPTS: Final = "acd/agent/*"

Serve = Callable[[AgiSession], Awaitable[None]]


def make_agi_server(acd: Acd, *, callers: Serve, legs: Serve, agents: Serve) -> AgiServer:
    """Make the server; it does not listen yet.

    ``callers`` serves who calls, ``legs`` the channels that we have dialled ourselves, ``agents`` the feature codes.
    """
    servers = {CALL_SCRIPT: callers, LEG_SCRIPT: legs}

    async def serve(agi: AgiSession) -> None:
        await servers.get(agi.script, agents)(agi)

    agi = acd.asterisk.fastagi
    return AgiServer(
        agi.host,
        agi.port,
        serve,
        scripts=(CALL_SCRIPT, LEG_SCRIPT, AGENT_SCRIPTS),
        limits=AgiLimits(max_sessions=agi.max_sessions),
    )


def make_ami_client(
    acd: Acd, link: AsteriskLink, on_state: Callable[[AmiStatus], None], on_rtt: Callable[[float], None]
) -> AmiClient:
    """Make the client; it does not connect yet. ``on_rtt`` gets the time of each exchange (seconds)."""
    ami = acd.asterisk.ami
    return AmiClient(
        ami.host,
        ami.port,
        ami.user,
        ami.password.get_secret_value() if ami.password is not None else "",
        on_event=link.on_event,
        resync=link.resync,
        on_state=on_state,
        on_rtt=on_rtt,
        timings=AmiTimings(
            connect_timeout_s=ami.connect_timeout_s,
            action_timeout_s=ami.action_timeout_s,
            pong_timeout_s=ami.event_timeout_s,
        ),
    )
