"""Win/loss over real versions: the same deals by reason, person, manager, product or quarter."""

from datetime import UTC, date, datetime, time
from fractions import Fraction

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from otc.calendar.rules import parse_period
from otc.tenancy.lines import UnknownScope
from pipeline.process.models import CloseReason
from postmortem.winloss.report import GROUPS, winloss_report
from tests.forecasting.lives import change, deal_with

Q4 = parse_period("2026-Q4")


def now() -> datetime:
    return datetime.now(UTC)


def closed(owner, outcome, amount_minor=100, *, on=date(2026, 11, 10), created=date(2026, 11, 1), **columns):
    return deal_with(
        owner_id=owner.id if owner else None,
        outcome=outcome,
        category="closed" if outcome == "won" else "omitted",
        amount_minor=amount_minor,
        close_date=on,
        closed_at=datetime.combine(on, time(12), UTC),
        created_at=datetime.combine(created, time(12), UTC),
        **columns,
    )


def report(house, group_by="person", **asked):
    asked = {"viewer": house.eve, "period": Q4, "as_of": now(), "now": now(), **asked}
    return winloss_report(house.organization, group_by=group_by, **asked)


def won_by(found) -> dict:
    return {group.name: group.row.closed.won_minor for group in found.groups}


def test_a_rate_counts_no_decisions_and_ignores_open_and_deleted_deals(inside):
    for outcome in ("won", "lost", "no_decision", "won"):
        closed(inside.ana, outcome)
    closed(inside.ana, "won", deleted_at=now())
    deal_with(owner_id=inside.ana.id, amount_minor=5, close_date=date(2026, 11, 10))
    total = report(inside).total
    assert (total.closed.won, total.closed.lost, total.closed.no_decision) == (2, 1, 1)
    assert total.win_rate == total.win_rate_by_amount == Fraction(1, 2)


def test_deals_group_by_person_and_by_manager(inside):
    closed(inside.ana, "won", 100)
    closed(inside.jon, "won", 50)
    closed(inside.max, "won", 7)
    assert won_by(report(inside)) == {"Ana Ruiz": 100, "Jonas Feld": 50, "Max Brandt": 7}
    assert won_by(report(inside, "manager")) == {"Max Brandt": 150, "Eve Okafor": 7}


def test_deals_group_by_fiscal_quarter_in_order(inside):
    inside.organization.fiscal_year_start_month = 2
    closed(inside.ana, "won", 1, on=date(2026, 1, 31), created=date(2026, 1, 1))
    closed(inside.ana, "won", 2, on=date(2026, 2, 1), created=date(2026, 1, 1))
    closed(inside.ana, "won", 4, on=date(2026, 10, 31), created=date(2026, 1, 1))
    closed(inside.ana, "won", 8, on=date(2026, 11, 1), created=date(2026, 1, 1))
    found = report(inside, "quarter", period=None)
    assert [(g.key, g.row.closed.won_minor) for g in found.groups] == [
        ("2026-Q4", 1),
        ("2027-Q1", 2),
        ("2027-Q3", 4),
        ("2027-Q4", 8),
    ]


def test_a_deal_without_a_reason_has_a_group_without_a_name(inside):
    reason = CloseReason.objects.first()
    closed(inside.ana, "lost", reason_id=reason.id)
    closed(inside.ana, "lost")
    assert {(g.key, g.name) for g in report(inside, "reason").groups} == {
        (reason.id, reason.name),
        (None, ""),
    }


def test_the_cycle_is_the_median_of_won_deals(inside):
    for day in (3, 5, 11):
        closed(inside.ana, "won", on=date(2026, 11, day))
    closed(inside.jon, "won", on=date(2026, 11, 21))
    closed(inside.jon, "lost", on=date(2026, 11, 30))
    found = report(inside)
    assert {group.name: group.row.cycle_days for group in found.groups} == {
        "Ana Ruiz": 4.0,
        "Jonas Feld": 20.0,
    }
    assert found.total.cycle_days == 7.0


def test_only_deals_closed_in_the_period_count(inside):
    closed(inside.ana, "won", on=date(2026, 9, 30), created=date(2026, 9, 1))
    closed(inside.ana, "won", on=date(2026, 12, 31))
    closed(inside.ana, "won", on=date(2027, 1, 1))
    assert report(inside).total.closed.won == 1
    assert report(inside, period=None).total.closed.won == 3


def test_the_past_is_shown_as_it_was(inside):
    deal, then = closed(inside.ana, "won", 100), now()
    change(deal, outcome=None, closed_at=None, category="commit")
    assert report(inside, as_of=then).total.closed.won_minor == 100
    assert report(inside).total.closed.won_minor == 0


def test_a_deal_without_a_rate_counts_as_a_deal_and_is_told_beside(inside):
    closed(inside.ana, "won", 100, currency="NOK", name="Fjord")
    closed(inside.ana, "won", None)
    found = report(inside)
    assert (found.total.closed.won, found.total.closed.won_minor, found.without_amount) == (2, 0, 1)
    assert [deal.name for deal in found.unconvertible] == ["Fjord"]


def test_a_rep_sees_only_her_own(inside):
    closed(inside.ana, "won")
    closed(inside.jon, "won")
    assert report(inside, viewer=inside.ana).total.closed.won == 1
    with pytest.raises(UnknownScope):
        report(inside, viewer=inside.ana, scope=str(inside.jon.id))


@pytest.mark.parametrize("group_by", GROUPS)
def test_every_grouping_shares_out_the_same_deals(inside, group_by):
    for owner in (inside.ana, inside.jon, inside.eve, None):
        for outcome in ("won", "lost", "no_decision"):
            closed(owner, outcome, source="Fair")
    found = report(inside, group_by)
    assert sum(group.row.closed.count for group in found.groups) == found.total.closed.count == 12
    assert sum(group.row.closed.won_minor for group in found.groups) == found.total.closed.won_minor == 400


def test_nothing_closed_is_an_empty_report(inside):
    found = report(inside)
    assert (found.groups, found.total.closed.count, found.total.win_rate) == ((), 0, None)


def test_another_grouping_is_refused(inside):
    with pytest.raises(ValueError, match="mood"):
        report(inside, "mood")


def test_the_number_of_queries_does_not_grow_with_the_deals(inside):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            report(inside, "manager")
        return len(captured)

    few = queries()
    for _ in range(20):
        closed(inside.ana, "won")
    assert queries() == few <= 6
