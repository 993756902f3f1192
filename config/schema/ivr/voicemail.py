"""Nodes that record what the caller says, and that listen to boxes: record, voicemail, voicemail-access."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from config.schema.ivr.values import PromptNames
from config.schema.marks import SetsDatum, Way
from config.schema.references import BoxName, Reference
from config.schema.shared import Flag, Model, Name, Number, Text, WholeNumber

__all__ = ["Record", "Voicemail", "VoicemailAccess"]


class Record(Model):
    """Records what the caller says and notes it in the call data."""

    type: Literal["record"]
    """Kind of node."""

    prompt: PromptNames = Field(examples=["tell-us"])
    """Prompt (or list of prompts) before the tone; any key skips it."""

    into: Annotated[Name, SetsDatum(("", "_s"))] = Field(examples=["comment"])
    """The call data that get the recording's id; its length in seconds stands in <name>_s."""

    longest_s: Annotated[float, Number(1, 3600, "seconds")] = 120.0
    """The recording ends after so long."""

    shortest_s: Annotated[float, Number(0.5, 60, "seconds")] = 1.0
    """What is shorter counts as nothing said; the caller is asked again, three times in all."""

    silence_s: Annotated[int, WholeNumber(0, 60)] = 5
    """The recording ends after so many seconds of silence; 0: it does not."""

    finish_keys: Annotated[str, Text(r"[0-9*#]{1,12}", "give the keys one after the other, such as #*")] = "#"
    """Keys that end the recording."""

    beep: Flag = True
    """Is there a tone before?"""

    review: Flag = False
    """May the caller listen to the recording, make it again, or cancel it?"""

    next: Reference = Field(examples=["thanks"])
    """Where the caller goes afterwards."""

    too_short: Annotated[Reference, Way.FAILURE] | None = None
    """Where a caller goes who has said nothing; ``next`` if left out."""

    on_cancel: Annotated[Reference, Way.CHOICE] | None = None
    """Where a caller goes who cancels; ``next`` if left out."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when nothing can be recorded (a full disk); ``next`` if left out."""


class Voicemail(Model):
    """Lets the caller leave a message in a box."""

    type: Literal["voicemail"]
    """Kind of node."""

    box: BoxName = Field(examples=["cards"])
    """The box, one of voicemail.yaml."""

    greeting: PromptNames = ()
    """Prompt (or list of prompts) instead of the box's own greeting."""

    next: Reference | None = None
    """Where the caller goes afterwards; the call ends with a goodbye if left out."""

    no_message: Annotated[Reference, Way.CHOICE] | None = None
    """Where a caller goes who has left none; ``next`` if left out."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where the caller goes when the message cannot be taken (box or disk full); an apology and on, if left out."""


class VoicemailAccess(Model):
    """Lets the caller listen to a box: agents to their own, others by number and PIN."""

    type: Literal["voicemail-access"]
    """Kind of node."""

    envelope: Flag = True
    """Is the listener told before each message when it was left, and by whom?"""

    next: Reference | None = None
    """Where the listener goes afterwards; the call ends if left out."""

    on_failure: Annotated[Reference, Way.FAILURE] | None = None
    """Where a caller goes who is not let in; the call ends if left out."""
