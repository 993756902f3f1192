"""An explanation as ``acd explain`` prints it: sentences for a supervisor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["explanation_text"]

Json = dict[str, Any]

_CALL_STATES: Mapping[str, str] = {
    "menu": "in the menus",
    "waiting": "waits in queue {queue}",
    "offered": "rings, for queue {queue}",
    "talking": "talks to {agent}",
    "ended": "has ended",
}

_WITH_DETAIL: Mapping[str, str] = {
    "arrived": "arrives, dialled {}",
    "begins again": "begins again (a callback, or a new line); dialled {}",
    "taken over": "taken over from an engine that ended, with its place; dialled {}",
    "identified": "the caller is {}",
    "waiting": "waits in queue {}",
    "menu": "back in the menus: {}",
    "overflow": "goes on by {}",
    "talking": "talks to {}",
    "answered by": "{} has picked up",
    "held for": "is held for agent {} for a while",
    "relaxed to": "its requirement is relaxed to {}",
    "no such queue": "was sent to queue {}, which there is not",
}
_ALONE: Mapping[str, str] = {
    "waiting": "waits on, in the old place",
    "menu": "leaves the queue",
    "ended": "the call has ended",
    "no longer held": "is no longer held for one agent",
}

_FAILURES: Mapping[str, str] = {
    "missed": "missed, it rang in vain",
    "rejected": "rejected, or busy",
    "unreachable": "the phone cannot be reached",
    "cancelled": "taken back",
    "dropped": "picked up, and gone before the two were connected",
}
_AGENT_WORDS: Mapping[str, str] = {
    "reserved": "rings for call",
    "talking": "talks in call",
    "back-off": "gets no offer for a while:",
    "not-ready": "not ready",
    "logged-out": "logged out",
}
_OUTCOMES: Mapping[str, str] = {
    "next": "heard",
    "choice": "chosen",
    "invalid": "a wrong key",
    "no-input": "no key",
    "caller-gone": "the caller hung up",
    "enqueue": "to a queue",
    "agent": "to one agent",
    "hang-up": "ends the call",
    "call": "enters a subtree",
}


def explanation_text(answer: Json) -> Iterator[str]:
    """Put an explanation into lines for a terminal, without what could steer it: a caller's number is the network's."""
    for line in _lines(answer):
        yield "".join(letter if letter.isprintable() else "?" for letter in line)


def _lines(answer: Json) -> Iterator[str]:
    if "queues" in answer:
        yield from _agent(answer)
        return
    for earlier in answer.get("earlier", ()):
        yield from _call(earlier)
        yield ""
    yield from _call(answer)


def _agent(answer: Json) -> Iterator[str]:
    until = f", until {answer['until_at']}" if answer.get("until_at") else ""
    yield f"agent {answer['agent']}: {answer['answer']}"
    state = f"{answer['state']}{_bracketed(answer['reason'])} for {answer['in_state_s']:.1f} s{until}"
    phone = "" if answer["state"] in ("reserved", "talking") else f", phone {answer['phone']}"
    yield f"  {state}{phone}"
    for queue in answer["queues"]:
        yield f"  queue {queue['queue']}: {queue['waiting']} waiting, may take {queue['may_take']}"
        for reason, count in queue["may_not_take"].items():
            yield f"    may not take {count}: {reason}"
    if answer["waiting_in_queues_not_assigned"]:
        yield f"  {answer['waiting_in_queues_not_assigned']} waiting in queues that the agent is not assigned to"
    yield "  story:"
    for line in answer["story"]:
        yield f"    {_at(line)}  {_AGENT_WORDS.get(line['what'], line['what'])} {line['detail']}".rstrip()


def _call(answer: Json) -> Iterator[str]:
    state = _CALL_STATES[answer["state"]].format_map(answer)
    yield f"call {answer['call']} from {answer['caller'] or 'unknown'} to {answer['dialled'] or '?'}: {state}"
    if "journal" in answer:
        yield from _journal(answer["journal"], is_whole=answer["state"] == "ended")
    yield from _story(answer)
    if "journal" not in answer:  # there, what was to come is past
        yield from _ahead(answer)


def _story(answer: Json) -> Iterator[str]:
    if answer["story_cut"]:
        yield f"  ({answer['story_cut']} earlier happenings are no longer kept)"
    if answer["steps_cut"]:
        yield f"  ({answer['steps_cut']} earlier steps in the menus are no longer kept)"
    overflowed_at = 0
    for happening in answer["story"]:
        if happening["what"] == "overflow":
            overflowed_at = happening["input"]
        elif happening["what"] == "menu" and "detail" not in happening and happening["input"] == overflowed_at:
            continue  # the rule that was told of says more
        yield f"  {_at(happening)}  {_happening(happening)}"
        if "decision" in happening:
            yield from _decision(happening["decision"])


def _ahead(answer: Json) -> Iterator[str]:
    now, callback = answer.get("now"), answer.get("callback")
    if now:
        yield from _waiting(now)
    if callback:
        tried = f"{callback['attempts']} of {callback['attempts_most']} attempts made"
        then = f", not before {callback['not_before']}" if callback["not_before"] else ""
        yield f"  a callback is promised: {callback['state']}, {tried}{then}"
    if answer["timers"]:
        yield "  next:"
        for timer in answer["timers"]:
            yield f"    in {timer['in_s']:.1f} s: {timer['what']}"


def _journal(journal: Json, *, is_whole: bool) -> Iterator[str]:
    so_far = "" if is_whole else ", which ends before the call or has not come further yet"
    yield f"  (from {journal['file']}{so_far})"
    if journal["parts_at"] is not None:
        yield (
            f"  (written by version {journal['version']}: from input {journal['parts_at']} on this version decides "
            "otherwise, so this need not be what happened)"
        )


def _happening(happening: Json) -> str:
    what, detail = happening["what"], happening.get("detail", "")
    if "step" in happening:
        return _step(happening["step"])
    if "decision" in happening:
        return f"offer {happening['decision']['offer']}"
    if detail and what in _WITH_DETAIL:
        return _WITH_DETAIL[what].format(detail)
    if what.startswith("offer"):  # of one phone, or of all
        detail = _FAILURES.get(detail, detail)
    told: str = _ALONE.get(what, what)
    return f"{told}: {detail}" if detail else told


def _step(step: Json) -> str:
    key = f"key {step['key']}, " if step["key"] else ""
    to = f", on to {step['to']}" if step["to"] else ""
    where = f"menus, {step['node']}: " if step["node"] else "menus: "
    return f"{where}{key}{_OUTCOMES.get(step['outcome'], step['outcome'])}{_bracketed(step['detail'])}{to}"


def _decision(decision: Json) -> Iterator[str]:
    yield f"      offered to {', '.join(decision['offered_to'])}: {decision['because']}"
    yield f"      asked for: {decision['requirement']}; strategy {decision['strategy']}"
    for place, agent in enumerate(decision["agents_in_order"], start=1):
        yield f"      {place}. {agent['agent']}: {agent['by']}"
    if "call_order" in decision:
        yield f"      this call: {_order(decision['call_order'])}"
    if "next_call" in decision:
        yield f"      next call: {decision['next_call']['call']}, {_order(decision['next_call']['order'])}"
    yield from _ruled_out(decision["ruled_out"], "      not offered to ")


def _waiting(now: Json) -> Iterator[str]:
    yield f"  waits now at place {now['position']} for: {now['requirement']}"
    if now["held_for"]:
        yield f"    held for agent {now['held_for']}"
    if now["estimated_wait_s"] is not None:
        yield f"    estimated wait {now['estimated_wait_s']:.0f} s"
    yield f"    order: {_order(now['order'])}"
    if now["suspended"]:
        yield f"    no offers are made: {now['suspended']}"
    yield from _ruled_out(now["no_agent_because"], "    no agent: ")


def _ruled_out(reasons: list[Json], lead: str) -> Iterator[str]:
    for reason in reasons:
        names = ", ".join(reason["agents"][:10])
        more = f" and {reason['count'] - 10} more" if reason["count"] > 10 else ""
        yield f"{lead}{names}{more}: {reason['reason']}"


def _order(order: Json) -> str:
    overdue = "overdue, " if order["overdue"] else ""
    return f"{overdue}{order['points']:g} points, waited {order['waited_s']:.1f} s"


def _at(line: Json) -> str:
    return str(line.get("at") or f"{line['at_s']:.3f}")


def _bracketed(text: str) -> str:
    return f" ({text})" if text else ""
