"""Posting a JSON document to a webhook, signed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import orjson

from acd.service.messages.failures import DestinationDown, PermanentFailure, TemporaryFailure
from acd.service.messages.message import OutgoingHook
from acd.service.moments import wall_text

__all__ = ["SIGNATURE_HEADER", "HookClient", "HookReply", "HookSender", "HookTarget", "signature"]

SIGNATURE_HEADER: Final = "Acd-Signature"
_OVERLOADED: Final = frozenset({429, 502, 503, 504})
"""The target or what stands before it can take nothing now (RFC 9110 section 15.6, RFC 6585)."""
_TRY_AGAIN: Final = frozenset({408, 425})
"""Refusals of one request that are for now (RFC 9110 section 15.5.9, RFC 8470); and every other 5xx."""
_LONGEST_WAIT_S: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HookTarget:
    """Where documents go, and what they are signed with."""

    name: str
    url: str
    secret: bytes = field(default=b"", repr=False)
    """Empty: not signed."""
    timeout_s: float = 10.0
    """For the whole request."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further headers, such as an Authorization of the target's."""


@dataclass(frozen=True, slots=True)
class HookReply:
    """What came back: status, and the seconds of ``Retry-After`` (0: not said)."""

    status: int
    retry_after_s: float = 0.0


class HookClient(Protocol):
    """Posts over HTTP, within the site's rules on where requests may go."""

    async def post(self, target: HookTarget, body: bytes, headers: Mapping[str, str]) -> HookReply:
        """Post, follow no redirects, and return what came back.

        Raises:
            PermanentFailure: the site's rules do not allow the address.
            DestinationDown: no connection, no answer in time, a certificate that is not valid.
        """
        ...


class HookSender:
    """Delivers documents to the targets; ``targets`` gives one by name."""

    def __init__(
        self, client: HookClient, targets: Callable[[str], HookTarget | None], wall: Callable[[], float]
    ) -> None:
        self._client = client
        self._targets = targets
        self._wall = wall

    async def send(self, hook: OutgoingHook, created: float) -> None:
        """Deliver one document; when this returns the target has answered with a 2xx.

        Raises:
            PermanentFailure, TemporaryFailure, DestinationDown: it has not, and why.
        """
        target = self._targets(hook.target)
        if target is None:
            raise PermanentFailure(f"acd.yaml has no webhook {hook.target!r} (any more)")
        body = orjson.dumps(
            {
                "id": hook.id,
                "event": hook.event,
                "at": wall_text(created),
                "data": dict(hook.data),
            }
        )
        headers = {
            **target.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": _printable(hook.id),
            "Acd-Event": _printable(hook.event),
        }
        if target.secret:
            headers[SIGNATURE_HEADER] = signature(target.secret, int(self._wall()), body)
        reply = await self._client.post(target, body, headers)
        if 200 <= reply.status < 300:
            return
        text = f"webhook {target.name} answered {reply.status}"
        retry_after_s = min(reply.retry_after_s, _LONGEST_WAIT_S)
        if reply.status in _OVERLOADED:
            raise DestinationDown(text, retry_after_s)
        if reply.status >= 500 or reply.status in _TRY_AGAIN:
            raise TemporaryFailure(text, retry_after_s)
        raise PermanentFailure(text)


def signature(secret: bytes, now_s: int, body: bytes) -> str:
    """Sign a document: ``t=TIME,v1=HMAC``, the HMAC-SHA256 over ``TIME.BODY`` in hexadecimal.

    With the time in it an old document cannot be sent again by somebody else: receivers refuse one that is minutes old.
    """
    mac = hmac.new(secret, b"%d." % now_s + body, hashlib.sha256).hexdigest()
    return f"t={now_s},v1={mac}"


def _printable(text: str) -> str:
    """Make an id fit for a header; one that is not plain text goes by its fingerprint."""
    if text.isascii() and text.isprintable() and len(text) <= 200:
        return text
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
