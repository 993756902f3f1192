"""A whole lab at once: the Asterisk, the agents' phones, and callers when they are wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from acd.lab.callers import RATE_PER_S, Call, Callers, CallPlan
from acd.lab.fetch import ensure_asterisk
from acd.lab.install import AsteriskInstall
from acd.lab.pbx import Pbx
from acd.lab.phones import Answer, Behaviour, Phones
from acd.lab.ports import Ports, choose_ports
from acd.lab.render import Phone


class Lab:
    """What ``open_lab`` gives."""

    def __init__(self, pbx: Pbx, phones: Phones, stack: AsyncExitStack) -> None:
        self.pbx = pbx
        self.phones = phones
        self._stack = stack

    async def place(self, plan: CallPlan) -> Call:
        """Starts one call; its INVITE has left when this returns. The call ends with the lab at the latest."""
        callers = await self.place_all([plan])
        call = callers.calls[0]
        await call.wait_for(lambda message: message.is_request("INVITE"))
        return call

    async def place_all(self, plans: Sequence[CallPlan], *, rate_per_s: float = RATE_PER_S) -> Callers:
        """Starts calls one after the other at ``rate_per_s``. They end with the lab at the latest."""
        callers = Callers(
            self.pbx.install.sipp, self.pbx.sip_port, plans, rate_per_s=rate_per_s, host=self.pbx.sip_host
        )
        await self._stack.enter_async_context(callers)
        return callers


@asynccontextmanager
async def open_lab(
    run_dir: Path,
    names: Sequence[str] = (),
    *,
    install: AsteriskInstall | None = None,
    behaviour: Behaviour = Answer(),
    other_phones: Sequence[Phone] = (),
    outside: Sequence[str] = (),
    ports: Ports | None = None,
    dialplan_globals: Mapping[str, str] | None = None,
    verbose: int = 0,
) -> AsyncIterator[Lab]:
    """Starts an Asterisk in ``run_dir`` and SIPp phones called ``names``; stops all of it, callers first.

    The ports are other than the usual ones, so that labs can run side by side. ``other_phones`` are known to Asterisk
    without a SIPp behind them (not registered: unreachable). ``outside`` are numbers of the world outside that are
    answered by the phones' SIPp: dial them by any of the phones, as ``PJSIP/+4930123@anna``.
    """
    if install is None:
        install = await asyncio.to_thread(ensure_asterisk)
    if ports is None:
        ports = await asyncio.to_thread(choose_ports, usual=False)
    phones = Phones(install.sipp, [*names, *outside], ports.sip, behaviour=behaviour)
    known = [*(Phone(name, contact=phones.contact(name)) for name in names), *other_phones]
    pbx = Pbx(install, run_dir, phones=known, ports=ports, dialplan_globals=dialplan_globals, verbose=verbose)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(pbx)
        await stack.enter_async_context(phones)
        yield Lab(pbx, phones, stack)
