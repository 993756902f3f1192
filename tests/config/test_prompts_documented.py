"""The settings that docs/prompts.md shows are settings that can be used."""

from __future__ import annotations

from pathlib import Path

from config import load
from tests.config.sites import write_site

PAGE = Path(__file__).parents[2] / "docs" / "prompts.md"


def test_the_settings_shown_can_be_used(tmp_path: Path) -> None:
    shown = next(block for block in PAGE.read_text().split("```yaml\n")[1:] if "voices:" in block).split("```")[0]
    site = write_site(tmp_path)
    (site / "tts-key").write_text("s3cret")
    (site / "tts-key").chmod(0o600)
    (site / "acd.yaml").write_text((site / "acd.yaml").read_text() + shown)

    config = load(site, {})

    assert [voice.type for voice in config.acd.prompts.voices] == ["http", "command", "espeak-ng"]
    assert not [warning for warning in config.warnings if "prompts" in str(warning)]
