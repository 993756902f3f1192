"""Indexes of idle agents: who is next, without a look at anyone else.

One index serves one demand (a queue and a requirement) and holds every idle agent who meets it. An agent who stops
being idle is not taken out: the entry is void because the agent's ``idle_stamp`` moved on, and is dropped when it
comes up. So reserving an agent costs the same however many indexes list it. Void entries that do not come up are swept
out a few at a time, so that they never outnumber the live ones for long and no event pays for all of them.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from math import frexp
from typing import Protocol

from sortedcontainers import SortedList

from routing.candidate import Candidate

__all__ = ["Bag", "IdleOrder", "KeyedOrder", "OrderValue", "Ring", "RingCursor", "Uniform"]

_SWEPT_AT_ONCE = 64
"""Entries looked at by one sweep, which comes when half as many have been added: small indexes are left alone."""


_FRONT = 3
"""So many of the order are kept with a decision."""

OrderValue = float | tuple[float, ...]
"""What agents are ordered by, smallest first."""

_Entry = tuple[OrderValue, int, int, Candidate]
"""(key, the agent's index, the stamp under which it was idle, agent)."""


class Uniform(Protocol):
    """The one thing wanted of a random generator: a float in [0, 1)."""

    def random(self) -> float:
        """Return the next float, 0 <= x < 1."""


class IdleOrder(Protocol):
    """Idle agents of one demand, in a strategy's order."""

    def add(self, agent: Candidate) -> None:
        """Note that the agent is idle under its present stamp."""

    def first(self) -> Candidate | None:
        """Return the agent to be offered the next call, or None when nobody is idle. Takes nobody out."""

    def ordered(self) -> Iterable[Candidate]:
        """Return all idle agents in order, or go over them (for ring-all, which wants the first of them)."""

    def front(self) -> list[tuple[Candidate, OrderValue]]:
        """Return who stands first and, as far as that costs nothing, who stands next, with what they are ordered by.

        For explaining a decision; empty where the order is drawn.
        """


class KeyedOrder:
    """Smallest key first; ties by the agent's index. The key must not change while the agent is idle.

    A plain sorted list: most who become idle were busy until now and come last, and void entries in front of the first
    idle agent, of which there may be dozens at once, are dropped in one go.
    """

    __slots__ = ("_key", "_sorted", "_sweep_at", "_swept")

    def __init__(self, key: Callable[[Candidate], OrderValue]) -> None:
        self._key = key
        self._sorted: list[_Entry] = []
        self._sweep_at = _SWEPT_AT_ONCE // 2
        self._swept = 0
        """Where the sweep, which goes round and round, goes on."""

    def add(self, agent: Candidate) -> None:
        """Note that the agent is idle."""
        entries = self._sorted
        entry = (self._key(agent), agent.index, agent.idle_stamp, agent)
        if not entries or entries[-1] < entry:
            entries.append(entry)
        else:
            insort(entries, entry)
        if len(entries) > self._sweep_at:
            self._sweep()

    def first(self) -> Candidate | None:
        """Return the idle agent with the smallest key."""
        entries = self._sorted
        for passed, (_, _, stamp, agent) in enumerate(entries):
            if agent.idle_stamp == stamp:
                if passed:
                    del entries[:passed]
                return agent
        entries.clear()
        return None

    def ordered(self) -> Iterator[Candidate]:
        """Go over the idle agents, smallest key first."""
        self.first()  # the void ones in front are gone then
        return (agent for _, _, stamp, agent in self._sorted if agent.idle_stamp == stamp)

    def front(self) -> list[tuple[Candidate, OrderValue]]:
        """Return the first ones, with their keys."""
        front = [(agent, key) for key, _, stamp, agent in self._sorted[: 2 * _FRONT] if agent.idle_stamp == stamp]
        return front[:_FRONT]

    def _sweep(self) -> None:
        """Drop the void ones of a stretch of entries, twice as many as were added since the last sweep."""
        entries, start = self._sorted, self._swept
        end = start + _SWEPT_AT_ONCE
        live = [entry for entry in entries[start:end] if entry[3].idle_stamp == entry[2]]
        self._swept = start + len(live) if end < len(entries) else 0
        entries[start:end] = live
        self._sweep_at = len(entries) + _SWEPT_AT_ONCE // 2


class RingCursor:
    """Where a queue's circular hunt stands: the place of the agent offered last; shared by its demands."""

    __slots__ = ("place",)

    def __init__(self) -> None:
        self.place: tuple[int, int] = (-1, -1)


class Ring:
    """The first idle agent after the cursor, in hunt order, round and round."""

    __slots__ = ("_cursor", "_place_of", "_places", "_stamps")

    def __init__(self, cursor: RingCursor, place_of: Callable[[Candidate], int]) -> None:
        self._cursor = cursor
        self._place_of = place_of
        self._places: SortedList = SortedList()
        self._stamps: dict[tuple[int, int], tuple[int, Candidate]] = {}

    def add(self, agent: Candidate) -> None:
        """Note that the agent is idle."""
        place = (self._place_of(agent), agent.index)
        if place not in self._stamps:
            self._places.add(place)
        self._stamps[place] = (agent.idle_stamp, agent)

    def first(self) -> Candidate | None:
        """Return the next idle agent after the cursor."""
        places = self._places
        while places:
            at = places.bisect_right(self._cursor.place)
            place = places[at if at < len(places) else 0]
            stamp, agent = self._stamps[place]
            if agent.idle_stamp == stamp:
                return agent
            places.remove(place)
            del self._stamps[place]
        return None

    def ordered(self) -> list[Candidate]:
        """Return all idle agents, beginning after the cursor."""
        at = self._places.bisect_right(self._cursor.place)
        entries = (self._stamps[place] for place in (*self._places[at:], *self._places[:at]))
        return [agent for stamp, agent in entries if agent.idle_stamp == stamp]

    def front(self) -> list[tuple[Candidate, OrderValue]]:
        """Return the next ones in the round, with their places."""
        places = self._places
        found: list[tuple[Candidate, OrderValue]] = []
        at = places.bisect_right(self._cursor.place)
        for step in range(min(len(places), 2 * _FRONT)):
            place = places[(at + step) % len(places)]
            stamp, agent = self._stamps[place]
            if agent.idle_stamp == stamp:
                found.append((agent, float(place[0])))
        return found[:_FRONT]


class Bag:
    """Any idle agent, each with a chance in proportion to its weight: exact, whatever the weights are.

    Agents whose weights lie between the same two powers of two share a drawer. A drawer is drawn by the most that its
    agents could weigh together, then an agent of it, all alike, who is taken with the chance of the own weight over the
    drawer's upper bound, at least one half; else all is drawn again (rejection sampling). So one heavy agent, idle or
    not, does not make the others' draws long.
    """

    __slots__ = ("_drawers", "_places", "_rng", "_weight_of")

    def __init__(self, rng: Uniform, weight_of: Callable[[Candidate], float] | None = None) -> None:
        self._rng = rng
        self._weight_of = weight_of
        self._drawers: dict[int, list[tuple[int, Candidate]]] = {}
        """Power of two above the weights to (stamp, agent) in no promised order."""
        self._places: dict[int, tuple[int, int]] = {}
        """Agent's index to drawer and place in it."""

    def add(self, agent: Candidate) -> None:
        """Note that the agent is idle."""
        at = self._places.get(agent.index)
        if at is not None:
            self._drop(*at)
        power = 0 if self._weight_of is None else frexp(self._weight_of(agent))[1]
        drawer = self._drawers.setdefault(power, [])
        self._places[agent.index] = (power, len(drawer))
        drawer.append((agent.idle_stamp, agent))

    def first(self) -> Candidate | None:
        """Draw an idle agent. Draws anew at each call: ask once per offer."""
        while self._drawers:
            power, place = self._draw()
            stamp, agent = self._drawers[power][place]
            if agent.idle_stamp != stamp:
                self._drop(power, place)
            elif self._weight_of is None or self._rng.random() * 2.0**power < self._weight_of(agent):
                return agent
        return None

    def ordered(self) -> list[Candidate]:
        """Return all idle agents in a drawn order (weighted: by exponential clocks, Efraimidis and Spirakis 2006)."""
        live = [agent for drawer in self._drawers.values() for stamp, agent in drawer if agent.idle_stamp == stamp]
        weight_of = self._weight_of
        draws = [
            (self._rng.random() ** (1.0 / (weight_of(agent) if weight_of else 1.0)), agent.index, agent)
            for agent in sorted(live, key=lambda agent: agent.index)
        ]
        return [agent for _, _, agent in sorted(draws, key=lambda draw: (-draw[0], draw[1]))]

    def front(self) -> list[tuple[Candidate, OrderValue]]:
        """Return nothing: there is no order but the draw."""
        return []

    def _draw(self) -> tuple[int, int]:
        """Draw a drawer and a place in it."""
        drawers = self._drawers
        if len(drawers) == 1:
            power, drawer = next(iter(drawers.items()))
            return power, int(self._rng.random() * len(drawer))
        point = self._rng.random() * sum(len(drawer) * 2.0**power for power, drawer in drawers.items())
        for power, drawer in drawers.items():
            most = len(drawer) * 2.0**power
            if point < most:
                break
            point -= most
        return power, min(int(point / 2.0**power), len(drawer) - 1)  # rounding may leave the last drawer's end

    def _drop(self, power: int, place: int) -> None:
        drawer = self._drawers[power]
        del self._places[drawer[place][1].index]
        last = drawer.pop()
        if place < len(drawer):
            drawer[place] = last
            self._places[last[1].index] = (power, place)
        elif not drawer:
            del self._drawers[power]
