"""Who calls: at hand, by a look-up within its time, or nobody known; and what the channel remembers of it."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from acd.service.lookups.customers import Customer, CustomerDesk, CustomerSite
from config.customers import CustomerTable
from ivr.lookups import FieldValue, LookUpAnswer, LookUpOutcome
from ivr.numbers import Numbering
from tests.service.lookups.other_side import asking, lookup, other_side

LI = Customer(id="Li", name="Mr Li", priority=120, agent="anna", source="customers")
TABLE = CustomerTable(
    ("number", "id", "name", "language", "vip", "agent", "matter", "priority", "city"),
    {"+4930222": ("030 222", "K-17", "Ms Wang", "zh", "3", "anna", "card", "5", "Berlin")},
)
SITE = CustomerSite(
    numbering=Numbering(country_code="49", least_national_digits=5),
    listed={"+4930111": LI},
    table=TABLE,
    lookup="crm",
    timeout_s=0.3,
    agents=frozenset({"anna"}),
)


def no_fields(name: str) -> str | None:
    return None


class Crm:
    """A look-up that comes to one answer."""

    def __init__(self, outcome: LookUpOutcome = LookUpOutcome.OK, **values: str) -> None:
        self.answer = LookUpAnswer(outcome=outcome, values=values, why="in words")
        self.asked: list[tuple[str, float | None]] = []

    async def ask(self, lookup: str, value: FieldValue, *, timeout_s: float | None = None) -> LookUpAnswer:
        self.asked.append((lookup, timeout_s))
        return self.answer


def counted(registry: CollectorRegistry) -> dict[str, float]:
    samples = [sample for family in registry.collect() for sample in family.samples]
    return {s.labels["known_by"]: s.value for s in samples if s.name == "acd_callers_total"}


def test_the_listed_and_the_table_are_at_hand() -> None:
    registry = CollectorRegistry()
    desk = CustomerDesk(lambda: SITE, Crm(), registry)
    assert desk.at_hand("030 111") is LI
    wang = desk.at_hand("004930222")
    assert wang == Customer(
        id="K-17",
        name="Ms Wang",
        priority=35,
        agent="anna",
        language="zh",
        vip=3,
        matter="card",
        data={"city": "Berlin"},
        source="table",
    )
    assert desk.at_hand("+4930333") is None, "the CRM has to tell"
    assert desk.at_hand("") == Customer(), "a number that is withheld is not asked about"
    assert counted(registry) == {"customers": 1, "table": 1, "nothing": 1}


def test_without_a_look_up_a_stranger_is_a_customer_of_the_number() -> None:
    desk = CustomerDesk(lambda: CustomerSite(), Crm(), CollectorRegistry())
    assert desk.at_hand("+4930333") == Customer(id="+4930333")
    assert desk.at_hand("anonymous") == Customer()
    assert not Customer(id="+4930333").known


async def test_what_the_look_up_tells_is_held_against_what_can_be() -> None:
    crm = Crm(name="Mr\nX", language="fr", vip="99", agent="nobody", priority="-9999999", branch="west")
    found = await CustomerDesk(lambda: SITE, crm, CollectorRegistry()).ask("030333", no_fields, "c1")
    assert found == Customer(id="+4930333", name="Mr X", priority=100, vip=10, data={"branch": "west"}, source="lookup")
    assert crm.asked == [("crm", 0.3)]
    assert found.fields()["known"] == "yes"
    assert found.fields()["branch"] == "west"


@pytest.mark.parametrize("outcome", [outcome for outcome in LookUpOutcome if outcome is not LookUpOutcome.OK])
async def test_a_look_up_in_vain_leaves_a_stranger_and_a_note(
    outcome: LookUpOutcome, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = CollectorRegistry()
    found = await CustomerDesk(lambda: SITE, Crm(outcome), registry).ask("030333", no_fields, "c1")
    assert found == Customer(id="+4930333", failure=outcome.value)
    fields = found.fields()
    assert (fields["known"], fields["source"], fields["name"]) == ("no", outcome.value, "")
    assert counted(registry) == {outcome.value: 1}
    logged = "caller not looked up" in capsys.readouterr().out
    assert logged is (outcome is not LookUpOutcome.NOT_FOUND), "that somebody is not known is no fault"


async def test_a_source_that_hangs_is_given_its_time_and_no_more() -> None:
    async with other_side() as side, asking(lookup(side.url("/hangs"), name="crm", timeout_s=20.0)) as us:
        desk = CustomerDesk(lambda: SITE, us.desk, CollectorRegistry())
        async with asyncio.timeout(5):
            found = await desk.ask("030333", no_fields, "c1")
        assert found.failure == "timeout"
        await asyncio.wait_for(side.gone.wait(), 5)


@pytest.mark.parametrize(
    "customer",
    [
        Customer(
            id="K", name="N", priority=-5, agent="a", language="zh", vip=2, matter="m", data={"x": "1"}, source="lookup"
        ),
        Customer(id="+4930333", failure="timeout"),
    ],
)
def test_the_channel_remembers_what_a_look_up_has_told(customer: Customer) -> None:
    assert Customer.restored(customer.stored()) == customer


def test_it_need_not_remember_what_is_at_hand() -> None:
    assert LI.stored() == {}
    assert Customer(id="+4930333").stored() == {}


def test_nonsense_on_a_channel_is_no_customer_with_points() -> None:
    stored = {"priority": "1e9", "vip": "eleven", "name": "x", "data.": "y"}
    assert Customer.restored(stored) == Customer(name="x", data={"": "y"})
