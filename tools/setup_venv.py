"""Makes the project's virtual environment ``.venv`` with the versions of the lock files, and ``.venv/bin/acd`` in it.

Run by make, with the standard library alone and by any Python 3.11 or newer. Needs no root and changes nothing outside
the checkout and pip's cache. When nothing has changed it only compares hashes, within milliseconds. Two runs at once
are safe: the second waits for the first; a run that was interrupted is taken up where it stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "acd-setup.json"
LOCKS = ROOT / "requirements"
# Where Debian's python3-pip-whl puts the wheels that its ensurepip works with.
DEBIAN_WHEELS = "usr/share/python-wheels/pip-*.whl"


class SetupError(Exception):
    """The environment can't be made; the text says what to do."""


def main(argv: Sequence[str] | None = None) -> int:
    """Makes or completes the environment; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dev", action="store_true", help="with the tools that tests, lint and bench need")
    args = parser.parse_args(argv)
    try:
        with _alone():
            _make("dev" if args.dev else "runtime")
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"setup: {error}. Is there room, and may you write to {ROOT}?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Holds a lock on this very file, so that no other file is needed for it."""
    with Path(__file__).open() as own:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another make is setting up .venv; waiting for it …")
            fcntl.flock(own, fcntl.LOCK_EX)
        yield


def _make(level: str) -> None:
    done = _stamp()
    wanted = {"build": _hash("build.txt"), "runtime": _hash("runtime.txt")}
    if level == "dev":
        wanted["dev"] = _hash("dev.txt")
    wanted["project"] = _hash("../pyproject.toml")
    if all(done.get(step) == value for step, value in wanted.items()):
        return
    if not done:
        _say(f"making .venv with Python {platform.python_version()} ({sys.executable})")
        _create()
        done = _identity()
        _write(done)
    for step, value in wanted.items():
        if done.get(step) == value:
            continue
        if step == "build":
            _bootstrap()
        elif step == "project":
            _pip("--no-deps", "--editable", str(ROOT))
        elif step != "runtime" or "dev" not in wanted:  # the dev lock has everything of the runtime lock in it
            _say(f"installing requirements/{step}.txt")
            _pip(*_locked(f"{step}.txt"))
        _write(done := {**done, step: value})
    _say(f"ready: {VENV / 'bin' / 'acd'}")


def _identity() -> dict[str, str]:
    """What ties an environment to its place and to its Python; an environment that was moved does not work."""
    return {"venv": str(VENV), "python": f"{platform.python_version()} {os.path.realpath(sys.executable)}"}


def _stamp() -> dict[str, str]:
    """What is installed already; empty when there is no environment that works."""
    try:
        done: dict[str, str] = json.loads(STAMP.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    usable = PYTHON.exists() and done.get("venv") == str(VENV) and _version_of_venv() == done.get("python")
    return done if usable else {}


def _version_of_venv() -> str:
    """The Python behind the environment now, as ``_identity`` has it: an upgrade of the machine may have changed it."""
    if os.path.realpath(PYTHON) == os.path.realpath(sys.executable):
        return _identity()["python"]
    code = "import platform, os, sys; print(platform.python_version(), os.path.realpath(sys.executable))"
    found = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _write(done: dict[str, str]) -> None:
    beside = STAMP.with_suffix(".new")
    beside.write_text(json.dumps(done, indent=2) + "\n")
    beside.replace(STAMP)


def _hash(lock: str) -> str:
    return hashlib.sha256((LOCKS / lock).read_bytes()).hexdigest()


def _create() -> None:
    if importlib.util.find_spec("venv") is None:
        raise SetupError("this Python has no venv module. On Debian, as root: apt-get install python3-venv")
    if VENV.exists() or VENV.is_symlink():
        _say("the old .venv belongs to another place or Python, or was left unfinished; starting afresh")
    pip = () if importlib.util.find_spec("ensurepip") is not None else ("--without-pip",)
    _run([sys.executable, "-m", "venv", "--clear", *pip, str(VENV)], "python3 -m venv failed")


def _bootstrap() -> None:
    """Installs the locked pip and build backend with whatever pip there is."""
    _say("installing pip and the build backend")
    with _some_pip() as pip:
        _install(pip, *_locked("build.txt"))


@contextlib.contextmanager
def _some_pip() -> Iterator[Sequence[str]]:
    """The command of a pip that installs into the environment: ensurepip's, the machine's, or Debian's fetched now."""
    if (VENV / "bin" / "pip").exists():
        yield [str(PYTHON), "-m", "pip"]
    elif wheels := sorted(Path("/").glob(DEBIAN_WHEELS)):
        yield [str(PYTHON), f"{wheels[-1]}/pip"]
    elif importlib.util.find_spec("pip") is not None:
        yield [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    else:
        with tempfile.TemporaryDirectory(prefix="acd-setup-") as folder:
            yield [str(PYTHON), f"{_debian_pip(Path(folder))}/pip"]


def _debian_pip(folder: Path) -> str:
    """Debian's pip wheel, fetched into ``folder`` without root."""
    _say("this Python has neither ensurepip nor pip; fetching Debian's python3-pip-whl into a temporary folder")
    by_hand = "As root, `apt-get install python3-venv` mends it for good."
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise SetupError(f"this Python has neither ensurepip nor pip, and there is no apt-get to fetch it. {by_hand}")
    download = ["apt-get", "-qq", "download", "python3-pip-whl"]
    if not _succeeds(download, folder):
        # The machine's package lists are missing or old, and only root may renew them: so have lists of our own.
        for part in ("lists/partial", "cache/archives/partial"):
            (folder / part).mkdir(parents=True)
        options = {
            "Dir::State::Lists": folder / "lists",
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
        }
        own = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        _run(["apt-get", "-qq", *own, "update"], f"apt-get could not fetch Debian's package lists. {by_hand}", folder)
        download[1:1] = own
        _run(download, f"apt-get could not download python3-pip-whl. {by_hand}", folder)
    for package in folder.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(folder / "root")], f"unpacking {package.name} failed", folder)
    wheel = next(iter(sorted((folder / "root").glob(DEBIAN_WHEELS))), None)
    if wheel is None:
        raise SetupError(f"Debian's python3-pip-whl holds no pip wheel. {by_hand}")
    return str(wheel)


def _locked(lock: str) -> Sequence[str]:
    # Sources build with what build.txt has installed: an isolated build would fetch its tools unlocked.
    return "--require-hashes", "--prefer-binary", "--no-deps", "--requirement", str(LOCKS / lock)


def _pip(*arguments: str) -> None:
    _install([str(PYTHON), "-m", "pip"], *arguments)


def _install(pip: Sequence[str], *arguments: str) -> None:
    options = ("-qq", "--disable-pip-version-check", "--no-input", "--no-build-isolation")
    _run(
        [*pip, "install", *options, *arguments],
        "pip failed (its words are above). Without a network, or behind a proxy, see that pip works by itself: "
        "`.venv/bin/python -m pip download six`. A package without a wheel for this machine needs a compiler",
    )


def _succeeds(argv: Sequence[str], folder: Path) -> bool:
    return subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0


def _run(argv: Sequence[str], failed: str, folder: Path = ROOT) -> None:
    # An activated environment or a PYTHONPATH of the caller's must not leak into this one.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    # Standard output may be what our caller reads: all words go to standard error.
    done = subprocess.run(argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        raise SetupError(f"{failed} (exit code {done.returncode})")


def _say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
