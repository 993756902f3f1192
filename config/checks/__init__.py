"""What no single file can tell: do names lead somewhere, can every caller be served, does every menu end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from config.checks.addresses import check_addresses
from config.checks.agents import check_agents
from config.checks.asking import check_asking
from config.checks.calendars import check_calendars
from config.checks.call_data import check_call_data
from config.checks.callbacks import check_callbacks
from config.checks.draft import Draft, Strategies
from config.checks.follow_up import check_follow_up, check_webhooks
from config.checks.leaving import check_leaving
from config.checks.lookups import check_lookups
from config.checks.mail import check_mail
from config.checks.prompts import check_prompts
from config.checks.routing import check_routing
from config.checks.rules import check_rules
from config.checks.served import check_served
from config.checks.subtrees import check_subtrees
from config.checks.trees import check_trees
from config.checks.voicemail import check_voicemail
from config.checks.walks import check_walks
from config.problems import Findings

__all__ = ["Draft", "Strategies", "check_all"]


def check_all(draft: Draft, findings: Findings) -> None:
    """Check everything between and across the files."""
    for check in _CHECKS:
        check(draft, findings)


_CHECKS: Final[tuple[Callable[[Draft, Findings], None], ...]] = (
    check_addresses,
    check_mail,
    check_webhooks,
    check_calendars,
    check_routing,
    check_agents,
    check_lookups,
    check_trees,
    check_asking,
    check_subtrees,
    check_prompts,
    check_rules,
    check_callbacks,
    check_leaving,
    check_voicemail,
    check_follow_up,
    check_call_data,
    check_walks,
    check_served,
)
"""Those behind look at less when those before them found errors."""
