"""The container files, as far as they can be checked without a container engine."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from typing import Any

import pytest
import yaml

from tests.tools.loading import ROOT

ENGINE = (ROOT / "Dockerfile").read_text()
ASTERISK = (ROOT / "docker" / "asterisk" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())


def instructions(dockerfile: str, name: str) -> list[str]:
    joined = re.sub(r"\\\n\s*", " ", dockerfile)
    return [line.removeprefix(f"{name} ") for line in joined.splitlines() if line.startswith(f"{name} ")]


def sources(dockerfile: str) -> list[str]:
    copies = [words for line in instructions(dockerfile, "COPY") if "--from" not in (words := line.split())[0]]
    return [word for words in copies for word in words[:-1] if not word.startswith("--")]


def test_the_wheel_gets_all_its_parts() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = {source.rstrip("/") for source in sources(ENGINE)}
    assert {*wheel["packages"], *wheel["force-include"], "pyproject.toml", "README.md", "LICENSE"} <= copied


@pytest.mark.parametrize("dockerfile", [ENGINE, ASTERISK])
def test_what_is_copied_is_there_and_reaches_the_builder(dockerfile: str) -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources(dockerfile)
    for source in sources(dockerfile):
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in allowed, source


@pytest.mark.parametrize("dockerfile", [ENGINE, ASTERISK])
def test_nobody_is_root_and_signals_arrive(dockerfile: str) -> None:
    assert instructions(dockerfile, "USER")[-1] not in ("root", "0", "0:0")
    entrypoint = json.loads(instructions(dockerfile, "ENTRYPOINT")[-1])
    assert entrypoint[:2] == ["/usr/bin/tini", "--"]


@pytest.mark.parametrize("dockerfile", [ENGINE, ASTERISK])
def test_health_checks_need_no_shell(dockerfile: str) -> None:
    (check,) = instructions(dockerfile, "HEALTHCHECK")
    command = json.loads(check[check.index("CMD ") + 4 :])
    assert command[0].startswith("/")
    if "-c" in command:
        ast.parse(command[command.index("-c") + 1])


def test_compose_names_what_there_is() -> None:
    for service in COMPOSE["services"].values():
        build = service["build"]
        assert (ROOT / (build["dockerfile"] if isinstance(build, dict) else "Dockerfile")).exists()
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert (ROOT / source).is_dir() if source.startswith(".") else source in COMPOSE["volumes"]


def test_unencrypted_protocols_stay_on_loopback() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert COMPOSE["services"]["engine"]["network_mode"] == "service:asterisk"
    assert not [port for port in published if "5038" in port or "4573" in port]
    assert all(port.startswith("127.0.0.1:") for port in published if "8080" in port)


def test_the_entry_point_is_a_sound_shell_script() -> None:
    script = ROOT / "docker" / "asterisk" / "entrypoint.sh"
    subprocess.run(["sh", "-n", str(script)], check=True)
    assert script.stat().st_mode & 0o100
