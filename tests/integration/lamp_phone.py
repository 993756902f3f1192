"""A phone that registers and notes what Asterisk tells its lamp (unsolicited NOTIFY, RFC 3842)."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Self

from tests.integration.stage import Stage, eventually


class LampPhone(asyncio.DatagramProtocol):
    """``await LampPhone.register(stage, "ghost")``, then ``told``; ``await leave()`` at the end."""

    def __init__(self, name: str, password: str, remote: tuple[str, int]) -> None:
        self.told: list[str] = []
        """The bodies of the NOTIFYs, in order."""
        self._name = name
        self._password = password
        self._remote = remote
        self._port = 0
        self._tag = secrets.token_hex(4)
        self._call_id = secrets.token_hex(8)
        self._cseq = 0
        self._expires = 60
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def register(cls, stage: Stage, name: str) -> Self:
        """Register for a minute."""
        pbx = stage.pbx
        phone = cls(name, str(pbx.phone(name).password), (pbx.sip_host, pbx.sip_port))
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: phone, local_addr=("127.0.0.1", 0))
        phone._transport = transport
        phone._port = transport.get_extra_info("sockname")[1]
        await phone._register(60)
        return phone

    async def leave(self) -> None:
        """Be no longer registered."""
        await self._register(0)
        if self._transport is not None:
            self._transport.close()

    async def until(self, holds: Callable[[str], bool], what: str) -> None:
        """Wait until the last thing told is so."""

        async def is_so() -> bool:
            return bool(self.told) and holds(self.told[-1])

        await eventually(is_so, f"lamp: {what}; told {self.told}", 15)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode()
        if text.startswith("SIP/2.0"):
            self._answers.put_nowait(text)
        elif text.startswith("NOTIFY"):
            self.told.append(text.partition("\r\n\r\n")[2])
            names = ("via", "from", "to", "call-id", "cseq")
            headers = [line for line in text.split("\r\n")[1:] if line.partition(":")[0].lower() in names]
            self._send("\r\n".join(["SIP/2.0 200 OK", *headers, "Content-Length: 0", "", ""]), addr)

    async def _register(self, expires: int) -> None:
        self._ask(expires, "")
        challenge = await self._final()
        found = dict(re.findall(r'(realm|nonce|opaque)="([^"]*)"', challenge))
        uri = f"sip:{self._remote[0]}:{self._remote[1]}"
        ha1 = _md5(f"{self._name}:{found['realm']}:{self._password}")
        cnonce = secrets.token_hex(4)
        response = _md5(f"{ha1}:{found['nonce']}:00000001:{cnonce}:auth:{_md5(f'REGISTER:{uri}')}")
        opaque = f', opaque="{found["opaque"]}"' if "opaque" in found else ""
        self._ask(
            expires,
            f'Authorization: Digest username="{self._name}", realm="{found["realm"]}", nonce="{found["nonce"]}", '
            f'uri="{uri}", response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="{cnonce}"{opaque}',
        )
        answer = await self._final()
        assert answer.startswith("SIP/2.0 200"), answer

    async def _final(self) -> str:
        async with asyncio.timeout(15):
            while True:
                answer = await self._answers.get()
                if not answer.startswith("SIP/2.0 1"):
                    return answer

    def _ask(self, expires: int, authorization: str) -> None:
        self._cseq += 1
        me = f"sip:{self._name}@{self._remote[0]}"
        lines = [
            f"REGISTER sip:{self._remote[0]}:{self._remote[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{secrets.token_hex(6)};rport",
            f"From: <{me}>;tag={self._tag}",
            f"To: <{me}>",
            f"Call-ID: {self._call_id}",
            f"CSeq: {self._cseq} REGISTER",
            f"Contact: <sip:{self._name}@127.0.0.1:{self._port}>",
            f"Expires: {expires}",
            "Max-Forwards: 70",
            *([authorization] if authorization else []),
            "Content-Length: 0",
            "",
            "",
        ]
        self._send("\r\n".join(lines), self._remote)

    def _send(self, text: str, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self._transport.sendto(text.encode(), addr)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
