"""What a demo's callers live through, told from one status of the engine to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from acd.lab.demo_engine import Status

__all__ = ["CallerStory", "Stories"]

Key = tuple[str, ...]


@dataclass(slots=True)
class CallerStory:
    """One caller: where the call went, and how long it took to get there (seconds, None: it did not)."""

    caller: str
    queue: str = ""
    agent: str = ""
    waited_s: float | None = None
    tried: tuple[str, ...] = ()


class Stories:
    """Collects the callers' stories from statuses that come in time order."""

    def __init__(self) -> None:
        self.by_caller: dict[str, CallerStory] = {}
        self._last: Mapping[str, Key] = {}

    def take(self, status: Status) -> Iterator[str]:
        """Take the next status; yields a line for each thing that has happened since the one before."""
        names = {agent["id"]: agent["name"] for agent in status["agents"]}
        now: dict[str, Key] = {}
        for call in status["calls"]:
            story = self.by_caller.setdefault(call["caller"], CallerStory(call["caller"]))
            story.queue = call["queue"] or story.queue
            for agent in call["offered_to"]:
                if agent not in story.tried:
                    story.tried += (agent,)
            if call["state"] == "talking" and call["agent"]:
                story.agent, story.waited_s = call["agent"], call["waited_s"]
            now[call["caller"]] = (call["state"], call["queue"], *call["offered_to"], call["agent"])
            if now[call["caller"]] != self._last.get(call["caller"]):
                yield _line(call, names)
        for caller in self._last:
            if caller not in now:
                yield f"{caller} has hung up" if self.by_caller[caller].agent else f"{caller} is gone, unserved"
        self._last = now


def _line(call: Mapping[str, Any], names: Mapping[str, str]) -> str:
    caller, state, queue = call["caller"], call["state"], call["queue"]
    if state == "waiting":
        return f"{caller} waits in {queue}, place {call['position']}"
    if state == "offered":
        ringing = ", ".join(names.get(agent, agent) for agent in call["offered_to"])
        return f"{caller} ({queue}): the phone of {ringing} rings"
    if state == "talking":
        agent = names.get(call["agent"], call["agent"])
        return f"{caller} ({queue}) talks to {agent} after {call['waited_s']:.1f} s"
    return f"{caller} is in the menu"
