"""Every number opens: a cell of the forecast leads to the deals that it is the sum of."""

from datetime import UTC, datetime, timedelta

import pytest

from forecasting.rollup.report import rollup_report
from forecasting.trends.make_up import present_of
from forecasting.trends.rules import BANDS
from forecasting.types.services import forecast_type_create
from otc.question import BadQuestion, Question, ask
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.asked import read
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.report import deals_report
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.columns import COLUMNS
from pipeline.process.models import CloseReason
from pipeline.team.rules import Share
from pipeline.team.services import splits_set


@pytest.fixture
def deals(inside, make_deal):
    """A deal of every category and outcome, each worth another power of two."""
    now = datetime.now(UTC)
    today, reason = now.date(), CloseReason.objects.first()
    for place, category in enumerate(["omitted", "pipeline", "best_case", "most_likely", "commit", None]):
        deal = make_deal(owner=inside.ana, amount_minor=2**place, close_date=today)
        if category:
            opportunity_edit(deal.id, changes={"category": category})
        else:
            Opportunity.objects.filter(id=deal.id).update(category=None)
    for place, outcome in enumerate(["won", "lost", "no_decision"], start=6):
        deal = make_deal(owner=inside.ana, amount_minor=2**place)
        opportunity_close(deal.id, outcome=outcome, reason_id=reason.id, now=now, today=today)


Numbers = dict[str, tuple[int, int, int]]


def test_a_cell_is_the_sum_of_the_deals_it_opens(inside, deals):
    question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), {})
    cells = rollup_report(inside.organization, period=question.period, **question.frame).total.amounts
    for column in COLUMNS:
        asked = read({"column": column, "period": question.period.key}, question)
        opened = asked.filter.apply(Opportunity.objects.all())
        assert sum(deal.amount_minor for deal in opened) == cells[column].final > 0, column


def numbers(question: Question, **more: str) -> Numbers:
    """Of each column: its cell of the forecast, the sum of the list that it opens, and what that list's rows come to.

    `more` is the forecast type, by id for the forecast and by name for the list.
    """
    chosen = {"type_id": more["type_id"]} if more else {}
    cells = rollup_report(question.organization, period=question.period, **chosen, **question.frame)
    found = {}
    for column in COLUMNS:
        typed = {"forecast_type": more["slug"]} if more else {}
        asked = read({"column": column, "period": question.period.key} | typed, question)
        report = deals_report(question, asked, since=question.now)
        added = sum(row.corporate_minor or 0 for row in report.rows)
        found[column] = cells.total.amounts[column].final, report.sums.total_minor, added
    return found


@pytest.mark.parametrize("is_past", [False, True])
def test_a_cell_of_split_deals_is_the_sum_of_the_parts_it_opens(inside, deals, is_past):
    inside.organization.visibility = "open"
    for place, deal in enumerate(Opportunity.objects.order_by("amount_minor")):
        shares = [(inside.ana, 3_333), (inside.jon, 3_334), (inside.eve, 3_333)][: 1 + place % 3]
        spare = 10_000 - sum(share for _, share in shares[1:])
        shares[0] = (shares[0][0], spare)
        splits_set(
            deal.id,
            shares=[Share(person.id, "revenue", share) for person, share in shares],
            now=datetime.now(UTC),
        )
    when = {"as_of": datetime.now(UTC).isoformat()} if is_past else {}
    totals = []
    for scope in ("everyone", str(inside.ana.id), str(inside.jon.id), str(inside.max.id)):
        tenant = Tenant(inside.organization, inside.eve, datetime.now(UTC))
        found = numbers(ask(tenant, when | {"scope": scope}))
        for column, (cell, listed, added) in found.items():
            assert cell == listed == added, (column, scope)
        totals.append(found)
    for column in COLUMNS:
        everyone, ana, jon, _ = (found[column][0] for found in totals)
        assert everyone >= ana + jon > 0, column


@pytest.mark.parametrize("is_past", [False, True])
def test_a_cell_of_a_type_is_the_sum_of_the_deals_it_opens(inside, deals, is_past):
    for place, deal in enumerate(Opportunity.objects.order_by("amount_minor")):
        opportunity_edit(deal.id, changes={"kind": "Renewal" if place % 2 else "New business"})
    now, cells = datetime.now(UTC), []
    when = {"as_of": now.isoformat()} if is_past else {}
    for kind in ("renewal", "New business"):
        made = forecast_type_create(
            inside.organization, author=inside.ops, name=kind, conditions={"kind": [kind]}, now=now
        )
        question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), when)
        cells.append(numbers(question, type_id=made.id, slug=made.slug))
        for column, (cell, listed, added) in cells[-1].items():
            assert cell == listed == added, (column, kind)
    question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), when)
    for column, (cell, _, _) in numbers(question).items():
        assert cells[0][column][0] + cells[1][column][0] == cell > 0, column


@pytest.mark.parametrize("is_past", [False, True])
def test_an_age_is_the_sum_of_the_deals_it_opens(inside, deals, is_past):
    """On both sides of every band's first day, by the organization's midnight."""
    tenant = Tenant(inside.organization, inside.eve, datetime.now(UTC))
    now = ask(tenant, {})
    firsts = [now.start_of(now.day - timedelta(days=band.first - 1)) for band in BANDS[1:]]
    starts = [first + timedelta(seconds=aside) for first in firsts for aside in (-1, 0)]
    for deal, start in zip(Opportunity.objects.order_by("amount_minor")[1:6], starts[3:], strict=False):
        Opportunity.objects.filter(id=deal.id).update(created_at=start)
    when = {"as_of": datetime.now(UTC).isoformat()} if is_past else {}
    question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), when)
    opened = {}
    for age in present_of(question).make_up.ages:
        parameters = {"column": "open", "period": question.period.key, "age": str(age.band.first)}
        report = deals_report(question, read(parameters, question), since=question.now)
        assert (report.sums.total_minor, len(report.rows)) == (age.amount_minor, age.count)
        opened[age.band.first] = len(report.rows)
    assert sum(opened.values()) == 5 and len([count for count in opened.values() if count]) >= 3
    with pytest.raises(BadQuestion, match="begins no age"):
        read({"age": "31"}, question)
