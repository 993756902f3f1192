"""Where surveys come in: draws who is asked, counts answers, and writes them beside the calls."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter

from acd.service.surveys.records import SurveyFilter, SurveyRecord, as_csv
from acd.service.surveys.store import SurveyStore
from acd.web.backend import Json
from acd.web.surveys import SurveyQuery
from ivr.surveys import SurveyOutcome, SurveyResult

__all__ = ["SurveyDesk"]

log = structlog.get_logger(__name__)

_GATHER_S: Final = 0.2
"""Results are gathered for so long and written together: so much a power cut may lose (seconds)."""
_TRY_AGAIN_S: Final = 5.0
"""After a disk that took nothing (seconds)."""
_SWEEP_S: Final = 3600.0
"""Between looks for what has been kept long enough (seconds)."""
_MOST_WAITING: Final = 10_000


class SurveyDesk:
    """Implements ``ivr.surveys.Surveys``. ``run`` writes and sweeps, until cancelled; the rest is written then.

    ``uniform(least, most)`` is chance, ``wall`` the clock on the wall (UNIX time). ``on_result`` hears of every result
    at once.
    """

    def __init__(
        self,
        store: SurveyStore,
        registry: CollectorRegistry,
        uniform: Callable[[float, float], float],
        wall: Callable[[], float],
        on_result: Callable[[SurveyResult], None],
        gather_s: float = _GATHER_S,
    ) -> None:
        self._store = store
        self._uniform = uniform
        self._wall = wall
        self._on_result = on_result
        self._gather_s = gather_s
        self._waiting: deque[SurveyRecord] = deque(maxlen=_MOST_WAITING)
        self._came = asyncio.Event()
        self._surveys = Counter(
            "acd_surveys", "Surveys by how they went.", ["queue", "survey", "outcome"], registry=registry
        )
        self._answers = Counter(
            "acd_survey_answers",
            "Answers that callers gave.",
            ["queue", "survey", "question", "answer"],
            registry=registry,
        )

    def chosen(self, share_percent: float) -> bool:
        """See ``Surveys``."""
        return share_percent > 0 and self._uniform(0.0, 100.0) < share_percent

    def keep(self, result: SurveyResult) -> None:
        """See ``Surveys``. Who declined is counted only."""
        self._surveys.labels(result.queue, result.survey, result.outcome.value).inc()
        for question, answer in result.answers.items():
            self._answers.labels(result.queue, result.survey, question, str(answer)).inc()
        log.info("survey", call_id=result.call_id, survey=result.survey, outcome=result.outcome.value)
        if result.outcome is SurveyOutcome.DECLINED:
            return
        if len(self._waiting) == _MOST_WAITING:
            log.error("a survey is lost: too many could not be written", call_id=self._waiting[0].call)
        self._waiting.append(SurveyRecord.of(result, datetime.fromtimestamp(self._wall(), UTC)))
        self._came.set()
        self._on_result(result)

    async def read(self, wanted: SurveyFilter, most: int) -> list[SurveyRecord]:
        """Return kept records, the newest first; of the last moment those that are not written yet, too."""
        unwritten = [record for record in reversed(self._waiting) if wanted.takes(record)]
        kept = await asyncio.to_thread(self._store.read, wanted, most)
        found = {(record.call, record.survey): record for record in reversed([*unwritten, *kept])}
        return sorted(found.values(), key=lambda record: record.at, reverse=True)[:most]

    async def surveys(self, query: SurveyQuery) -> Sequence[Json]:
        """See ``acd.web.surveys.SurveyBackend``."""
        return [record.shown() for record in await self.read(_filter(query), query.limit)]

    async def surveys_csv(self, query: SurveyQuery) -> str:
        """See ``acd.web.surveys.SurveyBackend``."""
        return as_csv(await self.read(_filter(query), query.limit))

    async def run(self) -> None:
        """Write what comes, and remove what has been kept long enough."""
        async with asyncio.TaskGroup() as beside:
            beside.create_task(self._sweep())
            try:
                await self._write_all()
            finally:
                if self._waiting:
                    self._wrote(self._write(list(self._waiting)))

    async def _sweep(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._store.sweep)
            except OSError as error:
                log.error("old surveys cannot be removed", why=str(error))  # noqa: TRY400
            await asyncio.sleep(_SWEEP_S)

    async def _write_all(self) -> None:
        while True:
            await self._came.wait()
            await asyncio.sleep(self._gather_s)
            self._came.clear()
            if not await self._write_beside():
                await asyncio.sleep(_TRY_AGAIN_S)
                self._came.set()

    async def _write_beside(self) -> bool:
        """Write what waits, in a thread; False: the disk took nothing."""
        batch = list(self._waiting)
        writing = asyncio.ensure_future(asyncio.to_thread(self._write, batch))
        try:
            written = await asyncio.shield(writing)
        except asyncio.CancelledError:
            # A thread cannot be cancelled, and the last write must not come between.
            self._wrote(await writing)
            raise
        self._wrote(written)
        return len(written) == len(batch)

    def _write(self, batch: list[SurveyRecord]) -> list[SurveyRecord]:
        """Write, and return what was written: all or nothing."""
        try:
            self._store.add(batch)
        except OSError as error:
            log.error("surveys cannot be kept now", surveys=len(batch), why=str(error))  # noqa: TRY400
            return []
        return batch

    def _wrote(self, written: list[SurveyRecord]) -> None:
        """Forget what is on disk now."""
        for record in written:
            if self._waiting and self._waiting[0] is record:  # else it has made room for newer ones
                self._waiting.popleft()


def _filter(query: SurveyQuery) -> SurveyFilter:
    return SurveyFilter(
        queue=query.queue,
        agent=query.agent,
        survey=query.survey,
        call=query.call,
        since=query.since,
        before=query.before,
    )
