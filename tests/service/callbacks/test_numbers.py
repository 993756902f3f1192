"""Which numbers may be called back: toll fraud is denied before anything is promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.service.callbacks.numbers import CheckedNumber, NumberFault, NumberRules
from acd.service.outbound import Outbound

ANYWHERE = Outbound(("+",), "PJSIP/{number}@trunk")
GERMAN = NumberRules(ANYWHERE, "DE")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("030200100", "+4930200100"),
        ("+49 (30) 200-100", "+4930200100"),
        ("0049 30 200100", "+4930200100"),
        ("+4915112345678", "+4915112345678"),
    ],
)
def test_a_number_of_the_home_country_in_all_its_forms(written: str, number: str) -> None:
    assert GERMAN.check(written) == CheckedNumber(number)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", NumberFault.NONE),
        ("anonymous", NumberFault.NONE),
        ("1&PJSIP/evil", NumberFault.NONE),
        ("110", NumberFault.INVALID),
        ("+4930", NumberFault.INVALID),
        ("09001234567", NumberFault.KIND),
        ("01801234567", NumberFault.KIND),
        ("+33142685300", NumberFault.COUNTRY),
        ("+8613800138000", NumberFault.COUNTRY),
        ("+881612345678", NumberFault.COUNTRY),
        ("+18765551234", NumberFault.COUNTRY),
    ],
)
def test_what_is_refused_whatever_outbound_allows(written: str, fault: NumberFault) -> None:
    assert GERMAN.check(written) == CheckedNumber(fault=fault)


def test_further_countries_one_by_one() -> None:
    rules = NumberRules(ANYWHERE, "DE", ("FR",))
    assert rules.check("+33142685300").number == "+33142685300"
    assert rules.check("+390669812345").fault is NumberFault.COUNTRY


def test_jamaica_is_not_the_united_states_although_both_begin_with_1() -> None:
    rules = NumberRules(ANYWHERE, "US")
    assert rules.check("2125550123").number == "+12125550123"
    assert rules.check("8769221234").fault is NumberFault.COUNTRY


def test_outbound_has_the_last_word() -> None:
    rules = NumberRules(Outbound(("+4930",), "PJSIP/{number}@trunk"), "DE")
    assert rules.check("030200100").number == "+4930200100"
    assert rules.check("089200100").fault is NumberFault.OUTBOUND
    assert NumberRules(Outbound(), "DE").check("030200100").fault is NumberFault.OUTBOUND


def test_without_a_home_country_only_what_outbound_names_a_country_for() -> None:
    assert NumberRules(ANYWHERE).check("+4930200100").fault is NumberFault.COUNTRY
    named = NumberRules(Outbound(("+4930", "0"), "PJSIP/{number}@trunk"))
    assert named.check("+4930200100").number == "+4930200100"
    assert named.check("+33142685300").fault is NumberFault.COUNTRY
    assert named.check("030200100").number == "030200100", "as it is: nobody knows the country"
    assert named.check("0190").fault is NumberFault.KIND


@given(st.text(max_size=30))
def test_nothing_but_a_plain_allowed_number_passes(text: str) -> None:
    checked = NumberRules(Outbound(("+49",), "PJSIP/{number}@trunk"), "DE").check(text)
    assert bool(checked.number) != (checked.fault is not None)
    assert not checked.number or (checked.number.startswith("+49") and checked.number[1:].isdecimal())
