"""The ports that the process listens on, opened before anything else.

The kernel takes connections from then on, and they wait for the process: a caller who comes in again after a restart
is not refused (and would try again only a second later) while we still read our own code.
"""

from __future__ import annotations

import errno
import socket

from acd.service.errors import StartError

__all__ = ["listen"]

_BACKLOG = 1024


def listen(section: str, host: str, port: int) -> socket.socket:
    """Open a listening socket. ``section`` is the part of acd.yaml that names it, such as ``asterisk.fastagi``.

    Raises:
        StartError: the port is taken or the address is not ours; it tells which settings to change.
    """
    variable = f"ACD_{section.removeprefix('asterisk.').upper()}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            # Connections of the process before us linger in TIME_WAIT: they must not keep us from the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
            listener.setblocking(False)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            why = f"port {port} on {host} is taken by another program"
            remedy = f"end it, or change {section}.port in acd.yaml ({variable}_PORT)"
        else:
            why = f"{host}:{port} cannot be listened on: {error.strerror}"
            remedy = f"change {section}.host or {section}.port in acd.yaml ({variable}_HOST, {variable}_PORT)"
        raise StartError(f"{why}; {remedy}") from error
    return listener
