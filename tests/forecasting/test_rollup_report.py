"""The forecast grid over real versions: nothing dropped, one number with the waterfall, as of any instant."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.quotas.models import Quota
from forecasting.quotas.rules import State, coverage
from forecasting.rollup.report import rollup_report
from forecasting.rollup.rules import COLUMNS
from forecasting.waterfall.report import waterfall_report
from otc.calendar.rules import parse_period
from otc.money.models import Rate
from otc.tenancy.lines import UnknownScope
from otc.tenancy.services import line_set
from tests.forecasting.lives import change, deal_with, random_state

Q4 = parse_period("2026-Q4")
INSIDE = date(2026, 11, 30)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def now() -> datetime:
    return datetime.now(UTC)


def grid(house, **asked):
    asked = {"viewer": house.eve, "period": Q4, "as_of": now(), "now": now(), **asked}
    return rollup_report(house.organization, **asked)


def row_of(report, person):
    return next(row for row in report.rows if row.person_id == person.id)


def commit(owner, amount_minor, **columns):
    columns = {"close_date": INSIDE, "category": "commit", **columns}
    return deal_with(owner_id=owner.id if owner else None, amount_minor=amount_minor, **columns)


def won(owner, amount_minor):
    return commit(owner, amount_minor, category="closed", outcome="won", closed_at=now())


def test_money_goes_up_the_line(inside):
    commit(inside.ana, 100)
    commit(inside.jon, 50)
    commit(inside.max, 7)
    won(inside.ana, 30)
    report = grid(inside)
    assert [(row.name, row.depth) for row in report.rows][:2] == [("Eve Okafor", 0), ("Max Brandt", 1)]
    max_ = row_of(report, inside.max).amounts
    assert (max_["commit"].own, max_["commit"].rolled_up, max_["closed"].rolled_up) == (7, 157, 30)
    assert report.total.amounts["commit_cumulative"].final == 187


@pytest.mark.parametrize("seed", range(3))
def test_the_grid_drops_nothing_and_shows_the_waterfalls_closing(inside, seed):
    for currency, rate in (("USD", "0.9137"), ("GBP", "1.1921"), ("JPY", "0.0061")):
        Rate(currency=currency, valid_from=date(2020, 1, 1), known_from=LONG_AGO, rate=Decimal(rate)).save()
    random, owners = Random(seed), [inside.eve, inside.max, inside.ana, inside.jon, inside.ops, None]
    for _ in range(80):
        deal_with(**random_state(random, owners=owners, currencies=["EUR", "USD", "GBP", "JPY"]))
    at, line = now(), [inside.eve, inside.max, inside.ana, inside.jon]
    report = grid(inside, as_of=at)
    for column in COLUMNS:
        tops = sum(
            row.amounts[column].rolled_up for row in report.rows if row.depth == 0 and not row.is_unassigned
        )
        assert tops + report.unassigned.amounts[column].rolled_up == report.total.amounts[column].rolled_up
        assert tops == sum(row_of(report, person).amounts[column].own for person in line)
    for scope in ["everyone", "unassigned", *(str(person.id) for person in line)]:
        asked = {"viewer": inside.eve, "period": Q4, "as_of": at, "now": now(), "scope": scope}
        closing = waterfall_report(inside.organization, since=LONG_AGO, **asked).waterfall.closing
        assert grid(inside, as_of=at, scope=scope).total.amounts["open"].rolled_up == closing.amount_minor


def test_what_has_no_owner_or_no_line_is_unassigned(inside):
    commit(None, 1)
    commit(inside.ops, 2)
    report = grid(inside)
    assert report.unassigned.amounts["commit"].rolled_up == 3
    assert row_of(report, inside.ops).is_unassigned
    assert grid(inside, scope="unassigned").total.amounts["commit"].rolled_up == 3


def test_the_past_is_shown_as_it_was(inside):
    deal, then = commit(inside.ana, 100), now()
    change(deal, amount_minor=40, category="pipeline")
    assert grid(inside, as_of=then).total.amounts["commit"].final == 100
    assert grid(inside).total.amounts["commit"].final == 0


def test_the_chart_of_then_and_of_now_group_differently(inside):
    commit(inside.jon, 50)
    then = now()
    line_set(inside.jon, manager_id=inside.eve.id, since=now())
    assert row_of(grid(inside, as_of=then), inside.max).amounts["commit"].rolled_up == 50
    assert row_of(grid(inside, as_of=then, org_chart="now"), inside.max).amounts["commit"].rolled_up == 0


def test_a_manager_sees_the_branch_as_a_tree_of_its_own(inside):
    commit(inside.ana, 100)
    commit(inside.eve, 1000)
    report = grid(inside, viewer=inside.max)
    assert [row.name for row in report.rows] == ["Max Brandt", "Ana Ruiz", "Jonas Feld"]
    assert report.total.amounts["commit"].final == 100
    with pytest.raises(UnknownScope):
        grid(inside, viewer=inside.max, scope=str(inside.eve.id))


def test_a_deal_without_a_rate_or_amount_is_told_beside(inside):
    commit(inside.ana, 100, currency="NOK", name="Fjord")
    commit(inside.ana, None)
    report = grid(inside)
    assert [(deal.name, deal.amount_minor, deal.currency) for deal in report.unconvertible] == [
        ("Fjord", 100, "NOK")
    ]
    assert report.without_amount == 1 and report.total.amounts["commit"].final == 0
    assert row_of(report, inside.ana).deal_count == 2


def test_a_quota_gives_gap_and_coverage(inside):
    Quota(person=inside.ana, period="2026-Q4", amount_minor=200).save()
    won(inside.ana, 100)
    commit(inside.ana, 300)
    row = row_of(grid(inside), inside.ana)
    assert (row.gap_minor, row.coverage.remaining, row.coverage.of_quota) == (100, 3, Fraction(3, 2))
    assert row_of(grid(inside), inside.jon).coverage.state is State.NO_QUOTA
    assert grid(inside).total.quota_minor == row_of(grid(inside), inside.max).quota_minor == 200


def test_a_reached_quota_is_met():
    assert coverage(50, won_minor=200, quota_minor=200).state is State.MET


def test_the_number_of_queries_does_not_grow_with_the_deals(inside):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            grid(inside)
        return len(captured)

    few = queries()
    for _ in range(20):
        commit(inside.ana, 1)
    assert queries() == few <= 11
