"""The survey desk: chance, counts, and results on their way to the disk."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from prometheus_client import CollectorRegistry

from acd.service.surveys import SurveyDesk, SurveyFilter, SurveyRecord, SurveyStore
from acd.service.surveys import desk as desks
from acd.web.surveys import SurveyQuery
from ivr.surveys import SurveyOutcome, SurveyResult
from tests.service.messages.servers import until

ALL = SurveyFilter()


def result(call: str = "c1", outcome: SurveyOutcome = SurveyOutcome.COMPLETE) -> SurveyResult:
    return SurveyResult(
        survey="main.ask", outcome=outcome, call_id=call, agent="anna", queue="cards", answers={"friendly": 4}
    )


@dataclass
class Site:
    folder: Path
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    heard: list[SurveyResult] = field(default_factory=list)
    seed: int = 1

    def store(self) -> SurveyStore:
        return SurveyStore(self.folder, lambda: 400, lambda: 1.8e9)

    def desk(self, store: SurveyStore | None = None) -> SurveyDesk:
        uniform = Random(self.seed).uniform
        return SurveyDesk(
            store or self.store(), self.registry, uniform, lambda: 1.8e9, self.heard.append, gather_s=0.01
        )


@asynccontextmanager
async def running(desk: SurveyDesk) -> AsyncIterator[SurveyDesk]:
    task = asyncio.create_task(desk.run())
    try:
        yield desk
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_result_is_counted_told_and_kept(tmp_path: Path) -> None:
    site = Site(tmp_path)
    async with running(site.desk()) as desk:
        desk.keep(result())
        assert [record.call for record in await desk.read(ALL, 10)] == ["c1"]  # written or not
        await until(lambda: site.store().read(ALL, 10))
        assert [record.call for record in await desk.read(ALL, 10)] == ["c1"]
    assert site.heard == [result()]
    count = site.registry.get_sample_value
    labels = {"queue": "cards", "survey": "main.ask"}
    assert count("acd_surveys_total", {**labels, "outcome": "complete"}) == 1
    assert count("acd_survey_answers_total", {**labels, "question": "friendly", "answer": "4"}) == 1


async def test_who_declined_is_counted_and_not_kept(tmp_path: Path) -> None:
    site = Site(tmp_path)
    async with running(site.desk()) as desk:
        desk.keep(SurveyResult(survey="main.ask", outcome=SurveyOutcome.DECLINED, call_id="c1"))
    assert site.store().read(ALL, 10) == []
    assert site.heard == []
    labels = {"queue": "", "survey": "main.ask", "outcome": "declined"}
    assert site.registry.get_sample_value("acd_surveys_total", labels) == 1


async def test_what_is_unwritten_at_the_end_is_written(tmp_path: Path) -> None:
    site = Site(tmp_path)
    async with running(site.desk()) as desk:
        await asyncio.sleep(0)
        desk.keep(result())
    assert [record.call for record in site.store().read(ALL, 10)] == ["c1"]


async def test_old_surveys_go_though_nobody_is_asked_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "_SWEEP_S", 0.01)
    old, kept = tmp_path / "2025-12-10.jsonl", tmp_path / "2025-12-11.jsonl"
    async with running(Site(tmp_path).desk()):
        kept.touch()
        old.touch()
        await until(lambda: not old.exists())
    assert kept.exists(), "400 days before 2027-01-15"


class NotSwept(SurveyStore):
    failures = 2

    def sweep(self) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EROFS, "Read-only file system")
        super().sweep()


async def test_what_cannot_be_removed_now_is_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "_SWEEP_S", 0.01)
    old = tmp_path / "2020-01-01.jsonl"
    old.touch()
    async with running(Site(tmp_path).desk(NotSwept(tmp_path, lambda: 400, lambda: 1.8e9))):
        await until(lambda: not old.exists())


class Failing(SurveyStore):
    failures = 2

    def add(self, records: Sequence[SurveyRecord]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        super().add(records)


async def test_a_disk_that_takes_nothing_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site(tmp_path)
    store = Failing(tmp_path, lambda: 400, lambda: 1.8e9)
    monkeypatch.setattr(desks, "_TRY_AGAIN_S", 0.01)
    async with running(site.desk(store)) as desk:
        desk.keep(result("c1"))
        await until(lambda: store.failures < 2)
        desk.keep(result("c2"))
        await until(lambda: len(site.store().read(ALL, 10)) == 2)
    assert store.failures == 0


def test_the_share_is_met_by_chance_and_none_and_all_are_certain(tmp_path: Path) -> None:
    desk = Site(tmp_path).desk()
    assert sum(desk.chosen(20.0) for _ in range(10_000)) in range(1800, 2200)
    assert not any(desk.chosen(0.0) for _ in range(1000))
    assert all(desk.chosen(100.0) for _ in range(1000))


async def test_what_the_interface_asks(tmp_path: Path) -> None:
    site = Site(tmp_path)
    async with running(site.desk()) as desk:
        desk.keep(result("c1"))
        desk.keep(result("c2"))
        (shown,) = await desk.surveys(SurveyQuery(call="c2"))
        assert isinstance(shown, dict)
        assert shown["answers"] == {"friendly": 4}
        assert len(await desk.surveys(SurveyQuery(limit=1))) == 1
        assert (await desk.surveys_csv(SurveyQuery())).splitlines()[0].endswith(",friendly")
