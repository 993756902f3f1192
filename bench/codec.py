"""How fast AMI is parsed: ours, panoramisk and pyst2 on the same recorded traffic, in one process.

Each library gets the same bytes in the same reads and runs its own code from the bytes to a handler, which looks at
the event's name and its Uniqueid. What a library does beyond that (sockets, threads, reconnecting) is left out. The
traffic is that of real calls on a real Asterisk; it is repeated with other ids, so that nobody gains by having seen
the very same lines before. Times are CPU times, so other work on the machine disturbs little; the libraries take
turns, and the table shows medians over the runs.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from asterisk import manager as pyst2
from panoramisk.ami_protocol import AMIProtocol
from rich.console import Console
from rich.table import Table

from ami_bridge.ami_codec import AmiParser

ROOT = Path(__file__).resolve().parent.parent
RECORDING = ROOT / "tests" / "ami_bridge" / "recorded" / "calls.ami"
RESULT = ROOT / "bench" / "results" / "codec.json"
READ_BYTES = 16 * 1024
"""Size of a read, about what a socket gives under load."""
Story = list[tuple[str, str]]
"""Name and Uniqueid of each event, in order: what every library must agree on."""


def traffic(repeats: int) -> bytes:
    """The recording several times over, each time with ids of its own."""
    recorded = RECORDING.read_bytes()
    banner, _, calls = recorded.partition(b"\r\n")
    epoch = int(re.search(rb"Uniqueid: (\d+)\.", calls)[1])  # type: ignore[index]
    parts = []
    for repeat in range(repeats):
        ids = calls.replace(str(epoch)[:7].encode(), str(epoch + repeat * 1000)[:7].encode())
        parts.append(ids.replace(b"-000000", f"-{repeat:06x}".encode()))
    return banner + b"\r\n" + b"".join(parts)


def run_acd(reads: Sequence[bytes]) -> Story:
    """Ours."""
    story: Story = []
    parser = AmiParser()
    for read in reads:
        for message in parser.feed(read):
            if message.is_event:
                story.append((message.event, message.get("Uniqueid", "")))
    return story


class _Factory:
    """What panoramisk's protocol needs of its manager to hand on events."""

    save_stream = None

    def __init__(self) -> None:
        self.story: Story = []

    def dispatch(self, event: Any) -> None:
        self.story.append((event["Event"], event.get("Uniqueid", "")))


def run_panoramisk(reads: Sequence[bytes]) -> Story:
    """Its protocol class, without the patterns of its dispatcher."""
    factory = _Factory()
    protocol = AMIProtocol()
    protocol.connection_made(None)
    protocol.factory = factory
    protocol.encoding = "utf8"
    for read in reads:
        protocol.data_received(read)
    return factory.story


def run_pyst2(reads: Sequence[bytes]) -> Story:
    """Its receiving and message loops, run one after the other, on a file instead of a socket read byte by byte."""
    story: Story = []
    manager = _pyst2_manager()
    manager._sock = io.BytesIO(b"".join(reads))
    manager._connected.set()
    manager._running.set()
    manager._receive_data()
    while data := manager._message_queue.get():
        message = pyst2.ManagerMsg(data)
        if message.has_header("Event"):
            event = pyst2.Event(message)
            story.append((event.name, event.get_header("Uniqueid", "")))
    manager._running.clear()
    return story


def _pyst2_manager() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it uses names of threading that are going away
        return pyst2.Manager()


LIBRARIES: dict[str, Callable[[Sequence[bytes]], Story]] = {
    "acd": run_acd,
    "panoramisk": run_panoramisk,
    "pyst2": run_pyst2,
}


def measure(reads: Sequence[bytes], runs: int, progress: Callable[[str], None]) -> dict[str, list[float]]:
    """Events per second of CPU time of each library, run by run. Raises SystemExit when they disagree on the events."""
    stories = {name: run(reads) for name, run in LIBRARIES.items()}  # also warms everything up
    for name, story in stories.items():
        if story != stories["acd"]:
            raise SystemExit(f"{name} saw other events than acd: {len(story)} and {len(stories['acd'])}")
    speeds: dict[str, list[float]] = {name: [] for name in LIBRARIES}
    for index in range(runs):
        progress(f"run {index + 1} of {runs}")
        for name, run in LIBRARIES.items():
            started = time.process_time()
            events = len(run(reads))
            speeds[name].append(events / (time.process_time() - started))
    return speeds


def report(speeds: dict[str, list[float]], events: int, size: int) -> dict[str, Any]:
    """The figures as they are written to the JSON file."""
    medians = {name: round(statistics.median(values)) for name, values in speeds.items()}
    return {
        "events_per_s": medians,
        "spread": {name: {"min": round(min(values)), "max": round(max(values))} for name, values in speeds.items()},
        "times_panoramisk": round(medians["acd"] / medians["panoramisk"], 2),
        "runs": len(speeds["acd"]),
        "events": events,
        "bytes": size,
        "versions": {
            "python": platform.python_version(),
            "panoramisk": version("panoramisk"),
            "pyst2": version("pyst2"),
        },
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the table."""
    table = Table(title="AMI events parsed per second of CPU time")
    for heading in ("library", "median", "lowest", "highest", "of panoramisk"):
        table.add_column(heading, justify="left" if heading == "library" else "right")
    base = figures["events_per_s"]["panoramisk"]
    for name, median in figures["events_per_s"].items():
        spread = figures["spread"][name]
        table.add_row(name, f"{median:,}", f"{spread['min']:,}", f"{spread['max']:,}", f"{median / base:.2f} ×")
    console.print(table)
    console.print(f"{figures['events']:,} events ({figures['bytes'] / 1e6:.1f} MB) a run, {figures['runs']} runs each")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.codec", description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=11, help="runs of each library (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=20, help="copies of the recording (default: %(default)s)")
    parser.add_argument("--output", type=Path, default=RESULT, help="JSON file to write (default: %(default)s)")
    options = parser.parse_args(argv)
    if options.runs < 1 or options.repeats < 1:
        parser.error("--runs and --repeats must be at least 1")
    console = Console()
    data = traffic(options.repeats)
    reads = [data[start : start + READ_BYTES] for start in range(0, len(data), READ_BYTES)]
    with console.status("parsing") as status:
        speeds = measure(reads, options.runs, status.update)
        events = len(run_acd(reads))
    figures = report(speeds, events, len(data))
    show(figures, console)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(figures, indent=2) + "\n")
    console.print(f"written to {options.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
