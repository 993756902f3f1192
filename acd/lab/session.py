"""``acd lab run``: an Asterisk with the engine attached, until somebody says stop."""

from __future__ import annotations

import asyncio
import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from acd.lab.children import stop_signals
from acd.lab.engine import EngineProcess, acd_command
from acd.lab.errors import RunFolderTakenError
from acd.lab.install import AsteriskInstall
from acd.lab.notes import LabNotes, read_notes
from acd.lab.pbx import Pbx
from acd.lab.render import Phone

CALLER = "caller"
MOST_LABS = 9
INBOUND_CONTEXT = "acd-inbound"


@dataclass(frozen=True, slots=True)
class LabPlan:
    """What to run. ``agents`` are the names of the agents' PJSIP endpoints with the agents' own names."""

    run_dir: Path
    agents: Mapping[str, str]
    number: str
    engine: Sequence[str]
    config: Path
    """The engine's configuration folder, absolute: found by ACD_CONFIG, also by commands with the lab's settings."""
    sip_host: str = "127.0.0.1"
    settings: Mapping[str, str] = field(default_factory=dict)
    """More variables for the engine's environment."""


async def run_lab(install: AsteriskInstall, plan: LabPlan, say: Callable[[str], None]) -> int:
    """Runs Asterisk and the engine until a signal says stop, then stops both, the engine first.

    Returns 0 after a signal, 1 when one of the two ended by itself. Raises PbxError and EngineError when one does not
    start. A second signal hurries the engine.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        pbx = Pbx(install, plan.run_dir, phones=_phones(plan), sip_host=plan.sip_host)
        say(f"Starting Asterisk {install.version} in {plan.run_dir}")
        await stack.enter_async_context(pbx)
        env = {**pbx.engine_env(), "ACD_CONFIG": str(plan.config), "ACD_ESPEAK_NG": shlex.join(install.espeak_ng)}
        env.update(plan.settings)
        engine = EngineProcess(plan.engine, env, pbx.log_dir / "engine.log")

        def on_signal() -> None:
            if stop.is_set():
                engine.ask_to_stop()
            stop.set()

        for number in stop_signals():
            loop.add_signal_handler(number, on_signal)
            stack.callback(loop.remove_signal_handler, number)
        say("Starting the engine")
        await engine.start()
        stack.push_async_callback(engine.stop)
        notes = _notes(pbx, env)
        notes.write(plan.run_dir)
        if not await _ready(engine, pbx, stop):
            return 0
        say(how_to_call(plan, notes, pbx))
        ended = await _until_stop_or_end(engine, pbx, stop)
        say(f"\n{ended}" if ended else "\nStopping: the engine first, then Asterisk (again: at once)")
        return 1 if ended else 0


async def run_lab_somewhere(install: AsteriskInstall, plan: LabPlan, say: Callable[[str], None]) -> int:
    """``run_lab`` in the plan's run folder; if that is the user's own and another lab runs in it, in one beside it.

    Raises RunFolderTakenError when no folder is left.
    """
    for run_dir in run_dirs(plan.run_dir):
        try:
            return await run_lab(install, replace(plan, run_dir=run_dir), say)
        except RunFolderTakenError as error:
            say("Another lab runs there already")
            taken = error
    raise taken


def how_to_call(plan: LabPlan, notes: LabNotes, pbx: Pbx) -> str:
    """What to do now, for the person at the terminal."""
    width = max(len(name) for name in (*plan.agents, CALLER))
    here = "" if plan.run_dir == default_run_dir() else f" --run-dir {shlex.quote(str(plan.run_dir))}"
    acd = shlex.join(acd_command()).removeprefix(f"{Path.cwd()}/")
    first = next(iter(plan.agents), "anna")
    rows = [f"  {CALLER:<{width}}  password {notes.passwords[CALLER]}  dials {plan.number}: a caller"]
    rows += [f"  {user:<{width}}  password {notes.passwords[user]}  agent {name}" for user, name in plan.agents.items()]
    return "\n".join(
        [
            "",
            f"Ready. Asterisk {pbx.install.version} and the engine are running; Ctrl-C stops both.",
            "",
            "Without a softphone, in other terminals:",
            *_commands(
                [
                    (f"{acd} lab phone {first}{here}", "an agent's phone, which answers"),
                    (f"{acd} lab call {plan.number}{here}", "a caller; digits and Enter press keys"),
                    (f"{acd} lab call {plan.number}{here} --speak", "one who leaves a message"),
                    (f"{acd} lab phone {CALLER}{here}", "where callers are called back"),
                ]
            ),
            "",
            f"With softphones (Linphone, MicroSIP, Zoiper …): server {notes.sip_host}:{notes.sip_port}, UDP; users",
            *rows,
            "  Agents dial *22 to be ready, *23 not ready, *24 to log out, *25 to end wrap-up,",
            "  *27 to listen to messages.",
            "",
            f"Metrics  http://{notes.web_host}:{notes.web_port}/metrics",
            f"Logs     {pbx.log_dir}/engine.log and messages.log",
        ]
    )


def _commands(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(command) for command, _ in rows)
    return [f"  {command:<{width}}   {does}" for command, does in rows]


def run_dirs(wanted: Path) -> Iterator[Path]:
    """The folders in which a lab may run: the one wanted; beside the user's own some more, for labs at one time."""
    yield wanted
    if "ACD_LAB_DIR" not in os.environ and wanted == default_run_dir():
        yield from (wanted.with_name(f"{wanted.name}-{number}") for number in range(2, MOST_LABS + 1))


def default_run_dir() -> Path:
    """Where a lab runs unless told otherwise: ``ACD_LAB_DIR``, else the user's state folder."""
    if chosen := os.environ.get("ACD_LAB_DIR"):
        return Path(chosen).expanduser().absolute()
    base = os.environ.get("XDG_STATE_HOME", "")
    return (Path(base) if base.startswith("/") else Path.home() / ".local" / "state") / "acd" / "lab"


def _phones(plan: LabPlan) -> list[Phone]:
    known = read_notes(plan.run_dir)
    passwords = known.passwords if known is not None else {}
    phones = [Phone(name, passwords.get(name)) for name in plan.agents]
    return [*phones, Phone(CALLER, passwords.get(CALLER), context=INBOUND_CONTEXT)]


def _notes(pbx: Pbx, env: Mapping[str, str]) -> LabNotes:
    return LabNotes(
        pid=os.getpid(),
        sip_host=pbx.sip_host,
        sip_port=pbx.sip_port,
        web_host=pbx.host,
        web_port=pbx.ports.web,
        passwords={phone.name: phone.password or "" for phone in pbx.phones},
        engine_env=env,
    )


async def _ready(engine: EngineProcess, pbx: Pbx, stop: asyncio.Event) -> bool:
    """Whether the engine got ready before somebody said stop. Raises EngineError when it does not get ready."""
    ready = asyncio.create_task(engine.ready(pbx.host, pbx.ports.web))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            return False
        ready.result()
        return True
    finally:
        for task in (ready, stopped):
            task.cancel()
        await asyncio.gather(ready, stopped, return_exceptions=True)


async def _until_stop_or_end(engine: EngineProcess, pbx: Pbx, stop: asyncio.Event) -> str:
    """Empty when somebody said stop; else which of the two has ended."""
    waiting = {
        asyncio.create_task(stop.wait()): "",
        asyncio.create_task(engine.wait()): "The engine has ended by itself.",
        asyncio.create_task(pbx.wait()): f"Asterisk has ended by itself; see {pbx.log_dir}/messages.log.",
    }
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended = next((waiting[task] for task in done if waiting[task]), "")
        return ended + engine.log_tail() if ended.startswith("The engine") else ended
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
