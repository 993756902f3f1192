"""Lamps of phones (message waiting) that show what is new in a box.

Debian's Asterisk has no module that takes a box's count by AMI (``res_mwi_external``), and ``PJSIPNotify`` needs a
right that would allow shell commands as well. But the application ``MinivmMWI`` tells Asterisk the count of any
mailbox. It is run by the dialplan's ``acd-lamp``, on a channel of its own that nobody answers, with the rights the
engine has anyway; phones with that mailbox (``mailboxes`` of an endpoint or AOR) are told by Asterisk itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress

import structlog

from acd.service.voicemail.boxes import Boxes
from acd.service.voicemail.message import MessageState, StoredMessage
from acd.service.voicemail.store import MessageStore
from ami_bridge.ami_codec import HeaderValue

__all__ = ["Lamps"]

log = structlog.get_logger(__name__)

_GATHER_S = 0.2
"""Changes within so long are told at once (seconds)."""
_AGAIN_S = 2.0


class Lamps:
    """See the module.

    Args:
        boxes: the boxes, as configured now.
        store: their messages.
        originate: sends the AMI action; False: not possible now.
    """

    def __init__(
        self,
        boxes: Callable[[], Boxes],
        store: MessageStore,
        originate: Callable[[Mapping[str, HeaderValue]], bool],
    ) -> None:
        self._boxes = boxes
        self._store = store
        self._originate = originate
        self._told: dict[str, tuple[int, int]] = {}
        self._changed = asyncio.Event()
        store.watch(self._on_message)

    def refresh(self) -> None:
        """Tell all counts anew: Asterisk has been restarted, or the site has changed."""
        self._told.clear()
        self._changed.set()

    def _on_message(self, _message: StoredMessage) -> None:
        self._changed.set()

    async def run(self) -> None:
        """Tell counts as they change, until cancelled."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(_GATHER_S)
            self._changed.clear()
            if not self.tell():
                with suppress(TimeoutError):
                    async with asyncio.timeout(_AGAIN_S):
                        await self._changed.wait()
                self._changed.set()

    def tell(self) -> bool:
        """Tell Asterisk each count that it has not been told; False when that is not possible now."""
        for lamp, counts in self._counts().items():
            if self._told.get(lamp) == counts:
                continue
            new, saved = counts
            sent = self._originate(
                {
                    "Channel": "Local/s@acd-lamp",
                    "Application": "NoOp",  # of the channel's other half, which is never answered
                    "Async": "true",
                    "Variable": (f"__ACD_LAMP={lamp}", f"__ACD_LAMP_NEW={new}", f"__ACD_LAMP_OLD={saved}"),
                }
            )
            if not sent:
                return False
            self._told[lamp] = counts
            log.debug("lamp told", lamp=lamp, new=new, saved=saved)
        return True

    def _counts(self) -> dict[str, tuple[int, int]]:
        """New and old messages for each lamp; one lamp can stand for several boxes."""
        lamps: dict[str, tuple[int, int]] = dict.fromkeys(self._told, (0, 0))  # of a box that is there no longer
        for name, box in self._boxes().by_name.items():
            counts = self._store.counts(name)
            saved = counts[MessageState.SAVED] + counts[MessageState.ASSIGNED]
            for lamp in box.lamps:
                new, old = lamps.get(lamp, (0, 0))
                lamps[lamp] = (new + counts[MessageState.NEW], old + saved)
        return lamps
