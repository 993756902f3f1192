"""The check that the application runs from one installation.

Its packages have names that others use as well (``config`` above all), so one that is found elsewhere, for example in
the current folder, would be mixed in silently.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

__all__ = ["PACKAGES", "PackagesError", "check_packages"]

PACKAGES = ("acd", "ami_bridge", "config", "ivr", "routing")


class PackagesError(Exception):
    """A package of the application is missing, or another one of the same name is in its place."""


def check_packages(packages: Sequence[str] = PACKAGES) -> None:
    """Check that all packages lie next to each other.

    Raises:
        PackagesError: one does not; the message names both places and the remedy.
    """
    folders = {package: _folder_of(package) for package in packages}
    own = folders[packages[0]]
    for package, folder in folders.items():
        if folder is None:
            raise PackagesError(f"the package {package!r} is missing: install the application again")
        if folder != own:
            raise PackagesError(
                f"the package {package!r} is found in {folder}, but {packages[0]!r} in {own}: another package of that"
                f" name comes first on sys.path. Run the application from its own virtual environment and not from a"
                f" folder that holds a {package!r} of its own"
            )


def _folder_of(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    if spec is None:
        return None
    if spec.submodule_search_locations is not None:  # a package; without __init__.py it has a place but no origin
        return Path(next(iter(spec.submodule_search_locations))).resolve().parent
    return Path(spec.origin).resolve().parent if spec.origin is not None else None
