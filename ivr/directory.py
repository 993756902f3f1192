"""Extensions that a caller may dial in a menu: where each leads, and how they begin."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.outcome import NodeId

__all__ = ["Directory"]


class Directory:
    """The known extensions of a site, those of nodes and those of agents. One serves all menus; it never changes.

    Raises:
        ValueError: an extension is not of two digits or more, or stands for a node and for an agent.
    """

    def __init__(self, nodes: Mapping[str, NodeId], agents: Mapping[str, str]) -> None:
        both = nodes.keys() & agents.keys()
        if both:
            raise ValueError(f"extension {min(both)} stands for a node and for an agent")
        self.nodes = dict(nodes)
        self.agents = dict(agents)
        known = (*nodes, *agents)
        if not all(len(extension) > 1 and extension.isascii() and extension.isdigit() for extension in known):
            raise ValueError("an extension is made of two digits or more")
        self._beginnings = frozenset(extension[:length] for extension in known for length in range(1, len(extension)))
        self.first_digits = "".join(sorted({extension[0] for extension in known}))
        """How extensions can begin."""
        self.longest = max(map(len, known), default=0)
        """Digits of the longest extension."""

    def __contains__(self, extension: str) -> bool:
        return extension in self.nodes or extension in self.agents

    def __eq__(self, other: object) -> bool:
        """Whether the same extensions lead to the same places: two readings of one configuration are equal."""
        return isinstance(other, Directory) and (self.nodes, self.agents) == (other.nodes, other.agents)

    def __hash__(self) -> int:
        return hash((frozenset(self.nodes.items()), frozenset(self.agents.items())))

    def begins(self, digits: str) -> bool:
        """Whether an extension begins with these digits and goes on."""
        return digits in self._beginnings
