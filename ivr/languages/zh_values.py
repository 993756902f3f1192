"""Chinese (Mandarin): ordinals, money, dates, times of day and durations in words, built from numbers by rule.

Before a measure word (元, 点, 小时 …) two is 两; behind 第 it is 二, whatever follows. 零 stands for a unit that is
skipped, and before a smaller unit of which there are fewer than ten (十二元零五分, 两小时零五分钟). A year is read
digit by digit. The day is divided as Unicode's CLDR has it for Chinese: 凌晨 to five, 早上 to eight, 上午, 中午 from
twelve to one, 下午 to seven in the evening, 晚上.
"""

from __future__ import annotations

from ivr.currencies import decimals_of
from ivr.languages.zh import MINUS, digit_words, number_words
from ivr.speech import Date, Duration, Money, TimeOfDay

_WEEKDAYS = "一二三四五六日"
_TENTHS = {"CNY": ("", "元"), "HKD": ("", "港元"), "TWD": ("新台币", "元")}
"""Currencies counted in 角 and 分: what is said before the sum, and the unit."""
_CURRENCIES = {
    "AED": ("迪拉姆", "费尔"),
    "ARS": ("阿根廷比索", "分"),
    "AUD": ("澳元", "澳分"),
    "BRL": ("雷亚尔", "分"),
    "CAD": ("加元", "加分"),
    "CHF": ("瑞士法郎", "生丁"),
    "CLP": ("智利比索",),
    "COP": ("哥伦比亚比索", "分"),
    "CZK": ("捷克克朗", "赫勒"),
    "DKK": ("丹麦克朗", "欧尔"),
    "EGP": ("埃及镑", "皮阿斯特"),
    "EUR": ("欧元", "欧分"),
    "GBP": ("英镑", "便士"),
    "HUF": ("福林", "菲勒"),
    "IDR": ("印尼盾", "仙"),
    "ILS": ("谢克尔", "阿高洛"),
    "INR": ("印度卢比", "派萨"),
    "JPY": ("日元",),
    "KES": ("肯尼亚先令", "分"),
    "KRW": ("韩元",),
    "KWD": ("科威特第纳尔", "费尔"),
    "MOP": ("澳门元", "仙"),
    "MXN": ("墨西哥比索", "分"),
    "MYR": ("林吉特", "仙"),
    "NGN": ("奈拉", "考包"),
    "NOK": ("挪威克朗", "欧尔"),
    "NZD": ("新西兰元", "分"),
    "PHP": ("菲律宾比索", "分"),
    "PKR": ("巴基斯坦卢比", "派萨"),
    "PLN": ("兹罗提", "格罗希"),
    "RON": ("罗马尼亚列伊", "巴尼"),
    "RUB": ("卢布", "戈比"),
    "SAR": ("沙特里亚尔", "哈拉拉"),
    "SEK": ("瑞典克朗", "欧尔"),
    "SGD": ("新加坡元", "分"),
    "THB": ("泰铢", "萨当"),
    "TRY": ("土耳其里拉", "库鲁什"),
    "UAH": ("格里夫纳", "戈比"),
    "USD": ("美元", "美分"),
    "VND": ("越南盾",),
    "ZAR": ("兰特", "分"),
}
"""The currency, and its smallest unit if it has one. All others are named by their letters."""
_PERIODS = ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (19, "下午"), (24, "晚上"))
"""The parts of a day, and the hour at which each ends."""
REASONS = {
    "opening hours": "营业时间",
    "outside opening hours": "非营业时间",
    "special hours": "特别营业时间",
    "outside special hours": "特别营业时间之外",
    "closed on this date": "当日休息",
    "closed for some hours": "暂停营业",
}
"""Why a calendar is open or closed, where nobody has written a reason."""
_UNITS = ((86400, "天"), (3600, "小时"), (60, "分钟"), (1, "秒"))


def ordinal(value: int) -> str:
    """A place in a row (第二十一).

    Raises:
        ValueError: it is negative, or too large.
    """
    if value < 0:
        raise ValueError("there is no place before the first")
    return "第" + _number(value).replace("两", "二")


def money(sum_: Money) -> str:
    """十二元五角; a unit of which there is none is left out."""
    sign = MINUS if sum_.minor_units < 0 else ""
    decimals = decimals_of(sum_.currency) or 0
    whole, rest = divmod(abs(sum_.minor_units), 10**decimals)
    if sum_.currency in _TENTHS:
        before, unit = _TENTHS[sum_.currency]
        return before + sign + _in_tenths(whole, rest, unit)
    names = _CURRENCIES.get(sum_.currency)
    if names is None:
        return f"{sign}{_decimal(whole, rest, decimals)} {' '.join(sum_.currency)}"
    said = _counted(whole, names[0]) if whole or not rest else ""
    return sign + said + (_counted(rest, names[1]) if rest else "")


def _in_tenths(whole: int, hundredths: int, unit: str) -> str:
    tenths, last = divmod(hundredths, 10)
    said = _counted(whole, unit) if whole or not hundredths else ""
    if tenths:
        said += _counted(tenths, "角")
    elif said and last:
        said += "零"
    return said + (_counted(last, "分") if last else "")


def day(said: Date) -> str:
    """二〇二六年十一月二十一日星期六."""
    year = "".join("〇" if digit == "0" else digit_words(digit)[0] for digit in str(said.day.year)) + "年"
    weekday = "星期" + _WEEKDAYS[said.day.weekday()]
    date = f"{_number(said.day.month)}月{_number(said.day.day)}日"
    return (year if said.year else "") + date + (weekday if said.weekday else "")


def time(said: TimeOfDay) -> str:
    """下午三点十五分, 凌晨两点, 中午十二点, 午夜十二点; on a clock of 24 hours 十五点十五分, 零点."""
    minute = f"{'零' if said.minute < 10 else ''}{_number(said.minute)}分" if said.minute else ""
    if said.clock_h == 24:
        return _counted(said.hour, "点") + minute
    if (said.hour, said.minute) == (0, 0):
        return "午夜十二点"
    hour = said.hour if said.hour <= 12 else said.hour - 12
    period = next(name for until, name in _PERIODS if said.hour < until)
    return period + _counted(hour, "点") + minute


def duration(said: Duration) -> str:
    """两小时零五分钟; units of which there is none are left out."""
    left, words, skipped = said.seconds, "", False
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count:
            words += ("零" if words and (skipped or count < 10) else "") + _counted(count, unit)
        skipped = count == 0
    return words or "零秒"


def _counted(count: int, measure: str) -> str:
    return ("两" if count == 2 else _number(count)) + measure


def _decimal(whole: int, rest: int, decimals: int) -> str:
    written = f"{rest:0{decimals}}".rstrip("0") if rest else ""
    return _number(whole) + (f"点{''.join(digit_words(written))}" if written else "")


def _number(value: int) -> str:
    return "".join(number_words(value))
