"""Stands in for the engine: answers ``/readyz`` on ACD_WEB_PORT; told by its argument how to misbehave.

``good``; ``dies`` (at once), ``late`` (is not ready before 0.5 s), ``ends`` (once ``/readyz`` has been asked for).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path


async def main(mode: str) -> int:
    print("engine here", mode, os.environ["ACD_FASTAGI_PORT"], flush=True)
    if mode == "dies":
        print("cannot go on", flush=True)
        return 3
    started = time.monotonic()
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(15, over.set)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        ready = mode != "late" or time.monotonic() - started > 0.5
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" if ready else b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        await writer.drain()
        writer.close()
        if mode == "ends":
            over.set()

    async with await asyncio.start_server(serve, os.environ["ACD_WEB_HOST"], int(os.environ["ACD_WEB_PORT"])):
        await over.wait()
    return 0


code = asyncio.run(main(sys.argv[1]))
Path(os.environ["ACD_STATE_DIR"], "ended").touch()
sys.exit(code)
