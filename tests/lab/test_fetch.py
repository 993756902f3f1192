"""Fetching Asterisk: what is found, what is fetched, and all that can go wrong on the way."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from acd.lab import fetch
from acd.lab.errors import CacheFolderError, DiskFullError, FetchError, NetworkError, NoAptError, SignatureError
from acd.lab.fetch import cache_home, check_room, ensure_asterisk
from acd.lab.install import AsteriskInstall, Tool
from tests.lab.fake_debian import FakeDebian

DEADLINE_S = 20


class Told:
    """Progress that is kept."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.fractions: list[float] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    @contextmanager
    def stage(self, title: str) -> Iterator[Callable[[float], None]]:
        self.lines.append(title)
        yield self.fractions.append


@pytest.fixture
def debian(tmp_path: Path) -> FakeDebian:
    return FakeDebian(tmp_path / "debian")


def fetched(debian: FakeDebian, told: Told | None = None) -> AsteriskInstall:
    return ensure_asterisk(env=debian.env, progress=told or Told(), use_system=False)


def test_first_run_fetches_and_second_finds(debian: FakeDebian) -> None:
    told = Told()
    install = fetched(debian, told)
    root = debian.home / "root-asterisk+espeak-ng+sipp+sounds"
    assert install.version == "22.10.1"
    assert install.major == 22
    assert install.asterisk == (
        str(root / "usr/lib64/ld-linux-x86-64.so.2"),
        "--library-path",
        f"{root}/usr/lib/x86_64-linux-gnu:{root}/usr/lib/x86_64-linux-gnu/pulseaudio",
        str(root / "usr/sbin/asterisk"),
    )
    assert install.espeak_ng[-1] == f"--path={root}/usr/lib/x86_64-linux-gnu"
    assert (install.sounds_dir / "en" / "beep.gsm").exists()
    assert any("Downloading 4 packages" in line for line in told.lines)
    assert max(told.fractions) == 1.0
    assert not (root / "usr/bin/python3").exists()
    assert not (root / "usr/share/doc").exists()
    # Packages and lists are of no more use; nothing half-done is left.
    assert sorted(path.name for path in debian.home.iterdir()) == ["lock", root.name]
    again = Told()
    assert fetched(debian, again) == install
    assert again.lines == []


def test_only_what_is_asked_for(debian: FakeDebian) -> None:
    install = ensure_asterisk({Tool.SOUNDS}, env=debian.env, progress=Told(), use_system=False)
    assert install.asterisk == ()
    assert install.moh_dir.is_dir()
    asked = (debian.folder / "log").read_text().splitlines()[-1]
    assert "got " in asked
    assert "sip-tester" not in (debian.folder / "log").read_text()


def test_a_root_with_more_tools_serves(debian: FakeDebian) -> None:
    fetched(debian)
    told = Told()
    ensure_asterisk({Tool.SIPP}, env=debian.env, progress=told, use_system=False)
    assert told.lines == []


def test_two_at_once_fetch_once(debian: FakeDebian) -> None:
    both_started = threading.Barrier(2)

    def one(told: Told) -> AsteriskInstall:
        both_started.wait()
        return fetched(debian, told)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(one, (Told(), Told()))
    assert first == second
    assert len(debian.downloads()) == 4


def test_the_second_says_that_it_waits(debian: FakeDebian) -> None:
    debian.order("hang-download")
    told = Told()
    child = in_child(debian)
    until(lambda: (debian.folder / "hanging").exists())
    waiting = threading.Thread(target=fetched, args=(debian, told))
    waiting.start()
    until(lambda: "Another run is fetching Asterisk; waiting for it …" in told.lines)
    debian.forget_orders()
    os.kill(child.pid or 0, signal.SIGTERM)
    end_hanging_apt(debian)
    child.join(DEADLINE_S)
    waiting.join(DEADLINE_S)
    assert (debian.home / "root-asterisk+espeak-ng+sipp+sounds").is_dir()


def test_killed_in_the_download_goes_on_where_it_was(debian: FakeDebian) -> None:
    debian.order("hang-download")
    child = in_child(debian)
    until(lambda: (debian.folder / "hanging").exists())
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join(DEADLINE_S)
    assert sorted(debian.downloads()) == ["asterisk-core-sounds-en-gsm_1_all.deb", "asterisk_22_amd64.deb"]
    debian.forget_orders()
    # The orphaned apt-get still holds the lock: a second one in the same folder would spoil its work.
    end_hanging_apt(debian)
    told = Told()
    assert fetched(debian, told).version == "22.10.1"
    assert any("Downloading 2 packages" in line for line in told.lines)
    assert len(debian.downloads()) == 4


def test_failed_unpacking_leaves_packages_but_no_root(debian: FakeDebian) -> None:
    debian.order("fail-unpack", "libc6_2.43_amd64.deb\ndpkg-deb: error: archive is bad\n")
    with pytest.raises(FetchError, match=r"unpacking libc6_2\.43_amd64\.deb failed:\n  dpkg-deb: error"):
        fetched(debian)
    assert sorted(path.name for path in debian.home.iterdir()) == ["apt", "lock"]
    debian.forget_orders()
    fetched(debian)
    assert len(debian.downloads()) == 4


def test_leftover_of_a_killed_unpacking_is_removed(debian: FakeDebian) -> None:
    (debian.home / "staging-4711" / "usr").mkdir(parents=True)
    fetched(debian)
    assert not (debian.home / "staging-4711").exists()


def test_a_package_of_yesterday_is_not_unpacked(debian: FakeDebian) -> None:
    archives = debian.home / "apt" / "cache" / "archives"
    archives.mkdir(parents=True)
    (archives / "asterisk_21_amd64.deb").write_text("an older version, of an interrupted run last week")
    assert fetched(debian).version == "22.10.1"


def test_a_fetched_asterisk_that_does_not_run_is_no_asterisk(debian: FakeDebian) -> None:
    debian.package(
        "libc6_2.43_amd64.deb", {"usr/lib64/ld-linux-x86-64.so.2": "#!/bin/sh\necho FATAL: kernel too old\n"}
    )
    debian.package("libx_1_amd64.deb", {"usr/lib/x86_64-linux-gnu/libx.so": "x"})
    with pytest.raises(FetchError, match="does not run here: FATAL: kernel too old"):
        fetched(debian)
    assert not list(debian.home.glob("root-*"))


@pytest.mark.parametrize(
    ("words", "kind", "told"),
    [
        ("E: Write error - write (28: No space left on device)", DiskFullError, "ACD_CACHE_HOME"),
        ("E: You don't have enough free space in /x/archives/.", DiskFullError, "on another disk"),
        ("E: Failed to fetch http://m  Temporary failure resolving 'm'", NetworkError, "Check the network"),
        ("E: Failed to fetch http://m  Could not connect to m:80 (1.2.3.4)", NetworkError, "proxy"),
        ("W: GPG error: http://m sid InRelease: NO_PUBKEY 6ED0E7B82643E131", SignatureError, "debian-archive-keyring"),
        ("E: The repository 'http://m sid InRelease' is not signed.", SignatureError, "clock"),
        ("E: Release file for http://m/InRelease is expired (invalid since 15d).", SignatureError, "Check-Valid-Until"),
        ("E: Failed to fetch http://m  Hash Sum mismatch", SignatureError, "refused"),
        ("E: The repository 'http://m sid Release' does not have a Release file.", FetchError, "does not carry sid"),
        ("E: something else", FetchError, "something else"),
    ],
)
def test_errors_of_the_package_list(debian: FakeDebian, words: str, kind: type[FetchError], told: str) -> None:
    debian.order("fail-update", words + "\n")
    with pytest.raises(FetchError) as raised:
        fetched(debian)
    assert type(raised.value) is kind
    assert told in str(raised.value)
    assert words in str(raised.value)


def test_disk_full_in_the_download_keeps_what_is_there(debian: FakeDebian) -> None:
    debian.order(
        "fail-download", "E: Failed to fetch http://m/x.deb  Error writing to file - write (28: No space left)\n"
    )
    with pytest.raises(DiskFullError, match="what was downloaded is kept"):
        fetched(debian)
    debian.forget_orders()
    fetched(debian)
    assert len(debian.downloads()) == 4


def test_no_room_is_seen_beforehand(debian: FakeDebian, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 5_000_000})
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage)
    with pytest.raises(DiskFullError, match="needs 60 MB, but its disk has only 5 MB free"):
        fetched(debian)
    assert not (debian.folder / "log").exists()


def test_disk_full_of_our_own_writing(debian: FakeDebian, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "name_voices", full)
    with pytest.raises(DiskFullError, match="the disk is full"):
        fetched(debian)
    assert not list(debian.home.glob("staging-*"))


def test_a_folder_that_cannot_be_written(debian: FakeDebian) -> None:
    (debian.folder / "file").write_text("in the way")
    env = {**debian.env, "ACD_CACHE_HOME": str(debian.folder / "file" / "below")}
    with pytest.raises(CacheFolderError, match="Set ACD_CACHE_HOME"):
        ensure_asterisk(env=env, progress=Told(), use_system=False)


def test_a_folder_that_cannot_even_be_looked_into(debian: FakeDebian, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(self: Path, pattern: str) -> list[Path]:
        raise PermissionError(errno.EACCES, "Permission denied", str(self / pattern))

    monkeypatch.setattr(Path, "glob", closed)
    with pytest.raises(CacheFolderError, match="Set ACD_CACHE_HOME"):
        fetched(debian)


def test_no_apt(debian: FakeDebian) -> None:
    (debian.folder / "bin" / "apt-get").unlink()
    env = {**debian.env, "PATH": str(debian.folder / "bin")}
    with pytest.raises(NoAptError, match="apt-get is not on this machine"):
        ensure_asterisk(env=env, progress=Told(), use_system=False)


def test_no_mirror(debian: FakeDebian) -> None:
    debian.mirrors()
    with pytest.raises(NoAptError, match="no Debian mirror is set up"):
        fetched(debian)


def test_plain_mirrors_are_asked_before_security_and_strangers(debian: FakeDebian) -> None:
    debian.mirrors("http://a.invalid/debian-security", "http://b.invalid/other", "http://c.invalid/debian")
    debian.order("fail-update", "E: The repository does not have a Release file.\n")
    with pytest.raises(FetchError):
        fetched(debian)
    asked = (debian.folder / "asked").read_text().split()
    assert [uri for uri in asked if uri != "URIs:"] == [
        "http://c.invalid/debian/",
        "http://a.invalid/debian-security/",
        "http://b.invalid/other/",
    ]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"ACD_CACHE_HOME": "/x/y"}, "/x/y"),
        ({"XDG_CACHE_HOME": "/cache"}, "/cache/acd"),
        ({"XDG_CACHE_HOME": "relative"}, str(Path.home() / ".cache/acd")),
        ({}, str(Path.home() / ".cache/acd")),
    ],
)
def test_cache_home(env: dict[str, str], expected: str) -> None:
    assert str(cache_home(env)) == expected


@pytest.mark.parametrize("folder", ["/a:b", "/a;b", '/a"b', "/a\nb"])
def test_cache_folders_that_the_loader_could_not_bear(folder: str) -> None:
    with pytest.raises(CacheFolderError):
        cache_home({"ACD_CACHE_HOME": folder})


def test_room_on_the_disk(tmp_path: Path) -> None:
    check_room(tmp_path, 1)
    with pytest.raises(DiskFullError):
        check_room(tmp_path, 1 << 60)


def in_child(debian: FakeDebian) -> multiprocessing.process.BaseProcess:
    """A fetch in a process of its own, to be killed."""
    child = multiprocessing.get_context("spawn").Process(target=fetched, args=(debian,))
    child.start()
    return child


def end_hanging_apt(debian: FakeDebian) -> None:
    """Ends the fake apt-get that hangs (and no other): the sleep that has the lock file open."""
    lock = str(debian.home / "lock")
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if "sleep" in (process / "cmdline").read_text() and any(
                os.path.realpath(fd) == lock for fd in (process / "fd").iterdir()
            ):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
