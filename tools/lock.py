"""Writes the lock files in ``requirements/`` (``make lock``), or checks that they fit ``pyproject.toml`` (``--check``).

Every pin has the hashes of all files of that version, and no file names a package index: whoever installs uses the
index of their own pip set-up, and the hashes vouch for what it serves.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
OPTIONS = (
    *("--quiet", "--generate-hashes", "--allow-unsafe", "--strip-extras"),
    *("--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-find-links"),
)
# Each lock with pip-compile's arguments; a later one is held to the versions of the earlier ones.
SOURCES: Mapping[str, tuple[str, ...]] = {
    "runtime.txt": ("pyproject.toml",),
    "build.txt": ("requirements/build.in",),
    "dev.txt": (
        *("pyproject.toml", "--extra=dev"),
        *("--constraint=requirements/runtime.txt", "--constraint=requirements/build.txt"),
    ),
}

_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
_ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|--trusted-host| @ ")


def main(argv: Sequence[str] | None = None) -> int:
    """Does what the command line asks for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only check; changes nothing and needs no network")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    args = parser.parse_args(argv)
    if not args.check:
        _compile(upgrade=args.upgrade)
    faults = [*_addresses(), *_unmet()]
    for fault in faults:
        print(f"lock: {fault}", file=sys.stderr)
    return 1 if faults else 0


def _compile(*, upgrade: bool) -> None:
    environment = {**os.environ, "CUSTOM_COMPILE_COMMAND": "make lock"}
    for lock, source in SOURCES.items():
        print(f"requirements/{lock}", flush=True)
        argv = [sys.executable, "-m", "piptools", "compile", *OPTIONS, f"--output-file=requirements/{lock}", *source]
        if upgrade:
            argv.append("--upgrade")
        subprocess.run(argv, cwd=ROOT, env=environment, check=True)


def _addresses() -> Iterable[str]:
    for lock in SOURCES:
        for number, line in enumerate((LOCKS / lock).read_text().splitlines(), 1):
            if _ADDRESS.search(line):
                yield f"requirements/{lock}:{number}: names a place to install from: {line.strip()}"


def _unmet() -> Iterable[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    wanted = {
        "runtime.txt": runtime,
        "build.txt": project["build-system"]["requires"],
        "dev.txt": [*runtime, *project["project"]["optional-dependencies"]["dev"]],
    }
    for lock, requirements in wanted.items():
        pins = {canonicalize_name(name): pin for name, pin in _PIN.findall((LOCKS / lock).read_text())}
        for requirement in map(Requirement, requirements):
            pin = pins.get(canonicalize_name(requirement.name))
            if pin is None or not requirement.specifier.contains(pin, prereleases=True):
                held = f"holds {pin}" if pin else "has none"
                yield f"requirements/{lock}: pyproject.toml wants {requirement}, the lock {held}: run `make lock`"


if __name__ == "__main__":
    sys.exit(main())
