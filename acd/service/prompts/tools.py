"""Programs that make sound: run by argument list, fed by standard input, bounded, told nothing of our environment."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

ERROR_TEXT_MAX = 300
ERROR_BYTES_MAX = 100_000
OUTPUT_BYTES_MAX = 200_000_000
DRAIN_TIMEOUT_S = 2.0


class ToolError(Exception):
    """A program could not be run, took too long or failed; the text says which and why."""


async def run_tool(argv: Sequence[str], given: bytes, *, timeout_s: float, name: str = "") -> bytes:
    """Run a program, give it `given` on standard input and return its standard output. Errors call it `name`.

    No shell is involved. The program gets a bare environment, because ours may hold passwords. However this ends, the
    program has ended too.

    Raises:
        ToolError: it cannot be run, takes longer than `timeout_s`, writes too much or exits with an error.
    """
    name = name or argv[0]
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=bare_environment(),
            cwd="/",
        )
    except (OSError, ValueError) as error:
        raise ToolError(f"{name} cannot be run: {error}") from error
    try:
        async with asyncio.timeout(timeout_s):
            output, complaint = await _communicate(process, given, name)
    except TimeoutError:
        raise ToolError(f"{name} took longer than {timeout_s:g} s") from None
    finally:
        await end_process(process)
    if process.returncode != 0:
        text = complaint.decode(errors="replace").strip()[-ERROR_TEXT_MAX:]
        raise ToolError(f"{name} failed with exit code {process.returncode}" + (f": {text}" if text else ""))
    return output


def bare_environment() -> Mapping[str, str]:
    """The environment for such programs: where commands are, and UTF-8."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


async def _communicate(process: asyncio.subprocess.Process, given: bytes, name: str) -> tuple[bytes, bytes]:
    """What the program writes on its standard output and error until it ends."""
    stdin, stdout, stderr = pipes(process)
    output = asyncio.create_task(_read(stdout, OUTPUT_BYTES_MAX, name))
    complaint = asyncio.create_task(_read(stderr, ERROR_BYTES_MAX, name))
    tasks = (output, complaint, asyncio.create_task(_feed(stdin, given)))
    try:
        await asyncio.gather(*tasks)
        await process.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return output.result(), complaint.result()


async def _read(stream: asyncio.StreamReader, bytes_max: int, name: str) -> bytes:
    content = bytearray()
    while chunk := await stream.read(65_536):
        content += chunk
        if len(content) > bytes_max:
            raise ToolError(f"{name} wrote more than {bytes_max} bytes")
    return bytes(content)


async def _feed(stream: asyncio.StreamWriter, given: bytes) -> None:
    # A program that does not want its input, or has ended, tells so by its exit code. A pipe that has been closed since
    # is a RuntimeError under uvloop.
    with suppress(BrokenPipeError, ConnectionResetError, RuntimeError):
        if given and not stream.is_closing():
            stream.write(given)
            await stream.drain()
    stream.close()


async def end_process(process: asyncio.subprocess.Process) -> None:
    """End a program, if it has not ended, and wait until it has."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.kill()
    # asyncio counts a process as ended when its pipes have been read to their end, too; what a killed one has left in
    # them is little. The bound is for a child of its own that keeps them open.
    _, *streams = pipes(process)
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            for stream in streams:
                while await stream.read(65_536):
                    pass
            await process.wait()


def pipes(
    process: asyncio.subprocess.Process,
) -> tuple[asyncio.StreamWriter, asyncio.StreamReader, asyncio.StreamReader]:
    """Standard input, output and error of a program that was started with pipes."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise ValueError("the process was started without pipes")
    return process.stdin, process.stdout, process.stderr
