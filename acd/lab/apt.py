"""A private apt: Debian packages downloaded into a folder of ours, nothing installed on the machine.

The mirror, proxies and credentials are those of the machine's own apt set-up; the suite, lists, package cache and
status file are ours. Signatures are checked by apt itself with the machine's Debian keyring. Works as root and as an
ordinary user.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acd.lab.errors import DiskFullError, FetchError, NetworkError, NoAptError, SignatureError

SUITE = "sid"
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
)
ERROR_LINES = 6

_DISK_FULL = re.compile(r"no space left|enough free space|quota exceeded|\b28: ", re.IGNORECASE)
_BAD_SIGNATURE = re.compile(
    r"NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|is not signed|not authenticated|could not be authenticated|"
    r"signature verification|signatures? (?:couldn't be verified|were invalid)|hash sum mismatch|"
    r"signing key|clearsigned file isn't valid",
    re.IGNORECASE,
)
_NO_NETWORK = re.compile(
    r"resolv|could ?n[o']t connect|connection (?:failed|refused|timed out|reset)|unable to connect|unreachable|"
    r"timed? ?out|failed to fetch|no route to host",
    re.IGNORECASE,
)
_EXPIRED = re.compile(r"release file .* is (?:expired|not valid yet)", re.IGNORECASE)
_NO_SUITE = re.compile(r"does not have a release file|404 +not found", re.IGNORECASE)
_NO_PACKAGE = re.compile(r"unable to locate package|has no installation candidate|unmet dependencies", re.IGNORECASE)
_STATUS = re.compile(r"dlstatus:[^:]*:([\d.]+):")
_PRINTED_URI = re.compile(r"^'([^']+)' (\S+) (\d+) ?(\S*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Package:
    """A package to download: the name of its file in the cache, its size in bytes."""

    file: str
    size: int


@dataclass(frozen=True, slots=True)
class PrivateApt:
    """apt working inside ``home``; ``pass_fds`` are kept open in apt so that a lock outlives our own death."""

    home: Path
    env: Mapping[str, str]
    pass_fds: tuple[int, ...] = ()

    @property
    def archives(self) -> Path:
        """Where downloaded packages lie."""
        return self.home / "cache" / "archives"

    def prepare(self) -> None:
        """Makes the folders and finds the machine's mirrors. Raises NoAptError."""
        if shutil.which("apt-get", path=self.env.get("PATH", os.defpath)) is None:
            raise NoAptError(
                "apt-get is not on this machine, so Asterisk can't be fetched. "
                f"Install Asterisk (18 or newer) and SIPp by other means and put them on PATH; on Debian {SUITE}: "
                "asterisk, sip-tester, espeak-ng."
            )
        for folder in ("lists/partial", "cache/archives/partial", "nothing/partial", "etc"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "status").touch()

    def mirrors(self) -> list[str]:
        """Addresses of the Debian mirrors in the machine's own apt set-up, the likeliest first."""
        printed = self._run(["apt-get", "update", "--print-uris"])
        return mirrors_of(printed.stdout)

    def update(self, architecture: str) -> None:
        """Fetches the suite's package list from the first mirror that has it. Raises FetchError."""
        error: FetchError = NoAptError(
            "no Debian mirror is set up for apt on this machine (`apt-get update --print-uris` shows none), "
            "so Asterisk can't be fetched. Add one to /etc/apt/sources.list.d."
        )
        for number, mirror in enumerate(self.mirrors()):
            self._configure(mirror, architecture)
            try:
                self._apt("update", "--error-on=any")
            except FetchError as failed:
                # The first mirror is the likeliest, so its error tells most.
                error = failed if number == 0 else error
                if isinstance(failed, DiskFullError):
                    break
            else:
                return
        raise error

    def plan(self, packages: Sequence[str]) -> list[Package]:
        """``packages`` and all they depend on, whether downloaded already or not. Raises FetchError."""
        # apt does not print what its cache holds, so it is shown an empty one.
        nothing = f"Dir::Cache::archives={self.home / 'nothing'}"
        printed = self._apt("install", "--print-uris", "-o", nothing, *_INSTALL_OPTIONS, *packages)
        return [Package(file, int(size)) for _uri, file, size, _hash in _PRINTED_URI.findall(printed.stdout)]

    def missing(self, plan: Sequence[Package]) -> list[Package]:
        """Those of a plan that an earlier, interrupted run has not downloaded."""
        present = {path.name: path.stat().st_size for path in self.archives.glob("*.deb")}
        return [package for package in plan if present.get(package.file) != package.size]

    def download(self, packages: Sequence[str], update: Callable[[float], None]) -> None:
        """Downloads ``packages`` and all they depend on; what is there already is kept. Raises FetchError."""
        read_fd, write_fd = os.pipe()
        argv = self._argv("install", *_INSTALL_OPTIONS, "-o", f"APT::Status-Fd={write_fd}", *packages)
        log = self.home / "download.log"
        with os.fdopen(read_fd, errors="replace") as status, log.open("w+", errors="replace") as output:
            try:
                process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=self._env(),
                    pass_fds=(*self.pass_fds, write_fd),
                )
            finally:
                os.close(write_fd)
            try:
                for line in status:
                    if found := _STATUS.match(line):
                        update(float(found.group(1)) / 100)
                code = process.wait()
            finally:
                _end(process)
            if code != 0:
                output.seek(0)
                raise error_of(output.read(), "downloading packages", self.home)

    def _configure(self, mirror: str, architecture: str) -> None:
        keyring = next((path for path in KEYRINGS if path.exists()), None)
        source = ["Types: deb", f"URIs: {mirror}", f"Suites: {SUITE}", "Components: main"]
        source.append(f"Architectures: {architecture}")
        if keyring is not None:
            source.append(f"Signed-By: {keyring}")
        sources = self.home / "etc" / "acd.sources"
        sources.write_text("\n".join(source) + "\n")
        options = {
            "Dir::Etc::SourceList": sources,
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self.home,
            "Dir::State::Lists": self.home / "lists",
            "Dir::State::status": self.home / "status",
            "Dir::Cache": self.home / "cache",
            "Dir::Cache::archives": self.archives,
            "APT::Default-Release": "",
            "APT::Sandbox::User": "root",  # the sandbox user can't enter a private cache folder
            "APT::Get::AllowUnauthenticated": "false",
            "APT::Keep-Downloaded-Packages": "true",
            "Acquire::AllowInsecureRepositories": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
        }
        # The machine's own hooks would clean or refresh the machine's caches, which are none of our business.
        hooks = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")
        lines = [f"#clear {hook};" for hook in hooks]
        lines += [f'{name} "{value}";' for name, value in options.items()]
        (self.home / "apt.conf").write_text("\n".join(lines) + "\n")

    def _argv(self, *arguments: str) -> list[str]:
        return ["apt-get", "-c", str(self.home / "apt.conf"), *arguments]

    def _apt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = self._run(self._argv(*arguments))
        if done.returncode != 0:
            raise error_of(done.stdout + done.stderr, f"running apt-get {arguments[0]}", self.home)
        return done

    def _run(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=self._env(),
            check=False,
            pass_fds=self.pass_fds,
        )

    def _env(self) -> dict[str, str]:
        return {**self.env, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}


_INSTALL_OPTIONS = ("--no-install-recommends", "--download-only", "--yes")


def mirrors_of(printed: str) -> list[str]:
    """The mirrors in what ``apt-get update --print-uris`` prints, without duplicates.

    Repositories of security updates and of other vendors have no ``sid``, so plain Debian mirrors come first.
    """
    found: dict[str, None] = {}
    for uri, *_rest in _PRINTED_URI.findall(printed):
        base, separator, _suite = uri.partition("/dists/")
        if separator:
            found[base + "/"] = None
    return sorted(found, key=lambda base: (not base.endswith("/debian/"), "debian" not in base, "security" in base))


def error_of(output: str, doing: str, home: Path) -> FetchError:
    """The error that apt's or dpkg's ``output`` speaks of, with its own words at the end."""
    lines = [
        line for line in output.splitlines() if line.startswith(("E:", "Err:", "W:", "dpkg"))
    ] or output.splitlines()
    words = "\n  ".join(list(dict.fromkeys(lines))[-ERROR_LINES:])
    if _DISK_FULL.search(output):
        return DiskFullError(
            f"the disk is full: {doing} stopped in {home}. Free some room there, or set ACD_CACHE_HOME to a folder "
            f"on another disk, and start again (what was downloaded is kept).\n  {words}"
        )
    if _EXPIRED.search(output):
        return SignatureError(
            "the Debian mirror's list of packages is out of date, or this machine's clock is wrong. Set the clock, use "
            "another mirror; if yours is frozen on purpose, set Acquire::Check-Valid-Until to false in apt's set-up.\n"
            f"  {words}"
        )
    if _BAD_SIGNATURE.search(output):
        return SignatureError(
            f"the Debian mirror's signature was refused while {doing}. Check this machine's clock and bring the "
            f"package debian-archive-keyring up to date.\n  {words}"
        )
    if _NO_SUITE.search(output):
        return FetchError(
            f"the Debian mirror of this machine's apt set-up does not carry {SUITE}. Set up a full mirror, or install "
            f"Asterisk 18 or newer and put it on PATH.\n  {words}"
        )
    if _NO_NETWORK.search(output):
        return NetworkError(
            f"no connection to the Debian mirror while {doing}. Check the network and, if there is one, the proxy in "
            f"apt's set-up, and start again (what was downloaded is kept).\n  {words}"
        )
    if _NO_PACKAGE.search(output):
        return FetchError(
            f"the mirror's {SUITE} can't give all packages at the moment; start again later, or install "
            f"Asterisk 18 or newer and put it on PATH.\n  {words}"
        )
    return FetchError(f"{doing} failed:\n  {words}")


def architecture_of(env: Mapping[str, str]) -> str:
    """dpkg's name of this machine's architecture, such as ``amd64``. Raises NoAptError."""
    try:
        done = subprocess.run(
            ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True, env=dict(env)
        )
    except (OSError, subprocess.CalledProcessError) as failed:
        raise NoAptError(
            "dpkg is not on this machine, so Asterisk can't be fetched. Install Asterisk (18 or newer) and SIPp "
            "by other means and put them on PATH."
        ) from failed
    return done.stdout.strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
