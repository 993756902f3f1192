"""Which numbers may be called back, and how they are written.

The number comes from the network or from the caller's keys, so it may be anything: what calls it costs the site money,
which is what toll fraud lives on. Nothing is dialled that is not a plain subscriber's number, of the site's own country
or one that the site has named, and that ``outbound`` allows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, PhoneNumberType

from acd.service.outbound import Outbound

__all__ = ["CheckedNumber", "NumberFault", "NumberRules"]

_PLAIN = re.compile(r"\+?[0-9]{3,24}")
_SUBSCRIBERS = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
"""Not premium rate, shared cost, personal, pager, universal access and short numbers: none is a caller's own."""
_SHORTEST_NATIONAL_DIGITS = 5


class NumberFault(StrEnum):
    """Why a number is not called back."""

    NONE = "no-number"
    """There is none: withheld, or not one that a telephone has."""
    INVALID = "not-valid"
    """No such number can exist in its country."""
    COUNTRY = "country"
    """It is of a country that the site does not call."""
    KIND = "kind"
    """Premium rate, a short number or the like."""
    OUTBOUND = "outbound"
    """``outbound`` does not allow it."""


@dataclass(frozen=True, slots=True)
class CheckedNumber:
    """A number as it is dialled and known by, or why it is not called back."""

    number: str = ""
    fault: NumberFault | None = None


@dataclass(frozen=True, slots=True)
class NumberRules:
    """What may be called back. ``home`` and ``countries`` are ISO 3166-1 codes; ``home`` empty: not told.

    Without a home country a number must be in international form, and its country is taken for allowed only if
    ``outbound`` allows a prefix that names it (``+49``, not ``+``); what is in national form is dialled as it is if
    ``outbound`` allows it, and cannot be checked further.
    """

    outbound: Outbound
    home: str = ""
    countries: tuple[str, ...] = ()

    def check(self, text: str) -> CheckedNumber:
        """Bring a number into international form (E.164) and tell whether it may be called back."""
        compact = re.sub(r"[\s()/.-]", "", text)
        if not _PLAIN.fullmatch(compact):
            return CheckedNumber(fault=NumberFault.NONE)
        if not self.home and not compact.startswith("+"):
            return self._as_it_is(compact)
        try:
            parsed = phonenumbers.parse(compact, self.home or None)
        except NumberParseException:
            return CheckedNumber(fault=NumberFault.INVALID)
        fault = self._fault_of(parsed)
        if fault is not None:
            return CheckedNumber(fault=fault)
        number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        return self._within_outbound(number)

    def _fault_of(self, parsed: PhoneNumber) -> NumberFault | None:
        region = phonenumbers.region_code_for_number(parsed)
        if not phonenumbers.is_valid_number(parsed):
            known = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
            return NumberFault.INVALID if self._is_called(parsed, known) else NumberFault.COUNTRY
        if not self._is_called(parsed, (region,) if region else ()):
            return NumberFault.COUNTRY
        if phonenumbers.number_type(parsed) not in _SUBSCRIBERS:
            return NumberFault.KIND
        return None

    def _is_called(self, parsed: PhoneNumber, regions: tuple[str, ...]) -> bool:
        if self.home:
            return any(region == self.home or region in self.countries for region in regions)
        if any(region in self.countries for region in regions):
            return True
        return any(prefix.startswith(f"+{parsed.country_code}") for prefix in self.outbound.allowed)

    def _as_it_is(self, number: str) -> CheckedNumber:
        if len(number) < _SHORTEST_NATIONAL_DIGITS:
            return CheckedNumber(fault=NumberFault.KIND)
        return self._within_outbound(number)

    def _within_outbound(self, number: str) -> CheckedNumber:
        if self.outbound.device(number) is None:
            return CheckedNumber(fault=NumberFault.OUTBOUND)
        return CheckedNumber(number)
