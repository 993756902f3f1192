"""The checked configuration, turned into what the engine, the menus and the prompt store work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from sys import intern
from zoneinfo import ZoneInfo

from acd.core.calendars import Calendar
from acd.core.specs import (
    AgentSpec,
    BackOffSpec,
    CountScope,
    OverflowAction,
    OverflowActionKind,
    OverflowCondition,
    OverflowRule,
    QueueSpec,
    RelaxationStep,
    RoutingSpec,
    StickySpec,
    WaitingMessage,
    WaitingMessageKind,
    WrapUpMode,
    WrapUpSpec,
)
from acd.service.calendars.compiling import compile_calendar
from acd.service.callbacks.policy import CallbackSite, compile_callbacks
from acd.service.follow_up.rules import FollowUpRule, compile_rules
from acd.service.lookups.compiling import compile_customers, compile_lookups, customer_languages
from acd.service.lookups.customers import Customer, CustomerSite
from acd.service.lookups.specs import LookUpSpec
from acd.service.menus import NodeContext, build
from acd.service.menus.keys import Level, effective
from acd.service.menus.leaving import callback_tree
from acd.service.messages.service import Channels
from acd.service.messages.settings import channels_of
from acd.service.outbound import Outbound
from acd.service.prompts.defaults import PromptSource, PromptTable, Recording, SpokenText
from acd.service.voicemail.boxes import ACCESS_NUMBER, Boxes, access_node, built_in_tree, compile_boxes
from config import Config
from config.schema import ivr as written
from config.schema import overflow, queues
from config.schema import routing as site
from config.schema.ivr.leaving import Agent as AgentNode
from config.schema.menus import Menus
from config.schema.routing import DEFAULT_NUMBER
from ivr.directory import Directory
from ivr.interpreter import Limits
from ivr.nodes import LanguageNode, SetNode
from ivr.outcome import NodeId
from ivr.tree import Forest, Tree, node_id, resolve_reference
from routing.priority import PriorityRule
from routing.skills import ONE_AGENT, Requirement
from routing.strategies import installed_strategies

__all__ = ["Compiled", "Customer", "DailyReset", "Outbound", "compile_config"]


@dataclass(frozen=True, slots=True)
class DailyReset:
    """When, each day, call counts and talk times start anew."""

    at: time
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        """Return the first reset after ``moment`` (with a zone), in UTC.

        On a day whose clock skips the time it is as much later as the clock was put forward; where the time comes
        twice it is the first of the two.
        """
        day = moment.astimezone(self.zone).date()
        resets = (
            datetime.combine(day + timedelta(days=offset), self.at, self.zone).astimezone(UTC) for offset in range(3)
        )
        return next(reset for reset in resets if reset > moment)


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
    calendars: Mapping[str, Calendar]
    """The calendars by name."""
    opening_hours: Mapping[str, str]
    """The calendar of each queue that has one; the others are always open."""
    customers: CustomerSite
    """Callers who are known, and how others become so."""
    lookups: Mapping[str, LookUpSpec]
    """Requests to other systems by name; those of single nodes by ``tree.node``."""
    outbound: Outbound
    """What may be dialled beside agents' phones."""
    callbacks: CallbackSite
    """How callers are called back."""
    keys: Mapping[str, Mapping[str, OverflowAction]]
    """By queue: what a key does that a waiting caller presses."""
    not_ready_reasons: Mapping[str, str]
    """Reasons for being not ready, by the digit that agents dial for them."""
    counts_reset: DailyReset | None
    """When counts start anew; None: never."""
    limits: Limits
    """Bounds on each call in the menus."""
    boxes: Boxes
    """The voicemail boxes."""
    recordings_keep_days: int
    surveys_keep_days: int
    """What nodes of type record have recorded is deleted after so many days; 0: never."""
    surveys: Mapping[str, NodeId]
    """By queue: the survey for who is still there when the agent has hung up."""
    channels: Channels
    """How mails and webhooks leave the house."""
    follow_up: tuple[FollowUpRule, ...]
    """What is sent after calls."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What look-ups show to other systems, by name."""

    def entry_node(self, dialled: str) -> NodeId:
        """Where a caller who dialled this number enters; without a default the first number's node takes the others."""
        found = self.numbers.get(dialled) or self.numbers.get(DEFAULT_NUMBER)
        return found if found is not None else next(iter(self.numbers.values()))

    def calendar_of(self, queue: str) -> Calendar | None:
        """Return the opening hours of a queue; None when it is always open."""
        name = self.opening_hours.get(queue)
        return self.calendars[name] if name is not None else None


def compile_config(config: Config) -> Compiled:
    """Compile a configuration. It has been checked, so nothing can fail here but the program."""
    names = {name: tuple(tree.nodes) for name, tree in config.trees.items()}
    starts = {name: tree.start for name, tree in config.trees.items()}

    def resolve(reference: str, tree: str) -> NodeId:
        node = resolve_reference(reference, tree=tree, nodes=names, starts=starts)
        if node is None:
            raise LookupError(f"reference {reference!r} in tree {tree!r} was not checked")
        return node

    parameters = {
        name: {key: given.default for key, given in tree.parameters.items() if given.default is not None}
        for name, tree in config.trees.items()
    }
    directory = _directory(config, lambda reference: resolve(reference, ""))

    def build_tree(name: str, tree: written.Tree) -> Tree:
        keys: tuple[Level, ...] = (
            (config.routing.menus.keys, lambda reference: resolve(reference, "")),
            (tree.keys, lambda reference: resolve(reference, name)),
        )
        return Tree(
            name=name,
            start=node_id(name, tree.start),
            nodes=tuple(
                build(NodeContext(name, key, resolve, parameters, directory, keys), node)
                for key, node in tree.nodes.items()
            ),
            language=tree.language,
            keys=effective(keys),
        )

    trees = [build_tree(name, tree) for name, tree in config.trees.items()]
    boxes = compile_boxes(config)
    built_in = built_in_tree(boxes, next(iter(sorted({tree.language for tree in trees})), "en"))
    numbers = {ACCESS_NUMBER: access_node()} if built_in is not None else {}
    numbers |= {number: resolve(reference, "") for number, reference in config.routing.numbers.items()}
    return Compiled(
        routing=_routing(config, lambda reference: resolve(reference, "")),
        forest=Forest((*trees, *(tree for tree in (built_in, callback_tree(config.routing.queues)) if tree))),
        numbers=numbers,
        prompts=_prompts(config),
        languages=frozenset(
            {tree.language for tree in trees}
            | {node.language for tree in trees for node in tree.nodes if isinstance(node, LanguageNode)}
            | {node.language for tree in trees for node in tree.nodes if isinstance(node, SetNode) and node.language}
            | customer_languages(config)
        ),
        calendars={name: compile_calendar(calendar) for name, calendar in config.calendars.items()},
        opening_hours={
            name: queue.opening_hours for name, queue in config.routing.queues.items() if queue.opening_hours
        },
        customers=compile_customers(config),
        lookups=compile_lookups(config),
        secrets={name: secret.get_secret_value() for name, secret in config.secrets.items()},
        outbound=Outbound(config.routing.outbound.allowed, config.routing.outbound.trunk or ""),
        callbacks=compile_callbacks(config.routing),
        keys={
            name: {key: _action(action, lambda reference: resolve(reference, "")) for key, action in queue.keys.items()}
            for name, queue in config.routing.queues.items()
            if queue.keys
        },
        not_ready_reasons=config.not_ready_reasons,
        counts_reset=_daily_reset(config.routing.call_counts),
        limits=_limits(config.routing.menus, lambda reference: resolve(reference, "")),
        boxes=boxes,
        recordings_keep_days=config.acd.recordings_keep_days,
        surveys_keep_days=config.acd.surveys_keep_days,
        surveys={name: resolve(queue.survey, "") for name, queue in config.routing.queues.items() if queue.survey},
        channels=channels_of(config),
        follow_up=compile_rules(config.follow_up),
    )


def _directory(config: Config, menu_node: _MenuNode) -> Directory | None:
    """Return the extensions that callers may dial in menus, if there is any."""
    nodes = {extension: menu_node(reference) for extension, reference in config.routing.extensions.items()}
    agents = {agent.extension: name for name, agent in config.agents.items() if agent.extension is not None}
    return Directory(nodes, agents) if nodes or agents else None


_SCOPES = {"all-queues": CountScope.GLOBAL, "queue": CountScope.QUEUE}

_MenuNode = Callable[[str], NodeId]
"""Finds the node that a reference outside of the trees leads to."""


def _routing(config: Config, menu_node: _MenuNode) -> RoutingSpec:
    routing = config.routing
    strategies = {name: strategy.name for name, strategy in installed_strategies().items()}
    places = _places(config)
    asked_for = _asked_for(config)
    return RoutingSpec(
        queues={name: _queue(name, queue, strategies, menu_node) for name, queue in routing.queues.items()},
        agents={
            name: AgentSpec(
                id=name,
                name=agent.name,
                phone=agent.phone,
                # Interned: else ten thousand agents keep each queue's and skill's name ten thousand times.
                queues={intern(queue): places[queue][name] for queue in agent.queues},
                skills=_skills(name, agent.skills, asked_for=asked_for is None or name in asked_for),
                groups=frozenset(map(intern, agent.groups)),
                weight=agent.weight,
                confirm=agent.confirm,
                auto_answer=agent.auto_answer,
                max_login_s=agent.max_login_s,
                start=agent.start,
            )
            for name, agent in config.agents.items()
        },
        back_off=BackOffSpec(
            missed_s=routing.missed_ring.back_off_s,
            rejected_s=routing.rejected.back_off_s,
            unreachable_s=routing.unreachable.back_off_s,
            missed_in_row_limit=routing.missed_ring.in_a_row,
        ),
        idle_scope=_SCOPES[routing.idle_time.scope],
        missed_resets_idle=routing.idle_time.missed_call_resets,
        short_call_s=routing.idle_time.short_call_s,
        count_scope=_SCOPES[routing.call_counts.scope],
    )


def _skills(agent: str, levels: Mapping[str, int], *, asked_for: bool) -> dict[str, int]:
    """Return an agent's skills, and the one by which a call may ask for this agent alone."""
    own = {f"{ONE_AGENT}{agent}": 10} if asked_for else {}
    return {intern(skill): level for skill, level in levels.items()} | own


def _asked_for(config: Config) -> frozenset[str] | None:
    """Return the agents whom calls may ask for by name; None: any."""
    asked_for = {name for name, agent in config.agents.items() if agent.extension is not None}
    for tree in config.trees.values():
        for node in tree.nodes.values():
            if isinstance(node, AgentNode):
                if "{" in node.agent:
                    return None
                asked_for.add(node.agent)
    return frozenset(asked_for)


def _places(config: Config) -> dict[str, dict[str, int]]:
    """Return each queue's hunt order: the order of agents.yaml, but an agent with a place there has that place."""
    orders: dict[str, list[str]] = {queue: [] for queue in config.routing.queues}
    placed: dict[str, list[tuple[int, str]]] = {queue: [] for queue in orders}
    for name, agent in config.agents.items():
        for queue in agent.queues:
            if queue in agent.place:
                placed[queue].append((agent.place[queue], name))
            else:
                orders[queue].append(name)
    for queue, order in orders.items():
        for place, name in sorted(placed[queue]):
            order.insert(place - 1, name)
    return {queue: {name: place for place, name in enumerate(order)} for queue, order in orders.items()}


def _queue(name: str, queue: queues.Queue, strategies: Mapping[str, str], menu_node: _MenuNode) -> QueueSpec:
    ageing = queue.ageing or queues.Ageing(points_per_minute=0, cap=0)
    sticky = queue.sticky or queues.Sticky(hold_s=0)
    return QueueSpec(
        id=name,
        title=queue.title,
        strategy=strategies.get(queue.strategy.name, queue.strategy.name),
        strategy_options=dict(queue.strategy.options),
        requirement=Requirement.of(queue.requires, queue.group or ""),
        relaxation=tuple(
            RelaxationStep(step.after_s, Requirement.of(step.requires, step.group or ""), step.call_skills == "keep")
            for step in queue.relax
        ),
        priority=PriorityRule(queue.priority, ageing.points_per_minute, ageing.cap, queue.starvation_limit_s),
        ring_timeout_s=queue.ring_timeout_s,
        wrap_up=WrapUpSpec(WrapUpMode(queue.wrap_up.mode), queue.wrap_up.seconds, queue.wrap_up.extension_s),
        music=queue.music,
        while_ringing=queue.while_ringing,
        service_level_s=queue.service_level_s,
        sticky=StickySpec(sticky.hold_s, sticky.wait_for_wrap_up_s, sticky.wait_while_busy),
        messages=tuple(_message(message) for message in queue.while_waiting),
        join=tuple(_rules(name, queue.join, menu_node)),
        overflow=tuple(_rules(name, queue.overflow, menu_node)),
    )


def _message(message: queues.WaitingMessage) -> WaitingMessage:
    kind = WaitingMessageKind(message.say) if message.say is not None else WaitingMessageKind.PROMPT
    return WaitingMessage(kind, message.after_s, message.every_s or 0.0, message.play or "")


def _rules(
    queue: str, rules: Iterable[overflow.JoinRule | overflow.OverflowRule], menu_node: _MenuNode
) -> Iterator[OverflowRule]:
    """Build a queue's rules; one of ``defaults`` that leads to this very queue means nothing here."""
    for rule in rules:
        when, action = rule.when, rule.then
        if action.queue == queue:
            continue
        yield OverflowRule(
            OverflowCondition(
                waiting_s=when.waiting_s if isinstance(when, overflow.Condition) else None,
                calls_waiting=when.calls_waiting,
                estimated_wait_s=when.estimated_wait_s,
                calls_per_ready_agent=when.calls_per_ready_agent,
                nobody_ready=when.nobody_ready,
                nobody_logged_in=when.nobody_logged_in,
                out_of_hours=when.out_of_hours,
            ),
            _action(action, menu_node),
            isinstance(rule, overflow.OverflowRule) and rule.repeat,
        )


def _action(action: overflow.Action, menu_node: _MenuNode) -> OverflowAction:
    target = str(menu_node(action.target)) if action.menu is not None else action.target
    return OverflowAction(OverflowActionKind(action.kind), target, action.keep_wait)


def _limits(menus: Menus, menu_node: _MenuNode) -> Limits:
    return Limits(
        steps=menus.steps,
        steps_without_key=menus.steps_without_key,
        subtree_depth=menus.subtree_depth,
        then=menu_node(menus.on_limit) if menus.on_limit is not None else None,
    )


def _daily_reset(counts: site.CallCounts) -> DailyReset | None:
    if counts.reset_at is None or counts.zone is None:
        return None
    return DailyReset(time.fromisoformat(counts.reset_at), ZoneInfo(counts.zone))


def _prompts(config: Config) -> PromptTable:
    return {
        name: {language: _source(variant) for language, variant in variants.items()}
        for name, variants in config.prompts.items()
    }


def _source(prompt: written.Prompt) -> PromptSource:
    return Recording(prompt.file) if prompt.file is not None else SpokenText(prompt.text or "")
