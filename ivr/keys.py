"""Keys with the same meaning everywhere: repeat, back, top, operator."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.line import KEYS
from ivr.outcome import Back, Go, Move, NodeId, Repeat, Top
from ivr.record import StepOutcome

__all__ = ["Keys", "is_key"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Keys with the same meaning wherever a caller may press one; empty for none. A node's own go before them."""

    repeat: str = ""
    back: str = ""
    top: str = ""
    top_node: NodeId | None = None
    """Where the top key leads; None for the first menu that the caller heard."""
    operator: str = ""
    operator_node: NodeId | None = None
    """Where the operator's key leads."""

    def __post_init__(self) -> None:
        used = [key for key in (self.repeat, self.back, self.top, self.operator) if key]
        if any(not is_key(key) for key in used):
            raise ValueError(f"a key is one of {KEYS}")
        if len(used) != len(set(used)):
            raise ValueError("one key cannot have two meanings")
        if self.operator and self.operator_node is None:
            raise ValueError("the operator's key needs the operator's node")

    def move(self, key: str) -> Move | None:
        """What `key` means here; None if nothing."""
        if not key:
            return None
        if key == self.repeat:
            return Repeat()
        if key == self.back:
            return Back()
        if key == self.top:
            return Top(self.top_node)
        if key == self.operator and self.operator_node is not None:
            return Go(self.operator_node, StepOutcome.OPERATOR)
        return None


def is_key(text: str) -> bool:
    """Whether `text` is one key of a telephone."""
    return len(text) == 1 and text in KEYS
