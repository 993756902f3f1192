"""``acd explain``: why a call went where it went, and why an agent has no call now."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from acd.cli.check_config import add_config_options, config_folder, config_overrides
from acd.cli.client import ApiClient, ApiError
from config import ConfigErrors, load

__all__ = ["add_parser", "explanation_text", "run"]


def add_parser(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.description = (
        "Asks the running engine. Live calls and the last thousand that ended are known; older ones are in the journal "
        "(see `acd replay`)."
    )
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("call", nargs="?", metavar="CALL", help="id of a call, as status and logs name it")
    asked.add_argument("--agent", metavar="AGENT", help="why this agent has no call now")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    add_config_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask and print; returns the exit code."""
    try:
        acd = load(config_folder(args), overrides=config_overrides(args)).acd
        client = ApiClient.at(acd.web.host, acd.web.port, Path(acd.state_dir))
        if args.agent is not None:
            answer = client.get("agents", args.agent, "explanation")
        else:
            answer = client.get("calls", args.call, "explanation")
    except ConfigErrors as errors:
        print(errors, file=sys.stderr)
        return 1
    except ApiError as error:
        print(f"acd explain: {error}", file=sys.stderr)
        return 1
    if args.json:
        print(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
    else:
        print("\n".join(explanation_text(answer)))
    return 0


def explanation_text(answer: dict[str, Any]) -> Iterator[str]:
    """Put an explanation into lines for a terminal."""
    yield from _agent(answer) if "agent" in answer and "call" in answer and "queues" in answer else _call(answer)


def _agent(answer: dict[str, Any]) -> Iterator[str]:
    yield f"agent {answer['agent']}: {answer['answer']}"
    yield f"  {answer['state']}{_bracketed(answer['reason'])} for {answer['in_state_s']:.1f} s, phone {answer['phone']}"
    for queue in answer["queues"]:
        yield f"  queue {queue['queue']}: {queue['waiting']} waiting, may take {queue['may_take']}"
        for reason, count in queue["may_not_take"].items():
            yield f"    may not take {count}: {reason}"
    if answer["waiting_in_queues_not_assigned"]:
        yield f"  {answer['waiting_in_queues_not_assigned']} waiting in queues that the agent is not assigned to"
    yield "  story:"
    for line in answer["story"]:
        yield f"    {_at(line)}  {line['what']} {line['detail']}".rstrip()


def _call(answer: dict[str, Any]) -> Iterator[str]:
    yield f"call {answer['call']} from {answer['caller'] or 'unknown'} to {answer['dialled'] or '?'}: {answer['state']}"
    if answer["story_cut"]:
        yield f"  ({answer['story_cut']} earlier happenings are no longer kept)"
    for happening in answer["story"]:
        yield f"  {_at(happening)}  {happening['what']}{_spaced(happening.get('detail', ''))}"
        if "decision" in happening:
            yield from _decision(happening["decision"])
    now = answer.get("now")
    if now:
        yield from _waiting(now)
    if answer["timers"]:
        yield "  next:"
        for timer in answer["timers"]:
            yield f"    in {timer['in_s']:.1f} s: {timer['what']}"


def _decision(decision: dict[str, Any]) -> Iterator[str]:
    yield f"      offered to {', '.join(decision['offered_to'])}: {decision['because']}"
    yield f"      asked for: {decision['requirement']}; strategy {decision['strategy']}"
    for place, agent in enumerate(decision["agents_in_order"], start=1):
        yield f"      {place}. {agent['agent']}: {agent['by']}"
    if "call_order" in decision:
        yield f"      this call: {_order(decision['call_order'])}"
    if "next_call" in decision:
        yield f"      next call: {decision['next_call']['call']}, {_order(decision['next_call']['order'])}"
    yield from _ruled_out(decision["ruled_out"], "      not offered to ")


def _waiting(now: dict[str, Any]) -> Iterator[str]:
    yield f"  waits now at place {now['position']} for: {now['requirement']}"
    if now["held_for"]:
        yield f"    held for agent {now['held_for']}"
    if now["estimated_wait_s"] is not None:
        yield f"    estimated wait {now['estimated_wait_s']:.0f} s"
    yield f"    order: {_order(now['order'])}"
    if now["suspended"]:
        yield f"    no offers are made: {now['suspended']}"
    yield from _ruled_out(now["no_agent_because"], "    no agent: ")


def _ruled_out(reasons: list[dict[str, Any]], lead: str) -> Iterator[str]:
    for reason in reasons:
        names = ", ".join(reason["agents"][:10])
        more = f" and {reason['count'] - 10} more" if reason["count"] > 10 else ""
        yield f"{lead}{names}{more}: {reason['reason']}"


def _order(order: dict[str, Any]) -> str:
    overdue = "overdue, " if order["overdue"] else ""
    return f"{overdue}{order['points']:g} points, waited {order['waited_s']:.1f} s"


def _at(line: dict[str, Any]) -> str:
    return str(line.get("at") or f"{line['at_s']:.3f}")


def _bracketed(text: str) -> str:
    return f" ({text})" if text else ""


def _spaced(text: str) -> str:
    return f" {text}" if text else ""
