"""The YAML on the page about look-ups loads as it stands, and its table of customers is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

from config import Config, load

PAGE: Final = (Path(__file__).parents[2] / "docs" / "lookups.md").read_text(encoding="utf-8")
_BLOCK: Final = re.compile(r"```yaml\n# (\S+\.yaml)\n(.*?)```", re.DOTALL)
_TABLE: Final = re.compile(r"```csv\n(.*?)```", re.DOTALL)

BESIDE: Final[dict[str, dict[str, Any]]] = {
    "acd.yaml": {},
    "routing.yaml": {
        "numbers": {"default": "main"},
        "queues": {"service": {"sticky": {"hold_s": "30"}}},
    },
    "agents.yaml": {"agents": {"anna": {"phone": "PJSIP/anna", "queues": ["service"]}}},
    "ivr/main.yaml": {"nodes": {"account": {"type": "pin", "prompt": "welcome", "next": "service"}}},
}


def merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}
    return above


def loaded(folder: Path) -> Config:
    """Load the page's blocks, laid over each other and over what belongs beside them."""
    files: dict[str, Any] = dict(BESIDE)
    for name, text in _BLOCK.findall(PAGE):
        files[name] = merged(files[name], yaml.load(text, yaml.BaseLoader))
    (folder / "ivr").mkdir()
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    (folder / "crm-token").write_text("a token\n")
    (folder / "crm-token").chmod(0o600)
    (folder / "own-authority.pem").write_text((Path(__file__).parents[1] / "tls" / "ca.pem").read_text())
    (table,) = _TABLE.findall(PAGE)
    (folder / "customers.csv").write_text(table, encoding="utf-8")
    return load(folder, {"ACD_AMI_PASSWORD": "secret"})


def test_everything_on_the_page_loads(tmp_path: Path) -> None:
    assert len(_BLOCK.findall(PAGE)) == PAGE.count("```yaml"), "each block names its file"
    config = loaded(tmp_path)
    assert config.secrets["crm-token"].get_secret_value() == "a token"
    assert sorted(config.routing.lookups) == ["account", "crm", "verify"]
    assert {row["name"]: number for number in config.customers.rows if (row := config.customers.find(number))} == {
        "Ms Wang": "+49302222222",
        "Mr Brown": "+49303333333",
    }
    told = [str(warning) for warning in config.warnings if "no call can come to node 'account'" not in str(warning)]
    assert told == []


def test_each_key_with_a_number_is_told_as_it_is(tmp_path: Path) -> None:
    """Bounds that the page tells are those of the models."""
    config = loaded(tmp_path)
    breaker, http = config.acd.http.breaker, config.acd.http
    for told, value in (
        (f"({breaker.failures} at first", breaker.failures),
        (f"for `open_s` ({breaker.open_s:g} s)", breaker.open_s),
        (f"`connections_per_host` requests ({http.connections_per_host})", http.connections_per_host),
        (f"`vip_points` ({config.routing.caller_lookup.vip_points})", config.routing.caller_lookup.vip_points),
    ):
        assert told in " ".join(PAGE.split()), value
