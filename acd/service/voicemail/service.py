"""Everything of voicemail in the running process, put together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client.core import GaugeMetricFamily, Metric

from acd.service.messages import Message
from acd.service.voicemail.boxes import Boxes
from acd.service.voicemail.desk import QueueOf, VoicemailDesk
from acd.service.voicemail.drafts import Drafts
from acd.service.voicemail.lamps import Lamps
from acd.service.voicemail.message import MessageState
from acd.service.voicemail.notices import Notices
from acd.service.voicemail.pins import Lockouts
from acd.service.voicemail.recordings import KeptRecordings
from acd.service.voicemail.store import MessageStore
from acd.service.voicemail.web import VoicemailWeb
from ami_bridge.ami_codec import HeaderValue

__all__ = ["VoicemailService", "VoicemailSurroundings"]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoicemailSurroundings:
    """What voicemail uses of the process around it."""

    boxes: Callable[[], Boxes]
    """As configured now."""
    keep_days: Callable[[], int]
    """Of recordings that are no messages."""
    wall: Callable[[], float]
    """UNIX time (seconds)."""
    originate: Callable[[Mapping[str, HeaderValue]], bool]
    """Sends the AMI action; False: not possible now."""
    agent_of: Callable[[str], str]
    """The agent whose own phone a call comes from; empty for every other one."""
    queue_of: QueueOf
    """The queue that a call came from (empty: none) and its priority there."""
    agents: Callable[[], Collection[str]]
    """The ids of all agents."""
    put: Callable[[Message], bool] | None = None
    """The outbox, if there is one; blocks on the disk."""


class VoicemailService:
    """See the module.

    Args:
        state_dir: the state folder.
        recordings_dir: where Asterisk records and plays from.
    """

    def __init__(self, state_dir: Path, recordings_dir: Path, around: VoicemailSurroundings) -> None:
        self._recordings_dir = recordings_dir
        self._around = around
        folder = state_dir / "voicemail"
        self.store = MessageStore(folder, around.wall)
        self._drafts = Drafts(folder / ".drafts", recordings_dir, wall=around.wall)
        lockouts = Lockouts(state_dir / "voicemail-pins.json", around.wall, lambda: around.boxes().lock_out)
        self.desk = VoicemailDesk(
            around.boxes,
            self.store,
            self._drafts,
            lockouts,
            recordings_dir,
            around.wall,
            agent_of=around.agent_of,
            queue_of=around.queue_of,
        )
        self.recordings = KeptRecordings(
            state_dir / "recordings", self._drafts, around.keep_days, around.wall, queue_of=around.queue_of
        )
        self.web = VoicemailWeb(around.boxes, self.store, self.recordings, around.agents)
        self.lamps = Lamps(around.boxes, self.store, around.originate)
        self._notices = (
            Notices(self.store, self.desk.box, self.desk.left_at, around.put) if around.put is not None else None
        )

    def load(self) -> None:
        """Read what is on the disk. Blocks on it; once, before the first call."""
        try:
            self._recordings_dir.mkdir(mode=0o770, parents=True, exist_ok=True)
        except OSError as error:
            log.warning("nothing can be recorded", folder=str(self._recordings_dir), why=str(error))
        self.desk.load()
        self._warn_of_lost_boxes()

    def site_changed(self) -> None:
        """Look at the boxes anew: they may be others."""
        self.lamps.refresh()
        if self._notices is not None:
            self._notices.look()
        self._warn_of_lost_boxes()

    def _warn_of_lost_boxes(self) -> None:
        for box in sorted(set(self.store.boxes()) - set(self._around.boxes().by_name)):
            log.warning(
                "voicemail messages lie in a box that voicemail.yaml has no more",
                box=box,
                messages=self.store.fill(box)[0],
            )

    async def run(self) -> None:
        """Do all that voicemail does by itself, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._drafts.run())
            group.create_task(self.desk.run())
            group.create_task(self.recordings.run())
            group.create_task(self.lamps.run())
            if self._notices is not None:
                group.create_task(self._notices.run())

    def metrics(self) -> Iterator[Metric]:
        """Read the counts for a scrape."""
        family = GaugeMetricFamily("acd_voicemail_messages", "Messages by box and state.", labels=["box", "state"])
        for box in self._around.boxes().by_name:
            counts = self.store.counts(box)
            for state in MessageState:
                if state is not MessageState.DELETED:
                    family.add_metric([box, state.value], counts[state])
        yield family
        recording = GaugeMetricFamily("acd_recordings_under_way", "Callers' recordings that are not finished.")
        recording.add_metric([], len(self._drafts))
        yield recording
