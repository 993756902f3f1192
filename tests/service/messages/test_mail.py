"""Writing mails, and handing them to a real mail server."""

from __future__ import annotations

import asyncio
import email
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acd.service.messages.failures import DestinationDown, PermanentFailure, TemporaryFailure
from acd.service.messages.mail import MailSender, MailSettings, written
from acd.service.messages.message import Attachment, OutgoingMail, is_address
from tests.service.messages.servers import CA, MailBox, mail_server

SETTINGS = MailSettings(host="127.0.0.1", port=25, tls="none", sender="acd@example.net", sender_name="Call centre")


def mail(**more: Any) -> OutgoingMail:
    return OutgoingMail(**{"id": "m-1", "to": "box@example.net", "subject": "Hello", "text": "One\nTwo\n", **more})


def settings(port: int, **more: Any) -> MailSettings:
    return MailSettings(
        **{"host": "127.0.0.1", "port": port, "tls": "none", "sender": "acd@example.net", "timeout_s": 5.0, **more}
    )


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def sender_name(content: bytes) -> str:
    """The name in From, by the older reader: the newer puts spaces between encoded words of a name."""
    name, address = parseaddr(email.message_from_bytes(content)["From"])
    assert address == "acd@example.net"
    return str(make_header(decode_header(name))) if "=?" in name else name


async def test_a_mail_arrives_with_the_sound_attached(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(range(256)) * 200)
    box = MailBox()
    async with mail_server(box) as port:
        await MailSender(settings(port)).send(mail(attachments=(Attachment(path=sound, name="message.wav"),)), 0.0)
    (got,) = box.mails
    (part,) = got.iter_attachments()
    assert part.get_filename() == "message.wav"
    assert part.get_content_type() == "audio/wav"
    assert part.get_content() == sound.read_bytes()
    assert body(got) == "One\nTwo\n"
    assert (got["To"], got["From"], got["Subject"]) == ("box@example.net", "acd@example.net", "Hello")


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_tls_with_the_sites_own_authority_and_a_password(tls: str) -> None:
    box = MailBox()
    async with mail_server(box, tls=tls, auth=True) as port:
        await MailSender(settings(port, tls=tls, ca_file=CA, user="acd", password="right")).send(mail(), 0.0)
    assert len(box.mails) == 1
    assert box.encrypted == [True]
    assert box.users == ["acd"]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
async def test_a_certificate_of_an_unknown_authority_is_refused(tls: str) -> None:
    box = MailBox()
    async with mail_server(box, tls=tls) as port:
        with pytest.raises(DestinationDown, match=r"(?i)certificate"):
            await MailSender(settings(port, tls=tls)).send(mail(), 0.0)
    assert not box.mails


async def test_a_server_without_starttls_gets_nothing() -> None:
    box = MailBox()
    async with mail_server(box) as port:
        with pytest.raises(DestinationDown, match=r"(?i)starttls"):
            await MailSender(settings(port, tls="starttls", ca_file=CA)).send(mail(), 0.0)
    assert not box.mails


async def test_a_wrong_password_is_a_matter_of_the_server_and_not_of_the_mail() -> None:
    box = MailBox()
    async with mail_server(box, tls="starttls", auth=True) as port:
        wrong = settings(port, tls="starttls", ca_file=CA, user="acd", password="wrong-secret")
        with pytest.raises(DestinationDown, match="535") as failure:
            await MailSender(wrong).send(mail(), 0.0)
    assert "wrong-secret" not in str(failure.value) + repr(wrong)


@pytest.mark.parametrize(
    ("command", "answer", "failure"),
    [
        ("RCPT", "550 no such box", PermanentFailure),
        ("RCPT", "450 try again", TemporaryFailure),
        ("RCPT", "421 closing down", DestinationDown),
        ("DATA", "554 refused", PermanentFailure),
        ("DATA", "452 disk full", TemporaryFailure),
    ],
)
async def test_refusals(command: str, answer: str, failure: type[Exception]) -> None:
    async with mail_server(MailBox(answers={command: answer})) as port:
        with pytest.raises(failure, match=answer) as found:
            await MailSender(settings(port)).send(mail(), 0.0)
    assert type(found.value) is failure


@pytest.mark.slow
async def test_a_server_that_looks_at_a_mail_for_long_gets_it_once() -> None:
    box = MailBox(takes_s=4.0)
    async with mail_server(box) as port:
        await MailSender(settings(port, timeout_s=3.0)).send(mail(), 0.0)
    assert len(box.mails) == 1


async def test_a_server_that_says_nothing_is_down() -> None:
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        with pytest.raises(DestinationDown, match=r"(?i)timed out"):
            await MailSender(settings(server.sockets[0].getsockname()[1], timeout_s=0.2)).send(mail(), 0.0)
        async with asyncio.timeout(10):
            await left.wait()


async def test_nobody_there() -> None:
    async with mail_server(MailBox()) as port:
        pass
    with pytest.raises(DestinationDown, match=f"127.0.0.1:{port}"):
        await MailSender(settings(port)).send(mail(), 0.0)


def test_callers_texts_start_no_header_of_their_own() -> None:
    hostile = "Eve\r\nBcc: all@example.net\r\n\r\nBody\x00\u2028x\ud800"
    content = written(mail(subject=f"Message of {hostile}", text=f"From {hostile}"), SETTINGS, 0.0)
    message = read(content)
    assert message["Bcc"] is None
    assert message["Subject"] == "Message of Eve Bcc: all@example.net Body x"
    assert content.isascii()
    assert content.count(b"Bcc:") >= 1  # it is there as text


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-8?q?Eve=0D=0ABcc:_all@example.net?=",
        "=?utf-8?q?Eve=0D=0ABcc=3A_all@example.net=0D=0A=0D=0AAnother_body?=",
        "=?utf-8?b?DQpCY2M6IGFsbEBleGFtcGxlLm5ldA==?=",
        "=?utf-7?q?+AAo-Bcc:all@example.net?=",
        "=?utf-8?q?=FF=ED=A0=80?= =?unknown?q?x?=",
        "=?utf-8?q?Süß=0D=0ABcc:_all@example.net?=",
    ],
)
def test_encoded_words_of_callers_stay_as_they_are_written(name: str) -> None:
    content = written(mail(subject=f"Message of {name}"), replace(SETTINGS, sender_name=name), 0.0)
    message = read(content)
    assert sorted(message.keys()) == sorted(read(written(mail(), SETTINGS, 0.0)).keys())
    assert message["Subject"] == f"Message of {name}"
    assert sender_name(content) == name
    assert body(message) == "One\nTwo\n"


ONE_LINE = st.text(alphabet="ab ü中😀\"()<>@,:;=?\\'", max_size=100).map(lambda text: " ".join(text.split()))


@given(subject=ONE_LINE, name=ONE_LINE)
@example(subject='Voicemail for Karten & Söhne, "Nr": 1 from Büro (Süd), Süß (+4930777)', name="Call centre, Köln")
def test_headers_are_read_as_they_were_meant(subject: str, name: str) -> None:
    content = written(mail(subject=subject), replace(SETTINGS, sender_name=name), 0.0)
    assert content.isascii()
    assert all(len(line) <= 76 for line in content.splitlines())
    assert read(content)["Subject"] == subject
    assert sender_name(content) == name


def test_other_scripts_in_header_and_text() -> None:
    message = read(written(mail(subject="来自王小明的留言", text="您好,世界\n"), SETTINGS, 0.0))
    assert message["Subject"] == "来自王小明的留言"
    assert body(message) == "您好,世界\n"
    long = "王" * 5000
    assert str(read(written(mail(subject=long), SETTINGS, 0.0))["Subject"]) == long[:200]


def test_a_mail_written_twice_has_the_same_message_id() -> None:
    first, again = (read(written(mail(), SETTINGS, 1e9))["Message-ID"] for _ in range(2))
    other = read(written(mail(id="m-2"), SETTINGS, 1e9))["Message-ID"]
    assert first == again != other
    assert str(first).endswith("@example.net>")
    assert read(written(mail(), SETTINGS, 1e9))["Date"] == "Sun, 09 Sep 2001 01:46:40 +0000"


def test_attachments_over_the_limit_stay_out_and_the_mail_says_so(tmp_path: Path) -> None:
    sound = tmp_path / "sound.wav"
    sound.write_bytes(bytes(11))
    large = mail(attachments=(Attachment(path=sound, name="a.wav"),), without_attachments="Hear it in box 100.")
    limited = MailSettings(host="h", port=25, tls="none", sender="acd@example.net", attachment_limit_bytes=10)
    message = read(written(large, limited, 0.0))
    assert not list(message.iter_attachments())
    assert body(message).splitlines() == ["One", "Two", "", "", "Hear it in box 100."]
    assert len(list(read(written(large, SETTINGS, 0.0)).iter_attachments())) == 1


@pytest.mark.parametrize("address", ["a", "a@b\r\nRCPT", "<a@b>", "a@b,c@d", "a b@c", "@b", "a@", "a..b@c", "ü@b"])
def test_what_is_no_address(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(ValueError, match="mail address"):
        mail(to=address)
