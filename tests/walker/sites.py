"""A small site for walks and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FILES = {
    "acd.yaml": "asterisk: {}\nhttp: {allow_private: [127.0.0.0/8]}\n",
    "agents.yaml": "agents:\n  anna: {name: Anna, phone: PJSIP/anna, queues: [sales]}\n",
    "calendars.yaml": "calendars:\n  office: {zone: Europe/Berlin, hours: {mon-fri: ['09:00-17:00']}}\n",
    "routing.yaml": """\
numbers: {"100": main, "200": main.account, default: main}
queues: {sales: {title: Sales}}
lookups:
  balance: {url: "http://127.0.0.1:9/balance/{data.account}", answer: {balance: balance}}
""",
    "ivr/main.yaml": """\
start: hello
prompts:
  welcome: {en: {text: "Welcome."}, zh: {text: "欢迎。"}}
  choose: {en: {text: "For sales, press one."}, zh: {text: "销售请按一。"}}
  enter: {en: {text: "Please enter your account."}, zh: {text: "请输入账号。"}}
  enter-pin: {en: {text: "Please enter your PIN."}, zh: {text: "请输入密码。"}}
  wait: {en: {text: "One moment."}, zh: {text: "请稍等。"}}
nodes:
  hello: {type: play, prompt: welcome, next: choose}
  choose:
    type: menu
    prompt: choose
    choices: {"1": open, "2": account, "9": chinese}
    no_input: {retries: 1}
    on_failure: bye
  chinese: {type: language, language: zh, next: choose}
  open: {type: hours, calendar: office, open: sales, closed: bye}
  sales: {type: enqueue, queue: sales, prompt: wait, data: {topic: sales}, next: choose}
  account: {type: collect, prompt: enter, name: account, min_digits: 4, max_digits: 8, next: pin, on_failure: bye}
  pin: {type: pin, prompt: enter-pin, min_digits: 4, max_digits: 4, next: ask, on_failure: bye}
  ask: {type: http, lookup: balance, next: tell, on_failure: bye}
  tell: {type: say, kind: money, value: "{data.balance} EUR", next: bye}
  bye: {type: hangup, prompt: goodbye}
""",
}


def write_site(folder: Path, changes: Mapping[str, str] = MappingProxyType({})) -> Path:
    """Write the site; `changes` are whole files instead of its own."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changes.get(name, text))
    return folder
