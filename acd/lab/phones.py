"""Phones of agents, by SIPp: many on one port, each with its own way of taking calls."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from acd.lab.dialog import HANG_UP_TIMEOUT_S, Dialog, ends_call
from acd.lab.errors import SippError
from acd.lab.rtp import RtpEndpoint, deaf_port
from acd.lab.sip_trace import SipMessage
from acd.lab.sipp import MessageLog, SippProcess, free_udp_port, headers_like
from acd.lab.sipp_scenarios import REFUSALS, phone_scenario, register_scenario

REGISTER_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """Rings, answers after ``after_s`` and hangs up after ``talk_s`` (None: leaves that to the other end).

    ``rings`` false answers without a 180. ``listens`` gives the call a media end (``PhoneCall.rtp``); ``steady_media``
    also sends a frame every 20 ms.
    """

    after_s: float = 0.0
    talk_s: float | None = None
    rings: bool = True
    listens: bool = False
    steady_media: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """Rings and is not answered (unless ``PhoneCall.answer`` is called)."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuses with ``status`` (486 busy, 603 declined, 503 …), after ringing for ``after_s`` if that is not 0."""

    status: int = 486
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Dead:
    """Does not say anything, as a phone whose cable is cut."""


Behaviour = Answer | Ring | Reject | Dead


class PhoneCall(Dialog):
    """One call at a phone: its messages, what became of it, and what the agent does."""

    def __init__(self, phone: AgentPhone, behaviour: Behaviour, process: SippProcess, invite: SipMessage) -> None:
        super().__init__(f"call at phone {phone.name}", process)
        self.phone = phone
        self.behaviour = behaviour
        self.invite = invite
        self._cseq = 0

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self.invite.call_id

    @property
    def offered_at(self) -> float:
        """When the INVITE arrived, seconds since the epoch by SIPp's clock."""
        return self.invite.time_s

    @property
    def cancelled(self) -> bool:
        """Whether Asterisk took the offer back before the phone answered."""
        return self.answered_at is None and any(message.is_request("CANCEL") for message in self.messages)

    def ring(self) -> None:
        """Rings (180)."""
        self.order("XRING", self._answer_headers(), lambda message: message.is_response(180, sent=True))

    def answer(self, media_port: int | None = None) -> None:
        """Takes the call (200)."""
        port = media_port if media_port is not None else self.phone.deaf_port
        headers = [*self._answer_headers(), f"X-Media-Port: {port}"]
        self.order("XANSWER", headers, lambda message: message.is_response(200, sent=True))

    def reject(self, status: int = 486) -> None:
        """Refuses the call with one of the statuses in ``sipp_scenarios.REFUSALS``. Raises SippError for others."""
        if status not in REFUSALS:
            raise SippError(f"phones here refuse with one of {sorted(REFUSALS)}, not with {status}")
        headers = self._answer_headers()
        self.order(f"XREJECT{status}", headers, lambda message: message.is_response(status, sent=True))

    async def hang_up(self) -> None:
        """Ends an answered call (BYE); returns when the other end has confirmed. Raises TimeoutError."""
        await self.answered()
        if self.end is None:
            self.order("XHANGUP", self._request_headers("BYE"), lambda message: message.method == "BYE")
            await self.wait_for(
                lambda message: message.status is not None and message.cseq_method == "BYE", HANG_UP_TIMEOUT_S
            )

    async def transfer(self, target: str) -> SipMessage:
        """Transfers the other end blindly to a number of the same Asterisk (REFER); the answer to it (202)."""
        await self.answered()
        asterisk = self.invite.header("contact").strip("<>").rpartition("@")[2]
        headers = [*self._request_headers("REFER"), f"X-Refer-To: <sip:{target}@{asterisk}>"]
        self.order("XREFER", headers, lambda message: message.method == "REFER")
        return await self.wait_for(lambda message: message.status is not None and message.cseq_method == "REFER")

    def take(self, message: SipMessage) -> None:
        """A message of this call passed."""
        self.add(message)
        if message is self.invite:
            self.later(self._follow_behaviour())
        if message.is_request("ACK") and self.rtp is not None and (remote := self.invite.media_address()) is not None:
            self.rtp.start(remote)

    async def _follow_behaviour(self) -> None:
        match self.behaviour:
            case Answer():
                await self._answer_as(self.behaviour)
            case Reject(status, after_s):
                if after_s > 0:
                    self.ring()
                    await asyncio.sleep(after_s)
                if self.end is None:
                    self.reject(status)
            case Ring():
                self.ring()
            case Dead():
                pass

    async def _answer_as(self, behaviour: Answer) -> None:
        if behaviour.rings:
            self.ring()
        if behaviour.listens or behaviour.steady_media:
            self.rtp = await RtpEndpoint.open(self._process.host, steady=behaviour.steady_media)
        if behaviour.after_s > 0:
            await asyncio.sleep(behaviour.after_s)
        if self.end is None:
            self.answer(self.rtp.port if self.rtp is not None else None)
        if behaviour.talk_s is not None:
            await self.wait_for(lambda message: message.is_request("ACK") or ends_call(message), HANG_UP_TIMEOUT_S)
            if self.end is None:
                await asyncio.sleep(behaviour.talk_s)
                await self.hang_up()

    def _answer_headers(self) -> list[str]:
        return headers_like(self.invite, "Via", "From", "To", "Call-ID", "CSeq")

    def _request_headers(self, method: str) -> list[str]:
        """Headers of a request of ours within the call: the ends change places."""
        mine = next(message.header("to") for message in self.messages if message.is_response(200, sent=True))
        self._cseq += 1
        ends = [f"From: {mine}", f"To: {self.invite.header('from')}", f"Call-ID: {self.call_id}"]
        return ["Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKorder", *ends, f"CSeq: {self._cseq} {method}"]


class AgentPhone(MessageLog):
    """A phone: all messages of all its calls, and how it takes the next one."""

    def __init__(self, name: str, behaviour: Behaviour, deaf_port: int) -> None:
        super().__init__(f"phone {name}")
        self.name = name
        self.deaf_port = deaf_port
        self.behaviour = behaviour
        self.calls: list[PhoneCall] = []
        self._script: list[Behaviour] = []

    def script(self, behaviours: Iterable[Behaviour]) -> None:
        """How the next calls are taken, one after the other; after the last of them ``behaviour`` holds again."""
        self._script = list(behaviours)

    def next_behaviour(self) -> Behaviour:
        """How the call that is coming in is taken."""
        return self._script.pop(0) if self._script else self.behaviour

    async def offered(self, number: int = 1, timeout_s: float = 15.0) -> PhoneCall:
        """Waits for the phone's ``number``-th call (1 is the first since the start). Raises TimeoutError."""
        if len(self.calls) < number:
            await self.wait_for(lambda _message: len(self.calls) >= number, timeout_s)
        return self.calls[number - 1]


class Phones:
    """Phones by name, all on one port of one SIPp process, at the Asterisk on ``sip_port``. Use ``async with``.

    Asterisk is to know them by ``Phone(name, contact=phones.contact(name))``, or they register. ``others`` names the
    phone that also rings for numbers that are none of the names.
    """

    def __init__(
        self,
        sipp: Sequence[str],
        names: Sequence[str],
        sip_port: int,
        *,
        port: int | None = None,
        behaviour: Behaviour = Answer(),
        others: str = "",
        host: str = "127.0.0.1",
    ) -> None:
        self.port = port if port is not None else free_udp_port(host)
        self._sipp = sipp
        self._sip_port = sip_port
        self._host = host
        self._nobody: socket.socket | None = None
        self._names = names
        self._behaviour = behaviour
        self._others = others
        self._phones: dict[str, AgentPhone] = {}
        self._calls: dict[str, PhoneCall] = {}
        self._process: SippProcess | None = None

    def contact(self, name: str) -> str:
        """The SIP address of a phone."""
        return f"sip:{name}@{self._host}:{self.port}"

    def __getitem__(self, name: str) -> AgentPhone:
        """A phone by name. Raises KeyError."""
        return self._phones[name]

    def __iter__(self) -> Iterator[AgentPhone]:
        return iter(self._phones.values())

    @property
    def calls(self) -> list[PhoneCall]:
        """All calls of all phones in the order of their arrival."""
        return list(self._calls.values())

    async def start(self) -> None:
        """Starts SIPp; the phones can be called when this returns. Raises SippError."""
        self._nobody = deaf_port(self._host)
        nobody: int = self._nobody.getsockname()[1]
        self._phones = {name: AgentPhone(name, self._behaviour, nobody) for name in self._names}
        self._calls = {}
        process = SippProcess(
            self._sipp,
            phone_scenario(),
            port=self.port,
            remote_port=self._sip_port,
            host=self._host,
            on_message=self._take,
            on_end=self._process_ended,
        )
        self._process = process
        await process.start()

    async def register(self, name: str, password: str) -> None:
        """Registers a phone for an hour, before ``start()``. Raises SippError."""
        if self._process is not None and self._process.running:
            raise SippError("phones register before they start: both need their port")
        log = MessageLog(f"registration of {name}")
        process = SippProcess(
            self._sipp,
            register_scenario(name, password),
            port=self.port,
            remote_port=self._sip_port,
            host=self._host,
            arguments=(f"{self._host}:{self._sip_port}", "-m", "1"),
            on_message=log.add,
        )
        await process.start(wait_for_port=False)
        try:
            async with asyncio.timeout(REGISTER_TIMEOUT_S):
                code = await process.wait()
        except TimeoutError:
            raise SippError(f"no answer to the registration of {name}:\n{log.story()}") from None
        finally:
            await process.stop()
        if code != 0:
            raise SippError(f"the registration of {name} was refused:\n{log.story()}")

    async def stop(self) -> None:
        """Ends SIPp at once, as if the phones lost their power."""
        if self._process is not None:
            await self._process.stop()
        for call in self._calls.values():
            await call.close()
        if self._nobody is not None:
            self._nobody.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    def _take(self, message: SipMessage) -> None:
        call = self._calls.get(message.call_id)
        if call is None:
            phone = self._phones.get(message.uri_user) or self._phones.get(self._others)
            if phone is None or self._process is None or not message.is_request("INVITE", sent=False):
                return
            call = PhoneCall(phone, phone.next_behaviour(), self._process, message)
            self._calls[message.call_id] = call
            phone.calls.append(call)
        call.take(message)
        call.phone.add(message)

    def _process_ended(self, code: int) -> None:
        complaints = self._process.errors() if self._process is not None else ""
        error = SippError(f"the phones' SIPp has ended with code {code}\n{complaints}")
        for log in (*self._phones.values(), *self._calls.values()):
            log.fail(error)
