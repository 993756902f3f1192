"""Finding rings in a graph: menus that lead into each other, queues that overflow into each other."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

__all__ = ["rings"]

P = TypeVar("P", bound=Hashable)
S = TypeVar("S")


def rings(places: Iterable[P], steps_from: Callable[[P], Iterable[tuple[P, S]]]) -> Iterator[list[S]]:
    """Yield rings of steps, no ring twice, and at least one if there is any; the last step closes it.

    ``steps_from`` gives the steps from a place, each with where it leads. Depth first without recursion: a ring may
    run through thousands of places.
    """
    done: set[P] = set()
    for start in places:
        if start in done:
            continue
        path: list[S] = []
        on_path: dict[P, int] = {start: 0}
        todo: list[tuple[P, Iterator[tuple[P, S]]]] = [(start, iter(steps_from(start)))]
        while todo:
            place, steps = todo[-1]
            found = next(steps, None)
            if found is None:
                todo.pop()
                done.add(place)
                del on_path[place]
                if path:
                    path.pop()
                continue
            to, step = found
            if to in on_path:
                yield [*path[on_path[to] :], step]
            elif to not in done:
                path.append(step)
                on_path[to] = len(path)
                todo.append((to, iter(steps_from(to))))
