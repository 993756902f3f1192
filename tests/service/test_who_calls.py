"""Who calls, through the whole process but Asterisk: before the first menu, in the queue, and after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote

from acd.core.transitions import CallState
from tests.service.fake_channel import FakeChannel
from tests.service.lookups.other_side import OtherSide, other_side
from tests.service.process import Site, run
from tests.service.sites import write_site

WANG = "+493022222222"
KNOWN = {"name": "Ms Wang", "language": "zh", "vip": 2, "agent": "bob", "matter": "loan 17"}


@asynccontextmanager
async def site_with(
    folder: Path, *, path: str = "/customer", timeout_s: str = "5"
) -> AsyncIterator[tuple[Site, OtherSide]]:
    async with other_side() as side:
        side.customers[WANG] = KNOWN
        answer = {name: {"path": name, "default": ""} for name in KNOWN}
        write_site(
            folder,
            acd={"http": {"allow_private": ["127.0.0.1"]}},
            queues={"cards": {"sticky": {"hold_s": "60"}}, "general": {}},
            routing={
                "customers": {"030 11111111": {"name": "Mr Li", "language": "zh", "vip": "1", "priority": "5"}},
                "numbering": {"country_code": "49"},
                "lookups": {
                    "crm": {"url": side.url(path), "query": {"number": "{call.caller_number}"}, "answer": answer}
                },
                "caller_lookup": {"lookup": "crm", "timeout_s": timeout_s},
            },
        )
        async with run(folder) as site:
            await site.parts.lookups.open()
            try:
                yield site, side
            finally:
                await site.parts.lookups.close()


async def in_queue(site: Site, number: str) -> FakeChannel:
    channel = await site.enter(extension="200", callerid=number)
    await channel.until("EXEC Dial")
    return channel


async def test_one_who_is_at_hand_costs_nothing(tmp_path: Path) -> None:
    async with site_with(tmp_path / "site") as (site, side):
        channel = await in_queue(site, "+493011111111")
        assert side.seen == []
        assert not [command for command in channel.commands if "Ringing" in command]
        assert site.call.extra_priority == 15
        assert site.call.customer == "Mr Li"
        assert 'SET VARIABLE "CHANNEL(language)" zh' in channel.commands


async def test_the_look_up_gives_language_points_and_agent(tmp_path: Path) -> None:
    async with site_with(tmp_path / "site") as (site, side):
        channel = await in_queue(site, "030 22222222")
        assert [seen.path for seen in side.seen] == ["/customer?number=%2B493022222222"]
        assert channel.commands[-1].startswith('EXEC Dial "PJSIP/bob,')
        assert (site.call.extra_priority, site.call.customer, site.call.language) == (20, WANG, "zh")
        assert "k.name=Ms+Wang" in unquote(channel.variables["ACD_STATE"])
        story = site.parts.backend.explain_call(site.call.id)
        assert story is not None
        assert f"customer {WANG}, known by lookup" in str(story["story"])


async def test_after_a_restart_it_is_not_asked_again(tmp_path: Path) -> None:
    async with site_with(tmp_path / "site") as (site, side):
        before = await in_queue(site, WANG)
        state, call_id = before.variables["ACD_STATE"], site.call.id
        await before.close()
        await site.until(lambda: not site.parts.engine.calls)
        after = FakeChannel.enter(site.port, call_id=call_id, callerid=WANG, extension="200")
        channel = site._keep(await after)
        channel.variables["ACD_STATE"] = state
        assert (await channel.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/bob,')
        assert (site.call.extra_priority, site.call.customer) == (20, WANG)
        assert len(side.seen) == 1


async def test_a_source_that_hangs_leaves_a_stranger_who_heard_ringing(tmp_path: Path) -> None:
    async with site_with(tmp_path / "site", path="/hangs", timeout_s="0.5") as (site, side):
        channel = await site.enter(extension="200", callerid=WANG)
        assert (await channel.next_command()).startswith("EXEC Ringing")
        channel.reply("200 result=0")
        await channel.until("EXEC Dial")
        assert (site.call.extra_priority, site.call.customer) == (0, WANG)
        assert "not known; the look-up: timeout" in str(site.parts.backend.explain_call(site.call.id))
        await asyncio.wait_for(side.gone.wait(), 5)


async def test_who_gives_up_meanwhile_leaves_nothing(tmp_path: Path) -> None:
    async with site_with(tmp_path / "site", path="/hangs", timeout_s="10") as (site, side):
        channel = await site.enter(extension="200", callerid=WANG)
        await channel.until("EXEC Ringing")
        channel.reply("200 result=0")
        assert site.call.state is CallState.MENU
        channel.hang_up()
        await site.until(lambda: not site.parts.engine.calls)
        await asyncio.wait_for(side.gone.wait(), 5)
        await channel.closed()
