"""How a delivery can fail, as far as it matters to what happens next. The texts are for the operator's log."""

from __future__ import annotations

__all__ = ["DestinationDown", "PermanentFailure", "TemporaryFailure"]


class PermanentFailure(Exception):
    """It will never be taken: an address that does not exist, a document that is refused. Not tried again."""


class TemporaryFailure(Exception):
    """This message was not taken now; others may be. ``retry_after_s``: how long the other side asks to be left."""

    def __init__(self, text: str, retry_after_s: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class DestinationDown(TemporaryFailure):
    """Nothing can be delivered there now: no connection, no answer, a certificate or password refused."""
