"""What the engine may dial beside agents' phones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from config.schema.phones import NUMBER_PLACE

__all__ = ["Exchange", "Outbound"]


@dataclass(frozen=True, slots=True)
class Outbound:
    """What the engine may dial beside agents' phones. Everything it dials for a caller must be asked for here."""

    allowed: tuple[str, ...] = ()
    """How the numbers must begin."""
    trunk: str = ""
    """The device, with ``{number}`` where the number goes."""

    def device(self, number: str) -> str | None:
        """Return what ``Dial`` takes for a number; None when it may not be dialled.

        The number may be a caller's, so it may be anything: only digits, with or without a ``+`` before them, pass.
        """
        if not self.trunk or not re.fullmatch(r"\+?[0-9]{2,24}", number) or not number.startswith(self.allowed):
            return None
        return self.trunk.replace(NUMBER_PLACE, number)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What menu nodes may dial (implements ``ivr.dialling.Exchange``). ``outbound``: what is allowed now."""

    outbound: Callable[[], Outbound]

    def number(self, number: str) -> str:
        """See ``ivr.dialling.Exchange``."""
        return self.outbound().device(number) or ""
