from __future__ import annotations

from pathlib import Path

import pytest

from acd.doctor.conf_files import read_conf, setting, settings


def read(tmp_path: Path, text: str, **others: str) -> dict[str, list[tuple[str, str]]]:
    for name, content in others.items():
        (tmp_path / f"{name}.conf").write_text(content)
    (tmp_path / "main.conf").write_text(text)
    return {name: list(values) for name, values in read_conf(tmp_path / "main.conf").items()}


def test_settings_by_section_with_both_signs(tmp_path: Path) -> None:
    text = "[general]\nenabled = yes\n\n[acd]\nread=>system,call\nwrite = call ; not all\n"
    assert read(tmp_path, text) == {
        "general": [("enabled", "yes")],
        "acd": [("read", "system,call"), ("write", "call")],
    }


def test_a_semicolon_may_be_meant(tmp_path: Path) -> None:
    assert read(tmp_path, "[a]\nsecret = ab\\;cd ;comment\n") == {"a": [("secret", "ab;cd")]}


def test_comments_over_several_lines(tmp_path: Path) -> None:
    assert read(tmp_path, "[a]\n;-- x = 1\ny = 2\n--;\nz = 3\n;----- a rule\nq = 4\n") == {
        "a": [("z", "3"), ("q", "4")]
    }


def test_templates_and_additions(tmp_path: Path) -> None:
    text = "[base](!)\nx = 1\n[a](base)\ny = 2\n[other]\n[a](+)\nz = 3\n"
    assert read(tmp_path, text)["a"] == [("x", "1"), ("y", "2"), ("z", "3")]


def test_the_last_setting_holds_and_case_does_not_matter(tmp_path: Path) -> None:
    sections = read(tmp_path, "[a]\nx = 1\nX = 2\n")
    assert settings(sections, "a", "x") == ["1", "2"]
    assert setting(sections, "a", "x") == "2"
    assert setting(sections, "a", "y") == ""


def test_includes_with_wildcards_go_on_in_the_open_section(tmp_path: Path) -> None:
    text = '[a]\n#include "one.conf"\n#tryinclude missing.conf\n#include <t*.conf>\nz = 3\n'
    assert read(tmp_path, text, one="x = 1\n", two="y = 2\n")["a"] == [("x", "1"), ("y", "2"), ("z", "3")]


def test_a_file_that_includes_itself_is_read_to_a_bound(tmp_path: Path) -> None:
    assert len(read(tmp_path, "[a]\nx = 1\n#include main.conf\n")["a"]) == 11


def test_a_name_of_the_shipped_event_filter(tmp_path: Path) -> None:
    assert read(tmp_path, "[a]\neventfilter(action(include),name(Hangup)) =\n")["a"] == [
        ("eventfilter(action(include),name(Hangup))", "")
    ]


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_conf(tmp_path / "none.conf")
