"""Webhooks: other systems that are told of things, signed, and again until they have taken them."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from config.schema.marks import Refers
from config.schema.shared import Model, Name, Number, Text

__all__ = ["Webhook", "WebhookName"]

WebhookName: TypeAlias = Annotated[Name, Refers("webhook")]
"""A webhook of acd.yaml."""

SecretName: TypeAlias = Annotated[Name, Refers("secret")]
"""A secret of acd.yaml."""

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\]"


class Webhook(Model):
    """One system that is told of things by POST with JSON."""

    url: Annotated[
        str,
        Text(
            rf"https?://(?:{_HOST})(?::[1-9][0-9]{{0,4}})?(?:[/?][!$-;=?-~]{{0,1500}})?",
            "give an address such as https://crm.example/acd: http or https, without a user, spaces and #",
        ),
    ] = Field(examples=["https://crm.example/acd"])
    """Where documents are posted. A private address must be in http.allow_private."""

    secret: SecretName | None = None
    """The secret that documents are signed with (HMAC-SHA256 in the header Acd-Signature); not signed if left out."""

    token: SecretName | None = None
    """A secret that is sent as Authorization: Bearer."""

    timeout_s: Annotated[float, Number(0.5, 60, "seconds")] = 10.0
    """For the whole request; later it is tried again."""
