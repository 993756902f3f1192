"""A changed folder is taken whole or not at all; what it changes is said in plain words; the last change is undone."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from acd.core.transitions import AgentState, CallState
from acd.service.compile import compile_config
from acd.service.live_site import LiveSite
from acd.service.site_changes import changes_between, needing_restart
from acd.web.backend import ConfigurationRefused
from tests.service.fake_channel import dial_without_place
from tests.service.process import Site, run
from tests.service.sites import AGENTS, load_site, write_site


async def reload(site: Site, *, dry_run: bool = False) -> list[str]:
    answer = await site.parts.backend.reload(dry_run=dry_run)
    changes = answer["changes"]
    assert isinstance(changes, tuple)
    return [str(change) for change in changes]


async def test_a_change_is_shown_taken_and_taken_back(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site", start="not-ready")
    async with run(folder) as site:
        channel = await site.enter(extension="200")
        await channel.until("SET MUSIC")
        await site.until(lambda: site.call.state is CallState.WAITING)
        write_site(folder, start="ready", agents={**AGENTS, "chen": ["cards"]}, defaults={"ring_timeout_s": "7"})
        wanted = ["queue cards: ring time-out 2 s -> 7 s", "queue general: ring time-out 2 s -> 7 s"]
        shown = await reload(site, dry_run=True)
        assert [change for change in shown if change.startswith("queue")] == wanted
        assert "agent chen: new, serves cards" in shown
        assert "chen" not in site.parts.engine.agents
        assert await reload(site) == shown
        assert dial_without_place(await channel.until("EXEC Dial")) == 'EXEC Dial "PJSIP/chen,7,gim(default)"'
        assert await reload(site) == [], "taken already"
        undone = await site.parts.backend.undo_reload()
        assert undone["taken"]
        assert "chen" not in site.parts.engine.agents
        assert site.call.state is CallState.WAITING, "the ringing phone of an agent who is gone stops"
        with pytest.raises(ConfigurationRefused, match="no change to take back"):
            await site.parts.backend.undo_reload()


async def test_a_faulty_folder_changes_nothing(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site")
    async with run(folder) as site:
        (folder / "agents.yaml").write_text("agents: {anna: {phone: PJSIP/anna, queues: [nowhere]}}\n")
        with pytest.raises(ConfigurationRefused, match="nowhere") as refused:
            await site.parts.backend.reload(dry_run=False)
        assert refused.value.faults[0][0].endswith("agents.yaml")
        assert refused.value.faults[0][1] == 1
        assert set(site.parts.engine.agents) == {"anna", "bob"}
        assert b"acd_config_last_reload_successful 0.0" in metrics(site)
        write_site(folder)
        await site.parts.backend.reload(dry_run=False)
        assert b"acd_config_last_reload_successful 1.0" in metrics(site)


def metrics(site: Site) -> bytes:
    from prometheus_client import generate_latest

    return generate_latest(site.parts.metrics.registry)


async def test_an_agent_with_another_phone_is_rung_there(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site", agents={"anna": ["cards"]}, queues={"cards": {}, "general": {}})
    async with run(folder) as site:
        site.ami("DeviceStateChange", Device="PJSIP/anna", State="INUSE")
        agents = (folder / "agents.yaml").read_text().replace("PJSIP/anna", "PJSIP/desk7")
        (folder / "agents.yaml").write_text(agents)
        assert await reload(site) == ["agent anna: phone PJSIP/anna -> PJSIP/desk7"]
        channel = await site.enter(extension="200")
        assert (await channel.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/desk7,'), "the old phone's state is void"
        code = await site.dial_code("not-ready", "PJSIP/desk7-00000001")
        await code.closed()
        assert site.agent("anna") is AgentState.NOT_READY


async def test_numbers_and_menus_change_for_the_next_caller(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site")
    async with run(folder) as site:
        early = await site.enter("1.1", extension="100")
        await early.until("WAIT FOR DIGIT")
        routing = (folder / "routing.yaml").read_text().replace("'100': main", "'100': main.general")
        (folder / "routing.yaml").write_text(routing)
        tree = (folder / "ivr" / "main.yaml").read_text().replace("'1': cards", "'1': general")
        (folder / "ivr" / "main.yaml").write_text(tree)
        assert await reload(site) == ["number 100: main.menu -> main.general", "menu node main.menu: changed"]
        late = await site.enter("1.2", extension="100")
        await late.until("EXEC Dial")
        early.reply("200 result=49")  # the menu that the caller heard holds
        assert (await early.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/anna,')


async def test_whoever_chooses_a_queue_that_is_gone_begins_anew_in_the_menus_of_now(tmp_path: Path) -> None:
    folder = write_site(tmp_path / "site")
    async with run(folder) as site:
        early = await site.enter("1.1", extension="100")
        await early.until("WAIT FOR DIGIT")
        for name in ("routing.yaml", "agents.yaml", "ivr/main.yaml"):
            (folder / name).write_text((folder / name).read_text().replace("cards", "plastic"))
        assert "queue cards: gone; whoever waits in it is still served, new calls are refused" in await reload(site)
        early.reply("200 result=49")  # in the old menu, where it means the old queue
        await early.until("WAIT FOR DIGIT")
        early.reply("200 result=49")
        assert (await early.until("EXEC Dial")).startswith('EXEC Dial "PJSIP/anna,')
        assert site.call.queue is site.parts.engine.queues["plastic"]


def test_what_takes_a_restart_is_named_and_secrets_are_not_shown(tmp_path: Path) -> None:
    before = load_site(write_site(tmp_path / "a", acd={"state_dir": str(tmp_path)}))
    ami = before.acd.asterisk.ami.model_copy(update={"port": 1, "password": None})
    after = before.acd.model_copy(
        update={"asterisk": before.acd.asterisk.model_copy(update={"ami": ami}), "drain_timeout_s": 7.0}
    )
    assert needing_restart(before.acd, before.acd) == []
    port = before.acd.asterisk.ami.port
    assert needing_restart(before.acd, after) == [
        f"asterisk.ami.port {port} -> 1",
        "asterisk.ami.password changed",
        "drain_timeout_s 5.0 -> 7.0",
    ]


def test_prompts_and_trees_are_compared(tmp_path: Path) -> None:
    before = compile_config(load_site(write_site(tmp_path / "a")))
    folder = write_site(tmp_path / "b")
    tree = (folder / "ivr" / "main.yaml").read_text().replace("One or two?", "1 or 2?")
    (folder / "ivr" / "main.yaml").write_text(tree)
    (folder / "ivr" / "night.yaml").write_text("start: bye\nnodes: {bye: {type: hangup}}\n")
    after = compile_config(load_site(folder))
    assert changes_between(before, after) == ["menu night: new", "prompt choose (en): changed"]
    assert changes_between(after, before) == ["menu night: gone", "prompt choose (en): changed"]


@pytest.mark.parametrize("example", ["demo", "bank"])
def test_a_folder_that_is_read_again_has_no_changes(example: str) -> None:
    folder = Path(config.__file__).parent / "examples" / example
    once, again = (compile_config(load_site(folder)) for _ in range(2))
    assert changes_between(once, again) == []


def test_who_is_still_on_a_call_stays_known(tmp_path: Path) -> None:
    site = LiveSite(compile_config(load_site(write_site(tmp_path / "a"))))
    phones = site.phones
    after = compile_config(load_site(write_site(tmp_path / "b", agents={"bob": ["cards"], "chen": ["cards"]})))
    assert site.take(after, agents_left={"anna", "bob"}, queues_left=["cards", "general"]) == {"chen"}
    assert {name: phone.dial for name, phone in phones.items()} == {
        "anna": "PJSIP/anna",
        "bob": "PJSIP/bob",
        "chen": "PJSIP/chen",
    }
    assert site.take(after, agents_left={"bob", "chen"}, queues_left=["cards"]) == set()
    assert site.agents_by_phone == {"PJSIP/bob": "bob", "PJSIP/chen": "chen"}
