"""From acd.yaml to mail server, webhooks and spool; and that a reload takes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from acd.service.compile import compile_config
from acd.service.messages.failures import PermanentFailure
from acd.service.messages.message import OutgoingMail
from acd.service.messages.service import Channels, SiteMail
from acd.service.messages.settings import channels_of, mail_settings, spool_limits
from acd.service.site_changes import changes_between, needing_restart
from config import Config
from config.schema.mail import Mail, Spool
from tests.service.messages.servers import MailBox, mail_server
from tests.service.sites import load_site, write_site

ACD: Mapping[str, Any] = {
    "mail": {"host": "localhost", "tls": "none", "sender": "acd@example.net"},
    "secrets": {"key": {"file": "key"}},
    "webhooks": {"crm": {"url": "https://crm.example/acd", "secret": "key", "token": "key", "timeout_s": "3"}},
}


def config(folder: Path, acd: Mapping[str, Any], follow_up: str = "") -> Config:
    write_site(folder, acd=acd)
    (folder / "key").write_text("very secret\n")
    (folder / "key").chmod(0o600)
    (folder / "followup.yaml").unlink(missing_ok=True)
    if follow_up:
        (folder / "followup.yaml").write_text(follow_up)
    return load_site(folder)


def test_webhooks_get_their_secrets_and_show_them_to_nobody(tmp_path: Path) -> None:
    channels = channels_of(config(tmp_path / "site", ACD))
    target = channels.webhooks["crm"]
    assert target.secret == b"very secret"
    assert target.headers == {"Authorization": "Bearer very secret"}
    assert target.timeout_s == 3.0
    assert "very secret" not in repr(channels)


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("implicit", 465), ("none", 25)])
def test_the_usual_ports(tls: Any, port: int) -> None:
    found = mail_settings(Mail(host="smtp.example.net", tls=tls, sender="acd@example.net"))
    assert found is not None
    assert found.port == port


def test_without_a_host_there_is_no_mail() -> None:
    assert mail_settings(Mail()) is None


def test_bounds_of_the_spool() -> None:
    limits = spool_limits(Spool(messages=5, megabytes=2, hours=1.5))
    assert (limits.messages, limits.size_bytes, limits.age_s) == (5, 2 * 1024 * 1024, 5400.0)


def test_a_reload_takes_them(tmp_path: Path) -> None:
    before = config(tmp_path / "site", ACD)
    rules = "rules: {lost: {event: abandoned, webhook: {target: erp}}}\n"
    changed = {**ACD, "mail": {**ACD["mail"], "port": "2525"}, "webhooks": {"erp": ACD["webhooks"]["crm"]}}
    after = config(tmp_path / "site", changed, rules)
    assert changes_between(compile_config(before), compile_config(after)) == [
        "mail server: changed",
        "webhook erp: new",
        "webhook crm: gone",
        "follow-up lost: new",
    ]
    assert not [line for line in needing_restart(before.acd, after.acd) if line.startswith(("mail", "webhooks"))]


async def test_mail_goes_by_the_server_in_force() -> None:
    channels = [Channels()]
    mail = OutgoingMail(id="1", to="a@example.net", subject="s", text="t")
    sender = SiteMail(lambda: channels[0])
    with pytest.raises(PermanentFailure, match="no mail server"):
        await sender.send(mail, 0.0)
    for box in (MailBox(), MailBox()):
        async with mail_server(box) as port:
            settings = mail_settings(Mail(host="127.0.0.1", port=port, tls="none", sender="acd@example.net"))
            channels[0] = Channels(settings)
            await sender.send(mail, 0.0)
        assert len(box.mails) == 1
