"""The site's own secrets: where their values come from, and that nothing shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Config, ConfigErrors, load
from tests.config.sites import changed, write_site

SITE = changed("acd.yaml", "web: {port: 8080}\n", "web: {port: 8080}\nsecrets: {crm-token: {file: token}, other: {}}\n")
OTHER = {"ACD_SECRET_OTHER": "of-the-other"}


def loaded(folder: Path, env: dict[str, str], token: str | None = "in-the-file\n", mode: int = 0o600) -> Config:
    write_site(folder, SITE)
    if token is not None:
        (folder / "token").write_text(token)
        (folder / "token").chmod(mode)
    return load(folder, env)


def secret(config: Config, name: str = "crm-token") -> str:
    return config.secrets[name].get_secret_value()


def test_a_file_or_the_environment_which_goes_first(tmp_path: Path) -> None:
    config = loaded(tmp_path, OTHER)
    assert (secret(config), secret(config, "other")) == ("in-the-file", "of-the-other")
    assert config.warnings == ()
    assert secret(loaded(tmp_path, {**OTHER, "ACD_SECRET_CRM_TOKEN": "in-a-variable"})) == "in-a-variable"
    (tmp_path / "elsewhere").write_text("in-another-file")
    (tmp_path / "elsewhere").chmod(0o600)
    named = {**OTHER, "ACD_SECRET_CRM_TOKEN_FILE": str(tmp_path / "elsewhere")}
    assert secret(loaded(tmp_path, named)) == "in-another-file"


def test_a_token_may_be_long(tmp_path: Path) -> None:
    assert secret(loaded(tmp_path, OTHER, "t" * 4000)) == "t" * 4000


@pytest.mark.parametrize(
    ("env", "token", "error"),
    [
        (OTHER, "", "acd.yaml:7:11: secret file {folder}/token is empty; write the secret into it"),
        (
            OTHER,
            "hunter2\nhunter3\n",
            "acd.yaml:7:11: the secret has more than one line or control characters; give one line",
        ),
        (OTHER, None, "acd.yaml:7:11: secret file {folder}/token: the file is missing; create it"),
        (
            {**OTHER, "ACD_SECRET_CRM_TOKEN": "a", "ACD_SECRET_CRM_TOKEN_FILE": "b"},
            "x",
            "acd.yaml:7:11: ACD_SECRET_CRM_TOKEN and ACD_SECRET_CRM_TOKEN_FILE are both set; keep one of the two",
        ),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, env: dict[str, str], token: str | None, error: str) -> None:
    with pytest.raises(ConfigErrors) as raised:
        loaded(tmp_path, env, token)
    assert str(raised.value).startswith(f"{tmp_path}/{error.format(folder=tmp_path)}")
    assert "hunter" not in str(raised.value)


def test_one_that_is_missing_is_an_error_only_where_it_is_needed(tmp_path: Path) -> None:
    config = loaded(tmp_path, {})
    (warning,) = config.warnings
    variables = "ACD_SECRET_OTHER or ACD_SECRET_OTHER_FILE"
    assert str(warning) == (
        f"{tmp_path}/acd.yaml:7:37: warning: the secret is not given; set 'file' here, or {variables}"
    )
    with pytest.raises(ConfigErrors, match="the secret is not given"):
        load(tmp_path, {}, password_required=True)


def test_a_file_that_all_can_read(tmp_path: Path) -> None:
    (warning,) = loaded(tmp_path, OTHER, mode=0o644).warnings
    assert warning.message == f"secret file {tmp_path}/token can be read by all users; chmod o-r it"


def test_nothing_shows_them(tmp_path: Path) -> None:
    config = loaded(tmp_path, OTHER)
    for text in (repr(config), str(config.secrets), config.acd.model_dump_json()):
        assert "in-the-file" not in text
        assert "of-the-other" not in text
