from __future__ import annotations

from bench.tables import table


def test_first_column_stands_left_the_others_right() -> None:
    assert table(("", "mean"), [("acd", "3.1"), ("app_queue", "360.0")]) == (
        "            mean\nacd          3.1\napp_queue  360.0"
    )


def test_a_table_without_rows_is_its_head() -> None:
    assert table(("what", "n"), []) == "what  n"
