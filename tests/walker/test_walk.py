from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from acd.cli import main
from acd.walker.answers import AnswersError, read_answers
from acd.walker.callers import ScriptError, parse_script
from acd.walker.clock import VirtualClock
from acd.walker.terminal import printable
from acd.walker.zones import MomentError, beginning
from tests.walker.sites import write_site

Told = dict[str, Any]
ACD = (sys.executable, "-c", "from acd.cli import main; raise SystemExit(main())")
AT = "2026-11-23T10:00"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site")


def walked(capsys: pytest.CaptureFixture[str], site: Path, keys: str, *more: str, at: str = AT) -> list[Told]:
    assert main(["ivr", "walk", "--config", str(site), "--keys", keys, "--at", at, "--json", *more]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def ways(steps: Sequence[Told]) -> list[tuple[str, str, str]]:
    return [(step["node"].partition(".")[2], step["key"], step["outcome"]) for step in steps]


def test_each_step_is_one_object(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walked(capsys, site, "5,1", "--caller", "+861012345678")

    assert ways(steps) == [
        ("hello", "", "next"),
        ("choose", "5", "invalid"),
        ("choose", "1", "choice"),
        ("open", "", "open"),
        ("sales", "", "enqueue"),
    ]
    assert [step["step"] for step in steps] == [1, 2, 3, 4, 5]
    assert steps[0]["heard"] == ["Welcome."]
    assert steps[1]["heard"] == ["For sales, press one."]
    assert steps[-1]["end"]["kind"] == "enqueue"
    assert (steps[-1]["end"]["queue"], steps[-1]["end"]["data"]) == ("sales", {"topic": "sales"})
    assert not any("end" in step for step in steps[:-1])
    assert steps[0]["at"].startswith("2026-11-23T10:00:0")
    assert steps[0]["at"].endswith("+01:00")


def test_the_callers_language_is_heard(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walked(capsys, site, "9,1")

    assert [step["language"] for step in steps] == ["en", "en", "zh", "zh", "zh", "zh"]
    assert steps[3]["heard"] == ["销售请按一。"]


def test_time_outs_pass_virtually_and_silence_follows_the_script(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    steps = walked(capsys, site, "timeout")

    assert time.monotonic() - began < 5
    assert ways(steps)[1:3] == [("choose", "", "no-input"), ("choose", "", "no-input")]
    assert steps[-1]["end"] == {"kind": "hangup", "cause": "normal", "reason": "node"}
    assert datetime.fromisoformat(steps[-1]["at"]) >= datetime.fromisoformat(f"{AT}+01:00")
    seconds = (datetime.fromisoformat(steps[-1]["at"]) - datetime.fromisoformat(steps[0]["at"])).total_seconds()
    assert seconds >= 10, "two time-outs of five seconds"


def test_a_hang_up_ends_it(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walked(capsys, site, "hangup")

    assert ways(steps)[-1] == ("choose", "", "caller-gone")
    assert steps[-1]["end"] == {"kind": "caller-gone", "at": "main.choose"}


@pytest.mark.parametrize(
    ("at", "outcome"), [("2026-11-23T10:00", "open"), ("2026-11-22T10:00", "closed"), ("2026-11-23T10:00Z", "open")]
)
def test_calendars_go_by_the_time_that_was_chosen(
    site: Path, capsys: pytest.CaptureFixture[str], at: str, outcome: str
) -> None:
    steps = walked(capsys, site, "1", at=at)

    assert ("open", "", outcome) in ways(steps)


def test_digits_come_at_once_and_a_pin_is_never_told(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walked(capsys, site, "2,4711#,9753")

    collect, pin = steps[2], steps[3]
    assert (collect["key"].rstrip("#"), collect["data"]) == ("4711", {"account": "4711"})
    assert (pin["node"], pin["outcome"], pin["heard"]) == ("main.pin", "entered", ["Please enter your PIN."])
    assert "9753" not in json.dumps(steps)


def test_look_ups_answer_as_they_are_told(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text('balance: [timeout, {outcome: ok, values: {balance: "12.50"}}]\n')

    failed = walked(capsys, site, "2,4711#,9753", "--answers", str(answers))
    assert ("ask", "", "timeout") in ways(failed)
    answers.write_text('{"balance": {"outcome": "ok", "values": {"balance": "12.50"}}}')
    told = walked(capsys, site, "2,4711#,9753", "--answers", str(answers))

    assert ("ask", "", "ok") in ways(told)
    assert ["twelve euros and fifty cents"] in [step["heard"] for step in told]
    assert {"balance": "12.50"} in [step.get("data") for step in told]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("balnce: ok", "--answers: unknown look-up 'balnce'; did you mean 'balance'?"),
        ("balance: {values: {balnce: 1}}", "look-up 'balance' takes no value 'balnce' from its answer; did you mean"),
    ],
)
def test_answers_of_look_ups_that_are_none(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, told: str
) -> None:
    answers = tmp_path / "answers.yaml"
    answers.write_text(content)

    assert main(["ivr", "walk", "--config", str(site), "--keys", "1", "--answers", str(answers)]) == 2
    assert told in capsys.readouterr().err


def test_a_value_that_is_left_out_is_its_default(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    routing = site / "routing.yaml"
    routing.write_text(routing.read_text().replace("{balance: balance}", '{balance: {path: balance, default: "7"}}'))
    answers = tmp_path / "answers.yaml"
    answers.write_text("balance: ok")

    assert ["seven euros"] in [
        step["heard"] for step in walked(capsys, site, "2,4711#,9753", "--answers", str(answers))
    ]


def test_the_caller_s_number_in_one_way_of_writing_is_known(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    routing, tree = site / "routing.yaml", site / "ivr" / "main.yaml"
    routing.write_text(routing.read_text() + 'numbering: {country_code: "49"}\n')
    said = '{type: say, kind: digits, value: "{call.caller_number}", next: choose}'
    tree.write_text(tree.read_text().replace("{type: play, prompt: welcome, next: choose}", said))

    steps = walked(capsys, site, "hangup", "--caller", "030 123")

    assert steps[0]["heard"] == ["plus four nine three zero one two three"]


def test_real_look_ups_are_asked(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walked(capsys, site, "2,4711#,9753", "--real-lookups")

    (ask,) = [step for step in steps if step["node"] == "main.ask"]
    assert ask["outcome"] == "error", "nothing listens on that port"
    assert "--answers" not in str(ask["problems"])


def test_the_dialled_number_chooses_the_tree(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walked(capsys, site, "hangup", "--dialled", "200")

    assert ways(steps) == [("account", "", "caller-gone")]


def test_behind_a_queue_it_goes_on_if_wanted(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = walked(capsys, site, "1,hangup", "--talked")

    assert ways(steps)[-2:] == [("sales", "", "enqueue"), ("choose", "", "caller-gone")]
    assert [step["end"]["kind"] for step in steps if "end" in step] == ["enqueue", "caller-gone"]


def test_lines_for_people(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ivr", "walk", "--config", str(site), "--keys", "1", "--at", AT]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == '    "Welcome."'
    assert lines[1].endswith("main.hello (play): next -> main.choose")
    assert lines[3].endswith("main.choose (menu): key 1, choice -> main.open")
    assert lines[-1].startswith("end: enqueue (queue sales, ")


def test_wrong_usage(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--keys", "1,x"], ["--answers", str(tmp_path / "none")], ["--answers", "a", "--real-lookups"]):
        with pytest.raises(SystemExit) as ended:
            main(["ivr", "walk", "--config", str(site), *arguments])
        assert ended.value.code == 2
    assert main(["ivr", "walk", "--config", str(site), "--keys", "1", "--at", "soon"]) == 2
    assert main(["ivr", "walk", "--config", str(site), "--keys", "1", "--at", AT, "--zone", "Moon/Base"]) == 2
    assert main(["ivr", "walk", "--config", str(tmp_path / "nowhere"), "--keys", "1"]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_what_callers_send_cannot_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202e") == "a\N{REPLACEMENT CHARACTER}[2Jb\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("text", ["", "1", "1,2,timeout,9,hangup", "12345678#", "*,#,a"])
def test_scripts(text: str) -> None:
    assert ",".join(parse_script(text)) == (text.upper() if text == "*,#,a" else text)


@pytest.mark.parametrize("text", ["x", "1,,2", "12 3", "hang-up", "1" * 65])
def test_scripts_that_are_none(text: str) -> None:
    with pytest.raises(ScriptError):
        parse_script(text)


@pytest.mark.parametrize(
    "content", ["[1]", "a: soon", "a: []", "a: {status: x}", "a: {odd: 1}", "a: {values: {b: [1]}}", "{", "a: b: c"]
)
def test_answers_that_are_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "answers").write_text(content)
    with pytest.raises(AnswersError):
        read_answers(tmp_path / "answers")


def test_moments_and_zones() -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)

    assert beginning("", "", [], now).isoformat() == "2026-07-01T12:00:00+00:00"
    assert beginning("", "", ["Asia/Shanghai"], now).isoformat() == "2026-07-01T20:00:00+08:00"
    assert beginning(AT, "", ["Asia/Shanghai", "Asia/Shanghai"], now).isoformat() == "2026-11-23T10:00:00+08:00"
    assert beginning(AT, "", ["Asia/Shanghai", "UTC"], now).isoformat() == "2026-11-23T10:00:00+00:00"
    assert beginning(f"{AT}-05:00", "Europe/Berlin", [], now).isoformat() == "2026-11-23T16:00:00+01:00"
    with pytest.raises(MomentError):
        beginning("now", "", [], now)


def test_a_walk_through_the_night_of_a_clock_change() -> None:
    clock = VirtualClock(beginning("2026-10-25T02:59:50", "Europe/Berlin", [], datetime.now(UTC)))

    clock.advance(20)

    assert clock.local().isoformat() == "2026-10-25T02:00:10+01:00"


def test_a_person_at_a_terminal(site: Path) -> None:
    """Keys without Enter, unseen; Enter lets the time pass, h hangs up."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [*ACD, "ivr", "walk", "--config", str(site), "--at", AT],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        close_fds=True,
    )
    os.close(follower)
    shown = ""
    try:
        for key in ("9", "\n", "h"):
            asked = shown.count("hang up)?")
            deadline = time.monotonic() + 30
            while shown.count("hang up)?") == asked:
                assert select.select([leader], [], [], max(0.0, deadline - time.monotonic()))[0], shown
                shown += os.read(leader, 4096).decode(errors="replace")
            os.write(leader, key.encode())
        assert process.wait(30) == 0
        while select.select([leader], [], [], 0)[0]:
            try:
                shown += os.read(leader, 4096).decode(errors="replace")
            except OSError:
                break
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    assert "key 9, choice -> main.chinese" in shown
    assert "main.choose (menu): no-input" in shown
    assert "end: caller-gone" in shown


def test_keys_from_a_pipe(site: Path) -> None:
    done = subprocess.run(
        [*ACD, "ivr", "walk", "--config", str(site), "--at", AT],
        input=b"9\n\n",
        capture_output=True,
        timeout=60,
        check=True,
    )

    shown = done.stdout.decode()
    assert "key 9, choice -> main.chinese" in shown
    assert "main.choose (menu): no-input" in shown
    assert shown.splitlines()[-1].startswith("end: caller-gone"), "the end of the input is a hang-up"
