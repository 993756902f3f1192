"""Precedence of command line, environment, file and default; and the password, which no text may show."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from config import Config, ConfigErrors, load
from config.environment import VARIABLES
from tests.config.sites import changed, write_site


def loaded(folder: Path, env: Mapping[str, str], **overrides: str) -> Config:
    return load(folder, env, overrides={name.replace("__", "."): value for name, value in overrides.items()})


def errors(folder: Path, env: Mapping[str, str], overrides: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        load(folder, env, overrides=overrides or {})
    return [str(error) for error in caught.value.errors]


def test_precedence(tmp_path: Path) -> None:
    write_site(tmp_path)
    assert loaded(tmp_path, {}).acd.asterisk.ami.port == 5038, "the default"
    assert loaded(tmp_path, {}).acd.web.port == 8080, "the file"
    assert loaded(tmp_path, {"ACD_WEB_PORT": "9000"}).acd.web.port == 9000, "the environment over the file"
    assert loaded(tmp_path, {"ACD_WEB_PORT": "9000"}, web__port="9001").acd.web.port == 9001, (
        "the command line over all"
    )
    assert loaded(tmp_path, {"ACD_WEB_PORT": ""}).acd.web.port == 8080, "set to nothing is not set"


def test_every_single_value_has_a_variable() -> None:
    assert {name: ".".join(path) for name, path in VARIABLES.items()} == {
        "ACD_AMI_HOST": "asterisk.ami.host",
        "ACD_AMI_PORT": "asterisk.ami.port",
        "ACD_AMI_USER": "asterisk.ami.user",
        "ACD_AMI_PASSWORD": "asterisk.ami.password",
        "ACD_AMI_PASSWORD_FILE": "asterisk.ami.password_file",
        "ACD_AMI_CONNECT_TIMEOUT_S": "asterisk.ami.connect_timeout_s",
        "ACD_AMI_ACTION_TIMEOUT_S": "asterisk.ami.action_timeout_s",
        "ACD_AMI_EVENT_TIMEOUT_S": "asterisk.ami.event_timeout_s",
        "ACD_FASTAGI_HOST": "asterisk.fastagi.host",
        "ACD_FASTAGI_PORT": "asterisk.fastagi.port",
        "ACD_FASTAGI_MAX_SESSIONS": "asterisk.fastagi.max_sessions",
        "ACD_WEB_HOST": "web.host",
        "ACD_WEB_PORT": "web.port",
        "ACD_STATE_DIR": "state_dir",
        "ACD_CACHE_DIR": "cache_dir",
        "ACD_RECORDINGS_DIR": "recordings_dir",
        "ACD_RECORDINGS_KEEP_DAYS": "recordings_keep_days",
        "ACD_SURVEYS_KEEP_DAYS": "surveys_keep_days",
        "ACD_HTTP_CA_FILE": "http.ca_file",
        "ACD_HTTP_CONNECTIONS": "http.connections",
        "ACD_HTTP_CONNECTIONS_PER_HOST": "http.connections_per_host",
        "ACD_HTTP_BREAKER_FAILURES": "http.breaker.failures",
        "ACD_HTTP_BREAKER_OPEN_S": "http.breaker.open_s",
        "ACD_PROMPTS_CACHE_MB": "prompts.cache_mb",
        "ACD_PROMPTS_JOINED_MB": "prompts.joined_mb",
        "ACD_PROMPTS_WIDEBAND": "prompts.wideband",
        "ACD_PROMPTS_RETRY_AFTER_S": "prompts.retry_after_s",
        "ACD_MAIL_HOST": "mail.host",
        "ACD_MAIL_PORT": "mail.port",
        "ACD_MAIL_TLS": "mail.tls",
        "ACD_MAIL_CA_FILE": "mail.ca_file",
        "ACD_MAIL_USER": "mail.user",
        "ACD_MAIL_PASSWORD": "mail.password",
        "ACD_MAIL_PASSWORD_FILE": "mail.password_file",
        "ACD_MAIL_SENDER": "mail.sender",
        "ACD_MAIL_SENDER_NAME": "mail.sender_name",
        "ACD_MAIL_TIMEOUT_S": "mail.timeout_s",
        "ACD_MAIL_ATTACHMENTS_MB": "mail.attachments_mb",
        "ACD_SPOOL_MESSAGES": "spool.messages",
        "ACD_SPOOL_MEGABYTES": "spool.megabytes",
        "ACD_SPOOL_HOURS": "spool.hours",
        "ACD_LOG_LEVEL": "log.level",
        "ACD_LOG_FORMAT": "log.format",
        "ACD_DRAIN_TIMEOUT_S": "drain_timeout_s",
    }


def test_a_file_that_says_nothing_is_filled(tmp_path: Path) -> None:
    write_site(tmp_path, {"acd.yaml": "{}\n"})
    acd = loaded(tmp_path, {"ACD_AMI_HOST": "pbx.example", "ACD_AMI_PASSWORD": "secret", "ACD_LOG_LEVEL": "debug"}).acd
    assert (acd.asterisk.ami.host, acd.log.level) == ("pbx.example", "debug")


def test_errors_name_the_variable(tmp_path: Path) -> None:
    write_site(tmp_path)
    found = errors(tmp_path, {"ACD_WEB_PORT": "http", "ACD_LOG_LEVEL": "loud", "ACD_FASTAGI_HOST": "a b"})
    assert [line.split(";")[0] for line in found] == [
        "environment variable ACD_FASTAGI_HOST: 'a b' cannot be used here",
        "environment variable ACD_WEB_PORT: 'http' is not a whole number",
        "environment variable ACD_LOG_LEVEL: unknown level 'loud'",
    ]


def test_errors_name_the_command_line(tmp_path: Path) -> None:
    write_site(tmp_path)
    assert errors(tmp_path, {}, {"web.port": "4573", "web.prot": "80", "asterisk.ami.password": "hunter2"}) == [
        "command line web.prot: unknown setting; did you mean 'web.port'?",
        "command line asterisk.ami.password: every user of the machine can see it there; use ACD_AMI_PASSWORD_FILE",
        "command line web.port: port 4573 is used by FastAGI, too; choose another",
    ]


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "\udcff", "\x1b[31m"])
def test_values_that_cannot_be_used(tmp_path: Path, value: str) -> None:
    write_site(tmp_path)
    message = "the value has characters that cannot be used; give one line of UTF-8 text"
    assert errors(tmp_path, {"ACD_AMI_USER": value}) == [f"environment variable ACD_AMI_USER: {message}"]
    assert errors(tmp_path, {}, {"asterisk.ami.user": value}) == [f"command line asterisk.ami.user: {message}"]


def test_misspelt_variable(tmp_path: Path) -> None:
    write_site(tmp_path)
    env = {"ACD_AMI_PASWORD": "x", "ACD_CONFIG": "/etc/acd", "ACD_SOMETHING_ELSE": "1", "PATH": "/bin"}
    assert [str(warning) for warning in loaded(tmp_path, env).warnings] == [
        "environment variable ACD_AMI_PASWORD: warning: unknown setting, ignored; did you mean ACD_AMI_PASSWORD?"
    ]


def test_environment_cannot_mend_a_file_of_another_shape(tmp_path: Path) -> None:
    write_site(tmp_path, changed("acd.yaml", "web: {port: 8080}", "web: 8080"))
    assert errors(tmp_path, {"ACD_WEB_PORT": "9000"}) == [
        f"{tmp_path}/acd.yaml:6:6: a text stands here; a mapping (key: value) belongs here; its keys: host, port"
    ]


def test_variable_makes_up_for_a_key_without_a_value(tmp_path: Path) -> None:
    """The key is still refused: whoever reads the file must see what is meant."""
    write_site(tmp_path, changed("acd.yaml", "port: 8080", "port: "))
    assert errors(tmp_path, {"ACD_WEB_PORT": "9000"}) == [
        f"{tmp_path}/acd.yaml:6:7: 'port' has no value; write one or remove the key"
    ]


def password(config: Config) -> str | None:
    secret = config.acd.asterisk.ami.password
    return secret.get_secret_value() if secret else None


def test_password_from_each_place(tmp_path: Path) -> None:
    write_site(tmp_path)
    other = tmp_path / "other"
    other.write_text("from-file\n")
    other.chmod(0o600)
    assert password(loaded(tmp_path, {})) == "top-secret"
    assert password(loaded(tmp_path, {"ACD_AMI_PASSWORD": "from-env"})) == "from-env"
    assert password(loaded(tmp_path, {"ACD_AMI_PASSWORD_FILE": str(other)})) == "from-file"
    assert password(load(tmp_path, {}, overrides={"asterisk.ami.password_file": str(other)})) == "from-file"
    env = {"ACD_AMI_PASSWORD": "from-env"}
    assert password(load(tmp_path, env, overrides={"asterisk.ami.password_file": str(other)})) == "from-file"


def test_relative_password_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the file that names it; for a variable, to the working folder."""
    write_site(tmp_path / "site")
    here = tmp_path / "ami-password"
    here.write_text("here")
    here.chmod(0o600)
    monkeypatch.chdir(tmp_path)
    assert password(loaded(tmp_path / "site", {})) == "top-secret"
    assert password(loaded(tmp_path / "site", {"ACD_AMI_PASSWORD_FILE": "ami-password"})) == "here"


def test_password_and_file_in_one_layer(tmp_path: Path) -> None:
    write_site(tmp_path)
    (message,) = errors(tmp_path, {"ACD_AMI_PASSWORD": "hunter2", "ACD_AMI_PASSWORD_FILE": f"{tmp_path}/ami-password"})
    assert message == (
        "environment variable ACD_AMI_PASSWORD_FILE: "
        "the password is given, too (environment variable ACD_AMI_PASSWORD); keep one of the two"
    )


@pytest.mark.parametrize("secret", ["hunter2", "{call}", "%s", "pass word", "pässword"])
def test_password_is_shown_nowhere(tmp_path: Path, secret: str) -> None:
    write_site(tmp_path)
    config = loaded(tmp_path, {"ACD_AMI_PASSWORD": secret})
    for text in (repr(config), str(config.acd), repr(config.acd.asterisk.ami), config.acd.model_dump_json()):
        assert secret not in text
    assert password(config) == secret


def test_password_in_a_file_that_all_can_read(tmp_path: Path) -> None:
    write_site(tmp_path, changed("acd.yaml", "password_file: ami-password", "password: hunter2"))
    (tmp_path / "acd.yaml").chmod(0o644)
    (warning,) = loaded(tmp_path, {}).warnings
    assert str(warning) == (
        f"{tmp_path}/acd.yaml:4:15: warning: a password in a file that all users can read; "
        "use 'password_file', or chmod o-r it"
    )
    (tmp_path / "acd.yaml").chmod(0o640)
    assert loaded(tmp_path, {}).warnings == ()


def test_password_file_that_all_can_read(tmp_path: Path) -> None:
    write_site(tmp_path)
    (tmp_path / "ami-password").chmod(0o644)
    (warning,) = loaded(tmp_path, {}).warnings
    assert str(warning) == (
        f"{tmp_path}/acd.yaml:4:20: warning: "
        f"password file {tmp_path}/ami-password can be read by all users; chmod o-r it"
    )


def test_no_password(tmp_path: Path) -> None:
    write_site(tmp_path, changed("acd.yaml", "    password_file: ami-password\n", ""))
    message = "no AMI password is given; set 'password_file' here, or ACD_AMI_PASSWORD_FILE or ACD_AMI_PASSWORD"
    assert [str(warning) for warning in load(tmp_path, {}).warnings] == [f"{tmp_path}/acd.yaml:2:3: warning: {message}"]
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, {}, password_required=True)
    assert str(caught.value) == f"{tmp_path}/acd.yaml:2:3: {message}"
    assert password(load(tmp_path, {"ACD_AMI_PASSWORD": "x"}, password_required=True)) == "x"


def test_the_mail_password_from_each_place(tmp_path: Path) -> None:
    mail = "mail: {host: smtp.example.net, sender: acd@example.net, user: acd}\nlog:"
    write_site(tmp_path, changed("acd.yaml", "log:", mail))
    file = tmp_path / "mail-password"
    file.write_text("from-file\n")
    file.chmod(0o600)
    for env, expected in (
        ({"ACD_MAIL_PASSWORD": "from-env"}, "from-env"),
        ({"ACD_MAIL_PASSWORD_FILE": str(file)}, "from-file"),
    ):
        secret = loaded(tmp_path, env).acd.mail.password
        assert secret is not None
        assert secret.get_secret_value() == expected
        assert password(loaded(tmp_path, env)) == "top-secret"
    (message,) = errors(tmp_path, {"ACD_MAIL_PASSWORD": "a"}, {"mail.password": "hunter2"})
    assert message.endswith("use ACD_MAIL_PASSWORD_FILE")
    assert "hunter2" not in message


def test_mail_without_tls_is_warned_of(tmp_path: Path) -> None:
    mail = "mail: {host: smtp.example.net, sender: acd@example.net, tls: none}\nlog:"
    write_site(tmp_path, changed("acd.yaml", "log:", mail))
    (warning,) = loaded(tmp_path, {}).warnings
    assert "all mails can be read on their way" in str(warning)
    local = mail.replace("smtp.example.net", "127.0.0.1")
    write_site(tmp_path, changed("acd.yaml", "log:", local))
    assert not loaded(tmp_path, {}).warnings
