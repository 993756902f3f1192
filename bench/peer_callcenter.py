"""How FreeSWITCH's mod_callcenter finds an agent or a call: by SQL, here on SQLite in memory.

Written from reading ``mod_callcenter.c`` (August 2026): its three tables, without any index, as there is none, and
what it asks of them. Ten times a second a thread selects all waiting members by score, and for each of them all
agents of its queue in the strategy's order (``longest-idle-agent``); the first one who is free is offered the call.
When an agent's talk has ended or a caller has entered, rows are updated and the next pass finds out.

To mod_callcenter's advantage: the statements are prepared once (there each is compiled anew each time), the pause of
100 ms between two passes is not counted, nor that an agent is passed over for the rest of the second in which the talk
ended, and a pass is timed only until the offer in question is made; the rest of it goes over all the other members.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from time import perf_counter

from bench.peers import Match, PeerQueue

__all__ = ["CallCenter"]

_NODE = "single_box"

_TABLES = """
CREATE TABLE members (
  queue VARCHAR(255), instance_id VARCHAR(255), uuid VARCHAR(255) NOT NULL DEFAULT '',
  session_uuid VARCHAR(255) NOT NULL DEFAULT '', cid_number VARCHAR(255), cid_name VARCHAR(255),
  system_epoch INTEGER NOT NULL DEFAULT 0, joined_epoch INTEGER NOT NULL DEFAULT 0,
  rejoined_epoch INTEGER NOT NULL DEFAULT 0, bridge_epoch INTEGER NOT NULL DEFAULT 0,
  abandoned_epoch INTEGER NOT NULL DEFAULT 0, base_score INTEGER NOT NULL DEFAULT 0,
  skill_score INTEGER NOT NULL DEFAULT 0, serving_agent VARCHAR(255), serving_system VARCHAR(255), state VARCHAR(255)
);
CREATE TABLE agents (
  name VARCHAR(255), instance_id VARCHAR(255), uuid VARCHAR(255), type VARCHAR(255), contact VARCHAR(1024),
  status VARCHAR(255), state VARCHAR(255), max_no_answer INTEGER NOT NULL DEFAULT 0,
  wrap_up_time INTEGER NOT NULL DEFAULT 0, reject_delay_time INTEGER NOT NULL DEFAULT 0,
  busy_delay_time INTEGER NOT NULL DEFAULT 0, no_answer_delay_time INTEGER NOT NULL DEFAULT 0,
  last_bridge_start INTEGER NOT NULL DEFAULT 0, last_bridge_end INTEGER NOT NULL DEFAULT 0,
  last_offered_call INTEGER NOT NULL DEFAULT 0, last_status_change INTEGER NOT NULL DEFAULT 0,
  no_answer_count INTEGER NOT NULL DEFAULT 0, calls_answered INTEGER NOT NULL DEFAULT 0,
  talk_time INTEGER NOT NULL DEFAULT 0, ready_time INTEGER NOT NULL DEFAULT 0,
  external_calls_count INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE tiers (
  queue VARCHAR(255), agent VARCHAR(255), state VARCHAR(255),
  level INTEGER NOT NULL DEFAULT 1, position INTEGER NOT NULL DEFAULT 1
);
"""
_WAITING_MEMBERS = """
SELECT queue, uuid, session_uuid, cid_number, cid_name, joined_epoch,
       (:now - joined_epoch) + base_score + skill_score AS score, state, abandoned_epoch, serving_agent, instance_id
FROM members
WHERE (state = 'Waiting' OR state = 'Abandoned' OR (serving_agent = 'ring-all' AND state = 'Trying')
       OR (serving_agent = 'ring-progressively' AND state = 'Trying')) AND instance_id = :node
ORDER BY score DESC
"""
_AGENTS_OF_QUEUE = """
SELECT instance_id, name, status, contact, no_answer_count, max_no_answer, reject_delay_time, busy_delay_time,
       no_answer_delay_time, tiers.state, agents.last_bridge_end, agents.wrap_up_time, agents.state, agents.ready_time,
       tiers.position, tiers.level, agents.type, agents.uuid, external_calls_count
FROM agents LEFT JOIN tiers ON (agents.name = tiers.agent)
WHERE tiers.queue = ? AND (agents.status = 'Available' OR agents.status = 'On Break'
      OR agents.status = 'Available (On Demand)')
ORDER BY level, agents.last_bridge_end, position
"""
_TAKE_MEMBER = """
UPDATE members SET serving_agent = :agent, serving_system = :node, state = 'Trying'
WHERE state = 'Waiting' AND uuid = :call AND instance_id = :node
"""
_IS_TAKEN = """
SELECT count(*) FROM members
WHERE serving_agent = :agent AND serving_system = :node AND uuid = :call AND instance_id = :node
"""
_JOIN = """
INSERT INTO members (queue, instance_id, uuid, session_uuid, system_epoch, joined_epoch, base_score, skill_score,
                     cid_number, cid_name, serving_agent, serving_system, state)
VALUES (:queue, :node, :call, :call, :at, :at, 0, 0, '', '', '', '', 'Waiting')
"""


class CallCenter:
    """mod_callcenter's tables (implements ``bench.peers.Centre``)."""

    name = "mod_callcenter"

    def __init__(self, queues: Sequence[PeerQueue]) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None, cached_statements=64)
        self._db.executescript(_TABLES)
        agents = dict.fromkeys(agent for queue in queues for agent in queue.members)
        with_rows = "INSERT INTO agents (name, instance_id, uuid, type, contact, status, state) VALUES (?,?,?,?,?,?,?)"
        self._db.execute("BEGIN")
        self._db.executemany(
            with_rows, [(agent, _NODE, "", "callback", f"user/{agent}", "Available", "Waiting") for agent in agents]
        )
        self._db.executemany(
            "INSERT INTO tiers (queue, agent, state) VALUES (?,?,'Ready')",
            [(queue.name, agent) for queue in queues for agent in queue.members],
        )
        self._db.execute("COMMIT")
        self._queue_of: dict[str, str] = {}

    def wait(self, call: str, queue: PeerQueue, entered_at: float) -> None:
        """Let the call wait."""
        self._queue_of[call] = queue.name
        self._db.execute(_JOIN, {"queue": queue.name, "node": _NODE, "call": call, "at": int(entered_at)})

    def occupy(self, agent: str, queue: PeerQueue, now: float) -> None:  # noqa: ARG002
        """Put the agent into a talk. Tiers are left as they are: the agent's state is enough to be passed over."""
        self._db.execute("UPDATE agents SET state = 'In a queue call' WHERE name = ?", (agent,))

    def free(self, agent: str, queue: PeerQueue, now: float, deadline: float) -> Match | None:
        """Write down that the talk has ended, and make a pass until the agent has a call."""
        at = int(now)
        self._db.execute(
            "UPDATE agents SET uuid = '', last_bridge_end = ?, talk_time = talk_time + (? - last_bridge_start)"
            " WHERE name = ? AND instance_id = ?",
            (at, at, agent, _NODE),
        )
        self._db.execute(
            "UPDATE tiers SET state = 'Ready' WHERE agent = ? AND queue = ?"
            " AND (state = 'Active Inbound' OR state = 'Standby' OR state = 'Offering')",
            (agent, queue.name),
        )
        self._db.execute(
            "UPDATE tiers SET state = 'Ready' WHERE agent = ? AND NOT queue = ? AND state = 'Standby'",
            (agent, queue.name),
        )
        self._set_state(agent, "Waiting", at)
        return self._pass(at, deadline)

    def arrive(self, call: str, queue: PeerQueue, now: float, deadline: float) -> Match | None:
        """Write down the caller, and make a pass until someone gets an offer."""
        self.wait(call, queue, now)
        return self._pass(int(now), deadline)

    def connect(self, match: Match, now: float) -> None:
        """Connect the two."""
        agent, call = match
        self._db.execute(
            "UPDATE agents SET state = 'In a queue call', last_bridge_start = ? WHERE name = ?", (int(now), agent)
        )
        self._db.execute("UPDATE tiers SET state = 'Ready' WHERE agent = ?", (agent,))
        self.give_up(call)

    def give_up(self, call: str) -> None:
        """Delete the caller's row."""
        del self._queue_of[call]
        self._db.execute("DELETE FROM members WHERE uuid = ?", (call,))

    def _pass(self, now: int, deadline: float) -> Match | None:
        for member in self._db.execute(_WAITING_MEMBERS, {"now": now, "node": _NODE}).fetchall():
            agent = self._agent_for(member[0], member[1], now)
            if agent is not None:
                return agent, member[1]
            if perf_counter() > deadline:
                raise TimeoutError
        return None

    def _agent_for(self, queue: str, call: str, now: int) -> str | None:
        for row in self._db.execute(_AGENTS_OF_QUEUE, (queue,)):
            node, agent, status, tier_state = row[0], row[1], row[2], row[9]
            last_end, wrap_up_s, state, ready_at = row[10], row[11], row[12], row[13]
            if tier_state not in ("No Answer", "Ready") or state != "Waiting" or status == "On Break":
                continue
            if last_end >= now + 1 - wrap_up_s or ready_at > now or node != _NODE:
                continue
            self._db.execute(_TAKE_MEMBER, {"agent": agent, "node": _NODE, "call": call})
            taken = self._db.execute(_IS_TAKEN, {"agent": agent, "node": _NODE, "call": call}).fetchone()[0]
            if not taken:
                return None
            self._set_state(agent, "Receiving", now)
            self._db.execute("UPDATE tiers SET state = 'Offering' WHERE agent = ? AND queue = ?", (agent, queue))
            self._db.execute(
                "UPDATE tiers SET state = 'Standby' WHERE agent = ? AND NOT queue = ? AND state = 'Ready'",
                (agent, queue),
            )
            return str(agent)
        return None

    def _set_state(self, agent: str, state: str, now: int) -> None:
        if self._db.execute("SELECT count(*) FROM agents WHERE name = ?", (agent,)).fetchone()[0]:
            if state == "Receiving":
                self._db.execute(
                    "UPDATE agents SET state = ?, last_offered_call = ? WHERE name = ?", (state, now, agent)
                )
            else:
                self._db.execute("UPDATE agents SET state = ? WHERE name = ?", (state, agent))
