"""The doctor on a real Asterisk: a sound set-up, and set-ups with one flaw each."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from acd.lab.fetch import ensure_asterisk
from acd.lab.pbx import Pbx
from acd.lab.render import Phone

pytestmark = pytest.mark.pbx

DEMO = Path(__file__).parents[2] / "config" / "examples" / "demo"
AGENTS = ("anna", "bob", "chen", "dora", "emil")


@pytest.fixture
async def pbx(tmp_path: Path) -> AsyncIterator[Pbx]:
    """An Asterisk that knows the demo's phones; those of the first three are there."""
    phones = [Phone(name, contact=f"sip:{name}@127.0.0.1:9") for name in AGENTS[:3]]
    phones += [Phone(name) for name in AGENTS[3:]]
    async with Pbx(ensure_asterisk(), tmp_path / "run", phones=phones, usual_ports=False) as started:
        yield started


async def doctor(pbx: Pbx, *arguments: str, **environment: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Runs `acd doctor`; the exit code, and by check the worst level with its text."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import sys; from acd.cli import main; sys.exit(main())"),
        *("doctor", "--json", "--config", str(DEMO), *arguments),
        env={**os.environ, **pbx.engine_env(), **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        output, _ = await process.communicate()
    order = ["ok", "unchecked", "warning", "fault"]
    worst: dict[str, tuple[str, str]] = {}
    report: dict[str, Any] = json.loads(output)
    for finding in report["findings"]:
        known = worst.get(finding["check"])
        if known is None or order.index(finding["level"]) > order.index(known[0]):
            worst[finding["check"]] = (finding["level"], finding["text"])
    return process.returncode or 0, worst


async def change_manager_conf(pbx: Pbx, *changes: tuple[str, str]) -> None:
    file = pbx.run_dir / "etc" / "manager.d" / "acd.conf"
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    await pbx.cli("manager reload")


async def test_the_lab_is_sound(pbx: Pbx) -> None:
    code, found = await doctor(pbx)
    assert code == 0
    assert {check: seen for check, seen in found.items() if seen[0] != "ok"} == {
        "engine": ("warning", f"the engine does not run (nobody listens on 127.0.0.1:{pbx.agi_port})"),
        "phones": ("warning", "not registered, so not reachable now: dora (PJSIP/dora), emil (PJSIP/emil)"),
    }
    assert "22" in found["version"][1] or pbx.install.major != 22


async def test_a_user_with_all_rights_and_all_events(pbx: Pbx) -> None:
    # Channel variables in events are what pyst2's reader breaks on.
    general = pbx.run_dir / "etc" / "manager.conf"
    general.write_text(general.read_text().replace("[general]", "[general]\nchannelvars = ACD_CALL,ACD_STATE", 1))
    await change_manager_conf(
        pbx, ("read = ", "read = all ;"), ("write = ", "write = all ;"), ("eventfilter(", ";"), ("= 5000", "= 100")
    )
    code, found = await doctor(pbx)
    assert code == 0
    for check in ("ami-rights", "events", "manager-conf"):
        assert found[check][0] == "warning", found[check]
    assert "Command" in found["ami-rights"][1]
    assert "NewCallerid" in found["events"][1]


async def test_a_user_without_originate(pbx: Pbx) -> None:
    await change_manager_conf(pbx, ("write = call,reporting,originate", "write = call,reporting"))
    code, found = await doctor(pbx)
    assert code == 1
    assert found["ami-rights"] == ("fault", "user 'acd' may not do: Originate")
    assert found["events"][0] == "unchecked"


async def test_a_user_who_may_only_look(pbx: Pbx) -> None:
    await change_manager_conf(pbx, ("write = call,reporting,originate", "write ="))
    code, found = await doctor(pbx)
    assert code == 1
    assert found["ami-rights"][0] == "fault"


async def test_an_event_filter_that_is_too_narrow(pbx: Pbx) -> None:
    await change_manager_conf(pbx, ("eventfilter(action(include),name(Hangup)) =", ""))
    code, found = await doctor(pbx)
    assert code == 1
    assert found["events"] == ("fault", "of a call to nowhere these events did not come: Hangup")


async def test_what_is_missing_in_asterisk(pbx: Pbx) -> None:
    await pbx.cli("module unload app_voicemail.so")
    await pbx.cli("dialplan remove context acd-inbound")
    await pbx.cli("dialplan set global ACD_ENGINE agi://127.0.0.1:1")
    code, found = await doctor(pbx)
    assert code == 1
    assert found["modules"] == ("warning", "app_voicemail is not loaded: without it there is no voicemail as fall-back")
    assert found["dialplan"][0] == "fault"


async def test_a_wrong_password(pbx: Pbx) -> None:
    secret = pbx.run_dir / "wrong"
    secret.touch(0o600)
    secret.write_text("wrong-secret")
    code, found = await doctor(pbx, ACD_AMI_PASSWORD_FILE=str(secret))
    assert code == 1
    assert found["ami"][0] == "fault"
    assert "Authentication failed" in found["ami"][1]


async def test_an_asterisk_that_does_not_run(pbx: Pbx) -> None:
    await pbx.kill()
    code, found = await doctor(pbx)
    assert code == 1
    assert found["ami"][0] == "fault"
    assert "Connection refused" in found["ami"][1]
