"""Asterisk's configuration of a lab: the files a site copies (``asterisk-conf/``) and the few around them.

The site's files are taken as they are. What differs from site to site stands in files that they include
(``acd/…``) and in globals of the dialplan; those are written here. The files in ``asterisk-conf/lab`` make up the rest
of the folder; words such as ``@SIP_PORT@`` in them are replaced.
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import acd
from acd.lab.errors import PbxError
from acd.lab.install import AsteriskInstall
from acd.lab.ports import Ports

SITE_FILES = (
    "extensions_acd.conf",
    "manager.d/acd.conf",
    "pjsip_acd.conf",
    "queues_acd.conf",
    "musiconhold_acd.conf",
)
# Files that Asterisk's core asks for and complains about when they are missing; empty ones mean its defaults.
EMPTY_FILES = (
    *("acl.conf", "ccss.conf", "cel.conf", "confbridge.conf", "features.conf", "geolocation.conf", "minivm.conf"),
    *("pjproject.conf", "pjsip_notify.conf", "queuerules.conf", "stasis.conf", "udptl.conf"),
)
AMI_USER = "acd"
AGENT_CONTEXT = "acd-agents"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PASSWORD = re.compile(r"[A-Za-z0-9._-]+")
_CONTACT = re.compile(r"sips?:[^\s;,\"\\]+")
_MAILBOXES = re.compile(r"[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+(?:,[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+)*")
_GLOBAL = re.compile(r"[A-Z][A-Z0-9_]*")
_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone (``PJSIP/name``) of the lab.

    With ``contact`` (such as ``sip:anna@127.0.0.1:5071``) it is known to be there and calls without a password, as
    SIPp likes it. Without one it registers with ``password``, which is made up if none is given; a phone that has not
    registered is unreachable. ``context`` is where its own calls enter the dialplan. ``mailboxes``, such as
    ``anna@acd``, are shown by its lamp.
    """

    name: str
    password: str | None = None
    contact: str | None = None
    webrtc: bool = False
    context: str = AGENT_CONTEXT
    mailboxes: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise PbxError(f"a phone's name is lower-case letters, digits, - and _: {self.name!r} is not")
        if self.password is not None and not _PASSWORD.fullmatch(self.password):
            raise PbxError(f"the password of phone {self.name} may have letters, digits and ._- only")
        if self.mailboxes and not _MAILBOXES.fullmatch(self.mailboxes):
            raise PbxError(
                f"the mailboxes of phone {self.name} are box@context, with commas between: {self.mailboxes!r}"
            )
        if self.contact is not None and not _CONTACT.fullmatch(self.contact):
            raise PbxError(f"the contact of phone {self.name} is no SIP address: {self.contact!r}")


@dataclass(frozen=True, slots=True)
class LabSettings:
    """What the rendered files depend on."""

    run_dir: Path
    runtime_dir: Path
    install: AsteriskInstall
    ports: Ports
    ami_secret: str
    host: str = "127.0.0.1"
    sip_host: str = "127.0.0.1"
    phones: Sequence[Phone] = ()
    dialplan_globals: Mapping[str, str] = field(default_factory=dict)
    verbose: int = 0


def conf_source() -> Path:
    """The folder ``asterisk-conf``: beside the package in a checkout, inside it when installed."""
    package = Path(acd.__file__).parent
    return next(folder for folder in (package / "asterisk-conf", package.parent / "asterisk-conf") if folder.is_dir())


def with_password(phone: Phone) -> Phone:
    """The phone with a password of its own, if it registers and has none yet."""
    if phone.contact is not None or phone.password is not None:
        return phone
    password = secrets.token_hex(12)
    return replace(phone, password=password)


def render(settings: LabSettings) -> None:
    """Writes Asterisk's configuration and the folders it needs under ``settings.run_dir``."""
    source, run_dir = conf_source(), settings.run_dir
    if re.search(r"[;\n\\]", str(run_dir)):
        raise PbxError(f"the run folder's name {str(run_dir)!r} has characters in it that Asterisk can't read")
    run_dir.mkdir(parents=True, exist_ok=True)
    run_dir.chmod(0o700)  # the AMI secret and the phones' passwords are in it
    etc = run_dir / "etc"
    shutil.rmtree(etc, ignore_errors=True)
    for folder in ("etc/acd", "etc/manager.d", "var/keys", "spool", "log", "cache", "sbin"):
        (run_dir / folder).mkdir(parents=True, exist_ok=True)
    for log in (run_dir / "log").glob("*.log"):
        log.unlink()
    _link_data(settings)
    for name in SITE_FILES:
        shutil.copyfile(source / name, etc / name)
    for name in EMPTY_FILES:
        (etc / name).touch()
    words = _words(settings)
    for template in sorted((source / "lab").glob("*.conf")):
        (etc / template.name).write_text(fill_in(template.read_text(), words))
    (etc / "acd" / "ami_secret.conf").write_text(f"secret = {settings.ami_secret}\n")
    (etc / "acd" / "phones.conf").write_text(
        "".join(phone_sections(phone, settings.sip_host) for phone in settings.phones)
    )
    members = [f"member => PJSIP/{phone.name}\n" for phone in settings.phones if phone.context == AGENT_CONTEXT]
    (etc / "acd" / "fallback_members.conf").write_text("".join(members))


def fill_in(template: str, words: Mapping[str, str]) -> str:
    """The template with each ``@WORD@`` replaced. Raises PbxError for a word that is not known."""

    def word(found: re.Match[str]) -> str:
        if found.group(1) not in words:
            raise PbxError(f"no value for @{found.group(1)}@ in a configuration template")
        return words[found.group(1)]

    return _PLACEHOLDER.sub(word, template)


def phone_sections(phone: Phone, host: str) -> str:
    """A phone's sections of pjsip.conf."""
    # The media address is given, so that no call waits for the machine's own name to be resolved.
    endpoint = [f"[{phone.name}]({'acd-webrtc' if phone.webrtc else 'acd-phone'})", f"context = {phone.context}"]
    endpoint += [f"aors = {phone.name}", f"media_address = {host}", "bind_rtp_to_media_address = yes"]
    endpoint += [f"callerid = {phone.name} <{phone.name}>"]
    endpoint += [f"mailboxes = {phone.mailboxes}"] if phone.mailboxes else []
    aor = [f"[{phone.name}](acd-phone-aor)", "qualify_frequency = 0"]
    if phone.contact is not None:
        return "\n".join([*endpoint, *aor, f"contact = {phone.contact}", ""])
    auth = [f"[{phone.name}](acd-phone-auth)", f"username = {phone.name}", f"password = {phone.password}"]
    return "\n".join([*endpoint, f"auth = {phone.name}", *auth, *aor, ""])


def _words(settings: LabSettings) -> dict[str, str]:
    ports = settings.ports
    for name, value in settings.dialplan_globals.items():
        if not _GLOBAL.fullmatch(name) or re.search(r"[\r\n;]", value):
            raise PbxError(f"{name} = {value!r} can't be a global of the dialplan")
    return {
        "RUN": str(settings.run_dir),
        "RUNTIME": str(settings.runtime_dir),
        "MODULES": str(settings.install.module_dir),
        "MOH": str(settings.install.moh_dir),
        "HOST": settings.host,
        "SIP_HOST": settings.sip_host,
        "SIP_PORT": str(ports.sip),
        "AMI_PORT": str(ports.ami),
        "AGI_PORT": str(ports.agi),
        "HTTP_PORT": str(ports.http),
        "RTP_START": str(ports.rtp_start),
        "RTP_END": str(ports.rtp_end),
        "VERBOSE": str(settings.verbose),
        "GLOBALS": "\n".join(f"{name} = {value}" for name, value in settings.dialplan_globals.items()),
        "MAILBOX_PIN": str(secrets.randbelow(900_000) + 100_000),
    }


def _link_data(settings: LabSettings) -> None:
    """Asterisk's data folder as links, so that sounds and music may come from somewhere else."""
    data = settings.run_dir / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    places = {path.name: path for path in settings.install.data_dir.iterdir()}
    places |= {"sounds": settings.install.sounds_dir, "moh": settings.install.moh_dir}
    for name, target in places.items():
        (data / name).symlink_to(target)
