"""Every way to break a configuration: the exact messages, at the exact places, and nothing beside them.

The cases that change some text of the small sound site are in the text files of ``broken/``; those of whole files,
bytes and folders are here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

from config import ConfigErrors, load
from tests.config.cases import Case, read_cases
from tests.config.sites import AGENTS, CALENDARS, FILES, ROUTING, WAV, Changes, changed, write_site

BOMB: Final = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


CASES: Final = [case for path in sorted((Path(__file__).parent / "broken").glob("*.txt")) for case in read_cases(path)]


def found_in(folder: Path) -> list[str]:
    """Load a broken site and return all its messages, errors first, without the folder's own name."""
    with pytest.raises(ConfigErrors) as caught:
        load(folder, {})
    problems = [str(problem) for problem in (*caught.value.errors, *caught.value.warnings)]
    for line in problems:
        assert line.isprintable(), "a message must stay on one line"
        assert "hunter2" not in line
        assert "top-secret" not in line
    return [line.replace(f"{folder}/", "") for line in problems]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_changed_text(tmp_path: Path, case: Case) -> None:
    assert case.messages
    assert found_in(write_site(tmp_path, case.changes())) == case.messages


FILE_CASES: Final[dict[str, tuple[Changes, list[str]]]] = {
    "Latin-1": (
        {"agents.yaml": AGENTS.replace("Anna Li", "Jörg").encode("latin-1")},
        ["agents.yaml:3:12: byte 0xf6 is not UTF-8; save the file in the encoding UTF-8"],
    ),
    "UTF-16": (
        {"agents.yaml": AGENTS.encode("utf-16-le")},
        ["agents.yaml:1:2: control character U+0000 in the file; remove it"],
    ),
    "UTF-16 with its mark": (
        {"agents.yaml": AGENTS.encode("utf-16")},
        ["agents.yaml:1:1: byte 0xff is not UTF-8; save the file in the encoding UTF-8"],
    ),
    "NUL": (
        changed("agents.yaml", "Anna Li", "Anna\0Li"),
        ["agents.yaml:3:15: control character U+0000 in the file; remove it"],
    ),
    "too large": (
        {"agents.yaml": "#" * (4 * 1024 * 1024 + 1)},
        ["agents.yaml:1:1: the file is larger than 4194304 bytes; split or shorten it"],
    ),
    "brackets without end": (
        {"agents.yaml": "[" * 100_000},
        ["agents.yaml:1:31: nested more than 30 levels deep; is a bracket left open?"],
    ),
    "dashes without end": (
        {"agents.yaml": "- " * 100_000},
        ["agents.yaml:1:61: nested more than 30 levels deep; is a bracket left open?"],
    ),
    "alias bomb": (
        {"agents.yaml": BOMB},
        ["agents.yaml:1:24: more than 500000 values once aliases ('*name') are expanded"],
    ),
    "deep by aliases": (
        {"agents.yaml": "a: &a [x]\n" + "".join(f"n{i}: &n{i} [*{f'n{i - 1}' if i else 'a'}]\n" for i in range(40))},
        ["agents.yaml:1:8: nested more than 30 levels deep once aliases are expanded"],
    ),
    "missing file": (
        {"agents.yaml": None},
        ["agents.yaml:1:1: the file is missing; create it, or name the right folder (--config or ACD_CONFIG)"],
    ),
    "ending .yml": (
        {"agents.yaml": None, "agents.yml": AGENTS},
        [
            "agents.yaml:1:1: the file is missing; rename agents.yml to agents.yaml",
            "agents.yml:1:1: warning: this file is not read; did you mean agents.yaml?",
        ],
    ),
    "nearly the name": (
        {"agents.yaml": AGENTS.replace("start: ready", "start: now"), "agent.yaml": AGENTS},
        [
            "agents.yaml:7:12: unknown start 'now'; known: logged-out, not-ready, ready",
            "agent.yaml:1:1: warning: this file is not read; did you mean agents.yaml?",
        ],
    ),
    "empty file": ({"agents.yaml": ""}, ["agents.yaml:1:1: the file is empty; give the agents"]),
    "only comments": (
        {"routing.yaml": "# nothing yet\n---\n"},
        ["routing.yaml:1:1: the file is empty; give numbers and queues"],
    ),
    "no calendars.yaml": (
        {"calendars.yaml": None},
        ["routing.yaml:15:20: unknown calendar 'office'; define it under 'calendars' in calendars.yaml"],
    ),
    "a menu that asks a calendar, and no calendars.yaml": (
        {
            "calendars.yaml": None,
            "routing.yaml": ROUTING[: ROUTING.index("    opening_hours")],
            "ivr/other.yaml": "start: greet\nnodes:\n"
            "  greet: {type: hours, calendar: office, open: leave, closed: ask}\n"
            "  ask: {type: branch, default: leave, cases: [{when: {calendar: {name: bar, says: open}}, next: leave}]}\n"
            "  leave: {type: hangup}\n",
        },
        [
            "ivr/other.yaml:3:34: unknown calendar 'office'; define it under 'calendars' in calendars.yaml",
            "ivr/other.yaml:4:72: unknown calendar 'bar'; define it under 'calendars' in calendars.yaml",
        ],
    ),
    "calendars with the ending .yml": (
        {"calendars.yaml": None, "calendars.yml": CALENDARS},
        [
            "routing.yaml:15:20: unknown calendar 'office'; define it under 'calendars' in calendars.yaml",
            "calendars.yml:1:1: warning: this file is not read; did you mean calendars.yaml?",
        ],
    ),
    "empty calendars.yaml": (
        {"calendars.yaml": "# none yet\n"},
        ["calendars.yaml:1:1: the file is empty; give calendars, or remove it"],
    ),
    "calendars.yaml that leads nowhere": (
        {"calendars.yaml/x": "", "calendars.yaml": None},
        ["calendars.yaml:1:1: this is not a file; put one here"],
    ),
    "folder instead of a file": (
        {"agents.yaml": None, "agents.yaml/x": ""},
        ["agents.yaml:1:1: this is not a file; put one here"],
    ),
    "a list": (
        {"agents.yaml": "- anna\n- bob\n"},
        [
            (
                "agents.yaml:1:1: a list stands here; a mapping (key: value) belongs here; "
                "its keys: agents, not_ready_reasons"
            )
        ],
    ),
    "a list, of whose names others speak": (
        {"routing.yaml": "- numbers\n"},
        ["routing.yaml:1:1: a list stands here; a mapping (key: value) belongs here"],
    ),
    "a text": (
        {"acd.yaml": "hello\n"},
        ["acd.yaml:1:1: a text stands here; a mapping (key: value) belongs here"],
    ),
    "no numbers": (
        {"routing.yaml": ROUTING.replace('numbers:\n  "100": main\n  default: main\n', "")},
        ["routing.yaml:1:1: key 'numbers' is missing; add it, such as numbers: {\"100\": main, default: main}"],
    ),
    "no trees": (
        {"ivr/main.yaml": None, "ivr/other.yaml": None},
        ["ivr:1:1: there is no tree here; create one, such as main.yaml"],
    ),
    "tree with the ending .yml": (
        {"ivr/third.yml": "start: a\n"},
        ["ivr/third.yml:1:1: this file is not read; rename it to third.yaml"],
    ),
    "name of a tree": (
        {"ivr/my tree.yaml": "start: a\n"},
        ["ivr/my tree.yaml:1:1: the file's name names the tree: use letters, digits, '-' and '_', at most 40"],
    ),
    "no recording": (
        {"prompts/zh/choose.wav": None},
        ["ivr/main.yaml:8:16: recorded file prompts/zh/choose.wav is missing; put it there, or use 'text'"],
    ),
    "folder instead of a recording": (
        {"prompts/zh/choose.wav": None, "prompts/zh/choose.wav/x": ""},
        ["ivr/main.yaml:8:16: recorded file prompts/zh/choose.wav is a folder; put a file there, or use 'text'"],
    ),
    "recording of another name": (
        {"prompts/zh/choose.wav": None, "prompts/zh/coal.wav": b""},
        ["ivr/main.yaml:8:16: recorded file prompts/zh/choose.wav is missing; put it there, or use 'text'"],
    ),
    "recording of nearly the name": (
        {"prompts/zh/choose.wav": None, "prompts/zh/chose.wav": b""},
        ["ivr/main.yaml:8:16: recorded file prompts/zh/choose.wav is missing; did you mean 'chose.wav'?"],
    ),
    "empty recording": (
        {"prompts/zh/choose.wav": b""},
        ["ivr/main.yaml:8:16: recorded file prompts/zh/choose.wav is empty; record it again, or use 'text'"],
    ),
    "recording that is none": (
        {"prompts/zh/choose.wav": b"ID3\x04 this is an mp3 file"},
        [
            (
                "ivr/main.yaml:8:16: recorded file prompts/zh/choose.wav is not a WAV file but an MP3 file; "
                "convert it (sox, ffmpeg)"
            )
        ],
    ),
    "recording cut short": (
        {"prompts/zh/choose.wav": WAV[:-4]},
        [
            (
                "ivr/main.yaml:8:16: recorded file prompts/zh/choose.wav is truncated: 16 bytes of sound are "
                "announced, 12 are there; copy it anew"
            )
        ],
    ),
    "no password file": (
        {"ami-password": None},
        ["acd.yaml:4:20: password file ami-password: the file is missing; create it"],
    ),
    "empty password": (
        {"ami-password": "\n"},
        ["acd.yaml:4:20: the AMI password is empty; give the 'secret' of the user in manager.conf"],
    ),
    "password that injects a header": (
        {"ami-password": "top-secret\nAction: Originate\n"},
        ["acd.yaml:4:20: the AMI password has more than one line or control characters; give one line of text"],
    ),
    "password of bytes": (
        {"ami-password": b"\xff\xfe\x00"},
        ["acd.yaml:4:20: password file ami-password is not UTF-8 text; write the password alone into it"],
    ),
    "password of 2 kB": (
        {"ami-password": "top-secret" * 200},
        ["acd.yaml:4:20: password file ami-password: the file is larger than 1024 bytes; split or shorten it"],
    ),
}


@pytest.mark.parametrize(("changes", "expected"), FILE_CASES.values(), ids=FILE_CASES)
def test_changed_file(tmp_path: Path, changes: Changes, expected: list[str]) -> None:
    assert found_in(write_site(tmp_path, changes)) == expected


def test_no_folder(tmp_path: Path) -> None:
    expected = "nowhere:1:1: there is no such folder; name the configuration folder (--config or ACD_CONFIG)"
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path / "nowhere", {})
    assert str(caught.value) == f"{tmp_path}/{expected}"


def test_file_for_a_folder(tmp_path: Path) -> None:
    file = write_site(tmp_path) / "acd.yaml"
    with pytest.raises(ConfigErrors) as caught:
        load(file, {})
    assert str(caught.value) == f"{file}:1:1: this is a file; name the folder that holds acd.yaml"


def test_no_folder_of_trees(tmp_path: Path) -> None:
    write_site(tmp_path, {"ivr/main.yaml": None, "ivr/other.yaml": None})
    (tmp_path / "ivr").rmdir()
    assert found_in(tmp_path)[-1] == (
        "ivr:1:1: the folder is missing; create it with at least one tree, such as main.yaml"
    )


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    write_site(tmp_path, {"agents.yaml": None})
    os.mkfifo(tmp_path / "agents.yaml")
    assert found_in(tmp_path) == ["agents.yaml:1:1: this is not a file; put one here"]


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_site(tmp_path)
    real = Path.open

    def refuse(path: Path, *args: object, **kwargs: object) -> object:
        if path.name == "agents.yaml":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    assert found_in(tmp_path) == [
        "agents.yaml:1:1: the file cannot be read (permission denied); let the engine's user read it"
    ]


def test_every_error_in_one_go(tmp_path: Path) -> None:
    changes: Changes = {
        "acd.yaml": FILES["acd.yaml"].replace("8080", "port").replace("info", "loud"),
        "routing.yaml": ROUTING.replace("cards: 3", "crads: 3").replace("wrap_up: {seconds", "wrapup: {seconds"),
        "agents.yaml": AGENTS.replace("PJSIP/bob", "bob").replace("[cards, general]", "[card, general, saels]"),
        "ivr/main.yaml": FILES["ivr/main.yaml"].replace("queue: cards", "queue: car").replace("yes", "perhaps"),
        "ivr/other.yaml": "nodes: [\n",
    }
    assert [line.split(": ")[0] for line in found_in(write_site(tmp_path, changes))] == [
        "acd.yaml:6:13",
        "acd.yaml:8:10",
        "routing.yaml:12:16",
        "routing.yaml:14:5",
        "agents.yaml:5:14",
        "agents.yaml:5:29",
        "agents.yaml:9:12",
        "ivr/main.yaml:13:15",
        "ivr/main.yaml:26:12",
        "ivr/other.yaml:2:1",
    ]


def test_wrong_list_item_does_not_shift_the_others(tmp_path: Path) -> None:
    changes = changed("agents.yaml", "[cards, general]", "['a b', cards, 'c d', saels]")
    assert [line.split(";")[0] for line in found_in(write_site(tmp_path, changes))] == [
        "agents.yaml:5:14: 'a b' cannot be used here",
        "agents.yaml:5:28: 'c d' cannot be used here",
        "agents.yaml:5:35: unknown queue 'saels'",
    ]


def test_there_are_many_ways() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert len(names) + len(FILE_CASES) > 240


def test_the_site_is_sound_before_it_is_broken(tmp_path: Path) -> None:
    assert load(write_site(tmp_path), {}).warnings == ()


def test_str_is_one_line_per_error(tmp_path: Path) -> None:
    changes = changed("agents.yaml", "phone: PJSIP/bob", "phone: bob\n    start: now")
    with pytest.raises(ConfigErrors) as caught:
        load(write_site(tmp_path, changes), {})
    assert str(caught.value).splitlines() == [str(error) for error in caught.value.errors]
    assert len(caught.value.errors) == 2
