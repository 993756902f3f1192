"""Prompts that every site has, in every shipped language, until it defines its own of the same name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ivr.speech import Prompt, Speech


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
        "you-entered": {"en": "You entered", "zh": "您输入的是"},
        "confirm-entry": {
            "en": "If that is right, press one. To enter it again, press two.",
            "zh": "确认请按一，重新输入请按二。",
        },
        "pin-wrong": {"en": "Sorry, that is not right.", "zh": "对不起，密码不正确。"},
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
        "callback-customer": {
            "en": "This is the call that you asked for. You will be connected in a moment.",
            "zh": "这是您预约的回电，即将为您接通，请稍候。",
        },
        "callback-for": {"en": "This is a callback to", "zh": "这是一个回拨电话，号码是"},
        "callback-accept": {"en": "Press one to call.", "zh": "请按一拨打。"},
        "callback-not-reached": {"en": "The customer was not reached.", "zh": "未能接通客户。"},
        "callback-number": {"en": "We will call you back on this number:", "zh": "我们将回拨此号码："},
        "callback-confirm": {
            "en": "To confirm, press one. For another number, press two. To do without, press star.",
            "zh": "确认请按一，更换号码请按二，取消请按星号键。",
        },
        "callback-confirm-only": {
            "en": "To confirm, press one. To do without, press star.",
            "zh": "确认请按一，取消请按星号键。",
        },
        "callback-enter": {
            "en": "Please enter the number to call back, then press hash.",
            "zh": "请输入回拨号码，按井号键结束。",
        },
        "callback-not-possible": {"en": "Sorry, we cannot call that number.", "zh": "对不起，我们无法拨打该号码。"},
        "callback-already": {
            "en": "You are on our list already and keep your place. We will call you back in turn.",
            "zh": "您已在回拨名单中，位置不变，我们将按顺序给您回电。",
        },
        "callback-refused": {
            "en": "Sorry, we cannot promise to call you back at the moment.",
            "zh": "对不起，目前无法为您安排回电。",
        },
        "confirm-call": {"en": "You have a call. Press one to take it.", "zh": "您有来电，请按一接听。"},
        "agent-ready": {"en": "You are ready.", "zh": "您已就绪。"},
        "agent-not-ready": {"en": "You are not ready.", "zh": "您已示忙。"},
        "agent-logged-out": {"en": "You are logged out.", "zh": "您已签出。"},
        "agent-wrap-up-done": {"en": "Wrap-up is finished.", "zh": "话后处理已结束。"},
        "agent-wrap-up-extended": {"en": "Wrap-up is extended.", "zh": "话后处理时间已延长。"},
        "agent-unknown": {"en": "This phone belongs to no agent.", "zh": "此话机未分配给坐席。"},
        "agent-failed": {"en": "That is not possible at the moment.", "zh": "现在无法执行此操作。"},
        "record-start": {
            "en": "Please speak after the tone. When you have finished, press hash.",
            "zh": "请在提示音后讲话，结束请按井号键。",
        },
        "record-again": {
            "en": "Please speak again after the tone.",
            "zh": "请在提示音后重新录音。",
        },
        "record-too-short": {
            "en": "That was too short. Please speak after the tone.",
            "zh": "录音太短，请在提示音后讲话。",
        },
        "record-review": {
            "en": "To send it, press 1. To listen to it, press 2. To record it again, press 3. To cancel, press star.",
            "zh": "发送请按1，试听请按2，重新录音请按3，取消请按星号键。",
        },
        "record-review-urgent": {
            "en": "To mark it as urgent, press 4.",
            "zh": "标记为紧急请按4。",
        },
        "record-urgent": {
            "en": "It is marked as urgent.",
            "zh": "已标记为紧急。",
        },
        "record-not-urgent": {
            "en": "It is not marked as urgent.",
            "zh": "已取消紧急标记。",
        },
        "record-cancelled": {
            "en": "Nothing has been kept.",
            "zh": "录音未保留。",
        },
        "voicemail-greeting": {
            "en": "Please leave a message after the tone. When you have finished, press hash, or hang up.",
            "zh": "请在提示音后留言，结束请按井号键或挂机。",
        },
        "voicemail-saved": {
            "en": "Thank you. Your message has been sent.",
            "zh": "谢谢，您的留言已发送。",
        },
        "voicemail-unavailable": {
            "en": "Sorry, no message can be taken at the moment.",
            "zh": "对不起，现在无法留言。",
        },
        "voicemail-box": {
            "en": "Please enter the number of the box, then press hash.",
            "zh": "请输入信箱号码，按井号键结束。",
        },
        "voicemail-pin": {
            "en": "Please enter your PIN, then press hash.",
            "zh": "请输入密码，按井号键结束。",
        },
        "voicemail-wrong": {
            "en": "Box or PIN is not right.",
            "zh": "信箱或密码错误。",
        },
        "voicemail-locked": {
            "en": "After too many attempts this is locked. Please try again later.",
            "zh": "尝试次数过多，已锁定，请稍后再试。",
        },
        "voicemail-none": {
            "en": "You have no messages.",
            "zh": "您没有留言。",
        },
        "voicemail-you-have": {
            "en": "You have",
            "zh": "您有",
        },
        "voicemail-and": {
            "en": "and",
            "zh": "以及",
        },
        "voicemail-new-message": {
            "en": "new message.",
            "zh": "条新留言。",
        },
        "voicemail-new-messages": {
            "en": "new messages.",
            "zh": "条新留言。",
        },
        "voicemail-saved-message": {
            "en": "saved message.",
            "zh": "条已保存的留言。",
        },
        "voicemail-saved-messages": {
            "en": "saved messages.",
            "zh": "条已保存的留言。",
        },
        "voicemail-new": {
            "en": "New message",
            "zh": "新留言",
        },
        "voicemail-saved-one": {
            "en": "Saved message",
            "zh": "已保存的留言",
        },
        "voicemail-urgent": {
            "en": "Urgent.",
            "zh": "紧急。",
        },
        "voicemail-received": {
            "en": "Left on",
            "zh": "留言时间",
        },
        "voicemail-from": {
            "en": "by",
            "zh": "来电号码",
        },
        "voicemail-from-unknown": {
            "en": "by an unknown number.",
            "zh": "来电号码未知。",
        },
        "voicemail-length": {
            "en": "Length:",
            "zh": "时长",
        },
        "voicemail-keys": {
            "en": "Again, press 5. Next, 6. Delete, 7. Save, 9. For all keys, press star.",
            "zh": "重听请按5，下一条请按6，删除请按7，保存请按9，其他按键请按星号键。",
        },
        "voicemail-keys-empty": {
            "en": "For your greeting, press 0. To end, press hash.",
            "zh": "设置问候语请按0，结束请按井号键。",
        },
        "voicemail-help": {
            "en": "Previous message, 4. When and by whom, 3. To call back, 8. For your greeting, 0. To end, hash.",
            "zh": "上一条请按4，留言详情请按3，回电请按8，设置问候语请按0，结束请按井号键。",
        },
        "voicemail-first": {
            "en": "This is the first message.",
            "zh": "这是第一条留言。",
        },
        "voicemail-no-more": {
            "en": "There are no more messages.",
            "zh": "没有更多留言了。",
        },
        "voicemail-gone": {
            "en": "This message is no longer there.",
            "zh": "该留言已不存在。",
        },
        "voicemail-deleted": {
            "en": "Deleted. To undo that, press 7.",
            "zh": "已删除，恢复请按7。",
        },
        "voicemail-restored": {
            "en": "It is kept.",
            "zh": "已恢复。",
        },
        "voicemail-kept": {
            "en": "Saved.",
            "zh": "已保存。",
        },
        "voicemail-calling": {
            "en": "You are being connected.",
            "zh": "正在为您接通。",
        },
        "voicemail-no-callback": {
            "en": "This number cannot be called.",
            "zh": "该号码无法回拨。",
        },
        "voicemail-not-reached": {
            "en": "Nobody has answered.",
            "zh": "无人接听。",
        },
        "voicemail-greeting-keys": {
            "en": "To hear your greeting, press 1. To record a new one, 2. For the general one, 3. To go back, star.",
            "zh": "收听问候语请按1，录制新问候语请按2，使用默认问候语请按3，返回请按星号键。",
        },
        "voicemail-greeting-recorded": {
            "en": "Your greeting has been changed.",
            "zh": "问候语已更新。",
        },
        "voicemail-greeting-default": {
            "en": "The general greeting is used.",
            "zh": "已恢复默认问候语。",
        },
        "voicemail-item": {
            "en": "You have a voicemail message.",
            "zh": "您有一条语音留言。",
        },
        "voicemail-item-keys": {
            "en": "To close it, press 1. Again, 5. To call back, 8. To keep it for yourself, 9.",
            "zh": "关闭请按1，重听请按5，回电请按8，保留请按9。",
        },
        "voicemail-item-closed": {
            "en": "The message is closed.",
            "zh": "留言已关闭。",
        },
        "voicemail-item-kept": {
            "en": "The message is yours.",
            "zh": "留言已分配给您。",
        },
    }
)


def with_defaults(prompts: PromptTable) -> PromptTable:
    """`prompts` and the default ones, language by language; a site's own go first."""
    defaults: dict[str, Mapping[str, PromptSource]] = {
        name: {language: SpokenText(text) for language, text in texts.items()} for name, texts in DEFAULT_TEXTS.items()
    }
    own = {name: {**defaults.get(name, {}), **variants} for name, variants in prompts.items()}
    return {**defaults, **own}


ON_DEMAND = ("record-", "voicemail-")
"""How default prompts are named that only certain nodes say: a site without such nodes need not prepare them."""


def to_prepare(prompts: PromptTable, said: Collection[Speech], languages: Collection[str]) -> PromptTable:
    """`prompts` and those of the default ones that can come to be heard: in `languages` alone (all, if none are
    given), and those of `ON_DEMAND` only where they are among what the menus may say.
    """
    names = {part.name for part in said if isinstance(part, Prompt)}
    wanted: dict[str, Mapping[str, PromptSource]] = {}
    for name, variants in with_defaults(prompts).items():
        if name in prompts or name in names or not name.startswith(ON_DEMAND):
            own = prompts.get(name, {})
            wanted[name] = {
                language: source
                for language, source in variants.items()
                if language in own or not languages or language in languages
            }
    return wanted
