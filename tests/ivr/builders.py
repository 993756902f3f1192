"""Short ways to build trees and to run calls through them."""

from __future__ import annotations

from collections.abc import Mapping

from ivr.context import CallContext
from ivr.interpreter import Interpreter, Limits
from ivr.line import Line
from ivr.nodes import HangUpNode, Menu, Play, Retries
from ivr.outcome import NodeId, Outcome
from ivr.record import StepRecord
from ivr.speech import Prompt, Speech
from ivr.tools import Tools
from ivr.tree import Forest, Node, Tree, node_id


def prompts(*names: str) -> tuple[Speech, ...]:
    return tuple(Prompt(name) for name in names)


def at(name: str) -> NodeId:
    """A node of the tree `main`."""
    return node_id("main", name)


def forest(*nodes: Node, start: str = "start", language: str = "en") -> Forest:
    return Forest([Tree(name="main", start=at(start), nodes=nodes, language=language)])


def call(**more: str) -> CallContext:
    return CallContext(call_id="c1", caller="+49301234567", caller_name="Li", dialled="100", **more)  # type: ignore[arg-type]


def menu(choices: Mapping[str, str], name: str = "start", on_failure: str | None = None, **more: object) -> Menu:
    """A menu that says its own name, `not-valid` after a wrong key and `no-input` after none."""
    settings: dict[str, object] = {
        "prompts": prompts(name),
        "invalid": Retries(prompts=prompts("not-valid"), retries=2),
        "no_input": Retries(prompts=prompts("no-input"), retries=2),
    } | more
    return Menu(
        id=at(name),
        choices={key: at(target) for key, target in choices.items()},
        on_failure=at(on_failure) if on_failure else None,
        **settings,  # type: ignore[arg-type]
    )


def play(name: str, to: str | None = None, *, barge_in: bool = True) -> Play:
    """A node that says its own name."""
    return Play(id=at(name), prompts=prompts(name), next=at(to) if to else None, barge_in=barge_in)


def end(name: str) -> HangUpNode:
    """A node that ends the call, saying its own name."""
    return HangUpNode(id=at(name), prompts=prompts(name))


class Walk:
    """Runs calls through a forest and keeps the step records."""

    def __init__(
        self, trees: Forest, limits: Limits | None = None, goodbye: str = "goodbye", *, tools: Tools | None = None
    ) -> None:
        self.records: list[StepRecord] = []
        self.interpreter = Interpreter(trees, on_step=self.records.append, limits=limits, goodbye=goodbye, tools=tools)

    async def run(self, line: Line, context: CallContext | None = None, start: str = "start") -> Outcome:
        return await self.interpreter.run(line, context or call(), at(start))

    @property
    def story(self) -> list[str]:
        """The records in brief: `node outcome [key] [-> node]`."""
        return [
            " ".join(
                [record.node.partition(".")[2], record.outcome]
                + ([record.key] if record.key else [])
                + ([f"-> {record.to.partition('.')[2]}"] if record.to else [])
            )
            for record in self.records
        ]
