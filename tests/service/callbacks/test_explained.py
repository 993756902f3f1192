"""What an explanation tells of a callback: from the promise on, one story over all attempts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from acd.core.events import AgentReady
from tests.service.callbacks.test_desk import agents_line, at_once, opened, promised

__all__ = ["at_once"]  # a fixture of each test here, too


async def test_the_promise_and_its_attempts_are_one_story(tmp_path: Path) -> None:
    async with opened(tmp_path) as site:
        call_id = await promised(site)

        def told(call_id: str = call_id) -> Any:
            return site.parts.backend.explain_call(call_id)

        _, of_attempt, waiting = told()["story"]
        first, _, callers_call = of_attempt["step"]["detail"].rpartition(" ")
        assert first == "attempt 1, promised in call"
        assert waiting["what"] == "waiting"
        named = [line["step"]["detail"] for line in told(callers_call)["story"] if "step" in line]
        assert f"callback {call_id}" in named, "and the other way round"
        assert told()["callback"]["state"] == "waiting"
        assert (told()["callback"]["attempts"], told()["callback"]["attempts_most"]) == (0, 3)

        site.parts.host.post(AgentReady("anna"))
        line = await agents_line(site)
        await line.until("EXEC Dial")
        line.ended_dial("BUSY")
        await line.closed()
        await site.until(lambda: told()["state"] == "ended")
        assert told()["callback"]["attempts"] == 1, "the attempt is over, the promise is not"
        await site.until(lambda: told()["state"] == "offered")  # anna is free: the second attempt, behind the first
        whats = [line["what"] for line in told()["story"]]
        assert whats.count("begins again") == 1
        assert "attempt 2" in str(told()["story"])
        await site.parts.callbacks.take_back(call_id)
        assert told()["callback"] is None
