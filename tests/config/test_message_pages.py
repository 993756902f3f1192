"""The YAML on the pages about messages, surveys and follow-ups loads as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml

from config import Config, load

DOCS: Final = Path(__file__).parents[2] / "docs"
_BLOCK: Final = re.compile(r"```yaml\n# (\S+\.yaml)\n(.*?)```", re.DOTALL)

BESIDE: Final[dict[str, dict[str, Any]]] = {
    "acd.yaml": {
        "webhooks": {"sms": {"url": "https://sms.example/send"}},
        "mail": {"host": "localhost", "tls": "none", "sender": "acd@example.net"},
    },
    "routing.yaml": {"numbers": {"default": "main"}, "queues": {"cards": {}}},
    "agents.yaml": {"agents": {"anna": {"phone": "PJSIP/anna", "queues": ["cards"]}}},
    "ivr/main.yaml": {
        "start": "service",
        "prompts": {name: {"en": {"text": name}} for name in ("may-we-ask", "how-friendly")},
        "nodes": {
            "service": {"type": "enqueue", "queue": "cards", "next": "opinion"},
            "opinion": {"type": "survey", "questions": {"friendly": {"prompt": "how-friendly"}}},
        },
    },
}


def merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}
    return above


def loaded(folder: Path, page: str) -> Config:
    """Load a page's blocks, laid over each other and over what belongs beside them."""
    files: dict[str, Any] = dict(BESIDE)
    blocks = _BLOCK.findall((DOCS / f"{page}.md").read_text(encoding="utf-8"))
    assert blocks
    for name, text in blocks:
        files[name] = merged(files.get(name, {}), yaml.load(text, yaml.BaseLoader))
    (folder / "ivr").mkdir()
    for secret in ("mail-password", "crm-key"):
        (folder / secret).write_text("a secret\n")
        (folder / secret).chmod(0o600)
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return load(folder, {})


def test_follow_up(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "follow-up").follow_up
    assert [rule.event for rule in rules.values()] == ["abandoned", "survey"]


def test_messages(tmp_path: Path) -> None:
    config = loaded(tmp_path, "messages")
    assert config.acd.mail.sender_name == "Call centre"
    assert config.acd.webhooks["crm"].secret == "crm-key"
    assert config.secrets["crm-key"].get_secret_value() == "a secret"


def test_survey(tmp_path: Path) -> None:
    config = loaded(tmp_path, "survey")
    assert config.routing.queues["cards"].survey == "main.opinion"
    assert config.trees["main"].nodes["agreed"].type == "enqueue"
