"""The boxes as the web port sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import structlog

from acd.service.moments import wall_text
from acd.service.voicemail.boxes import Boxes
from acd.service.voicemail.message import MessageState, StoredMessage
from acd.service.voicemail.recordings import KeptRecordings
from acd.service.voicemail.store import MessageStore
from acd.web.backend import Json

__all__ = ["VoicemailWeb"]

log = structlog.get_logger(__name__)


class VoicemailWeb:
    """Implements ``acd.web.voicemail.VoicemailBackend``. Every change is logged: who may do it holds the token.

    Args:
        boxes: the boxes, as configured now.
        store: their messages.
        recordings: what nodes of type record have recorded.
        agents: the ids of all agents.
    """

    def __init__(
        self,
        boxes: Callable[[], Boxes],
        store: MessageStore,
        recordings: KeptRecordings,
        agents: Callable[[], Collection[str]],
    ) -> None:
        self._boxes = boxes
        self._store = store
        self._recordings = recordings
        self._agents = agents

    def boxes(self) -> Sequence[Mapping[str, Json]]:
        """See ``VoicemailBackend``. A box that is configured no longer is told as long as there are messages in it."""
        known = self._boxes().by_name
        names = [*known, *(name for name in sorted(self._store.boxes()) if name not in known)]
        return [self._box(name) for name in names]

    def _box(self, name: str) -> Mapping[str, Json]:
        spec, counts = self._boxes().by_name.get(name), self._store.counts(name)
        states = [state for state in MessageState if state is not MessageState.DELETED]
        return {
            "name": name,
            "title": spec.title if spec is not None else name,
            "number": spec.number if spec is not None else None,
            "agents": sorted(spec.agents) if spec is not None else [],
            "messages": {state.value: counts[state] for state in states},
            "size_bytes": self._store.fill(name)[1],
        }

    def messages(self, box: str, state: str, agent: str) -> Sequence[Mapping[str, Json]]:
        """See ``VoicemailBackend``."""
        found = self._store.of_box(box) if box else sorted(self._store.all(), key=lambda message: message.left_at)
        return [
            _told(message)
            for message in found
            if message.state is not MessageState.DELETED
            and (not state or message.state == state)
            and (not agent or message.agent == agent)
        ]

    def message(self, message_id: str) -> Mapping[str, Json] | None:
        """See ``VoicemailBackend``."""
        found = self._store.get(message_id)
        return _told(found) if found is not None else None

    def sound(self, message_id: str) -> Path | None:
        """See ``VoicemailBackend``."""
        found = self._store.get(message_id)
        path = self._store.sound(found) if found is not None else None
        return path if path is not None and path.is_file() else None

    async def assign(self, message_id: str, agent: str) -> Mapping[str, Json] | None:
        """See ``VoicemailBackend``."""
        if agent not in self._agents():
            raise LookupError("No agent has this id; the ids are those of agents.yaml.")
        return self._noted("assigned", await self._store.change(message_id, state=MessageState.ASSIGNED, agent=agent))

    async def close(self, message_id: str) -> Mapping[str, Json] | None:
        """See ``VoicemailBackend``."""
        return self._noted("closed", await self._store.change(message_id, state=MessageState.CLOSED))

    async def mark(self, message_id: str, state: str) -> Mapping[str, Json] | None:
        """See ``VoicemailBackend``. It is nobody's then."""
        return self._noted(state, await self._store.change(message_id, state=MessageState(state), agent=""))

    async def delete(self, message_id: str) -> bool:
        """See ``VoicemailBackend``."""
        found = self._store.get(message_id)
        gone = await self._store.delete(message_id)
        if gone:
            self._noted("deleted", found)
        return gone

    async def recording(self, recording_id: str) -> Mapping[str, Json] | None:
        """See ``VoicemailBackend``."""
        return await asyncio.to_thread(self._recordings.told, recording_id)

    async def recording_sound(self, recording_id: str) -> Path | None:
        """See ``VoicemailBackend``."""
        return await asyncio.to_thread(self._recordings.sound, recording_id)

    @staticmethod
    def _noted(what: str, message: StoredMessage | None) -> Mapping[str, Json] | None:
        if message is None:
            return None
        log.info(
            f"voicemail message {what} over the web port", box=message.box, message=message.id, agent=message.agent
        )
        return _told(message)


def _told(message: StoredMessage) -> Mapping[str, Json]:
    call = message.call
    return {
        "id": message.id,
        "box": message.box,
        "state": message.state.value,
        "agent": message.agent or None,
        "urgent": message.urgent,
        "left_at": wall_text(message.left_at, "seconds"),
        "changed_at": wall_text(message.changed_at, "seconds"),
        "seconds": message.seconds,
        "hung_up": message.hung_up,
        "call": {
            "id": call.call_id,
            "caller": call.caller,
            "caller_name": call.caller_name,
            "dialled": call.dialled,
            "language": call.language,
            "queue": call.queue or None,
            "priority": call.priority,
            "data": dict(call.data),
            "path": list(call.path),
        },
    }
