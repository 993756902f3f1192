"""The session's Asterisk and phones; each test sets its own stage on them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from acd.lab.lab import Lab, open_lab
from acd.lab.pbx import spoken_prompts
from acd.lab.phones import Behaviour, Ring
from acd.lab.render import Phone
from tests.integration.stage import Stage, open_stage
from tests.integration.voicemail_stage import voicemail_stage
from tests.service.messages.servers import MailBox
from tests.service.sites import write_site

AGENTS = ("anna", "bob", "chen", "dora", "emil")
OUTSIDE = ("+493098765", "+493098766")
TRUNK = "PJSIP/{number}@emil"
"""Reaches the numbers outside."""

OpenStage = Callable[..., AbstractAsyncContextManager[Stage]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    """One Asterisk for all tests of a process, with ports of its own. The phone ``ghost`` is not registered."""
    folder = tmp_path_factory.mktemp("lab") / "run"
    async with open_lab(
        folder,
        AGENTS,
        behaviour=Ring(),
        other_phones=[Phone("ghost", mailboxes="ghost@acd")],
        outside=OUTSIDE,
        verbose=3,
    ) as lab:
        yield lab


@pytest.fixture(scope="session")
def cache() -> Path:
    """One cache of spoken prompts for all tests and labs."""
    return spoken_prompts()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def voicemail(
    lab: Lab, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Stage, MailBox]]:
    """One engine with boxes for all tests of a module, each with boxes or callers of its own, and the mail server."""
    async with voicemail_stage(lab, cache, tmp_path_factory.mktemp("voicemail") / "site") as opened:
        yield opened


@pytest.fixture
def stage(lab: Lab, cache: Path, tmp_path: Path) -> OpenStage:
    """``async with stage(…site…, behaviour=…) as s``: write a site, set the stage, start the engine."""

    def opened(
        *, behaviour: Behaviour = Ring(), env: dict[str, str] | None = None, running: bool = True, **site: Any
    ) -> AbstractAsyncContextManager[Stage]:
        folder = write_site(tmp_path / "site", **site)
        context = open_stage(lab, folder, cache, behaviour=behaviour, env=env)
        return _Started(context) if running else context

    return opened


class _Started(AbstractAsyncContextManager[Stage]):
    """A stage whose engine is ready when it opens."""

    def __init__(self, context: AbstractAsyncContextManager[Stage]) -> None:
        self._context = context

    async def __aenter__(self) -> Stage:
        stage = await self._context.__aenter__()
        try:
            await stage.engine.start()
            await stage.engine.ready()
        except BaseException as error:
            await self._context.__aexit__(type(error), error, error.__traceback__)
            raise
        return stage

    async def __aexit__(self, *exc: Any) -> bool | None:
        return await self._context.__aexit__(*exc)
