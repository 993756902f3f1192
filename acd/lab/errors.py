"""Errors of the lab, each with what went wrong and what the reader can do about it."""

from __future__ import annotations


class LabError(Exception):
    """Something the lab needs is missing or failed; ``str(error)`` is meant for the person at the terminal."""


class FetchError(LabError):
    """Asterisk (or a tool beside it) could not be fetched."""


class NoAptError(FetchError):
    """This machine has no ``apt-get`` or no Debian mirror in its set-up."""


class NetworkError(FetchError):
    """The Debian mirror could not be reached."""


class SignatureError(FetchError):
    """The mirror's index or a package is not signed by a Debian key that this machine trusts."""


class DiskFullError(FetchError):
    """The disk that holds the cache folder has too little room."""


class CacheFolderError(FetchError):
    """The cache folder can't be created or written."""


class PbxError(LabError):
    """The lab's Asterisk did not start, or ended when it should not have."""


class RunFolderTakenError(PbxError):
    """Another lab runs in the run folder."""


class SippError(LabError):
    """SIPp did not start, or ended when it should not have."""


class EngineError(LabError):
    """The engine did not start, or ended when it should not have."""
