"""What an agent's screen shows of a call: who calls, and what the menus have found out. Never a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from acd.web.backend import Json
from ivr.context import CallContext

__all__ = ["CallScreen"]


class CallScreen:
    """Tells of live calls, as the web port asks. ``context_of`` finds what the menus know of a call."""

    def __init__(self, context_of: Callable[[str], CallContext | None]) -> None:
        self._context_of = context_of

    def call(self, call_id: str) -> Mapping[str, Json] | None:
        """Number, name, language, the customer's fields and the call's data; None when no live call has this id.

        What a caller has keyed in at a `pin` node is no call data (`CallContext.secrets`) and not told.
        """
        context = self._context_of(call_id)
        if context is None:
            return None
        return {
            "call": call_id,
            "caller": context.caller,
            "caller_number": context.facts.get("caller_number", context.caller),
            "caller_name": context.caller_name,
            "dialled": context.dialled,
            "language": context.language,
            "customer": dict(context.customer),
            "data": dict(context.data),
        }
