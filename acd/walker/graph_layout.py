"""Layered layout of a directed graph, from left to right: which column, which order, which place.

After Sugiyama, Tagawa and Toda, "Methods for Visual Understanding of Hierarchical System Structures" (1981): edges that
close a ring are taken out, the others lead from column to column, the order in a column follows the neighbours', and
places follow the order. Menus are drawn for people, so edges that would run across the picture are not drawn as lines:
the layout says which are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["Edge", "Layout", "Size", "lay_out"]

COLUMN_GAP = 90.0
ROW_GAP = 26.0
LANE = 10.0
"""Height of the lane in which a line passes a column."""

SPAN_MAX = 2
"""Columns that a line may go; what leads farther is named at its beginning instead."""
LINES_IN_MAX = 5
"""Lines that lead to one box; the further ones are named at their beginning."""
SWEEPS = 8


@dataclass(frozen=True, slots=True)
class Size:
    """A box's size. Lines enter it `port_in` below its top."""

    width: float
    height: float
    port_in: float


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge that leaves its source `port_out` below the source's top."""

    source: str
    target: str
    port_out: float


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of boxes (left, top), and for each edge the points its line goes by; no points: not drawn as a line."""

    places: Mapping[str, tuple[float, float]]
    lines: tuple[tuple[tuple[float, float], ...], ...]
    width: float
    height: float


def lay_out(sizes: Mapping[str, Size], edges: Sequence[Edge], roots: Sequence[str]) -> Layout:
    """Lay out the boxes of `sizes`, those of `roots` in the first column.

    Edges may form rings, lead to their own source and come several times; both ends must be in `sizes`. Boxes that no
    edge from a root comes to begin columns of their own, below.
    """
    columns = _columns(sizes, edges, roots)
    drawn = _drawn(edges, columns)
    grid = _Grid(sizes, edges, columns, drawn)
    grid.order()
    return grid.layout()


def _columns(sizes: Mapping[str, Size], edges: Sequence[Edge], roots: Sequence[str]) -> dict[str, int]:
    """The column of each box: the longest way from a root, edges that close rings left out."""
    onward: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        onward[edge.source].append(edge.target)
    order: list[str] = []
    forward: dict[str, list[str]] = defaultdict(list)
    done: set[str] = set()
    for root in (*roots, *sizes):
        _descend(root, onward, done, order, forward)
    columns = dict.fromkeys(sizes, 0)
    for source in reversed(order):
        for target in forward[source]:
            columns[target] = max(columns[target], columns[source] + 1)
    return columns


def _descend(
    root: str, onward: Mapping[str, list[str]], done: set[str], order: list[str], forward: dict[str, list[str]]
) -> None:
    """Depth first from `root`: append the boxes to `order`, last first, and note the edges that close no ring."""
    if root in done:
        return
    way = {root}
    todo = [(root, iter(onward.get(root, ())))]
    done.add(root)
    while todo:
        source, targets = todo[-1]
        target = next(targets, None)
        if target is None:
            order.append(source)
            way.discard(source)
            todo.pop()
            continue
        if target not in way:
            forward[source].append(target)
        if target not in done:
            done.add(target)
            way.add(target)
            todo.append((target, iter(onward.get(target, ()))))


def _drawn(edges: Sequence[Edge], columns: Mapping[str, int]) -> list[bool]:
    """Which edges become lines: those that go onward and not far, and of many to one box the shortest ones."""
    into: dict[str, list[int]] = defaultdict(list)
    for index, edge in enumerate(edges):
        if columns[edge.target] > columns[edge.source]:
            into[edge.target].append(index)
    drawn = [False] * len(edges)
    for target, indices in into.items():
        by_span = sorted(indices, key=lambda index: columns[target] - columns[edges[index].source])
        for place, index in enumerate(by_span):
            near = columns[target] - columns[edges[index].source] <= SPAN_MAX
            drawn[index] = near and place < LINES_IN_MAX
    return drawn


class _Grid:
    """Columns of cells: boxes, and the lanes of lines that pass a column."""

    def __init__(
        self, sizes: Mapping[str, Size], edges: Sequence[Edge], columns: Mapping[str, int], drawn: Sequence[bool]
    ) -> None:
        self._edges = edges
        self._sizes = dict(sizes)
        self._cells: list[list[str]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
        self._chains: list[tuple[str, ...]] = []
        self._links: list[tuple[str, float, str]] = []
        """Neighbouring cells with the place in the left one where the link begins."""
        for name in sizes:
            self._cells[columns[name]].append(name)
        for index, edge in enumerate(edges):
            self._chains.append(self._chain(index, edge, columns) if drawn[index] else ())
        self._tops: dict[str, float] = {}

    def _chain(self, index: int, edge: Edge, columns: Mapping[str, int]) -> tuple[str, ...]:
        chain = [edge.source]
        for column in range(columns[edge.source] + 1, columns[edge.target]):
            lane = f"\0{index}\0{column}"
            self._sizes[lane] = Size(0.0, LANE, LANE / 2)
            self._cells[column].append(lane)
            chain.append(lane)
        chain.append(edge.target)
        for left, right in pairwise(chain):
            self._links.append((left, edge.port_out if left == edge.source else LANE / 2, right))
        return tuple(chain)

    def order(self) -> None:
        """Order each column by the mean height of what its cells are linked with, back and forth; then place."""
        left: dict[str, list[tuple[str, float]]] = defaultdict(list)
        right: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for source, port, target in self._links:
            left[target].append((source, port - self._sizes[target].port_in))
            right[source].append((target, self._sizes[target].port_in - port))
        for column in self._cells:
            self._stack(column, {})
        for _ in range(SWEEPS):
            for column in self._cells[1:]:
                column.sort(key=lambda cell: self._wish(cell, left))
                self._stack(column, left)
            for column in reversed(self._cells[:-1]):
                column.sort(key=lambda cell: self._wish(cell, right))
                self._stack(column, right)
        for column in self._cells[1:]:
            column.sort(key=lambda cell: self._wish(cell, left))
            self._stack(column, left)

    def _wish(self, cell: str, beside: Mapping[str, list[tuple[str, float]]]) -> float:
        """The top that `cell` would have if its lines were level; its present one if it has none on that side."""
        linked = beside.get(cell)
        if not linked:
            return self._tops.get(cell, 0.0)
        return sum(self._tops[other] + offset for other, offset in linked) / len(linked)

    def _stack(self, column: Sequence[str], beside: Mapping[str, list[tuple[str, float]]]) -> None:
        """Place a column's cells as near to their wishes as order and gaps allow (least squares: pool adjacent
        violators, Barlow et al. 1972)."""
        offsets: list[float] = []
        below = 0.0
        for cell in column:
            offsets.append(below)
            below += self._sizes[cell].height + ROW_GAP
        blocks: list[tuple[float, int]] = []
        for cell, offset in zip(column, offsets, strict=True):
            mean, count = self._wish(cell, beside) - offset, 1
            while blocks and blocks[-1][0] > mean:
                above, many = blocks.pop()
                mean = (above * many + mean * count) / (many + count)
                count += many
            blocks.append((mean, count))
        starts = [mean for mean, count in blocks for _ in range(count)]
        for cell, start, offset in zip(column, starts, offsets, strict=True):
            self._tops[cell] = start + offset

    def layout(self) -> Layout:
        """The result, moved to begin at 0, 0."""
        lefts: dict[str, float] = {}
        at = 0.0
        for column in self._cells:
            for cell in column:
                lefts[cell] = at
            at += max((self._sizes[cell].width for cell in column), default=0.0) + COLUMN_GAP
        shift = -min(self._tops.values(), default=0.0)
        boxes = [cell for column in self._cells for cell in column if not cell.startswith("\0")]
        tops = {cell: top + shift for cell, top in self._tops.items()}
        return Layout(
            places={cell: (lefts[cell], tops[cell]) for cell in boxes},
            lines=tuple(self._points(index, chain, lefts, tops) for index, chain in enumerate(self._chains)),
            width=max(0.0, at - COLUMN_GAP),
            height=max((tops[cell] + self._sizes[cell].height for cell in self._tops), default=0.0),
        )

    def _points(
        self, index: int, chain: Sequence[str], lefts: Mapping[str, float], tops: Mapping[str, float]
    ) -> tuple[tuple[float, float], ...]:
        if not chain:
            return ()
        source, *lanes, target = chain
        first = (lefts[source] + self._sizes[source].width, tops[source] + self._edges[index].port_out)
        widest = {
            lane: max(self._sizes[cell].width for cell in column)
            for column in self._cells
            for lane in lanes
            if lane in column
        }
        passing = [(lefts[lane] + across, tops[lane] + LANE / 2) for lane in lanes for across in (0.0, widest[lane])]
        return (first, *passing, (lefts[target], tops[target] + self._sizes[target].port_in))
