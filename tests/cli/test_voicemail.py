from __future__ import annotations

import io

import pytest
from argon2 import PasswordHasher

from acd.cli import main


def test_the_hash_of_a_pin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("471147\n"))
    assert main(["voicemail", "pin"]) == 0
    made = capsys.readouterr().out.strip()
    assert PasswordHasher().verify(made, "471147")
    assert "471147" not in made


@pytest.mark.parametrize("pin", ["", "123", "12345678901234567", "12a4", "１２３４"])
def test_what_is_no_pin(pin: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{pin}\n"))
    assert main(["voicemail", "pin"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "4 to 16 digits" in captured.err


def test_two_that_are_not_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    typed = iter(["4711", "4712"])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    assert main(["voicemail", "pin"]) == 1
    assert "not the same" in capsys.readouterr().err


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["voicemail"])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err
