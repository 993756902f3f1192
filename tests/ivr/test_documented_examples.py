"""Each example of docs/menus.md is loaded as it stands and walked by the scripts given beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr.nodes import NODE_TYPES
from tests.ivr.documented import PAGE, Example, examples, run

EXAMPLES = tuple(examples(PAGE.read_text()))


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.title for example in EXAMPLES])
async def test_each_documented_example_does_what_is_written_beside_it(example: Example, tmp_path: Path) -> None:
    for number, script in enumerate(example.walks):
        await run(example, script, tmp_path / str(number))


@pytest.mark.parametrize("node_type", NODE_TYPES)
def test_each_node_type_has_an_example_under_its_own_heading(node_type: str) -> None:
    own = [example for example in EXAMPLES if example.title == f"`{node_type}`"]
    assert own, f"docs/menus.md has no section `{node_type}` with an example"
    assert any(f"type: {node_type}" in text for example in own for text in example.files.values())


async def test_an_example_that_is_not_so_is_found(tmp_path: Path) -> None:
    """The checker itself: what is heard, which steps are made and how it ends are really compared."""
    good = EXAMPLES[0]
    script = good.walks[0]
    for number, wrong in enumerate(
        (script.replace("= ", "= no"), script.replace("> ", "> no-", 1), script + "\n. nowhere next\n")
    ):
        with pytest.raises(AssertionError):
            await run(good, wrong, tmp_path / str(number))
