"""The checked configuration, turned into what the engine, the menus and the prompt store work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from sys import intern

from acd.core.specs import AgentSpec, BackOffSpec, QueueSpec, RoutingSpec, WrapUpSpec
from acd.service.prompts_defaults import PromptSource, PromptTable, Recording, SpokenText
from config import Config
from config.schema import ivr as written
from config.schema.routing import DEFAULT_NUMBER, Queue
from ivr.nodes import EnqueueNode, HangUpNode, LanguageNode, Menu, Play, Retries, Say, SayKind
from ivr.outcome import HangUpCause, NodeId
from ivr.speech import Prompt, Speech
from ivr.tree import Forest, Node, Tree, node_id, resolve_reference
from routing.priority import PriorityRule
from routing.skills import Requirement

__all__ = ["Compiled", "compile_config"]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A site, ready to run."""

    routing: RoutingSpec
    forest: Forest
    numbers: Mapping[str, NodeId]
    """Where a caller enters, by dialled number; ``default`` for every other one."""
    prompts: PromptTable
    languages: frozenset[str]
    """The languages that callers can come to hear."""

    def entry_node(self, dialled: str) -> NodeId:
        """Where a caller who dialled this number enters; without a default the first number's node takes the others."""
        found = self.numbers.get(dialled) or self.numbers.get(DEFAULT_NUMBER)
        return found if found is not None else next(iter(self.numbers.values()))


def compile_config(config: Config) -> Compiled:
    """Compile a configuration. It has been checked, so nothing can fail here but the program."""
    names = {name: tuple(tree.nodes) for name, tree in config.trees.items()}
    starts = {name: tree.start for name, tree in config.trees.items()}

    def resolve(reference: str, tree: str) -> NodeId:
        node = resolve_reference(reference, tree=tree, nodes=names, starts=starts)
        if node is None:
            raise LookupError(f"reference {reference!r} in tree {tree!r} was not checked")
        return node

    trees = [
        Tree(
            name=name,
            start=node_id(name, tree.start),
            nodes=tuple(_node(key, node, name, resolve) for key, node in tree.nodes.items()),
            language=tree.language,
        )
        for name, tree in config.trees.items()
    ]
    return Compiled(
        routing=_routing(config),
        forest=Forest(trees),
        numbers={number: resolve(reference, "") for number, reference in config.routing.numbers.items()},
        prompts=_prompts(config),
        languages=frozenset(
            {tree.language for tree in trees}
            | {node.language for tree in trees for node in tree.nodes if isinstance(node, LanguageNode)}
        ),
    )


def _routing(config: Config) -> RoutingSpec:
    routing = config.routing
    return RoutingSpec(
        queues={name: _queue(name, queue) for name, queue in routing.queues.items()},
        agents={
            name: AgentSpec(
                id=name,
                name=agent.name,
                phone=agent.phone,
                # Interned: else ten thousand agents keep each queue's and skill's name ten thousand times.
                queues=dict.fromkeys(map(intern, agent.queues), order),
                skills={intern(skill): level for skill, level in agent.skills.items()},
                groups=frozenset(agent.groups),
                start=agent.start,
            )
            for order, (name, agent) in enumerate(config.agents.items())
        },
        back_off=BackOffSpec(
            missed_s=routing.missed_ring.back_off_s,
            rejected_s=routing.rejected.back_off_s,
            unreachable_s=routing.unreachable.back_off_s,
        ),
    )


def _queue(name: str, queue: Queue) -> QueueSpec:
    return QueueSpec(
        id=name,
        title=queue.title,
        strategy=queue.strategy.name,
        strategy_options=dict(queue.strategy.options),
        requirement=Requirement.of(queue.requires),
        priority=PriorityRule(base=queue.priority),
        ring_timeout_s=queue.ring_timeout_s,
        wrap_up=WrapUpSpec(seconds=queue.wrap_up_s),
        music=queue.music,
        while_ringing=queue.while_ringing,
        service_level_s=queue.service_level_s,
    )


def _node(key: str, node: written.Node, tree: str, resolve: Callable[[str, str], NodeId]) -> Node:
    """Build one node of a tree; ``resolve`` turns a reference in that tree into a node's id."""
    here = node_id(tree, key)
    match node:
        case written.Play():
            following = resolve(node.next, tree)
            return Play(id=here, prompts=_speech(node.prompt), next=following, barge_in=node.barge_in)
        case written.Menu():
            return Menu(
                id=here,
                prompts=_speech(node.prompt),
                choices={digit: resolve(reference, tree) for digit, reference in node.choices.items()},
                barge_in=node.barge_in,
                timeout_s=node.timeout_s,
                invalid=Retries(prompts=_speech(node.invalid.prompt), retries=node.invalid.retries),
                no_input=Retries(prompts=_speech(node.no_input.prompt), retries=node.no_input.retries),
                on_failure=resolve(node.on_failure, tree) if node.on_failure is not None else None,
            )
        case written.Say():
            return Say(
                id=here,
                kind=SayKind(node.kind),
                value=node.value[""] if "" in node.value else dict(node.value.items()),
                next=resolve(node.next, tree),
                barge_in=node.barge_in,
            )
        case written.Enqueue():
            return EnqueueNode(
                id=here,
                queue=node.queue,
                priority=node.priority,
                requires=dict(node.requires),
                data=dict(node.data),
                prompts=_speech(node.prompt),
                next=resolve(node.next, tree) if node.next is not None else None,
            )
        case written.Hangup():
            return HangUpNode(id=here, prompts=_speech(node.prompt), cause=HangUpCause(node.cause))
        case written.SetLanguage():
            return LanguageNode(id=here, language=node.language, next=resolve(node.next, tree))


def _prompts(config: Config) -> PromptTable:
    return {
        name: {language: _source(variant) for language, variant in variants.items()}
        for name, variants in config.prompts.items()
    }


def _source(prompt: written.Prompt) -> PromptSource:
    return Recording(prompt.file) if prompt.file is not None else SpokenText(prompt.text or "")


def _speech(names: tuple[str, ...]) -> tuple[Speech, ...]:
    return tuple(Prompt(name) for name in names)
