"""What the web server needs of the running process, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

__all__ = ["AgentAction", "Backend", "ConfigurationRefused", "Json", "Readiness"]

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""A value that JSON can carry."""


class AgentAction(StrEnum):
    """What can be done to an agent from outside; the words are the last part of the address."""

    READY = "ready"
    NOT_READY = "not-ready"
    LOGOUT = "logout"
    WRAP_UP_DONE = "wrap-up-done"
    WRAP_UP_EXTENDED = "wrap-up-extended"


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether callers are served. ``reasons`` say why not, each a sentence for the operator; empty when ready."""

    reasons: tuple[str, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether nothing stands in the way."""
        return not self.reasons


class ConfigurationRefused(Exception):
    """A change of the configuration was refused, and nothing has changed. The text has one fault in each line.

    ``faults``: file, line (0: none), column and what is wrong, where it is a fault of the files.
    """

    def __init__(self, text: str, faults: Sequence[tuple[str, int, int, str]] = ()) -> None:
        super().__init__(text)
        self.faults = tuple(faults)


class Backend(Protocol):
    """The running process as the web server sees it: snapshots out, wishes in."""

    def readiness(self) -> Readiness:
        """Tell whether callers are served."""
        ...

    def status(self) -> Mapping[str, Json]:
        """Everything as it stands: callers, queues, agents."""
        ...

    def explain_call(self, call_id: str) -> Mapping[str, Json] | None:
        """Tell why a call went where it went; None when it is not known (any more)."""
        ...

    def explain_agent(self, agent_id: str) -> Mapping[str, Json] | None:
        """Tell why an agent has no call now; None when nobody has this id."""
        ...

    def act_on_agent(self, agent_id: str, action: AgentAction, reason: str) -> str | None:
        """Change an agent's state; returns the new state, or None when nobody has this id."""
        ...

    async def reload(self, *, dry_run: bool) -> Mapping[str, Json]:
        """Take the changed configuration folder; with ``dry_run`` only tell what would change.

        Raises:
            ConfigurationRefused: nothing has changed.
        """
        ...

    async def undo_reload(self) -> Mapping[str, Json]:
        """Take back the last change of the configuration. Raises ConfigurationRefused when there is none."""
        ...
