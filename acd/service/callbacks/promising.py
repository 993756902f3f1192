"""Promising callbacks: to whom, within which bounds, kept before it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import structlog

from acd.core.events import MenuStepped
from acd.service.callbacks.entries import Callback
from acd.service.callbacks.ledger import Ledger
from acd.service.callbacks.tools import CallbackTools
from ivr.callbacks import AskedHow, CallbackWish, Promise

__all__ = ["Promising"]

log = structlog.get_logger(__name__)


class Promising:
    """Takes callers' wishes (implements ``ivr.callbacks.CallbackDesk``).

    ``park(entry, call)`` lets the callback wait until the caller's own call has ended. ``results`` counts by queue and
    result.
    """

    def __init__(
        self,
        tools: CallbackTools,
        ledger: Ledger,
        park: Callable[[Callback, str], None],
        results: Counter[tuple[str, str]],
    ) -> None:
        self._tools = tools
        self._ledger = ledger
        self._park = park
        self.results = results

    def asked_how(self, queue: str) -> AskedHow:
        """See ``CallbackDesk``."""
        how = self._tools.site().of_queue(queue)
        return AskedHow(confirm=how.confirm, other_number=how.other_number)

    def number(self, text: str) -> str:
        """See ``CallbackDesk``."""
        checked = self._tools.site().numbers.check(text)
        if checked.fault is not None:
            log.info("no callback to this number", number=text[:40], why=checked.fault.value)
            self.results["", f"refused-{checked.fault.value}"] += 1
        return checked.number

    async def promise(self, wish: CallbackWish) -> Promise:
        """See ``CallbackDesk``."""
        call, bounds = wish.call, self._tools.site().bounds
        known = self._ledger.of_number(wish.number)
        if known is not None:
            log.info("callback promised before", call_id=known.id, number=wish.number)
            self.results[wish.queue, "repeated"] += 1
            self._tell(call.call_id, known)
            await self._tools.let_go(call.call_id)
            return Promise.ALREADY
        asker = self._tools.site().numbers.check(call.caller).number
        refusal = self._ledger.refusal(wish.number, bounds, asker)
        if not refusal:
            entry = self._new(wish)
            self._ledger.add(entry, bounds, asker)
            if await self._ledger.file.write_now():
                self._park(entry, call.call_id)
                self._tell(call.call_id, entry)
                log.info("callback promised", call_id=entry.id, number=entry.number, queue=entry.queue)
                await self._tools.let_go(call.call_id)
                return Promise.PROMISED
            self._ledger.drop(entry.id)
            refusal = "not-kept"
        log.warning("no callback promised", number=wish.number, queue=wish.queue, why=refusal)
        self.results[wish.queue, f"refused-{refusal}"] += 1
        return Promise.REFUSED

    def _tell(self, call_id: str, entry: Callback) -> None:
        """Let the story of the caller's call name the callback, which has a story of its own."""
        self._tools.post(MenuStepped(call_id, "", "to be called back", detail=f"callback {entry.id}"))

    def _new(self, wish: CallbackWish) -> Callback:
        call, now = wish.call, self._tools.clocks.wall()
        customer = self._tools.customer(call)
        entered_at = now if call.waiting_since is None else min(call.waiting_since, now)
        return Callback(
            id=self._tools.new_call_id(),
            call=call.call_id,
            number=wish.number,
            queue=wish.queue,
            entered_at=entered_at,
            promised_at=now,
            expires_at=now + self._tools.site().of_queue(wish.queue).expires_after_s,
            name=customer.name or call.caller_name,
            dialled=call.dialled,
            priority=wish.priority + customer.priority,
            requires=tuple(sorted(wish.requires.items())),
            customer=customer.id,
            agent=call.agent or customer.agent,
            language=call.language,
            data=dict(call.data),
        )
