"""The running process as the web port sees it (``acd.web.backend.Backend``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict

from acd.core.engine import Engine
from acd.core.explain import Explanation
from acd.service.agent_presences import AgentPresences
from acd.service.asterisk_link import AsteriskLink
from acd.service.clocks import Clocks
from acd.service.reload import Refused, Reloading
from acd.service.site_taking import SiteTaking
from acd.service.status import dated, status_of
from acd.web.backend import AgentAction, ConfigurationRefused, Json, Readiness
from config import ConfigErrors, Position

__all__ = ["WebBackend"]

_OF_CALLBACK = ("state", "attempts", "attempts_most", "not_before", "expires_at")


class WebBackend:
    """Answers from snapshots of the parts, and hands wishes on to them."""

    def __init__(
        self,
        engine: Engine,
        clocks: Clocks,
        link: AsteriskLink,
        agents: AgentPresences,
        taking: SiteTaking,
        reloading: Reloading,
        callbacks: Callable[[], Iterable[Mapping[str, Json]]],
    ) -> None:
        self._engine = engine
        self._clocks = clocks
        self._link = link
        self._agents = agents
        self._taking = taking
        self._reloading = reloading
        self._callbacks = callbacks
        self.draining = False
        """Whether the process is ending."""

    def readiness(self) -> Readiness:
        """See ``Backend``."""
        reasons = []
        if self.draining:
            reasons.append("draining: the process is ending")
        if self._link.problem:
            reasons.append(self._link.problem)
        elif not self._link.offers_resumed:
            reasons.append("callers of before the start are awaited")
        if not self._taking.prompts_ready:
            reasons.append("prompts are being prepared")
        return Readiness(tuple(reasons))

    def status(self) -> Mapping[str, Json]:
        """See ``Backend``."""
        snapshot = self._engine.snapshot(self._clocks.monotonic())
        return status_of(snapshot, self._clocks.wall(), self.readiness().reasons)

    def explain_call(self, call_id: str) -> Mapping[str, Json] | None:
        """See ``Backend``."""
        told = self._dated(self._engine.explain_call(call_id, self._clocks.monotonic()))
        if told is None:
            return None
        # An attempt that has ended is not the end: the promise may be open.
        promised = next((callback for callback in self._callbacks() if callback["id"] == call_id), None)
        return {**told, "callback": None if promised is None else {name: promised[name] for name in _OF_CALLBACK}}

    def explain_agent(self, agent_id: str) -> Mapping[str, Json] | None:
        """See ``Backend``."""
        return self._dated(self._engine.explain_agent(agent_id, self._clocks.monotonic()))

    def act_on_agent(self, agent_id: str, action: AgentAction, reason: str) -> str | None:
        """See ``Backend``."""
        state = self._agents.state_after(agent_id, action, reason)
        return state.value if state is not None else None

    async def reload(self, *, dry_run: bool) -> Mapping[str, Json]:
        """See ``Backend``."""
        try:
            return asdict(await self._reloading.reload(dry_run=dry_run))
        except ConfigErrors as errors:
            raise ConfigurationRefused(
                str(errors), tuple((at.file, at.line, at.column, text) for at, text in _found(errors))
            ) from errors
        except Refused as refused:
            raise ConfigurationRefused(str(refused)) from refused

    async def undo_reload(self) -> Mapping[str, Json]:
        """See ``Backend``."""
        try:
            return asdict(await self._reloading.undo())
        except Refused as refused:
            raise ConfigurationRefused(str(refused)) from refused

    def _dated(self, explanation: Explanation | None) -> Mapping[str, Json] | None:
        dates: Mapping[str, Json] | None = dated(explanation, self._clocks.to_wall)
        return dates


def _found(errors: ConfigErrors) -> Iterator[tuple[Position, str]]:
    for problem in errors.errors:
        yield problem.position, problem.message
