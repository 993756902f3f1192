"""A scripted Asterisk manager interface for what a real one can't be made to do on demand."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Mapping
from typing import Self

from acd.doctor.asterisk_checks import CHANNEL_MODULES, NEEDED_MODULES, USEFUL_MODULES
from acd.doctor.manager import ACTIONS_OF_ENGINE

Answer = Callable[[Mapping[str, str]], list[str]]
"""Makes the messages (each without its blank line) that answer an action; a message may be any text."""

GREETING = "Asterisk Call Manager/11.0.0\r\n"
SILENCE = "SILENCE"
"""In place of a message: say nothing more, but keep the connection."""
HANG_UP = "HANG UP"
"""In place of a message: close the connection."""


class FakeAmi:
    """Listens on loopback; ``values`` answers Getvar, ``actions`` all else. Use as a context manager."""

    def __init__(self) -> None:
        self.greeting = GREETING
        self.modules = {*NEEDED_MODULES, *USEFUL_MODULES, *CHANNEL_MODULES["PJSIP"], "func_module"}
        self.modules |= {"codec_ulaw", "codec_alaw", "res_pjsip_registrar"}
        self.values: dict[str, str] = {
            "DIALPLAN_EXISTS(acd-inbound,s,1)": "1",
            "DIALPLAN_EXISTS(acd-agents,*22,1)": "1",
            "DIALPLAN_EXISTS(acd-transfer,100,1)": "1",
            "DIALPLAN_EXISTS(acd-place,s,1)": "1",
            "QUEUE_EXISTS(acd-fallback)": "1",
            "PJSIP_ENDPOINT(anna,allow)": "(alaw|ulaw)",
            "DEVICE_STATE(PJSIP/anna)": "NOT_INUSE",
        }
        self.allowed = list(ACTIONS_OF_ENGINE)
        self.call_events = ["Newchannel", "Newchannel", "Hangup", "OriginateResponse", "Hangup"]
        self.version = "22.10.1"
        self.actions: dict[str, Answer] = {
            "Login": lambda _action: ["Response: Success\r\nMessage: Authentication accepted\r\n"],
            "Logoff": lambda _action: ["Response: Goodbye\r\n", HANG_UP],
            "Getvar": self._getvar,
            "Events": lambda _action: ["Response: Success\r\nEvents: On\r\n"],
            "CoreSettings": lambda _action: [f"Response: Success\r\nAsteriskVersion: {self.version}\r\n"],
            "Ping": lambda _action: ["Response: Success\r\nPing: Pong\r\n"],
            "ListCommands": self._list_commands,
            "Originate": self._originate,
        }
        self.received: list[Mapping[str, str]] = []
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                fake._serve(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(self.greeting.encode())
        message: dict[str, str] = {}
        for raw in handler.rfile:
            line = raw.decode().rstrip("\r\n")
            if line:
                name, _colon, value = line.partition(":")
                message[name] = value.strip()
            elif message:
                if not self._answer(handler, message):
                    return
                message = {}

    def _answer(self, handler: socketserver.StreamRequestHandler, action: Mapping[str, str]) -> bool:
        self.received.append(action)
        for text in self.actions[action["Action"]](action):
            if text is HANG_UP:
                return False
            if text is SILENCE:
                self._ended.wait()
                return False
            kind, rest = text.split("\r\n", 1)
            handler.wfile.write(f"{kind}\r\nActionID: {action['ActionID']}\r\n{rest}\r\n".encode())
        return True

    def _getvar(self, action: Mapping[str, str]) -> list[str]:
        expression = action["Variable"]
        value = self.values.get(expression, "")
        if expression.startswith("IFMODULE("):
            value = "1" if expression[9:].removesuffix(".so)") in self.modules else "0"
        return [f"Response: Success\r\nVariable: {expression}\r\nValue: {value}\r\n"]

    def _list_commands(self, _action: Mapping[str, str]) -> list[str]:
        lines = "".join(f"{name}: Does it.  (Priv: call,all)\r\n" for name in self.allowed)
        return [f"Response: Success\r\n{lines}"]

    def _originate(self, _action: Mapping[str, str]) -> list[str]:
        return ["Response: Success\r\nMessage: Originate successfully queued\r\n"] + [
            f"Event: {name}\r\nPrivilege: call,all\r\n" for name in self.call_events
        ]
