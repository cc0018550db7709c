"""Each finding is found and its neighbour isn't; sums agree with a slow count; the cure is in the row."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from forecasting.calls.models import Call
from forecasting.integrity.report import Asked, all_rows, findings_of, integrity_report
from forecasting.integrity.rules import FINDINGS, inactive, unmanaged
from otc.money.rules import convert
from otc.question import Question, ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage
from tests.conftest import House
from tests.forecasting.lives import deal_with
from tests.guards.report_house import build_report_house
from tests.guards.surface import looker
from tests.pipeline.past_deals import past_deal

RATES = {"EUR": Decimal(1), "USD": Decimal("0.9137"), "JPY": Decimal("0.0061")}
NOW = timezone.now()
# Three days of one month and one of the next, all far ahead.
FIRST, SECOND, THIRD, NEXT = date(2027, 3, 3), date(2027, 3, 10), date(2027, 3, 24), date(2027, 4, 2)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def question_of(house: House, person: Any = None, **parameters: str) -> Question:
    return ask(Tenant(house.organization, person or house.eve, timezone.now()), parameters)


def sound(house: House, **more: Any) -> dict[str, Any]:
    """An open deal without reproach."""
    stage = Stage.objects.get(name="Propose")
    return {
        "owner_id": house.ana.id,
        "stage_id": stage.id,
        "process_id": stage.process_id,
        "category": "best_case",
        "amount_minor": 100_00,
        "close_date": FIRST,
        **more,
    }


def found(house: House, **parameters: str) -> set[str]:
    """The findings of the only deal there is."""
    rows = all_rows(question_of(house, **parameters), asked=Asked())
    return {one.key for row in rows for one in findings_of(row)}


def test_a_sound_deal_has_no_finding(inside: House) -> None:
    past_deal(inside, (ago(60), sound(inside)))
    assert found(inside) == set()


@pytest.mark.parametrize(
    ("finding", "columns"),
    [
        ("no_owner", {"owner_id": None}),
        ("no_amount", {"amount_minor": None}),
        ("no_amount", {"amount_minor": 0}),
        ("no_close_date", {"close_date": None}),
        ("unmapped_stage", {"stage_id": None}),
        ("unconvertible", {"currency": "NOK"}),
        ("past_due_commit", {"category": "commit", "close_date": date(2026, 1, 5)}),
    ],
)
def test_what_a_deal_lacks_is_found(inside: House, finding: str, columns: dict[str, Any]) -> None:
    past_deal(inside, (ago(60), sound(inside, **columns)))
    assert found(inside) == {finding}


def test_what_is_past_due_but_no_commit_and_a_commit_of_today_are_not_found(inside: House) -> None:
    past_deal(inside, (ago(60), sound(inside, close_date=date(2026, 1, 5))))
    past_deal(inside, (ago(60), sound(inside, category="commit", close_date=question_of(inside).day)))
    assert found(inside) == set()


def test_a_stage_that_proposes_no_category_is_unmapped(inside: House) -> None:
    past_deal(inside, (ago(60), sound(inside)))
    Stage.objects.filter(name="Propose").update(category=None)
    assert found(inside) == {"unmapped_stage"}


def test_an_owner_who_left_and_one_whose_manager_left_are_found(inside: House) -> None:
    past_deal(inside, (ago(60), sound(inside)))
    day = question_of(inside).day
    Person.objects.filter(id=inside.ana.id).update(left_on=day + timedelta(days=1))
    assert found(inside) == set()
    Person.objects.filter(id=inside.ana.id).update(left_on=day)
    assert found(inside) == {"inactive_owner"}
    Person.objects.filter(id=inside.ana.id).update(left_on=None)
    Person.objects.filter(id=inside.max.id).update(left_on=day)
    assert found(inside) == {"vacant_manager"}


def test_who_is_inactive_or_unmanaged_is_plain_arithmetic() -> None:
    a, b, c, d = (uuid4() for _ in "abcd")
    people = {a: None, b: date(2026, 1, 1), c: None, d: None}
    lines = {a: None, b: a, c: b}
    lined = frozenset({a, b, c})
    assert inactive(people, day=date(2026, 1, 1)) == {b}
    assert inactive(people, day=date(2025, 12, 31)) == frozenset()
    assert unmanaged(people, manager_of=lines, lined=lined, day=date(2026, 1, 2)) == {c, d}


def test_two_pushes_within_a_month_are_a_signal_and_one_or_a_crossing_is_not(inside: House) -> None:
    start = (ago(60), sound(inside))
    past_deal(inside, start, (ago(9), {"close_date": SECOND}), (ago(5), {"close_date": NEXT}))
    past_deal(inside, start, (ago(40), {"close_date": SECOND}), (ago(5), {"close_date": THIRD}))
    past_deal(inside, start, (ago(9), {"close_date": THIRD}), (ago(5), {"close_date": SECOND}))
    assert found(inside) == set()
    past_deal(inside, start, (ago(9), {"close_date": SECOND}), (ago(5), {"close_date": THIRD}))
    assert found(inside) == {"pushed_in_month"}
    assert found(inside, as_of=ago(7).isoformat(), knowledge="now") == set()


def test_a_category_that_comes_and_goes_is_a_signal(inside: House) -> None:
    start = (ago(60), sound(inside))
    up, down = {"category": "commit"}, {"category": "best_case"}
    past_deal(inside, start, (ago(9), up), (ago(5), down))
    past_deal(inside, start, (ago(40), up), (ago(35), down), (ago(3), up))
    rising = ({"category": "most_likely"}, up, {"category": "pipeline"})
    past_deal(inside, start, *((ago(9 - n), state) for n, state in enumerate(rising)))
    assert found(inside) == set()
    past_deal(inside, start, (ago(9), up), (ago(5), down), (ago(3), up))
    assert found(inside) == {"category_flips"}


def test_an_edit_on_the_eve_of_its_owners_call_is_a_signal(inside: House) -> None:
    def call(person: Person, at: datetime) -> None:
        Call(person=person, period="2026-Q4", amount_minor=1, currency="EUR", submitted_at=at).save()

    start = (ago(60), sound(inside))
    past_deal(inside, start, (ago(5), {"amount_minor": 300_00}))
    call(inside.ana, ago(5) + timedelta(hours=24))
    call(inside.ana, ago(5) - timedelta(hours=1))
    call(inside.jon, ago(5) + timedelta(hours=2))
    assert found(inside) == set()
    past_deal(inside, start, (ago(12), {"next_step": "Call"}))
    call(inside.ana, ago(12) + timedelta(hours=2))
    assert found(inside) == set()
    call(inside.ana, ago(5) + timedelta(hours=23))
    assert found(inside) == {"eve_of_call"}


def slow_findings(house: House, question: Question) -> dict[str, set[Any]]:
    """Deals by finding, one after another in plain Python, as the meanings say."""
    chart, people = question.chart, {one.id: one for one in Person.objects.all()}
    gone = {one.id for one in people.values() if one.left_on and one.left_on <= question.day}
    since = question.as_of - timedelta(days=30)
    result: dict[str, set[Any]] = {finding.key: set() for finding in FINDINGS}
    for deal in Opportunity.objects.filter(outcome=None, deleted_at=None).select_related("stage"):
        marks = {
            "no_owner": deal.owner_id is None,
            "no_amount": not deal.amount_minor,
            "no_close_date": deal.close_date is None,
            "unmapped_stage": deal.stage is None or deal.stage.category is None,
            "inactive_owner": deal.owner_id in gone,
            "vacant_manager": deal.owner_id is not None
            and deal.owner_id not in gone
            and (deal.owner_id not in chart.lined or chart.manager_of.get(deal.owner_id) in gone),
            "unconvertible": deal.amount_minor is not None and deal.currency not in RATES,
            "past_due_commit": deal.category == "commit"
            and deal.close_date is not None
            and deal.close_date < question.day,
        }
        versions = list(OpportunityVersion.objects.filter(opportunity=deal).order_by("valid_from"))
        versions = [v for v in versions if v.known_from <= question.known < v.known_to]
        steps = [(a, b) for a, b in pairwise(versions) if b.valid_from > since]
        pushes = [
            b
            for a, b in steps
            if a.close_date
            and b.close_date
            and b.close_date > a.close_date
            and (a.close_date.year, a.close_date.month) == (b.close_date.year, b.close_date.month)
        ]
        changes = [(a, b) for a, b in steps if a.category != b.category]
        seen = [v for v in versions if v.valid_to > since]
        returns = [
            b
            for a, b in changes
            if b.category is not None
            and b.category in [v.category for v in seen[: max(0, seen.index(b) - 1)]]
        ]
        marks["pushed_in_month"] = len(pushes) >= 2
        marks["category_flips"] = len(changes) >= 3 and bool(returns)
        marks["eve_of_call"] = any(
            (a.close_date, a.category, a.amount_minor, a.currency)
            != (b.close_date, b.category, b.amount_minor, b.currency)
            and b.valid_from <= call.submitted_at < b.valid_from + timedelta(hours=24)
            for a, b in steps
            for call in Call.objects.filter(person_id=b.owner_id)
        )
        for key, holds in marks.items():
            if holds:
                result[key].add(deal)
    return result


def corporate(deals: set[Any]) -> int:
    return sum(
        convert(deal.amount_minor, from_currency=deal.currency, to_currency="EUR", rate=RATES[deal.currency])
        for deal in deals
        if deal.amount_minor is not None and deal.currency in RATES
    )


def test_every_surface_agrees_with_the_slow_count(db: None) -> None:
    house = build_report_house(deals=60, seed=5)
    with use(house.organization.id, channel="ui"):
        Person.objects.filter(id=house.jon.id).update(left_on=NOW.date() - timedelta(days=3))
        for days in range(1, 30):
            at = NOW - timedelta(days=days)
            Call(person=house.ana, period="2026-Q4", amount_minor=1, currency="EUR", submitted_at=at).save()
        for category in ("commit", "best_case", "commit", "pipeline"):
            for deal in Opportunity.objects.filter(outcome=None, deleted_at=None)[:9]:
                deal.category = category
                deal.save()
        question = question_of(house)
        report = integrity_report(question, asked=Asked())
        slow = slow_findings(house, question)
        fast = {one.finding.key: (one.sum.count, one.sum.amount_minor) for one in report.findings}
        assert fast == {key: (len(deals), corporate(deals)) for key, deals in slow.items()}
        everything = set().union(*slow.values())
        assert (report.found.count, report.found.amount_minor) == (len(everything), corporate(everything))
        for key, deals in slow.items():
            rows = all_rows(question, asked=Asked(finding=key))
            assert {row.opportunity_id for row in rows} == {deal.id for deal in deals}
        assert sum(1 for deals in slow.values() if deals) >= 8
    eyes = looker(house, "eve", {})
    eyes.parameters = {}
    shown = eyes.page("integrity/").context["report"]
    assert {one.finding.key: (one.sum.count, one.sum.amount_minor) for one in shown.findings} == fast
    assert {
        one["finding"]: (one["count"], one["amount_minor"]) for one in eyes.api("integrity")["findings"]
    } == fast
    assert len(eyes.csv("integrity/")) == report.found.count
    lines = eyes.csv("integrity/", finding="no_owner")
    assert sum(int(line["corporate_minor"] or 0) for line in lines) == fast["no_owner"][1]
    alone = looker(house, "ana", {})
    alone.parameters = {}
    assert alone.api("integrity")["total"]["count"] < report.total.count


def test_the_cure_is_in_the_row(house: House, signed_in: Any) -> None:
    with use(house.organization.id, channel="ui"):
        deal = deal_with(**sound(house, amount_minor=None))
    client, address = signed_in(house.eve), house.url("integrity/?finding=no_amount")
    for page in (address, house.url("integrity/")):  # of any finding, too
        assert f"/deals/{deal.id}/edit/amount/" in client.get(page).text
    answer = client.post(
        house.url(f"deals/{deal.id}/edit/amount/"), {"value": "1,200", "next": address}, follow=True
    )
    assert answer.redirect_chain[-1][0] == address and "Nothing was found here" in answer.text
    with use(house.organization.id):
        assert found(house) == set()
    past = client.get(f"{address}&as_of={ago(1).date().isoformat()}").text
    assert "integrity-cure" not in past


def test_all_deals_of_one_who_left_are_given_at_once_and_taken_back(house: House, signed_in: Any) -> None:
    with use(house.organization.id, channel="ui"):
        for number in range(3):
            deal_with(**sound(house, name=f"Deal {number}"))
        Person.objects.filter(id=house.ana.id).update(left_on=ago(2).date())
    client, address = signed_in(house.eve), house.url("integrity/?finding=inactive_owner")
    page = client.get(address)
    group = page.context["bulk"][0]
    assert (group["owner_id"], len(group["deal_ids"])) == (house.ana.id, 3)
    posted = {"field": "owner", "deal": group["deal_ids"], "value": str(house.jon.id), "next": address}
    answer = client.post(house.url("deals/bulk/"), posted, follow=True)
    assert "Nothing was found here" in answer.text
    undo = next(str(message.extra_tags) for message in answer.context["messages"] if message.extra_tags)
    client.post(undo.split()[0])
    with use(house.organization.id):
        assert Opportunity.objects.filter(owner_id=house.ana.id).count() == 3
