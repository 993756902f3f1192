"""Webhooks over the look-ups' client: the same rules on where requests may go; and menus' events into the spool."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from yarl import URL

from acd.service.lookups.client import HttpClient, HttpFailed, HttpFault, HttpRequest
from acd.service.messages.failures import DestinationDown, PermanentFailure
from acd.service.messages.hook import HookReply, HookTarget
from acd.service.messages.message import Message, OutgoingHook
from ivr.webhooks import Payload

__all__ = ["GuardedHooks", "MenuWebhooks"]

_MOST_ANSWER_BYTES = 65_536
_LONGEST_WAIT_DIGITS = 6
_NOT_ALLOWED = frozenset({HttpFault.REFUSED})


class GuardedHooks:
    """Posts webhooks (implements ``acd.service.messages.hook.HookClient``)."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def post(self, target: HookTarget, body: bytes, headers: Mapping[str, str]) -> HookReply:
        """See ``HookClient``."""
        request = HttpRequest(
            method="POST", url=URL(target.url), headers=headers, body=body, most_bytes=_MOST_ANSWER_BYTES
        )
        try:
            async with asyncio.timeout(target.timeout_s):
                fetched = await self._client.fetch(request)
        except TimeoutError:
            raise DestinationDown(f"webhook {target.name}: no answer within {target.timeout_s:g} s") from None
        except HttpFailed as failed:
            text = f"webhook {target.name}: {failed.fault.value}: {failed}"
            raise (PermanentFailure(text) if failed.fault in _NOT_ALLOWED else DestinationDown(text)) from None
        return HookReply(fetched.status, _seconds(fetched.headers.get("Retry-After", "")))


class TakesMessages(Protocol):
    """See ``acd.service.messages.outbox.Outbox``."""

    async def post(self, message: Message) -> bool:
        """Take a message."""
        ...


class MenuWebhooks:
    """Hands events of menus to the spool, beside the call (implements ``ivr.webhooks.Webhooks``)."""

    def __init__(self, outbox: TakesMessages) -> None:
        self._outbox = outbox
        self._tasks: set[asyncio.Task[bool]] = set()

    def post(self, target: str, event: str, payload: Payload, *, key: str) -> None:
        """See ``Webhooks``."""
        message = OutgoingHook(id=f"menu-{key}", target=target, event=event, data=dict(payload))
        task = asyncio.get_running_loop().create_task(self._outbox.post(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait until all that was handed over is kept."""
        if self._tasks:
            await asyncio.wait(self._tasks)


def _seconds(text: str) -> float:
    """Read ``Retry-After`` in seconds; its other form, a date, says nothing here (RFC 9110 section 10.2.3)."""
    return float(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_WAIT_DIGITS else 0.0
