"""What callers in menus cost: the engine beside the least possible FastAGI responder: ``make bench-menus``.

Prints a table and writes ``bench/results/menus.json``. A scripted Asterisk (``bench.menus_callers``, a process of its
own) holds 300 callers who press a key every second in the menus of ``bench.menus_site``; who ends is replaced. The
engine is ``acd run``, a process of its own as on a site: menus, prompts, log, journal, metrics, AMI. The peer in the
same run is ``bench.menus_floor``, which has no tree and keeps nothing.

- *processor*: the process's time in user and system mode over the time on the clock, while all callers are in.
- *memory per caller*: what the process holds with all callers in, less what it held before with none, over their
  number. Before comes a warm-up of many short calls of few callers, so that what is kept in any case (sounds known, the
  last calls ended) does not count; what the calls of the measuring itself leave behind does.
- *latency*: Asterisk tells a key -> the next command comes, and -> the next sound (or listening) is asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from acd.lab.children import dies_with_parent
from acd.lab.engine import EngineProcess, acd_command
from acd.lab.errors import LabError
from acd.lab.fetch import ensure_asterisk
from acd.lab.install import Tool
from acd.lab.pbx import spoken_prompts
from acd.lab.ports import choose_ports
from bench.menus_site import WELCOME, write_site
from bench.process_cost import Memory, memory_of, processor_s
from bench.tables import table

__all__ = ["Measured", "main", "run"]

RESULTS = Path(__file__).parent / "results" / "menus.json"
CALLERS = 300
INTERVAL_S = 1.0
SECONDS = 20.0
SEED = 1
SYSTEMS = ("acd", "floor")
MOST_CORES = 1.0
MOST_KB_PER_CALLER = 64.0
LEAST_SHARE_OF_KEYS = 0.9
"""With fewer keys pressed than that the callers' own process was too slow for a measurement."""

_MOST_KEYS = 1000
_WARM_UP_CALLERS, _WARM_UP_INTERVAL_S, _WARM_UP_KEYS, _WARM_UP_CALLS = 10, 0.05, 8, 100
_SETTLE_S = 3.0
_LIMIT_S = 60.0
_HOST = "127.0.0.1"
_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Measured:
    """What one system cost. ``window`` is that of ``bench.menus_callers``; memory is bytes for all callers together."""

    cores: float
    processor_s: float
    seconds: float
    before: Memory
    memory: Memory
    window: Mapping[str, Any]

    @property
    def us_per_key(self) -> float:
        """Processor time for one key, everything included (microseconds)."""
        return self.processor_s / int(self.window["keys"]) * 1e6


class _Callers:
    """The process with the scripted Asterisk and its callers."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.ami_port = 0

    async def begin(self) -> None:
        """Wait until its AMI listens."""
        self.ami_port = int(await self._line(_LIMIT_S))

    async def have(self, callers: int, interval_s: float = INTERVAL_S, most_keys: int = _MOST_KEYS) -> None:
        """Let so many callers be in, who press at most so many keys."""
        await self._ask(f"callers {callers} {interval_s} {most_keys}")

    async def see_ended(self, calls: int) -> None:
        """Wait until so many calls more have ended."""
        await self._ask(f"ended {calls}")

    async def window(self, seconds: float) -> Mapping[str, Any]:
        """Measure for so long."""
        return await self._ask(f"window {seconds}", seconds)

    async def end(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        async with asyncio.timeout(_LIMIT_S):
            await self._process.wait()

    async def _ask(self, order: str, takes_s: float = 0.0) -> Mapping[str, Any]:
        if self._process.stdin is None:
            raise LabError("the callers' process cannot be told anything")
        self._process.stdin.write(f"{order}\n".encode())
        try:
            answer: Mapping[str, Any] = json.loads(await self._line(takes_s + _LIMIT_S))
        except TimeoutError:
            raise LabError(f"the callers' process has not done {order!r} within {takes_s + _LIMIT_S:.0f} s") from None
        return answer

    async def _line(self, limit_s: float) -> bytes:
        if self._process.stdout is None:
            raise LabError("the callers' process cannot be heard")
        async with asyncio.timeout(limit_s):
            line = await self._process.stdout.readline()
        if not line:
            raise LabError("the callers' process has ended")
        return line


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write. Returns 1 when it could not be measured, or with ``--check`` when a limit was missed."""
    parser = argparse.ArgumentParser(prog="bench.menus", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--callers", type=int, default=CALLERS, help="callers at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="measured so long (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="of the keys (default: %(default)s)")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), help="default: all")
    parser.add_argument(
        "--profile", type=Path, help="write what cProfile saw of the engine to this file (it is slower)"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 when a limit is missed")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes (default: %(default)s)")
    options = parser.parse_args(arguments)
    begun = monotonic()
    measured = {}
    try:
        for system in options.systems:
            with tempfile.TemporaryDirectory(prefix="acd-bench-") as folder:
                measured[system] = asyncio.run(
                    run(
                        system,
                        Path(folder),
                        callers=options.callers,
                        seconds=options.seconds,
                        seed=options.seed,
                        profile=options.profile,
                    )
                )
    except (LabError, TimeoutError) as error:
        print(f"bench.menus: {str(error) or 'it took too long'}", file=sys.stderr)
        return 1
    results = _results(measured, options.callers, options.seed)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(results, indent=1) + "\n")
    limits = _limits(measured, options.callers)
    print(_report(measured, limits, options.callers))
    print(f"\n{monotonic() - begun:.0f} s; JSON: {options.output}")
    return 1 if options.check and any(value > limit for _, value, limit in limits) else 0


async def run(
    system: str, folder: Path, *, callers: int, seconds: float, seed: int, profile: str | None = None
) -> Measured:
    """Measure one system. Raises LabError, TimeoutError."""
    secret = secrets.token_hex(16)
    ports = await asyncio.to_thread(choose_ports, usual=False)
    write_site(folder / "site")
    async with AsyncExitStack() as stack:
        asterisk = await stack.enter_async_context(_asterisk(ports.agi, secret, seed))
        if system == "acd":
            env = _engine_env(folder, agi_port=ports.agi, web_port=ports.web, ami_port=asterisk.ami_port, secret=secret)
            pid = await stack.enter_async_context(_engine(folder, env, ports.web, profile))
        else:
            sound = folder / "site" / "prompts" / "en" / WELCOME
            pid = await stack.enter_async_context(_floor(ports.agi, sound.with_suffix("")))
        found = await _measure(asterisk, pid, callers, seconds)
        await asterisk.have(0)
    _judge(system, found, callers)
    return found


async def _measure(asterisk: _Callers, pid: int, callers: int, seconds: float) -> Measured:
    await asterisk.have(_WARM_UP_CALLERS, _WARM_UP_INTERVAL_S, _WARM_UP_KEYS)
    await asterisk.see_ended(_WARM_UP_CALLS)
    await asterisk.have(0)
    await asyncio.sleep(_SETTLE_S)
    before = memory_of(pid)
    await asterisk.have(callers)
    await asyncio.sleep(_SETTLE_S)
    began, spent_s = monotonic(), processor_s(pid)
    window = await asterisk.window(seconds)
    took_s, spent_s = monotonic() - began, processor_s(pid) - spent_s
    return Measured(spent_s / took_s, spent_s, took_s, before, memory_of(pid) - before, window)


def _judge(system: str, found: Measured, callers: int) -> None:
    """Raise LabError for what is no measurement: calls that went wrong, callers who were too slow."""
    window = found.window
    if window["dropped"] or window["not_understood"]:
        raise LabError(f"{system}: {window['dropped']} calls were dropped; not understood: {window['not_understood']}")
    if window["keys"] < LEAST_SHARE_OF_KEYS * callers * found.seconds / INTERVAL_S:
        raise LabError(f"{system}: only {window['keys']} keys in {found.seconds:.0f} s: this machine is too slow")


@asynccontextmanager
async def _asterisk(agi_port: int, secret: str, seed: int) -> AsyncIterator[_Callers]:
    process = await asyncio.create_subprocess_exec(
        *dies_with_parent(),
        *(sys.executable, "-m", "bench.menus_callers", str(agi_port), secret, str(seed)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    callers = _Callers(process)
    try:
        await callers.begin()
        yield callers
    finally:
        await callers.end()


@asynccontextmanager
async def _engine(folder: Path, env: Mapping[str, str], web_port: int, profile: str | None) -> AsyncIterator[int]:
    command = (*acd_command(), "run", "--config", str(folder / "site"))
    if profile is not None:
        command = (sys.executable, "-m", "cProfile", "-o", str(profile), *command)
    engine = EngineProcess(command, env, folder / "engine.log")
    await engine.start()
    try:
        await engine.ready(_HOST, web_port)
        if engine.pid is None:
            raise LabError(f"the engine has ended.{engine.log_tail()}")
        yield engine.pid
    finally:
        await engine.stop()


@asynccontextmanager
async def _floor(agi_port: int, sound: Path) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *dies_with_parent(),
        *(sys.executable, "-m", "bench.menus_floor", str(agi_port), str(sound)),
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    try:
        if process.stdout is None or await process.stdout.readline() != b"ready\n":
            raise LabError("the floor's responder did not start")
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


def _engine_env(folder: Path, *, agi_port: int, web_port: int, ami_port: int, secret: str) -> dict[str, str]:
    install = ensure_asterisk(frozenset({Tool.ESPEAK_NG}))
    (folder / "secret").touch(0o600)
    (folder / "secret").write_text(secret)
    return {
        "ACD_AMI_HOST": _HOST,
        "ACD_AMI_PORT": str(ami_port),
        "ACD_AMI_PASSWORD_FILE": str(folder / "secret"),
        "ACD_FASTAGI_HOST": _HOST,
        "ACD_FASTAGI_PORT": str(agi_port),
        "ACD_WEB_HOST": _HOST,
        "ACD_WEB_PORT": str(web_port),
        "ACD_STATE_DIR": str(folder / "state"),
        "ACD_CACHE_DIR": str(spoken_prompts()),
        "ACD_ESPEAK_NG": shlex.join(install.espeak_ng),
    }


# What was found.

_DEFINITIONS = {
    "cores": "processor time of the process over the time on the clock, all callers in",
    "memory": "with all callers in, less before; rss: resident, pss: shared parts divided, uss: its own alone",
    "next_command_ms": "Asterisk tells a key -> the next command comes",
    "next_sound_ms": "Asterisk tells a key -> the next sound, or listening, is asked for",
    "acd": "acd run: menus four levels deep, what is heard below them, prompts, journal, log, metrics, AMI",
    "floor": "FastAGI alone: for each key the same two commands, no tree, nothing kept",
}


def _results(measured: Mapping[str, Measured], callers: int, seed: int) -> dict[str, object]:
    return {
        "callers": callers,
        "key_interval_s": INTERVAL_S,
        "systems": {system: _figures(its, callers) for system, its in measured.items()},
        "limits": [
            {"what": what, "measured": round(value, 3), "limit": limit, "kept": value <= limit}
            for what, value, limit in _limits(measured, callers)
        ],
        "definitions": _DEFINITIONS,
        "seed": seed,
        "processors": os.cpu_count(),
    }


def _figures(found: Measured, callers: int) -> dict[str, object]:
    window = found.window
    return {
        "cores": round(found.cores, 4),
        "us_per_key": round(found.us_per_key, 1),
        "kb_per_caller": {name: round(size / callers / 1000, 1) for name, size in found.memory._asdict().items()},
        "mb_before": {name: round(size / 1e6, 1) for name, size in found.before._asdict().items()},
        "next_command_ms": window["next_command_ms"],
        "next_sound_ms": window["next_sound_ms"],
        "keys": window["keys"],
        "calls": window["calls"],
        "commands": dict(sorted(window["commands"].items())),
        "seconds": round(found.seconds, 1),
    }


def _limits(measured: Mapping[str, Measured], callers: int) -> list[tuple[str, float, float]]:
    """What has to hold of the engine, as (what, value, most that it may be)."""
    found = measured.get("acd")
    if found is None:
        return []
    return [
        ("cores", found.cores, MOST_CORES),
        ("memory per caller, kB (the largest of the three)", max(found.memory) / callers / 1000, MOST_KB_PER_CALLER),
    ]


def _report(measured: Mapping[str, Measured], limits: Sequence[tuple[str, float, float]], callers: int) -> str:
    rows = []
    for system, found in measured.items():
        sizes = [f"{size / callers / 1000:.1f}" for size in found.memory]
        keys = f"{found.window['keys'] / found.seconds:.0f}"
        commands = f"{sum(found.window['commands'].values()) / found.window['keys']:.2f}"
        rows.append((system, f"{found.cores:.3f}", f"{found.us_per_key:.0f}", *sizes, keys, commands))
    head = ("", "cores", "µs/key", "RSS kB", "PSS kB", "USS kB", "keys/s", "commands/key")
    parts = [f"{callers} callers in menus, one key a second each; memory is per caller\n" + table(head, rows)]
    rows = []
    for system, found in measured.items():
        for name, title in (("next_command_ms", "command"), ("next_sound_ms", "sound")):
            times = found.window[name]
            rows.append((f"{system}: {title}", *(f"{times[key]:.2f}" for key in ("p50", "p95", "p99", "max"))))
    parts.append("From a key to the next …, milliseconds\n" + table(("", "p50", "p95", "p99", "max"), rows))
    rows = [
        (what, f"{value:.3f}", f"{limit:g}", "kept" if value <= limit else "MISSED") for what, value, limit in limits
    ]
    if rows:
        parts.append("Limits\n" + table(("", "measured", "at most", ""), rows))
    if set(SYSTEMS) <= set(measured):
        ratio = measured["acd"].us_per_key / measured["floor"].us_per_key
        parts.append(f"A key costs {ratio:.1f} times what it costs the floor.")
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())
