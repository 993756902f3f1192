"""What keeps the process from starting, in words that tell what to do."""

from __future__ import annotations

__all__ = ["StartError"]


class StartError(Exception):
    """The process cannot start; ``str(error)`` is for the operator and names the setting to change."""
