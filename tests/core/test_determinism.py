"""Same seed, same events, same commands: in one process twice, across processes, and whatever the hash seed is."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from random import Random

from acd.core.commands import Command
from acd.core.events import Event
from acd.simulator import AgentBehaviour, Exponential, Scenario, Simulation, Stream, poisson_calls
from tests.core.outside_world import OutsideWorld
from tests.core.random_site import random_site

_EVENTS = 4_000


def fingerprint(seed: int) -> str:
    """Digest of all that a faulty world told the engine and was told by it."""
    digest = hashlib.sha256()
    world = OutsideWorld(seed)
    handle = world.engine.handle

    def watched(event: Event, now: float) -> list[Command]:
        commands = handle(event, now)
        digest.update(repr((event, now, commands)).encode())
        return commands

    world.engine.handle = watched  # type: ignore[method-assign]
    world.run_faulty(_EVENTS)
    world.repair()
    world.drain()
    return digest.hexdigest()


def simulated(seed: int) -> str:
    """Digest of a simulation of a random site with agents who miss and reject."""
    digest = hashlib.sha256()
    site = random_site(Random(seed))
    streams = [Stream(queue_id, 600.0, Exponential(30.0), Exponential(40.0)) for queue_id in site.queues]
    scenario = Scenario(
        site,
        poisson_calls(streams, seed, count=500),
        seed,
        default_behaviour=AgentBehaviour(
            Exponential(2.0), reject_share=0.1, miss_share=0.1, after_call=Exponential(3.0)
        ),
    )
    Simulation(scenario, watch=lambda event, now, commands: digest.update(repr((event, now, commands)).encode())).run()
    return digest.hexdigest()


def _elsewhere(hash_seed: str) -> list[str]:
    """Both digests from a process of its own."""
    code = "from tests.core.test_determinism import fingerprint, simulated; print(fingerprint(7), simulated(7))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


def test_twice_in_one_process() -> None:
    assert fingerprint(3) == fingerprint(3)
    assert fingerprint(3) != fingerprint(4)


def test_across_processes_and_hash_seeds() -> None:
    here = [fingerprint(7), simulated(7)]
    assert _elsewhere("0") == here
    assert _elsewhere("1") == here
    assert _elsewhere("4294967295") == here


def test_a_stored_engine_goes_on_as_the_one_it_was_made_of() -> None:
    """Pickled in the middle and taken up again: the same commands from there on, random strategies included."""
    world = OutsideWorld(11)
    world.run_faulty(1_500)
    copy = pickle.loads(pickle.dumps(world.engine))
    differs = []
    handle = world.engine.handle

    def both(event: Event, now: float) -> list[Command]:
        commands = handle(event, now)
        if copy.handle(event, now) != commands:
            differs.append(event)
        return commands

    world.engine.handle = both  # type: ignore[method-assign]
    world.run_faulty(1_500)
    assert not differs
    assert copy.snapshot(world.now) == world.engine.snapshot(world.now)
