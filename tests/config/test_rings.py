"""Rings in any graph: each one found is a ring, and one is found wherever there is any."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from config.checks.rings import rings

graphs = st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=4), max_size=8)


def found_in(graph: dict[int, list[int]]) -> list[list[tuple[int, int]]]:
    return list(rings(graph, lambda place: [(to, (place, to)) for to in graph.get(place, [])]))


def has_ring(graph: dict[int, list[int]]) -> bool:
    """Take away places that lead nowhere until none is left, or only such as lead to each other."""
    left = dict(graph)
    while True:
        ends = [place for place, to in left.items() if not any(other in left for other in to)]
        if not ends:
            return bool(left)
        for place in ends:
            del left[place]


@given(graphs)
def test_rings(graph: dict[int, list[int]]) -> None:
    found = found_in(graph)
    for ring in found:
        for (_, to), (start, _) in zip(ring, [*ring[1:], ring[0]], strict=True):
            assert to == start, "each step starts where the one before it ends, the first one where the last one does"
        assert all(to in graph[start] for start, to in ring)
        assert len({start for start, _ in ring}) == len(ring), "no place twice"
    assert bool(found) == has_ring(graph)


def test_thousands_of_places() -> None:
    graph = {place: [(place + 1) % 5000] for place in range(5000)}
    assert [len(ring) for ring in found_in(graph)] == [5000]
