"""What the doctor says of the mail server, on real ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from acd.doctor.findings import Finding, Level
from acd.doctor.mail import check_mail_server
from config import Config
from tests.service.messages.servers import CA, MailBox, mail_server
from tests.service.sites import load_site, write_site


def site(folder: Path, **mail: Any) -> Config:
    (folder / "password").write_text("right\n")
    (folder / "password").chmod(0o600)
    write_site(folder, acd={"mail": {"host": "127.0.0.1", "sender": "acd@example.net", **mail}} if mail else {})
    return load_site(folder)


async def found(config: Config) -> list[Finding]:
    return await asyncio.to_thread(lambda: list(check_mail_server(config, 5.0)))


async def test_without_mail_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert await found(site(tmp_path)) == []


@pytest.mark.parametrize(
    ("password", "level", "text"), [("right", Level.OK, "by STARTTLS, logged in"), ("wrong", Level.WARNING, "535")]
)
async def test_a_server_with_a_password(tmp_path: Path, password: str, level: Level, text: str) -> None:
    box = MailBox()
    async with mail_server(box, tls="starttls", auth=True) as port:
        config = site(tmp_path, port=str(port), ca_file=str(CA), user="acd", password_file="password")
        if password == "wrong":
            (tmp_path / "password").write_text("wrong-one\n")
            config = load_site(tmp_path)
        (finding,) = await found(config)
    assert finding.level is level
    assert text in finding.text
    assert "wrong-one" not in finding.text
    assert box.mails == []


async def test_nobody_there(tmp_path: Path) -> None:
    async with mail_server(MailBox()) as port:
        pass
    (finding,) = await found(site(tmp_path, port=str(port), tls="none"))
    assert finding.level is Level.WARNING
    assert f"127.0.0.1:{port}" in finding.text
    assert finding.remedy
