"""What a demo's callers live through, told from one status of the engine to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from acd.lab.demo_engine import Status

__all__ = ["CallerStory", "Stories"]

Key = tuple[str, ...]


@dataclass(slots=True)
class CallerStory:
    """One caller: where the call went, and how long it took to get there (seconds, None: it did not).

    ``message_s``: how much sound the message has that was left; ``called_back``: whether a callback was promised;
    ``survey``: the answers by question.
    """

    caller: str
    queue: str = ""
    agent: str = ""
    waited_s: float | None = None
    tried: tuple[str, ...] = ()
    message_s: float | None = None
    called_back: bool = False
    survey: Mapping[str, int] = field(default_factory=dict)


class Stories:
    """Collects the callers' stories from statuses that come in time order."""

    def __init__(self) -> None:
        self.by_caller: dict[str, CallerStory] = {}
        self._last: Mapping[str, Key] = {}
        self._callers: dict[str, str] = {}
        """The caller of each call."""
        self._told: set[str] = set()
        """Messages and surveys."""

    def take(self, status: Status) -> Iterator[str]:
        """Take the next status; yields a line for each thing that has happened since the one before."""
        names = {agent["id"]: agent["name"] for agent in status["agents"]}
        yield from self._messages(status)
        yield from self._callbacks(status)
        yield from self._calls(status, names)
        yield from self._surveys(status)

    def _calls(self, status: Status, names: Mapping[str, str]) -> Iterator[str]:
        now: dict[str, Key] = {}
        for call in status["calls"]:
            story = self._story(call["caller"])
            self._callers[call["id"]] = call["caller"]
            story.queue = call["queue"] or story.queue
            for agent in call["offered_to"]:
                if agent not in story.tried:
                    story.tried += (agent,)
            if call["state"] == "talking" and call["agent"]:
                story.agent, story.waited_s = call["agent"], call["waited_s"]
            now[call["id"]] = (call["state"], call["queue"], *call["offered_to"], call["agent"])
            if now[call["id"]] != self._last.get(call["id"]):
                yield _line(call, names, story)
        for call_id in self._last:
            if call_id not in now:
                yield _end(self._story(self._callers[call_id]))
        self._last = now

    def _messages(self, status: Status) -> Iterator[str]:
        for message in status["messages"]:
            if message["id"] not in self._told:
                self._told.add(message["id"])
                story = self._story(message["call"]["caller"])
                story.message_s = message["seconds"]
                yield f"{story.caller} has left a message of {message['seconds']:.1f} s"

    def _callbacks(self, status: Status) -> Iterator[str]:
        for callback in status["callbacks"]:
            story = self._story(callback["number"])
            if not story.called_back:
                story.called_back = True
                yield f"{story.caller} will be called back, and hangs up"

    def _surveys(self, status: Status) -> Iterator[str]:
        for survey in reversed(status["surveys"]):  # the newest come first
            caller = self._callers.get(survey["call"])
            if caller is not None and survey["call"] not in self._told:
                self._told.add(survey["call"])
                story = self._story(caller)
                story.survey = survey["answers"]
                answers = ", ".join(f"{question} {answer}" for question, answer in story.survey.items())
                yield f"{caller} has answered the survey: {answers}"

    def _story(self, caller: str) -> CallerStory:
        return self.by_caller.setdefault(caller, CallerStory(caller))


def _line(call: Mapping[str, Any], names: Mapping[str, str], story: CallerStory) -> str:
    caller, state, queue = call["caller"], call["state"], call["queue"]
    if state == "waiting":
        return f"{caller} waits in {queue}, place {call['position']}"
    if state == "offered":
        ringing = ", ".join(names.get(agent, agent) for agent in call["offered_to"])
        return f"{caller} ({queue}): the phone of {ringing} rings"
    if state == "talking":
        agent = names.get(call["agent"], call["agent"])
        return f"{caller} ({queue}) talks to {agent} after {call['waited_s']:.1f} s"
    return f"{caller} is asked how it was" if story.agent else f"{caller} is in the menu"


def _end(story: CallerStory) -> str:
    if story.agent or story.message_s is not None or story.called_back:
        return f"{story.caller} has hung up"
    return f"{story.caller} is gone, unserved"
