"""Prompts: what a tree says, turned into sound files that Asterisk plays."""

from __future__ import annotations

from acd.service.prompts.making import PromptLimits
from acd.service.prompts.preparing import PromptFailure, WarmUp
from acd.service.prompts.store import PromptStore, PromptUnavailableError, Resolved

__all__ = ["PromptFailure", "PromptLimits", "PromptStore", "PromptUnavailableError", "Resolved", "WarmUp"]
