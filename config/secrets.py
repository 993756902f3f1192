"""The passwords of acd.yaml: from the setting itself or from a file of its own. Never part of a message."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from config.environment import MAIL_SECRET, MAIL_SECRET_FILE, SECRET, SECRET_FILE, SECRET_PREFIX
from config.files import read, readable_by_others, shown
from config.problems import Findings, Position
from config.schema.acd import Acd
from config.schema.mail import Mail
from config.validation import Part

__all__ = ["secret_variable", "site_secrets", "with_secret"]

_MAX_SECRET_BYTES = 1024
_MAX_TOKEN_BYTES = 8192
"""Tokens with claims in them can be that long."""


def with_secret(part: Part[Acd], folder: Path, findings: Findings, *, required: bool) -> Acd | None:
    """Return the settings with the passwords read and checked; None if there are no settings.

    ``required``: an AMI password that is not given is an error rather than a warning.
    """
    acd = part.model
    if acd is None:
        return None
    ami = acd.asterisk.ami
    if ami.password_file is not None:
        text = _in_file(ami.password_file, part.source.value(SECRET_FILE), findings)
        if text is not None:
            _check(text, part.source.value(SECRET_FILE), findings)
            ami = ami.model_copy(update={"password": SecretStr(text)})
    elif ami.password is not None:
        _check(ami.password.get_secret_value(), part.source.value(SECRET), findings)
        _warn_if_open(folder / "acd.yaml", part.source.value(SECRET), findings)
    elif not part.refused:
        tell = findings.error if required else findings.warning
        tell(
            part.source.key(SECRET[:-1]),
            "no AMI password is given; set 'password_file' here, or ACD_AMI_PASSWORD_FILE or ACD_AMI_PASSWORD",
        )
    mail = _mail(acd.mail, part, folder, findings)
    return acd.model_copy(
        update={"asterisk": acd.asterisk.model_copy(update={"ami": ami}), "mail": mail},
    )


def secret_variable(name: str) -> str:
    """Return the environment's variable for one of the site's own secrets."""
    return SECRET_PREFIX + name.upper().replace("-", "_")


def site_secrets(
    part: Part[Acd], env: Mapping[str, str], findings: Findings, *, required: bool
) -> Mapping[str, SecretStr]:
    """Return the site's own secrets by name, from files or the environment.

    ``required``: one that is not given is an error rather than a warning.
    """
    found: dict[str, SecretStr] = {}
    variables: dict[str, str] = {}
    for name, secret in part.model.secrets.items() if part.model is not None else ():
        named_at = part.source.key(("secrets", name))
        variable = secret_variable(name)
        if variable in variables:
            other = variables[variable]
            findings.error(named_at, f"'{other}' has the same variable, {variable}; rename one of the two")
            continue
        variables[variable] = name
        text = _given(secret.file, variable, named_at, env, findings)
        if text is None:
            tell = findings.error if required else findings.warning
            tell(named_at, f"the secret is not given; set 'file' here, or {variable} or {variable}_FILE")
        elif text and not text.isprintable():
            findings.error(named_at, "the secret has more than one line or control characters; give one line of text")
        elif text:
            found[name] = SecretStr(text)
    return found


def _given(
    file: Path | None, variable: str, named_at: Position, env: Mapping[str, str], findings: Findings
) -> str | None:
    """Return a secret's text; None for none, and nothing after a finding of its own. The environment goes first."""
    if env.get(variable) and env.get(f"{variable}_FILE"):
        findings.error(named_at, f"{variable} and {variable}_FILE are both set; keep one of the two")
        return ""
    if env.get(variable):
        return env[variable]
    path = Path(env[f"{variable}_FILE"]) if env.get(f"{variable}_FILE") else file
    if path is None:
        return None
    text = _in_file(path, named_at, findings, "secret", _MAX_TOKEN_BYTES)
    if text == "":
        findings.error(named_at, f"secret file {shown(path)} is empty; write the secret into it")
    return text or ""


def _mail(mail: Mail, part: Part[Acd], folder: Path, findings: Findings) -> Mail:
    """Return the settings of the mail server with its password read."""
    if mail.password_file is not None:
        named_at = part.source.value(MAIL_SECRET_FILE)
        text = _in_file(mail.password_file, named_at, findings)
        if text == "":
            findings.error(named_at, f"password file {shown(mail.password_file)} is empty; write the password into it")
        return mail if text is None else mail.model_copy(update={"password": SecretStr(text)})
    if mail.password is not None:
        _warn_if_open(folder / "acd.yaml", part.source.value(MAIL_SECRET), findings)
    return mail


def _in_file(
    path: Path, named_at: Position, findings: Findings, what: str = "password", limit: int = _MAX_SECRET_BYTES
) -> str | None:
    """Return the one line of a password file; None, and a finding, if it cannot be used."""
    errors = Findings()
    data = read(path, errors, limit)
    for problem in errors.errors:
        findings.error(named_at, f"{what} file {problem.position.file}: {problem.message}")
    if data is None:
        return None
    if readable_by_others(path):
        findings.warning(named_at, f"{what} file {shown(path)} can be read by all users; chmod o-r it")
    try:
        return data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        findings.error(named_at, f"{what} file {shown(path)} is not UTF-8 text; write the {what} alone into it")
        return None


def _check(secret: str, position: Position, findings: Findings) -> None:
    """Refuse what AMI cannot carry: a line end would start a header of its own."""
    if not secret:
        findings.error(position, "the AMI password is empty; give the 'secret' of the user in manager.conf")
    elif not secret.isprintable():
        findings.error(position, "the AMI password has more than one line or control characters; give one line of text")


def _warn_if_open(file: Path, position: Position, findings: Findings) -> None:
    if position.line and readable_by_others(file):
        findings.warning(position, "a password in a file that all users can read; use 'password_file', or chmod o-r it")
