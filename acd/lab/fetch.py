"""An Asterisk to run, without root: the machine's own, or Debian's unpacked into a cache folder.

The folder (``~/.cache/acd`` unless ``ACD_CACHE_HOME`` or ``XDG_CACHE_HOME`` says otherwise) is shared by all checkouts.
Several runs may ask at the same time: one fetches, the others wait. A run that is interrupted leaves its downloaded
packages behind, so that the next one goes on where it stopped, and nothing that looks complete without being so.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from acd.lab import install
from acd.lab.apt import SUITE, PrivateApt, architecture_of, error_of
from acd.lab.errors import CacheFolderError, DiskFullError, FetchError
from acd.lab.install import ALL_TOOLS, AsteriskInstall, AsteriskProgram, Sounds, Tool
from acd.lab.progress import Progress, progress_for

PACKAGES: Mapping[Tool, tuple[str, ...]] = {
    Tool.ASTERISK: ("asterisk",),
    Tool.SOUNDS: ("asterisk-core-sounds-en-gsm", "asterisk-moh-opsound-gsm"),
    Tool.SIPP: ("sip-tester",),
    Tool.ESPEAK_NG: ("espeak-ng", "espeak-ng-data"),
}
# Tools of package installation that dependencies drag in; nothing that is run here uses them.
NOT_UNPACKED = (
    *("adduser_", "base-passwd_", "debconf_", "dirmngr_", "gnupg", "gpg", "libpam-", "libpython3", "passwd_"),
    *("perl-", "pinentry-", "python3"),
)
NOT_KEPT = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/bug", "usr/share/lintian")
LISTS_BYTES = 60_000_000
UNPACKED_PER_BYTE = 3.5  # 339 MB out of 102 MB of packages, measured, rounded up
MARK = "install.json"


@dataclass(frozen=True, slots=True)
class _Root:
    """A folder into which packages were unpacked."""

    path: Path

    def command(self, program: str, *arguments: str) -> tuple[str, ...]:
        """The argv prefix that runs a program with the root's own loader and libraries."""
        loader = next(iter(sorted((*self.path.glob("usr/lib64/ld-linux-*"), *self.path.glob("usr/lib/ld-linux-*")))))
        return (str(loader), "--library-path", f"{self.libraries}:{self.libraries}/pulseaudio", program, *arguments)

    @property
    def libraries(self) -> Path:
        return next(iter(sorted(self.path.glob("usr/lib/*-linux-*"))))

    def asterisk(self) -> AsteriskProgram:
        argv = self.command(str(self.path / "usr/sbin/asterisk"))
        output = install.probe((*argv, "-V"))
        version = install.parse_asterisk_version(output)
        if version is None:
            raise FetchError(f"the Asterisk that was fetched does not run here: {output.strip() or 'no output'}")
        return AsteriskProgram(argv, version, self.libraries / "asterisk/modules", self.path / "usr/share/asterisk")

    def sounds(self) -> Sounds:
        return Sounds(self.path / "usr/share/asterisk/sounds", self.path / "usr/share/asterisk/moh")

    def sipp(self) -> tuple[str, ...]:
        return self.command(str(self.path / "usr/bin/sipp"))

    def espeak_ng(self) -> tuple[str, ...]:
        return self.command(str(self.path / "usr/bin/espeak-ng"), f"--path={self.libraries}")

    def check(self, tools: AbstractSet[Tool]) -> None:
        """Runs each tool once. Raises FetchError when one doesn't."""
        if Tool.ASTERISK in tools:
            self.asterisk()
        if Tool.SOUNDS in tools and not install.has_sounds(self.sounds()):
            raise FetchError("the packages that were fetched hold no sounds")
        if Tool.SIPP in tools and install.parse_sipp_version(install.probe((*self.sipp(), "-v"))) is None:
            raise FetchError("the SIPp that was fetched does not run here")
        if Tool.ESPEAK_NG in tools and "cmn" not in install.probe((*self.espeak_ng(), "--voices=cmn")):
            raise FetchError("the espeak-ng that was fetched does not speak Mandarin")


def cache_home(env: Mapping[str, str]) -> Path:
    """The cache folder shared by all checkouts of this user."""
    if chosen := env.get("ACD_CACHE_HOME"):
        return _usable(Path(chosen).expanduser().absolute())
    base = env.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path is to be ignored.
    return _usable((Path(base) if base.startswith("/") else Path.home() / ".cache") / "acd")


def _usable(folder: Path) -> Path:
    # The loader's library path and apt's configuration have no way to quote these.
    if re.search(r'[:;"\n]', str(folder)):
        raise CacheFolderError(
            f"the cache folder's name {str(folder)!r} has a colon, semicolon, quote or line end in it, which the "
            "programs in it could not bear. Set ACD_CACHE_HOME to another folder."
        )
    return folder


def ensure_asterisk(
    tools: AbstractSet[Tool] = ALL_TOOLS,
    *,
    env: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    use_system: bool = True,
) -> AsteriskInstall:
    """Finds the ``tools`` on this machine and fetches those that it lacks. Blocks; seconds to minutes on a first run.

    With ``use_system`` false everything is fetched, whatever the machine has. ``env`` is the environment to look at
    (``os.environ`` by default). Raises FetchError, whose text says what to do.
    """
    env = os.environ if env is None else env
    progress = progress_for() if progress is None else progress
    wanted = use_system and tools & {Tool.ASTERISK, Tool.SOUNDS}
    program = install.system_asterisk(env, progress.say) if wanted else None
    sounds = install.system_sounds(program)
    sipp = install.system_sipp(env) if use_system else ()
    espeak_ng = install.system_espeak_ng(env) if use_system else ()
    found = {Tool.ASTERISK: program, Tool.SOUNDS: sounds, Tool.SIPP: sipp, Tool.ESPEAK_NG: espeak_ng}
    missing = frozenset(tool for tool in tools if not found[tool])
    if missing:
        root = _Cache(cache_home(env), env, progress).ensure(missing)
        program = root.asterisk() if Tool.ASTERISK in missing else program
        sounds = root.sounds() if Tool.SOUNDS in missing else sounds
        sipp = root.sipp() if Tool.SIPP in missing else sipp
        espeak_ng = root.espeak_ng() if Tool.ESPEAK_NG in missing else espeak_ng
    return _put_together(program, sounds, sipp, espeak_ng)


def _put_together(
    program: AsteriskProgram | None, sounds: Sounds | None, sipp: tuple[str, ...], espeak_ng: tuple[str, ...]
) -> AsteriskInstall:
    nowhere = Path(os.devnull)
    return AsteriskInstall(
        asterisk=program.argv if program else (),
        sipp=sipp,
        espeak_ng=espeak_ng,
        version=program.version if program else "0",
        module_dir=program.module_dir if program else nowhere,
        data_dir=program.data_dir if program else nowhere,
        sounds_dir=sounds.sounds_dir if sounds else nowhere,
        moh_dir=sounds.moh_dir if sounds else nowhere,
    )


class _Cache:
    """The folder ``asterisk-SUITE-ARCH`` in the cache: one unpacked root for each set of tools asked for."""

    def __init__(self, home: Path, env: Mapping[str, str], progress: Progress) -> None:
        self._env = env
        self._progress = progress
        self._architecture = architecture_of(env)
        self._home = home / f"asterisk-{SUITE}-{self._architecture}"

    def ensure(self, tools: frozenset[Tool]) -> _Root:
        """The root that has ``tools``; fetched if there is none yet."""
        try:
            if (root := self._installed(tools)) is not None:
                return root
            self._home.mkdir(parents=True, exist_ok=True)
            with self._lock() as lock_fd:
                if (root := self._installed(tools)) is not None:
                    return root
                return self._fetch(tools, lock_fd)
        except OSError as failed:
            raise _of_os_error(failed, self._home) from failed

    def _installed(self, tools: frozenset[Tool]) -> _Root | None:
        for mark in sorted(self._home.glob(f"root-*/{MARK}")):
            if tools <= set(json.loads(mark.read_text())["tools"]):
                return _Root(mark.parent)
        return None

    @contextlib.contextmanager
    def _lock(self) -> Iterator[int]:
        with (self._home / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._progress.say("Another run is fetching Asterisk; waiting for it …")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield lock.fileno()

    def _fetch(self, tools: frozenset[Tool], lock_fd: int) -> _Root:
        names = sorted(tools)
        self._progress.say(f"Fetching {', '.join(names)} from Debian {SUITE} into {self._home} (nothing is installed)")
        for leftover in self._home.glob("staging-*"):
            shutil.rmtree(leftover)
        check_room(self._home, LISTS_BYTES)
        apt = PrivateApt(self._home / "apt", self._env, (lock_fd,))
        apt.prepare()
        packages = [package for tool in names for package in PACKAGES[Tool(tool)]]
        with self._progress.stage("Reading the package list") as update:
            apt.update(self._architecture)
            update(0.9)
            plan = apt.plan(packages)
        missing = apt.missing(plan)
        size = sum(package.size for package in missing)
        check_room(self._home, int(size + sum(package.size for package in plan) * UNPACKED_PER_BYTE))
        with self._progress.stage(f"Downloading {len(missing)} packages, {size / 1e6:.0f} MB") as update:
            apt.download(packages, update)
        return self._unpack([apt.archives / package.file for package in plan], tools, apt)

    def _unpack(self, debs: Sequence[Path], tools: frozenset[Tool], apt: PrivateApt) -> _Root:
        staging = self._home / f"staging-{os.getpid()}"
        staging.mkdir()
        try:
            with self._progress.stage("Unpacking") as update:
                unpack([deb for deb in debs if not deb.name.startswith(NOT_UNPACKED)], staging, update, self._env)
            for folder in NOT_KEPT:
                shutil.rmtree(staging / folder, ignore_errors=True)
            name_voices(staging / "usr/share/asterisk/sounds")
            _Root(staging).check(tools)
            (staging / MARK).write_text(json.dumps({"tools": sorted(tools), "packages": [deb.name for deb in debs]}))
            final = self._home / f"root-{'+'.join(sorted(tools))}"
            shutil.rmtree(final, ignore_errors=True)
            staging.rename(final)
        except BaseException:
            shutil.rmtree(staging, ignore_errors=True)
            raise
        shutil.rmtree(apt.home)
        return _Root(final)


def check_room(folder: Path, needed: int) -> None:
    """Raises DiskFullError when the disk of ``folder`` has less than ``needed`` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(
            f"{folder} needs {needed / 1e6:.0f} MB, but its disk has only {free / 1e6:.0f} MB free. "
            "Free some room, or set ACD_CACHE_HOME to a folder on another disk."
        )


def name_voices(sounds_dir: Path) -> None:
    """Gives voices such as ``en_US_f_Allison`` their language's plain name, which the packages' scripts would do."""
    for voice in sorted(sounds_dir.glob("[a-z][a-z]_*")):
        language = sounds_dir / voice.name[:2]
        if not language.exists():
            language.symlink_to(voice.name)


def unpack(debs: Sequence[Path], target: Path, update: Callable[[float], None], env: Mapping[str, str]) -> None:
    """Unpacks packages into ``target`` without running anything of theirs. Raises FetchError."""

    def one(deb: Path) -> None:
        done = subprocess.run(
            ["dpkg-deb", "--extract", str(deb), str(target)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            env=dict(env),
        )
        if done.returncode != 0:
            raise error_of(done.stderr, f"unpacking {deb.name}", target)

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        futures = [pool.submit(one, deb) for deb in debs]
        try:
            for number, future in enumerate(futures, 1):
                future.result()
                update(number / len(futures))
        finally:
            pool.shutdown(cancel_futures=True)


def _of_os_error(failed: OSError, folder: Path) -> FetchError:
    if failed.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(
            f"the disk is full: {failed}. Free some room in {folder}, or set ACD_CACHE_HOME to a folder "
            "on another disk, and start again."
        )
    return CacheFolderError(
        f"the cache folder {folder} can't be used: {failed}. Set ACD_CACHE_HOME to a folder that you may write."
    )
