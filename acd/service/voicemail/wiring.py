"""Voicemail put together with the process around it, and its messages that are offered to agents like calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acd.core.engine import Engine
from acd.core.events import Event
from acd.service.agi_line import Sounds
from acd.service.asterisk_link import AsteriskLink
from acd.service.clocks import Clocks
from acd.service.late_legs import LateLegs
from acd.service.live_site import LiveSite
from acd.service.messages import Outbox
from acd.service.sessions import Sessions
from acd.service.voicemail.queue_items import ItemTools, QueueItems
from acd.service.voicemail.service import VoicemailService, VoicemailSurroundings
from ami_bridge.translation import phone_of_channel

__all__ = ["VoicemailAround", "make_queue_items", "make_voicemail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailAround:
    """What voicemail is made of that others use as well."""

    engine: Engine
    post: Callable[[Event], None]
    site: LiveSite
    sessions: Sessions
    link: AsteriskLink
    late: LateLegs
    clocks: Clocks
    outbox: Outbox


def make_voicemail(state_dir: Path, recordings_dir: Path, around: VoicemailAround) -> VoicemailService:
    """Make it; ``recordings_dir`` is where Asterisk records and plays from."""
    engine, site = around.engine, around.site

    def agent_of(call_id: str) -> str:
        """The agent whose own phone a caller calls from. The channel's name is Asterisk's, no caller can choose it."""
        session = around.sessions.of_call(call_id)
        return site.agents_by_phone.get(phone_of_channel(session.channel), "") if session is not None else ""

    def queue_of(call_id: str) -> tuple[str, int]:
        """The queue that a caller was in last, and the call's priority there."""
        call = engine.calls.get(call_id)
        return (call.queue.spec.id, call.extra_priority) if call is not None and call.queue is not None else ("", 0)

    return VoicemailService(
        state_dir,
        recordings_dir,
        VoicemailSurroundings(
            boxes=lambda: site.compiled.boxes,
            keep_days=lambda: site.compiled.recordings_keep_days,
            wall=around.clocks.wall,
            originate=around.link.originate,
            agent_of=agent_of,
            queue_of=queue_of,
            put=around.outbox.put,
            agents=engine.agents.keys,
        ),
    )


def make_queue_items(
    voicemail: VoicemailService,
    around: VoicemailAround,
    sounds: Sounds,
    variables: Callable[[], tuple[tuple[str, str], ...]],
) -> QueueItems:
    """Make what offers messages to agents. ``variables`` are those that the channels of agents' phones are given."""
    engine, site = around.engine, around.site
    return QueueItems(
        ItemTools(
            boxes=lambda: site.compiled.boxes,
            desk=voicemail.desk,
            queues=engine.queues,
            calls=engine.calls,
            post=around.post,
            late=around.late,
            phones=site.phones,
            outbound=lambda: site.compiled.outbound,
            sounds=sounds,
            language=lambda: site.agents_language,
            variables=variables,
            now=around.clocks.monotonic,
        )
    )
