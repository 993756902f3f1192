"""The manager interface as the doctor uses it: one question at a time, each with a deadline.

Built on pyst2's blocking manager, which has no time-outs, connects by IPv4 alone, matches replies by their order, does
not check values for line ends, and whose reading thread dies of a ``ChanVariable`` header. So here the socket is made
outside of it, each call runs in a thread of its own that is given up after the deadline, only one action is under way
at a time, values are checked, and those headers are dropped before pyst2 parses them.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar

from asterisk import manager as pyst2

__all__ = ["AmiDenied", "AmiError", "AmiLost", "AmiQuestions", "AmiRefused", "names_of"]

T = TypeVar("T")

_TITLE = "Asterisk Call Manager"
_CLOSED = "Connection Terminated"  # pyst2's words


class AmiError(Exception):
    """A question got no good answer; the text says why."""


class AmiLost(AmiError):
    """There is no (more) connection: nobody listens, it broke, or Asterisk does not answer in time."""


class AmiDenied(AmiError):
    """Asterisk refuses the login."""


class AmiRefused(AmiError):
    """Asterisk answered an action with an error, which the text is."""


class AmiQuestions:
    """A logged-in manager session that asks one question after the other. Use as a context manager.

    Every call ends within ``timeout_s`` and a bit. After an :class:`AmiLost` every further call raises it, too.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._numbers = itertools.count(1)
        self._events: list[Mapping[str, str]] = []
        self._arrived = threading.Condition()
        self._lost: AmiLost | None = None
        self._manager: Any = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def login(self, user: str, secret: str) -> None:
        """Connect and log in, without events.

        Raises:
            AmiLost: nobody listens there, or it is no manager interface.
            AmiDenied: user or secret are wrong, or this address is not permitted.
        """
        pyst2.ManagerMsg = _message
        self._manager = pyst2.Manager()
        self._manager.register_event("*", self._take_event)
        self._connect()
        if self._manager.title != _TITLE:
            raise self._fail(f"{self._where} is no Asterisk manager interface: it greets as {self._manager.title!r}")
        try:
            self.action("Login", Username=user, Secret=secret, Events="off")
        except AmiRefused as error:
            raise AmiDenied(str(error)) from None

    def _connect(self) -> None:
        """Do what pyst2's ``connect`` does, with a socket of our own and with deadlines."""
        try:
            self._socket = socket.create_connection((self._host, self._port), self._timeout_s)
        except OSError as error:
            raise self._fail(f"{self._where}: {_words(error)}") from None
        self._socket.settimeout(None)
        self._manager._sock = self._socket.makefile("rwb", buffering=0)
        self._manager._connected.set()
        self._manager._running.set()
        self._manager.message_thread.start()
        self._manager.event_dispatch_thread.start()
        try:
            self._manager._response_queue.get(timeout=self._timeout_s)
        except queue.Empty:
            raise self._fail(f"{self._where} did not greet within {self._timeout_s:g} s") from None

    def action(self, name: str, **headers: str) -> Mapping[str, str]:
        """Do an action and return the headers of its reply.

        Raises:
            AmiRefused: Asterisk answered with an error.
            AmiLost: it did not answer in time, or the connection is gone.
        """
        message = {"Action": name, "ActionID": f"doctor-{next(self._numbers)}", **headers}
        if any(end in value for value in message.values() for end in "\r\n\0"):
            raise ValueError(f"a value of {name} has a line end in it")
        reply: Mapping[str, str] = self._within(lambda: self._manager.send_action(message), f"answer to {name}").headers
        if reply.get("Response") == "Error":
            raise AmiRefused(reply.get("Message", "error without a message"))
        return reply

    def list_action(self, name: str, complete: str, **headers: str) -> Sequence[Mapping[str, str]]:
        """Do an action that answers by a list of events; ``complete`` is the name of the event that ends it."""
        before = len(self._events)
        reply = self.action(name, **headers)
        action_id = reply.get("ActionID", "")

        def mine(events: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
            return [event for event in events if event.get("ActionID") == action_id]

        if not self.wait_for_events(lambda events: complete in names_of(mine(events)), since=before):
            raise self._fail(f"{self._where} began the list of {name} and did not end it in {self._timeout_s:g} s")
        return [event for event in mine(self.events_since(before)) if event.get("Event") != complete]

    def value(self, expression: str) -> str:
        """Return a global variable's or function's value; empty when there is none."""
        try:
            return self.action("Getvar", Variable=expression).get("Value", "")
        except AmiRefused:
            return ""

    def is_module_loaded(self, module: str) -> bool:
        """Whether Asterisk has loaded a module, such as ``res_agi``."""
        return self.value(f"IFMODULE({module}.so)") == "1"

    @property
    def event_count(self) -> int:
        """How many events have come so far; a place in :meth:`events_since`."""
        return len(self._events)

    def events_since(self, count: int) -> Sequence[Mapping[str, str]]:
        """Return the events that came after the first ``count``."""
        return tuple(self._events[count:])

    def wait_for_events(self, come: Callable[[Sequence[Mapping[str, str]]], bool], since: int) -> bool:
        """Wait until the events after the first ``since`` are all that ``come`` asks for; False at the deadline."""
        with self._arrived:
            return self._arrived.wait_for(lambda: come(self.events_since(since)), self._timeout_s)

    def close(self) -> None:
        """Log off and end the connection with its threads; waits no longer than the deadline."""
        if self._manager is None or self._socket is None:
            return
        if self._lost is None:
            # Its answer is not needed, and Asterisk closes the connection, so this fails as often as not.
            with contextlib.suppress(AmiLost):
                self._within(self._manager.logoff, "log off")
        # pyst2 logs off once more when it is collected, and would wait for the answer without end.
        self._manager._connected.clear()
        self._manager._running.clear()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the reading thread
        self._socket.close()
        self._manager._message_queue.put(None)  # wakes the others
        self._manager._event_queue.put(None)
        self._manager.message_thread.join(self._timeout_s)
        self._manager.event_dispatch_thread.join(self._timeout_s)
        self._manager._sock.close()

    @property
    def _where(self) -> str:
        return f"{self._host}:{self._port}"

    def _take_event(self, event: Any, _manager: object) -> None:
        with self._arrived:
            self._events.append(dict(event.headers))
            self._arrived.notify_all()

    def _within(self, work: Callable[[], T], doing: str) -> T:
        if self._lost is not None:
            raise self._lost
        answer: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

        def in_thread() -> None:
            try:
                answer.put((work(), None))
            except (pyst2.ManagerException, OSError, ValueError) as error:  # ValueError: closed while being written to
                answer.put((None, error))

        threading.Thread(target=in_thread, name="doctor-ami", daemon=True).start()
        try:
            value, error = answer.get(timeout=self._timeout_s)
        except queue.Empty:
            raise self._fail(f"{self._where} did not {doing} within {self._timeout_s:g} s") from None
        if error is not None:
            raise self._fail(f"{self._where}: {_words(error)}")
        return value  # type: ignore[return-value]  # what work() returned, None included

    def _fail(self, text: str) -> AmiLost:
        self._lost = AmiLost(text)
        return self._lost


def names_of(events: Iterable[Mapping[str, str]]) -> list[str]:
    """The events' names."""
    return [event.get("Event", "") for event in events]


_parse_message = pyst2.ManagerMsg


def _message(lines: list[str]) -> Any:
    """Parse a message without its ``ChanVariable`` headers."""
    return _parse_message([line for line in lines if not line.startswith("ChanVariable")])


def _words(error: Exception) -> str:
    """An error in words; pyst2's carry a number and a text, and it writes to connections that were closed under it."""
    text = error.args[1] if len(error.args) > 1 else str(error)
    return "Asterisk closed the connection" if isinstance(error, ValueError) or text == _CLOSED else str(text)
