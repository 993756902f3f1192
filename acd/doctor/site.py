"""What all checks of an Asterisk have at hand."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from acd.doctor.ami import AmiQuestions
from acd.doctor.conf_files import Sections, read_conf
from config import Config

__all__ = ["Site", "is_local"]


@dataclass(frozen=True)
class Site:
    """A configuration and the Asterisk that it names, logged in."""

    config: Config
    ami: AmiQuestions

    @cached_property
    def etc_dir(self) -> Path | None:
        """Asterisk's configuration folder when Asterisk runs on this machine, in the same file system."""
        return self._local_folder("ASTETCDIR")

    @cached_property
    def data_dir(self) -> Path | None:
        """The folder of Asterisk's sounds and music when it is on this machine."""
        return self._local_folder("ASTDATADIR")

    def conf(self, name: str) -> Sections | None:
        """Read one of Asterisk's configuration files; None when it is on another machine or may not be read."""
        if self.etc_dir is None:
            return None
        try:
            return read_conf(self.etc_dir / name)
        except OSError:
            return None

    def _local_folder(self, variable: str) -> Path | None:
        if not is_local(self.config.acd.asterisk.ami.host):
            return None
        folder = self.ami.value(variable)
        return Path(folder) if folder.startswith("/") and Path(folder).is_dir() else None


def is_local(host: str) -> bool:
    """Whether an address is one of this machine's: only such a one can be bound."""
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
        family, kind, protocol, _name, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
    except OSError:
        return False
    return True
