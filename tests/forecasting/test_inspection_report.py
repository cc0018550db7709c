"""The inspection's rows, sums and changes, checked against the waterfall and the forecast beside it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from forecasting.inspection.report import Asked, all_deals, inspection_report
from forecasting.inspection.services import previous_visit, visit_note
from forecasting.rollup.report import rollup_report
from forecasting.waterfall.report import waterfall_report
from otc.question import BadQuestion, ask
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.models import CloseReason
from tests.days import day_in_house


def question_of(house, person, **parameters):
    return ask(Tenant(house.organization, person, datetime.now(UTC)), parameters)


@pytest.fixture
def quarter(inside, make_deal):
    """Three deals of this quarter; what they were is an instant before two of them change."""
    today = day_in_house()
    deals = [
        make_deal(f"Deal {n}", owner=owner, amount_minor=n * 1000, close_date=today)
        for n, owner in enumerate([inside.ana, inside.jon, None], start=1)
    ]
    then = datetime.now(UTC)
    opportunity_edit(deals[0].id, changes={"amount_minor": 5000, "category": "commit"})
    reason = CloseReason.objects.first()
    opportunity_close(deals[1].id, outcome="won", reason_id=reason.id, now=datetime.now(UTC), today=today)
    return deals, then


def test_a_row_shows_what_it_was(inside, quarter):
    deals, then = quarter
    found = inspection_report(question_of(inside, inside.eve), since=then, asked=Asked())
    row = next(row for row in found.deals if row.opportunity_id == deals[0].id)
    assert (row.corporate_minor, row.was_corporate_minor) == (5000, 1000)
    assert (row.category, row.was_category) == ("commit", "pipeline")


def test_the_sums_are_those_of_waterfall_and_forecast(inside, quarter):
    _, then = quarter
    question = question_of(inside, inside.eve)
    found = inspection_report(question, since=then, asked=Asked())
    falls = waterfall_report(
        inside.organization, period=question.period, since=then, **question.frame
    ).waterfall
    total = rollup_report(inside.organization, period=question.period, **question.frame).total
    assert found.total_minor == found.summary.now.open_minor == falls.closing.amount_minor
    assert found.summary.before.open_minor == falls.opening.amount_minor
    assert found.total_minor == total.amounts["open"].final
    assert found.summary.now.won_minor == total.amounts["closed"].final == 2000


@pytest.mark.parametrize("group", ["category", "stage", "owner", "none"])
def test_every_grouping_sums_to_the_same(inside, quarter, group):
    found = inspection_report(question_of(inside, inside.eve), since=quarter[1], asked=Asked(group=group))
    assert (found.count, found.total_minor) == (2, 8000)


def test_a_rep_sees_own_deals_only(inside, quarter):
    found = inspection_report(question_of(inside, inside.ana), since=quarter[1], asked=Asked())
    assert [row.name for row in found.deals] == ["Deal 1"]


def test_the_past_shows_deals_as_they_were(inside, quarter):
    _, then = quarter
    found = inspection_report(
        question_of(inside, inside.eve, as_of=then.isoformat()), since=then, asked=Asked()
    )
    assert (found.count, found.total_minor) == (3, 6000)


def test_csv_has_every_deal_of_the_tab(inside, quarter):
    rows = all_deals(question_of(inside, inside.eve), since=quarter[1], asked=Asked(tab="changed"))
    assert [row.name for row in rows] == ["Deal 1"]


def test_a_deal_of_another_period_is_not_there(inside, make_deal):
    make_deal("Later", owner=inside.ana, amount_minor=1, close_date=date(2030, 1, 1))
    make_deal("No date", owner=inside.ana, amount_minor=1)
    found = inspection_report(question_of(inside, inside.eve), since=datetime.now(UTC), asked=Asked())
    assert found.deals == []


@pytest.mark.parametrize("word", [{"tab": "x"}, {"group": "x"}, {"sort": "x"}, {"page": -1}])
def test_unknown_words_are_refused(word):
    with pytest.raises(BadQuestion):
        Asked(**word)


def test_a_visit_is_compared_with_the_one_before(inside):
    start = datetime(2026, 11, 1, tzinfo=UTC)
    visit_note(inside.ana, page="inspection", now=start)
    visit_note(inside.ana, page="inspection", now=start + timedelta(minutes=5))
    assert previous_visit(inside.ana, page="inspection", now=start + timedelta(minutes=6)) is None
    later = start + timedelta(days=2)
    visit_note(inside.ana, page="inspection", now=later)
    assert previous_visit(inside.ana, page="inspection", now=later) == start + timedelta(minutes=5)
