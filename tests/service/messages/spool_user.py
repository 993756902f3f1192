"""A process of its own that uses a spool: hands in mails, delivers, until it is killed.

Arguments: folder, port of the mail server, how many mails to hand in (ids 0 …), a sound file.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from acd.service.messages import Attachment, BackOff, Outbox, OutgoingMail
from acd.service.messages.failures import PermanentFailure
from acd.service.messages.hook import HookReply, HookSender, HookTarget
from acd.service.messages.mail import MailSender, MailSettings
from acd.service.messages.outbox import Senders


class NoHooks:
    async def post(self, target: HookTarget, body: bytes, headers: Mapping[str, str]) -> HookReply:
        raise PermanentFailure("none here")


async def main(folder: Path, port: int, count: int, sound: Path) -> None:
    settings = MailSettings(host="127.0.0.1", port=port, tls="none", sender="acd@example.net", timeout_s=10.0)
    senders = Senders(MailSender(settings), HookSender(NoHooks(), lambda _: None, lambda: 0.0))
    outbox = Outbox(folder, senders, back_off=BackOff(0.05, 0.2))
    for number in range(count):
        attachment = Attachment(path=sound, name="m.wav")
        text = f"mail {number}"
        mail = OutgoingMail(id=f"m-{number}", to="a@example.net", subject=text, text=text, attachments=(attachment,))
        await asyncio.to_thread(outbox.put, mail)
    print("taken", flush=True)
    await outbox.run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])))
