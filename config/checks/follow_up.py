"""followup.yaml and the webhooks of acd.yaml: do names lead somewhere, and can what is wanted be sent."""

from __future__ import annotations

from collections.abc import Collection

from config.checks.draft import Draft, refer
from config.checks.fields import check_braces, field_names
from config.checks.mail import require_mail
from config.document import KeyPath
from config.problems import Findings
from config.schema.follow_up import FollowUp
from config.schema.hosts import goes_over_net_readable
from config.schema.marks import Refers, Templated, marks
from config.suggest import suggestion

__all__ = ["CALL_FACTS", "VOICEMAIL_FACTS", "check_follow_up", "check_webhooks"]

CALL_FACTS = frozenset(
    {
        *("id", "caller", "caller_name", "dialled", "language", "queue", "agent", "event", "at"),
        *("waited_s", "talked_s", "lasted_s"),
    }
)
"""What ``{call.…}`` stands for in what is sent after a call."""

VOICEMAIL_FACTS = frozenset({"box", "seconds", "id"})
"""What ``{voicemail.…}`` stands for."""


def check_webhooks(draft: Draft, findings: Findings) -> None:
    """Check the webhooks' secrets."""
    acd, source = draft.acd.model, draft.acd.source
    for name, webhook in acd.webhooks.items() if acd is not None else ():
        for key, secret in (("secret", webhook.secret), ("token", webhook.token)):
            if secret is not None:
                position = source.value(("webhooks", name, key))
                refer(findings, position, "secret", secret, draft.acd.names("secrets"))
        if webhook.token is not None and goes_over_net_readable(webhook.url):
            findings.warning(source.value(("webhooks", name, "url")), "the token goes over the net readable; use https")


def check_follow_up(draft: Draft, findings: Findings) -> None:
    """Check every rule."""
    model, source = draft.follow_up.model, draft.follow_up.source
    questions = _questions(draft)
    for name, rule in model.rules.items() if model is not None else ():
        path: KeyPath = ("rules", name)
        if not rule.sends and not draft.follow_up.refused & {(*path, "mail"), (*path, "webhook")}:
            findings.error(source.key(path), "this sends nothing; give 'mail' or 'webhook'")
        for question in rule.answers:
            refer(findings, source.key((*path, "answers", question)), "question", question, questions)
        known = _known(rule, questions)
        for mark in marks(rule):
            position = source.value((*path, *mark.path))
            if isinstance(mark.marker, Templated):
                check_braces(findings, position, mark.value)
                for field in field_names(mark.value):
                    if known is not None and not field.startswith("data.") and field not in known:
                        findings.error(position, f"unknown field '{{{field}}}'; {suggestion(field, known)}")
            elif isinstance(mark.marker, Refers):
                refer(findings, position, mark.marker.kind, mark.value, draft.known(mark.marker.kind))
        if rule.mail is not None:
            require_mail(draft, findings, source.key((*path, "mail")), "this follow-up")


def _questions(draft: Draft) -> frozenset[str] | None:
    """Return the questions of all surveys as written; None when they cannot be known."""
    questions: set[str] = set()
    for part in draft.trees.values():
        nodes = part.names("nodes")
        if nodes is None:
            return None
        for node in nodes:
            named = part.names("nodes", node, "questions")
            if named is None:
                return None
            questions |= named
    return frozenset(questions) if draft.trees else None


def _known(rule: FollowUp, questions: Collection[str] | None) -> Collection[str] | None:
    """Return the fields that a rule's texts may use; None when they cannot be known."""
    known = {f"call.{name}" for name in CALL_FACTS}
    if rule.event == "survey":
        if questions is None:
            return None
        known |= {"survey.outcome", "survey.comment", *(f"survey.{question}" for question in questions)}
    if rule.event == "voicemail":
        known |= {f"voicemail.{name}" for name in VOICEMAIL_FACTS}
    return known
