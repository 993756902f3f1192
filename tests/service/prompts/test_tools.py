from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
import uvloop

from acd.service.prompts import tools as prompts_tools
from acd.service.prompts.tools import ToolError, bare_environment, run_tool


def script(code: str) -> list[str]:
    return [sys.executable, "-c", code]


async def test_what_is_given_goes_in_and_what_is_written_comes_out() -> None:
    output = await run_tool(
        script("import sys; sys.stdout.write(sys.stdin.read().upper())"), b"hello" * 100_000, timeout_s=30
    )

    assert output == b"HELLO" * 100_000


async def test_a_program_that_does_not_read_its_input_is_no_trouble() -> None:
    assert await run_tool(script("print('done')"), b"x" * 1_000_000, timeout_s=30) == b"done\n"


async def test_nothing_is_read_by_a_shell() -> None:
    output = await run_tool([*script("import sys; print(sys.argv[1])"), "$(id); `id`"], b"", timeout_s=30)

    assert output == b"$(id); `id`\n"


async def test_our_environment_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACD_AMI_PASSWORD", "secret")

    output = await run_tool(script("import os; print(dict(os.environ))"), b"", timeout_s=30)

    assert b"secret" not in output
    assert b"PATH" in output
    assert bare_environment()["PATH"] == os.environ["PATH"]


async def test_a_program_that_is_not_there_is_told() -> None:
    with pytest.raises(ToolError, match=r"/nowhere/espeak-ng cannot be run: .*No such file"):
        await run_tool(["/nowhere/espeak-ng"], b"", timeout_s=30)
    with pytest.raises(ToolError, match="the voice cannot be run"):
        await run_tool(["a\0b"], b"", timeout_s=30, name="the voice")


async def test_what_a_failing_program_says_is_told_in_part() -> None:
    with pytest.raises(ToolError, match=r"failed with exit code 3: x{298} y$") as caught:
        await run_tool(script("import sys; sys.stderr.write('x' * 9000 + ' y\\n'); sys.exit(3)"), b"", timeout_s=30)
    assert len(str(caught.value)) < 500


async def test_a_program_that_says_nothing_is_told_by_its_exit_code() -> None:
    with pytest.raises(ToolError, match=r"the voice failed with exit code 1$"):
        await run_tool(script("raise SystemExit(1)"), b"", timeout_s=30, name="the voice")


async def process_started(folder: Path) -> int:
    """The id of the process that wrote it into the folder's file `pid`."""
    async with asyncio.timeout(30):
        while True:
            text = await asyncio.to_thread(lambda: (folder / "pid").read_text() if (folder / "pid").exists() else "")
            if text.endswith("\n"):
                return int(text)
            await asyncio.sleep(0.01)


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


HANGS = "import os, time, sys; f = open('{}/pid', 'w'); f.write(str(os.getpid()) + '\\n'); f.close(); time.sleep(600)"


async def test_a_program_that_hangs_is_ended_at_the_time_out(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="took longer than 1 s"):
        await run_tool(script(HANGS.format(tmp_path)), b"", timeout_s=1)

    assert not is_running(await process_started(tmp_path))


async def test_a_program_ends_with_whoever_wanted_it(tmp_path: Path) -> None:
    task = asyncio.create_task(run_tool(script(HANGS.format(tmp_path)), b"", timeout_s=600))
    pid = await process_started(tmp_path)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert not is_running(pid)


async def test_a_program_that_writes_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompts_tools, "OUTPUT_BYTES_MAX", 1_000_000)

    with pytest.raises(ToolError, match="wrote more than 1000000 bytes"):
        await run_tool(script("while True: print('x' * 100000)"), b"", timeout_s=30)


def test_a_program_that_ends_before_it_is_fed_is_no_trouble_on_the_engines_own_loop() -> None:
    async def often() -> None:
        for _ in range(50):
            assert await run_tool(["true"], b"", timeout_s=10) == b""
            assert await run_tool(["true"], b"x" * 100_000, timeout_s=10) == b""

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(often())
