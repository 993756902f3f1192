"""Many ways of writing one number come to one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.numbers import Numbering

GERMANY = Numbering(country_code="49")
CHINA = Numbering(country_code="86")
AMERICA = Numbering(country_code="1", national_prefix="1", international_prefix="011")
ITALY = Numbering(country_code="39", national_prefix="")
NOWHERE = Numbering()


@pytest.mark.parametrize(
    "written",
    ["+493012345678", "+49 30 12345678", "+49 (0)30/1234-5678", "00493012345678", "030 1234 5678", "3012345678"],
)
def test_germany(written: str) -> None:
    assert GERMANY.normal(written) == "+493012345678"


@pytest.mark.parametrize("written", ["13812345678", "+86 138 1234 5678", "008613812345678", "8613812345678"])
def test_chinese_mobiles_have_no_prefix(written: str) -> None:
    assert CHINA.normal(written) == "+8613812345678"


def test_chinese_towns_have_one() -> None:
    assert CHINA.normal("010-12345678") == CHINA.normal("+86 10 12345678")


@pytest.mark.parametrize("written", ["5551234567", "15551234567", "+1 (555) 123-4567", "1-555-123-4567"])
def test_america(written: str) -> None:
    assert AMERICA.normal(written) == "+15551234567"


def test_america_calls_abroad_by_011() -> None:
    assert AMERICA.normal("011493012345678") == "+493012345678"


def test_the_italian_nought_is_part_of_the_number() -> None:
    assert ITALY.normal("0612345678") == "+390612345678"


@pytest.mark.parametrize("written", ["100", "4711", "1000", "anna", "", "*21", "10023"])
def test_extensions_stay(written: str) -> None:
    assert {rule.normal(written) for rule in (GERMANY, CHINA, AMERICA, ITALY, NOWHERE)} == {written}


def test_without_a_country() -> None:
    assert NOWHERE.normal("0049 30 123") == "+4930123"
    assert NOWHERE.normal("030 123456") == "030123456"


@given(st.text(alphabet="+0123456789 -()/.ab", max_size=24), st.sampled_from([GERMANY, CHINA, AMERICA, ITALY, NOWHERE]))
def test_what_is_normal_stays_so(written: str, rule: Numbering) -> None:
    once = rule.normal(written)
    assert rule.normal(once) == once
