"""Checks of voicemail and of what callers say: the folder that Asterisk and the engine share, and lamps."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from acd.doctor.findings import Findings, fault, ok, unchecked, warning
from acd.doctor.site import Site
from config import Config
from config.schema.ivr import Record, Survey

__all__ = ["check_recordings", "records"]

_CHECK = "recordings"


def records(config: Config) -> bool:
    """Tell whether the site records anything that callers say."""
    nodes = (node for tree in config.trees.values() for node in tree.nodes.values())
    return bool(config.voicemail.boxes) or any(isinstance(node, Record | Survey) for node in nodes)


def check_recordings(site: Site) -> Findings:
    """Can both Asterisk and the engine write into ``recordings_dir``? Can lamps be lit?"""
    if not records(site.config):
        return
    folder = site.config.acd.recordings_dir
    remedy = (
        f"mkdir -p {folder} && chgrp asterisk {folder} && chmod 2770 {folder}, and let the engine's user be of the "
        "group asterisk (usermod -aG); or set recordings_dir in acd.yaml"
    )
    if not folder.is_dir():
        yield fault(_CHECK, f"recordings_dir {folder} is not there, so nothing can be recorded", remedy)
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield fault(_CHECK, f"recordings_dir {folder} can't be written by the user who runs this", remedy)
    else:
        yield from _check_asterisk(site, folder, remedy)
    yield from _check_lamps(site)


def _check_asterisk(site: Site, folder: Path, remedy: str) -> Findings:
    if site.etc_dir is None:
        yield unchecked(
            _CHECK,
            f"Asterisk's files are not to be seen from here; it must write into {folder} under the same path",
            "share it (NFS, a common volume)",
        )
        return
    user = site.ami.action("CoreSettings").get("CoreRunUser", "")
    closed = next((path for path in folder.parents if not _may(path, user, 0o1)), None)
    if closed is not None:
        yield fault(_CHECK, f"Asterisk's user {user!r} may not enter {closed}", f"chmod o+x {closed}")
    elif not _may(folder, user, 0o3):
        yield fault(_CHECK, f"Asterisk's user {user!r} can't write into recordings_dir {folder}", remedy)
    else:
        yield ok(_CHECK, f"Asterisk and the engine can write into {folder}")


def _check_lamps(site: Site) -> Findings:
    lamps = [lamp for box in site.config.voicemail.boxes.values() for lamp in box.lamps]
    if lamps and not site.ami.is_module_loaded("app_minivm"):
        yield warning(
            _CHECK,
            f"app_minivm is not loaded, so the lamps of {', '.join(sorted(set(lamps))[:3])} stay dark",
            "see modules.conf; asterisk -rx 'module load app_minivm' (it needs no configuration)",
        )


def _may(path: Path, user: str, bits: int) -> bool:
    """Whether a user has these rights (of rwx); with no user known (root, or whoever started Asterisk) yes."""
    try:
        account = pwd.getpwnam(user)
        state = path.stat()
    except (KeyError, OSError):
        return True
    if account.pw_uid == 0:
        return True
    if account.pw_uid == state.st_uid:
        return state.st_mode >> 6 & bits == bits
    if state.st_gid in os.getgrouplist(user, account.pw_gid):
        return state.st_mode >> 3 & bits == bits
    return state.st_mode & bits == bits
