from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.cli import main
from acd.walker.graph import SHAPES, GraphNode, GraphTree, Mark, Shape, graph_of
from acd.walker.graph_layout import COLUMN_GAP, Edge, Size, lay_out
from acd.walker.graph_svg import svg_of
from config.loader import examine
from config.schema.ivr import Node
from config.schema.walk import models_of
from tests.walker.sites import write_site

SVG = "{http://www.w3.org/2000/svg}"
EXAMPLES = Path(__file__).parents[2] / "config" / "examples"

FAULTY = """\
start: hello
prompts:
  welcome: {en: {text: "Welcome."}}
  recorded: {en: {file: gone.wav}}
  english: {en: {text: "English."}, zh: {text: "中文"}}
nodes:
  hello: {type: play, prompt: [welcome, nothing, recorded], next: choose}
  choose:
    type: menu
    prompt: english
    choices: {"1": a, "2": bye, "3": bye, "4": bye, "5": bye, "6": chinese, "7": no-such}
    on_failure: bye
  chinese: {type: language, language: zh, next: more}
  more: {type: play, prompt: welcome, next: bye}
  a: {type: menu, prompt: english, choices: {"1": b}, on_failure: b, no_input: {retries: 0}}
  b: {type: menu, prompt: english, choices: {"1": a}, on_failure: a}
  lonely: {type: play, prompt: english, next: bye}
  broken: {type: play, prompt: welcome}
  bye: {type: hangup}
"""


def nodes_of(folder: Path) -> dict[str, GraphNode]:
    draft, _ = examine(folder, {})
    return {".".join(node.place): node for tree in graph_of(draft) for node in tree.nodes}


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    return write_site(
        tmp_path, {"ivr/main.yaml": FAULTY, "routing.yaml": 'numbers: {"100": main}\nqueues: {sales: {}}\n'}
    )


def test_what_is_to_be_looked_at_is_marked(faulty: Path) -> None:
    nodes = nodes_of(faulty)

    marks = {name.partition(".")[2]: set(node.marks) for name, node in nodes.items() if node.marks}
    assert marks == {
        "hello": {Mark.MISSING_PROMPT},
        "choose": {Mark.MANY_CHOICES, Mark.BROKEN},
        "more": {Mark.MISSING_PROMPT},
        "a": {Mark.DEAD_END},
        "b": {Mark.DEAD_END},
        "lonely": {Mark.UNREACHABLE},
        "broken": {Mark.BROKEN},
    }
    assert nodes["main.hello"].marks[Mark.MISSING_PROMPT] == "nothing, recorded (en)"
    assert nodes["main.more"].marks[Mark.MISSING_PROMPT] == "welcome (zh)"
    assert [(way.label, way.to) for way in nodes["main.choose"].exits] == [
        ("1", ("main", "a")),
        ("2, 3, 4, 5, failure", ("main", "bye")),
        ("6", ("main", "chinese")),
        ("7", None),
    ]


def test_the_command_draws_and_tells(faulty: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ivr", "graph", "--config", str(faulty), "-o", str(tmp_path / "menus.svg")]) == 0

    told = capsys.readouterr().err
    assert "main.a: dead end: no call comes from here" in told
    assert "main.lonely: unreachable" in told
    assert "main.hello: missing prompt: nothing, recorded (en)" in told
    assert "main.choose: more than 5 choices: 7 choices" in told
    texts = drawn((tmp_path / "menus.svg").read_text())
    for word in ("hello", "choose", "✗ no-such", "unreachable", "dead end", "missing prompt"):
        assert word in texts
    assert any(text.startswith("2, 3, 4") for text in texts)
    assert main(["ivr", "graph", "--config", str(faulty), "-o", str(tmp_path / "no" / "menus.svg")]) == 1
    assert main(["ivr", "graph", "--config", str(tmp_path / "nowhere")]) == 1


def drawn(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_the_examples_have_nothing_to_be_looked_at_but_many_choices(example: str) -> None:
    nodes = nodes_of(EXAMPLES / example)

    assert {mark for node in nodes.values() for mark in node.marks} <= {Mark.MANY_CHOICES}
    texts = drawn(svg_of(graph_of(examine(EXAMPLES / example, {})[0])))
    assert {name.partition(".")[2] for name in nodes} <= set(texts)


def test_every_node_type_has_a_shape() -> None:
    assert set(models_of(Node)) <= set(SHAPES)


HOSTILE = [
    "</text><script>alert(1)</script>",
    "a & b < c > \"d\" 'e'",
    "\x00\x1b[2J\ufffe\u202e",
    "]]>",
    "x" * 5000,
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_is_more_than_text(text: str) -> None:
    place = ("tree", text)
    node = GraphNode(
        place=place, type=text, shape=Shape.SAYS, details=(text,), texts=(text,), marks={Mark.BROKEN: text}
    )
    tree = GraphTree(name=text, start=place, nodes=(node,), numbers={place: (text,)})

    root = ET.fromstring(svg_of([tree]))

    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        *("svg", "title", "style", "defs", "marker", "path", "rect", "text", "g", "a", "circle")
    }
    assert "\u202e" not in "".join(root.itertext())


Graphs = st.integers(1, 12).flatmap(
    lambda count: st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)), max_size=40).map(
        lambda edges: (count, edges)
    )
)


@given(graph=Graphs)
@settings(max_examples=100, deadline=None)
def test_no_boxes_overlap_and_lines_lead_onward(graph: tuple[int, list[tuple[int, int]]]) -> None:
    count, pairs = graph
    sizes: Mapping[str, Size] = {f"n{index}": Size(100, 30 + 7 * (index % 3), 10) for index in range(count)}
    edges = [Edge(f"n{source}", f"n{target}", 15) for source, target in pairs]

    layout = lay_out(sizes, edges, ["n0"])

    boxes = [(*layout.places[name], size.width, size.height) for name, size in sizes.items()]
    for x, y, width, height in boxes:
        assert 0 <= x <= layout.width - width + 0.01
        assert -0.01 <= y <= layout.height - height + 0.01
    for one, other in itertools.combinations(boxes, 2):
        beside = one[0] >= other[0] + other[2] or other[0] >= one[0] + one[2]
        assert beside or one[1] >= other[1] + other[3] or other[1] >= one[1] + one[3]
    for edge, line in zip(edges, layout.lines, strict=True):
        if line:
            assert line[0][0] == layout.places[edge.source][0] + 100
            assert line[-1] == (layout.places[edge.target][0], layout.places[edge.target][1] + 10)
            assert all(before[0] <= after[0] for before, after in itertools.pairwise(line))


def test_every_box_but_the_first_ones_is_led_to_by_a_line() -> None:
    names = ["start", *(f"n{index}" for index in range(20))]
    edges = [Edge("start", name, 10) for name in names[1:]] + [Edge(name, "start", 10) for name in names[1:]]

    layout = lay_out({name: Size(100, 40, 10) for name in names}, edges, ["start"])

    assert [bool(line) for line in layout.lines] == [True] * 20 + [False] * 20
    assert {layout.places[name][0] for name in names[1:]} == {100 + COLUMN_GAP}


def test_a_large_site_is_drawn_in_no_time() -> None:
    count = 400
    edges = [Edge(f"n{index // 3}", f"n{index}", 10) for index in range(1, count)]

    layout = lay_out({f"n{index}": Size(250, 80, 10) for index in range(count)}, edges, ["n0"])

    assert len(layout.places) == count
