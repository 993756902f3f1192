"""The doctor's round: every check in its order, each result as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from acd.doctor.ami import AmiDenied, AmiLost, AmiQuestions, AmiRefused
from acd.doctor.asterisk_checks import check_clock, check_dialplan, check_modules, check_version
from acd.doctor.findings import Findings, fault, ok, unchecked, warning
from acd.doctor.machine import check_engine, check_folders, check_host_name
from acd.doctor.mail import check_mail_server
from acd.doctor.manager import check_connection, check_events, check_manager_conf, check_rights
from acd.doctor.media import check_codecs, check_music, check_prompts, check_sounds
from acd.doctor.phones import check_phones
from acd.doctor.recordings import check_recordings
from acd.doctor.site import Site, is_local
from config import Config, ConfigErrors, load

__all__ = ["Examination", "examine"]

_CHECKS: Final[Sequence[tuple[str, Callable[[Site], Findings]]]] = (
    ("ami", check_connection),
    ("version", check_version),
    ("clock", check_clock),
    ("ami-rights", check_rights),
    ("manager-conf", check_manager_conf),
    ("modules", check_modules),
    ("dialplan", check_dialplan),
    ("codecs", check_codecs),
    ("sounds", check_sounds),
    ("music", check_music),
    ("prompts", check_prompts),
    ("recordings", check_recordings),
    ("phones", check_phones),
)


@dataclass(frozen=True, slots=True)
class Examination:
    """What to examine: a configuration, and how long to wait for each answer (seconds).

    ``test_call`` allows the call to nowhere, which shows whether events arrive. It rings no phone.
    """

    folder: Path
    overrides: Mapping[str, str]
    timeout_s: float
    test_call: bool = True


def examine(examination: Examination) -> Findings:
    """Run every check that can be run; each result comes as soon as it is known."""
    try:
        config = load(examination.folder, overrides=examination.overrides)
    except ConfigErrors as errors:
        more = f" (and {len(errors.errors) - 1} more)" if len(errors.errors) > 1 else ""
        yield fault("config", f"{errors.errors[0]}{more}", f"acd check-config --config {examination.folder}")
        return
    for problem in config.warnings:
        yield warning(
            "config", f"{problem.position}: {problem.message}", f"acd check-config --config {examination.folder}"
        )
    if not config.warnings:
        yield ok("config", f"{examination.folder}: {len(config.routing.queues)} queues, {len(config.agents)} agents")
    yield from check_host_name(asterisk_is_here=is_local(config.acd.asterisk.ami.host))
    yield from check_folders(config)
    yield from check_engine(config, examination.timeout_s)
    yield from check_mail_server(config, examination.timeout_s)
    yield from _examine_asterisk(config, examination)


def _examine_asterisk(config: Config, examination: Examination) -> Findings:
    ami = config.acd.asterisk.ami
    if ami.password is None:
        yield fault(
            "ami", "no AMI password is given, so Asterisk was not asked", "set ACD_AMI_PASSWORD_FILE or password_file"
        )
        return
    checks = [*_CHECKS, ("events", check_events)] if examination.test_call else _CHECKS
    with AmiQuestions(ami.host, ami.port, examination.timeout_s) as questions:
        try:
            questions.login(ami.user, ami.password.get_secret_value())
            for check, run in checks:
                yield from _guarded(check, run, Site(config, questions))
        except AmiDenied as error:
            yield fault(
                "ami",
                f"{ami.host}:{ami.port} refuses user {ami.user!r}: {error}",
                f"manager.conf needs a section [{ami.user}] with the same secret as the engine's, enabled = yes, and a "
                "permit line for this machine's address",
            )
        except AmiLost as error:
            yield fault(
                "ami",
                f"Asterisk's manager can't be reached: {error}",
                "does Asterisk run, with enabled = yes and this port in manager.conf? see asterisk.ami in acd.yaml",
            )
    if not examination.test_call:
        yield unchecked("events", "no test call was asked for", "run it again without --no-test-call")


def _guarded(check: str, run: Callable[[Site], Findings], site: Site) -> Findings:
    try:
        yield from run(site)
    except AmiRefused as error:
        yield unchecked(check, f"Asterisk refuses to tell: {error}", "mend ami-rights first")
