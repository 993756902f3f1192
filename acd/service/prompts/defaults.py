"""Prompts that every site has, in every shipped language, until it defines its own of the same name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text, synthesised once."""

    text: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound file, named from the folder of its language under the site's `prompts` folder."""

    file: str


PromptSource = SpokenText | Recording

PromptTable = Mapping[str, Mapping[str, PromptSource]]
"""Prompts by name, each by language."""

DEFAULT_TEXTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "goodbye": {"en": "Thank you for calling. Goodbye.", "zh": "感谢您的来电，再见。"},
        "not-valid": {"en": "Sorry, that is not a valid choice.", "zh": "对不起，您的选择无效。"},
        "no-input": {"en": "Sorry, I did not get an answer.", "zh": "对不起，没有收到您的选择。"},
        "queue-position": {"en": "You are number", "zh": "您排在第"},
        "queue-position-end": {"en": "in the queue.", "zh": "位。"},
        "estimated-wait": {"en": "The estimated wait is about", "zh": "预计还需等待大约"},
        "estimated-wait-minute": {"en": "minute.", "zh": "分钟。"},
        "estimated-wait-minutes": {"en": "minutes.", "zh": "分钟。"},
        "estimated-wait-short": {"en": "The estimated wait is less than one minute.", "zh": "预计等待不到一分钟。"},
        "callback-promised": {
            "en": "You may hang up now. We will call you back in turn.",
            "zh": "您可以挂机，我们将按顺序给您回电。",
        },
        "callback-agent": {"en": "This is a callback. Please wait.", "zh": "这是一个回拨电话，请稍候。"},
        "confirm-call": {"en": "You have a call. Press one to take it.", "zh": "您有来电，请按一接听。"},
        "agent-ready": {"en": "You are ready.", "zh": "您已就绪。"},
        "agent-not-ready": {"en": "You are not ready.", "zh": "您已示忙。"},
        "agent-logged-out": {"en": "You are logged out.", "zh": "您已签出。"},
        "agent-wrap-up-done": {"en": "Wrap-up is finished.", "zh": "话后处理已结束。"},
        "agent-wrap-up-extended": {"en": "Wrap-up is extended.", "zh": "话后处理时间已延长。"},
        "agent-unknown": {"en": "This phone belongs to no agent.", "zh": "此话机未分配给坐席。"},
        "agent-failed": {"en": "That is not possible at the moment.", "zh": "现在无法执行此操作。"},
    }
)


def with_defaults(prompts: PromptTable) -> PromptTable:
    """`prompts` and the default ones, language by language; a site's own go first."""
    defaults: dict[str, Mapping[str, PromptSource]] = {
        name: {language: SpokenText(text) for language, text in texts.items()} for name, texts in DEFAULT_TEXTS.items()
    }
    own = {name: {**defaults.get(name, {}), **variants} for name, variants in prompts.items()}
    return {**defaults, **own}
