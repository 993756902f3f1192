"""Drawing a graph of menus as SVG: a panel for each tree, boxes with their ways on, lines, and a legend.

Everything that a configuration says is text here: it is escaped, cut to what fits, and shown in full when pointed at.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from acd.walker.graph import Exit, GraphNode, GraphTree, Mark, Shape
from acd.walker.graph_layout import Edge, Layout, Size, lay_out
from config.checks.references import Place

__all__ = ["svg_of"]

BOX_WIDTH = 250.0
PADDING = 10.0
HEAD_HEIGHT = 24.0
LINE_HEIGHT = 15.0
FONT_SIZE = 12.0
TEXT_LINES_MAX = 3
DETAIL_LINES_MAX = 3
PANEL_PADDING = 24.0
PANEL_TITLE_HEIGHT = 34.0
PANEL_GAP = 28.0
LEGEND_HEIGHT = 96.0
WIDTH_MIN = 900.0

COLOURS: Mapping[Shape, tuple[str, str]] = {
    Shape.ASKS: ("#1f5fa8", "#eaf2fb"),
    Shape.SAYS: ("#4f6b3a", "#f1f6ec"),
    Shape.DECIDES: ("#7a5195", "#f6eefa"),
    Shape.DOES: ("#6b6357", "#f6f3ee"),
    Shape.ENDS: ("#2b2f36", "#e6e8eb"),
    Shape.BROKEN: ("#b3261e", "#fdecea"),
}
MARK_COLOURS: Mapping[Mark, str] = {
    Mark.BROKEN: "#b3261e",
    Mark.UNREACHABLE: "#6e7781",
    Mark.DEAD_END: "#b3261e",
    Mark.MISSING_PROMPT: "#b35c00",
    Mark.MANY_CHOICES: "#8a6d00",
}

_STYLE = """
text { font-family: "DejaVu Sans", "Noto Sans CJK SC", "Noto Sans", Arial, sans-serif; font-size: 12px; fill: #1b1f24; }
.title { font-size: 16px; font-weight: bold; }
.name { font-weight: bold; fill: #ffffff; }
.type { fill: #ffffff; }
.said { fill: #424a53; font-style: italic; }
.ref { fill: #1f5fa8; }
.lost { fill: #b3261e; font-weight: bold; }
.badge { font-size: 11px; font-weight: bold; fill: #ffffff; }
.line { fill: none; stroke: #57606a; stroke-width: 1.4; }
"""

_ARROW = (
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    '<path d="M0,0 L8,4 L0,8 z" fill="#57606a"/></marker></defs>'
)


@dataclass(frozen=True, slots=True)
class _Box:
    """A node with its lines of text, top to bottom, and where each way on leaves."""

    node: GraphNode
    details: tuple[str, ...]
    said: tuple[str, ...]
    badges: tuple[Mark, ...]
    height: float
    ports: tuple[float, ...]


def svg_of(trees: Sequence[GraphTree]) -> str:
    """The picture as an SVG document."""
    anchors = {node.place: f"n{index}" for index, node in enumerate(node for tree in trees for node in tree.nodes)}
    panels = [_Panel(tree, anchors) for tree in trees]
    width = max((panel.width for panel in panels), default=0.0)
    width = max(width, WIDTH_MIN)
    height = LEGEND_HEIGHT + sum(panel.height + PANEL_GAP for panel in panels)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        _opening(width, height),
        "<title>Menus</title>",
        f"<style>{_STYLE}</style>",
        _ARROW,
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
        *_legend(),
    ]
    top = LEGEND_HEIGHT
    for panel in panels:
        parts += panel.draw(top, width)
        top += panel.height + PANEL_GAP
    return "\n".join((*parts, "</svg>", ""))


def _opening(width: float, height: float) -> str:
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'


class _Panel:
    """One tree: its boxes laid out."""

    def __init__(self, tree: GraphTree, anchors: Mapping[Place, str]) -> None:
        self._tree = tree
        self._anchors = anchors
        self._boxes = {node.place: _box(node) for node in tree.nodes}
        keys = {place: anchors[place] for place in self._boxes}
        self._edges = [
            (box.node.place, way, port)
            for box in self._boxes.values()
            for way, port in zip(box.node.exits, box.ports, strict=True)
        ]
        own = [(at, way, port) for at, way, port in self._edges if way.to in self._boxes]
        roots = [place for place in (tree.start, *tree.numbers) if place in self._boxes]
        self._layout: Layout = lay_out(
            {keys[place]: Size(BOX_WIDTH, box.height, HEAD_HEIGHT / 2) for place, box in self._boxes.items()},
            [Edge(keys[at], keys[way.to], port) for at, way, port in own if way.to is not None],
            [keys[place] for place in dict.fromkeys(roots)],
        )
        self._drawn = {
            (at, way.label): points for (at, way, _), points in zip(own, self._layout.lines, strict=True) if points
        }
        self.width = self._layout.width + 2 * PANEL_PADDING
        self.height = self._layout.height + PANEL_TITLE_HEIGHT + 2 * PANEL_PADDING

    def draw(self, top: float, width: float) -> Iterator[str]:
        """The panel, `top` below the picture's top."""
        yield (
            f'<rect x="4" y="{top:.1f}" width="{width - 8:.1f}" height="{self.height:.1f}" rx="8" '
            'fill="#fbfcfd" stroke="#d0d7de"/>'
        )
        yield _text(PANEL_PADDING, top + 26, f"tree {self._tree.name}", "title")
        left, start = PANEL_PADDING, top + PANEL_TITLE_HEIGHT + PANEL_PADDING
        yield f'<g transform="translate({left:.1f},{start:.1f})">'
        for points in self._drawn.values():
            yield f'<path class="line" marker-end="url(#tip)" d="{_curve(points)}"/>'
        for place, box in self._boxes.items():
            x, y = self._layout.places[self._anchors[place]]
            yield from self._draw_box(box, x, y)
        yield "</g>"

    def _draw_box(self, box: _Box, x: float, y: float) -> Iterator[str]:
        node = box.node
        dark, light = COLOURS[node.shape]
        faded = ' opacity="0.6"' if Mark.UNREACHABLE in node.marks else ""
        dashed = ' stroke-dasharray="5 3"' if Mark.UNREACHABLE in node.marks else ""
        radius = {Shape.ENDS: 14, Shape.ASKS: 6}.get(node.shape, 2)
        yield f'<g id="{self._anchors[node.place]}" transform="translate({x:.1f},{y:.1f})"{faded}>'
        yield f"<title>{_clean(_tooltip(node))}</title>"
        edge = MARK_COLOURS[box.badges[0]] if box.badges else dark
        thick = 2.5 if box.badges else 1.2
        yield (
            f'<rect width="{BOX_WIDTH:.0f}" height="{box.height:.1f}" rx="{radius}" fill="{light}" stroke="{edge}" '
            f'stroke-width="{thick}"{dashed}/>'
        )
        yield (
            f'<path d="M0,{HEAD_HEIGHT} v-{HEAD_HEIGHT - radius} a{radius},{radius} 0 0 1 {radius},-{radius} '
            f'h{BOX_WIDTH - 2 * radius} a{radius},{radius} 0 0 1 {radius},{radius} v{HEAD_HEIGHT - radius} z" '
            f'fill="{dark}"/>'
        )
        room = BOX_WIDTH - 3 * PADDING - _width(node.type)
        yield _text(PADDING, 16, _cut(node.place[1], room), "name")
        yield _text(BOX_WIDTH - PADDING, 16, node.type, "type", end=True)
        yield from self._draw_lines(box)
        for way, port in zip(node.exits, box.ports, strict=True):
            yield from self._draw_exit(node, way, port)
        yield "</g>"

    def _draw_lines(self, box: _Box) -> Iterator[str]:
        at = HEAD_HEIGHT + LINE_HEIGHT
        numbers = self._tree.numbers.get(box.node.place, ())
        if box.node.place == self._tree.start or numbers:
            said = "number " + ", ".join(numbers) if numbers else "start"
            yield _text(PADDING, -5, _cut(said, BOX_WIDTH - 2 * PADDING), "ref")
        for mark in box.badges:
            label = str(mark)
            yield (
                f'<rect x="{PADDING - 4}" y="{at - 11:.1f}" width="{_width(label) + 12:.1f}" height="14" rx="3" '
                f'fill="{MARK_COLOURS[mark]}"/>'
            )
            yield _text(PADDING, at, label, "badge")
            at += LINE_HEIGHT + 2
        for line in box.details:
            yield _text(PADDING, at, line, "")
            at += LINE_HEIGHT
        for line in box.said:
            yield _text(PADDING, at, line, "said")
            at += LINE_HEIGHT

    def _draw_exit(self, node: GraphNode, way: Exit, port: float) -> Iterator[str]:
        base = port + 4
        drawn = (node.place, way.label) in self._drawn
        yield f'<path d="M{PADDING},{port - 9:.1f} H{BOX_WIDTH - PADDING}" stroke="#d0d7de" stroke-width="0.7"/>'
        if drawn:
            yield _text(BOX_WIDTH - PADDING, base, _cut(way.label, BOX_WIDTH - 2 * PADDING), "", end=True)
            yield f'<circle cx="{BOX_WIDTH}" cy="{port:.1f}" r="2.5" fill="#57606a"/>'
            return
        label = _cut(way.label, BOX_WIDTH * 0.45)
        yield _text(PADDING, base, label, "")
        x = PADDING + _width(label) + 10
        room = BOX_WIDTH - x - PADDING
        if way.to is None or way.to not in self._anchors:
            yield _text(x, base, _cut(f"✗ {way.written}", room), "lost")
            return
        name = way.to[1] if way.to[0] == node.place[0] else ".".join(way.to)
        arrow = "↩" if way.to[0] == node.place[0] else "→"
        yield f'<a href="#{self._anchors[way.to]}">{_text(x, base, _cut(f"{arrow} {name}", room), "ref")}</a>'


def _box(node: GraphNode) -> _Box:
    room = BOX_WIDTH - 2 * PADDING
    details = tuple(_cut(detail, room) for detail in node.details[:DETAIL_LINES_MAX])
    said = tuple(_wrapped(" · ".join(node.texts), room, TEXT_LINES_MAX))
    badges = tuple(node.marks)
    at = HEAD_HEIGHT + 6 + len(badges) * (LINE_HEIGHT + 2) + (len(details) + len(said)) * LINE_HEIGHT
    ports = []
    for _ in node.exits:
        ports.append(at + 10)
        at += LINE_HEIGHT + 3
    return _Box(node, details, said, badges, at + 4, tuple(ports))


def _legend() -> Iterator[str]:
    x = PANEL_PADDING
    yield _text(x, 26, "Menus", "title")
    words = {
        Shape.ASKS: "asks for keys",
        Shape.SAYS: "says",
        Shape.DECIDES: "decides",
        Shape.DOES: "does something",
        Shape.ENDS: "leads out: queue, message, transfer, end",
        Shape.BROKEN: "cannot be used",
    }
    for shape, label in words.items():
        dark, light = COLOURS[shape]
        yield f'<rect x="{x:.1f}" y="38" width="22" height="13" rx="3" fill="{light}" stroke="{dark}"/>'
        yield f'<rect x="{x:.1f}" y="38" width="22" height="5" fill="{dark}"/>'
        yield _text(x + 28, 49, label, "")
        x += 28 + _width(label) + 22
    x = PANEL_PADDING
    for mark in Mark:
        label = str(mark)
        yield (
            f'<rect x="{x:.1f}" y="60" width="{_width(label) + 12:.1f}" height="15" rx="3" '
            f'fill="{MARK_COLOURS[mark]}"/>'
        )
        yield _text(x + 5, 71, label, "badge")
        x += _width(label) + 24
    yield _text(x, 71, "↩ name, → tree.name: goes on there (a link)   ✗: not there", "")


def _tooltip(node: GraphNode) -> str:
    lines = [f"{'.'.join(node.place)} ({node.type})", *node.details, *node.texts]
    lines += [f"{way.label}: {way.written}" for way in node.exits]
    lines += [f"{mark}: {why}" if why != mark else str(mark) for mark, why in node.marks.items()]
    return "\n".join(lines)


def _text(x: float, y: float, text: str, style: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}"{anchor}>{_clean(text)}</text>'


def _clean(text: str) -> str:
    """Escaped, and without the characters that XML does not allow."""
    kept = (
        char
        for char in text
        if char in "\t\n" or (char >= " " and unicodedata.category(char) not in ("Cc", "Cf", "Cs"))
    )
    return escape("".join(char for char in kept if char not in "\ufffe\uffff"))


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """A smooth line through points, level at each."""
    (x, y), *rest = points
    path = [f"M{x:.1f},{y:.1f}"]
    for to_x, to_y in rest:
        middle = (x + to_x) / 2
        path.append(f"C{middle:.1f},{y:.1f} {middle:.1f},{to_y:.1f} {to_x:.1f},{to_y:.1f}")
        x, y = to_x, to_y
    return " ".join(path)


def _width(text: str) -> float:
    """About how wide a text is: no font is at hand."""
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return (wide * 1.0 + (len(text) - wide) * 0.6) * FONT_SIZE


def _cut(text: str, room: float) -> str:
    text = " ".join(text.split())
    if _width(text) <= room:
        return text
    while text and _width(text) + FONT_SIZE > room:
        text = text[:-1]
    return text.rstrip() + "…"


def _wrapped(text: str, room: float, lines_max: int) -> Iterator[str]:
    """`text` in lines that fit; Chinese is broken anywhere, other scripts between words where there are any."""
    rest = " ".join(text.split())
    for line in range(lines_max):
        if not rest:
            return
        if line == lines_max - 1 or _width(rest) <= room:
            yield _cut(rest, room)
            return
        fits = next(length for length in range(len(rest), 0, -1) if length == 1 or _width(rest[:length]) <= room)
        space = rest.rfind(" ", 0, fits + 1)
        at = space if space > fits // 2 else fits
        yield rest[:at].rstrip()
        rest = rest[at:].lstrip()
