"""Prompts: what a tree says, turned into sound files that Asterisk plays."""

from __future__ import annotations

from acd.service.prompts.making import PromptLimits
from acd.service.prompts.store import (
    PromptFailure,
    PromptStore,
    PromptUnavailableError,
    Resolved,
    WarmUp,
)

__all__ = ["PromptFailure", "PromptLimits", "PromptStore", "PromptUnavailableError", "Resolved", "WarmUp"]
