"""English: money, dates, times of day and durations in words, built from numbers by rule.

Years are read in two halves (twenty twenty-six), except the first ten of a millennium (two thousand and five) and those
beyond four digits: the rule that num2words has, too.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivr.currencies import decimals_of
from ivr.languages.en import MINUS, digit_words, number_words, ordinal_words
from ivr.speech import Date, Duration, Money, TimeOfDay

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
_CURRENCIES = {
    "AED": ("dirham", "dirhams", "fils", "fils"),
    "ARS": ("Argentine peso", "Argentine pesos", "centavo", "centavos"),
    "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
    "BRL": ("real", "reais", "centavo", "centavos"),
    "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
    "CHF": ("Swiss franc", "Swiss francs", "centime", "centimes"),
    "CLP": ("Chilean peso", "Chilean pesos"),
    "CNY": ("yuan", "yuan", "fen", "fen"),
    "COP": ("Colombian peso", "Colombian pesos", "centavo", "centavos"),
    "CZK": ("koruna", "koruny", "heller", "hellers"),
    "DKK": ("Danish krone", "Danish kroner", "øre", "øre"),
    "EGP": ("Egyptian pound", "Egyptian pounds", "piastre", "piastres"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
    "HUF": ("forint", "forints", "filler", "filler"),
    "IDR": ("rupiah", "rupiah", "sen", "sen"),
    "ILS": ("shekel", "shekels", "agora", "agorot"),
    "INR": ("rupee", "rupees", "paisa", "paise"),
    "JPY": ("yen", "yen"),
    "KES": ("Kenyan shilling", "Kenyan shillings", "cent", "cents"),
    "KRW": ("won", "won"),
    "KWD": ("Kuwaiti dinar", "Kuwaiti dinars", "fils", "fils"),
    "MOP": ("pataca", "patacas", "avo", "avos"),
    "MXN": ("Mexican peso", "Mexican pesos", "centavo", "centavos"),
    "MYR": ("ringgit", "ringgit", "sen", "sen"),
    "NGN": ("naira", "naira", "kobo", "kobo"),
    "NOK": ("Norwegian krone", "Norwegian kroner", "øre", "øre"),
    "NZD": ("New Zealand dollar", "New Zealand dollars", "cent", "cents"),
    "PHP": ("Philippine peso", "Philippine pesos", "centavo", "centavos"),
    "PKR": ("Pakistani rupee", "Pakistani rupees", "paisa", "paise"),
    "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    "RON": ("leu", "lei", "ban", "bani"),
    "RUB": ("rouble", "roubles", "kopek", "kopeks"),
    "SAR": ("Saudi riyal", "Saudi riyals", "halala", "halalas"),
    "SEK": ("Swedish krona", "Swedish kronor", "öre", "öre"),
    "SGD": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
    "THB": ("baht", "baht", "satang", "satang"),
    "TRY": ("Turkish lira", "Turkish lira", "kurush", "kurush"),
    "TWD": ("New Taiwan dollar", "New Taiwan dollars", "cent", "cents"),
    "UAH": ("hryvnia", "hryvnias", "kopiyka", "kopiykas"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "VND": ("dong", "dong"),
    "ZAR": ("rand", "rand", "cent", "cents"),
}
"""One and several of the currency, and of its smallest unit if it has one. All others are named by their letters."""
REASONS: Mapping[str, str] = {}
"""Why a calendar is open or closed, where nobody has written a reason: said as the engine has it, in English."""
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def ordinal(value: int) -> str:
    """A place in a row (`twenty-first`)."""
    return " ".join(ordinal_words(value))


def money(sum_: Money) -> str:
    """`twelve dollars and fifty cents`; a unit of which there is none is left out."""
    sign = f"{MINUS} " if sum_.minor_units < 0 else ""
    decimals = decimals_of(sum_.currency) or 0
    whole, rest = divmod(abs(sum_.minor_units), 10**decimals)
    names = _CURRENCIES.get(sum_.currency)
    if names is None:
        return f"{sign}{_decimal(whole, rest, decimals)} {' '.join(sum_.currency)}"
    parts = [_counted(whole, names[0], names[1])] if whole or not rest else []
    parts += [_counted(rest, names[2], names[3])] if rest else []
    return sign + " and ".join(parts)


def day(said: Date) -> str:
    """`Saturday, November twenty-first, twenty twenty-six`."""
    weekday = f"{_WEEKDAYS[said.day.weekday()]}, " if said.weekday else ""
    year = f", {year_words(said.day.year)}" if said.year else ""
    return f"{weekday}{_MONTHS[said.day.month - 1]} {ordinal(said.day.day)}{year}"


def year_words(year: int) -> str:
    """A year of `datetime.date` (1 to 9999)."""
    century, rest = divmod(year, 100)
    if century == 0 or (century % 10 == 0 and rest < 10):
        return _number(year)
    if rest == 0:
        return f"{_number(century)} hundred"
    return f"{_number(century)} {'oh ' if rest < 10 else ''}{_number(rest)}"


def time(said: TimeOfDay) -> str:
    """`three fifteen p.m.`, `noon`, `midnight`; on a clock of 24 hours `oh nine fifteen`, `fifteen hundred hours`."""
    if said.minute == 0 and said.hour in (0, 12):
        return "noon" if said.hour else "midnight"
    minute = f" {'oh ' if said.minute < 10 else ''}{_number(said.minute)}" if said.minute else ""
    if said.clock_h == 24:
        hour = _number(said.hour) if said.hour >= 10 else f"oh {_number(said.hour)}" if said.hour else "zero zero"
        return f"{hour}{minute or ' hundred hours'}"
    return f"{_number(said.hour % 12 or 12)}{minute} {'a.m.' if said.hour < 12 else 'p.m.'}"


def duration(said: Duration) -> str:
    """`two hours and five minutes`; units of which there is none are left out."""
    left, parts = said.seconds, []
    for size, name in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(_counted(count, name, f"{name}s"))
    *first, last = parts or ["zero seconds"]
    return f"{', '.join(first)} and {last}" if first else last


def _counted(count: int, one: str, several: str) -> str:
    return f"{_number(count)} {one if count == 1 else several}"


def _decimal(whole: int, rest: int, decimals: int) -> str:
    written = f"{rest:0{decimals}}".rstrip("0") if rest else ""
    return _number(whole) + (f" point {' '.join(digit_words(written))}" if written else "")


def _number(value: int) -> str:
    return " ".join(number_words(value))
