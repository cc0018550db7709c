"""Every day from 1990 to 2100 falls in exactly one month, quarter and year, for all twelve start months."""

from datetime import date, timedelta

import pytest

from otc.calendar.rules import (
    Kind,
    NotAPeriod,
    PeriodError,
    PeriodOutOfRange,
    following,
    monday_of,
    parse_period,
    period_of,
    previous,
)

FIRST, LAST = date(1990, 1, 1), date(2100, 12, 31)
MONTHS_IN = {Kind.MONTH: 1, Kind.QUARTER: 3, Kind.YEAR: 12}


@pytest.mark.parametrize("start", range(1, 13))
@pytest.mark.parametrize("kind", list(Kind))
def test_every_day_falls_in_exactly_one_period(kind, start):
    day, seen = FIRST, set()
    while day <= LAST:
        period = period_of(day, kind=kind, fiscal_year_start_month=start)
        assert period.first <= day < period.end and period.key not in seen
        seen.add(period.key)
        inside = [period.first + timedelta(days=n) for n in range(period.days)]
        assert {period_of(d, kind=kind, fiscal_year_start_month=start) for d in inside} == {period}
        months = (period.end.year - period.first.year) * 12 + period.end.month - period.first.month
        assert months == MONTHS_IN[kind] and period.first.day == period.end.day == 1
        day = period.end


@pytest.mark.parametrize("start", range(1, 13))
@pytest.mark.parametrize("kind", list(Kind))
def test_a_key_names_its_period_and_neighbours_touch(kind, start):
    period = period_of(FIRST, kind=kind, fiscal_year_start_month=start)
    while period.first <= LAST:
        assert parse_period(period.key, fiscal_year_start_month=start) == period
        assert following(period).first == period.end and previous(following(period)) == period
        period = following(period)


@pytest.mark.parametrize("start", range(1, 13))
def test_four_quarters_make_a_year_that_starts_on_the_start_month(start):
    year = parse_period("2026", fiscal_year_start_month=start)
    quarters = [parse_period(f"2026-Q{n}", fiscal_year_start_month=start) for n in range(1, 5)]
    assert [q.first for q in quarters[1:]] + [year.end] == [q.end for q in quarters]
    assert quarters[0].first == year.first and year.first.month == start
    assert year.last.year == 2026


@pytest.mark.parametrize(
    ("day", "start", "key", "label"),
    [
        (date(2026, 11, 22), 1, "2026-Q4", "Q4 2026"),
        (date(2026, 2, 1), 2, "2027-Q1", "Q1 FY2027"),
        (date(2026, 1, 31), 2, "2026-Q4", "Q4 FY2026"),
        (date(2026, 10, 1), 10, "2027-Q1", "Q1 FY2027"),
        (date(2026, 9, 30), 10, "2026-Q4", "Q4 FY2026"),
        (date(2026, 7, 1), 7, "2027-Q1", "Q1 FY2027"),
    ],
)
def test_a_fiscal_year_is_named_by_the_year_it_ends_in(day, start, key, label):
    period = period_of(day, fiscal_year_start_month=start)
    assert (period.key, period.label) == (key, label)


def test_a_month_keeps_its_calendar_key():
    period = parse_period("2026-10", fiscal_year_start_month=2)
    assert (period.first, period.last, period.label) == (
        date(2026, 10, 1),
        date(2026, 10, 31),
        "October 2026",
    )


def test_a_period_is_half_open():
    period = parse_period("2026-Q4")
    assert date(2026, 10, 1) in period and date(2026, 12, 31) in period
    assert date(2026, 9, 30) not in period and date(2027, 1, 1) not in period


def test_a_quarter_counts_thirteen_weeks_and_its_days_left():
    period = parse_period("2026-Q4")
    weeks = [period.week_of(date(2026, 10, 1) + timedelta(days=n)) for n in range(92)]
    assert (
        period.weeks == 13 and weeks[0] == 1 and weeks[7] == 2 and weeks[-1] == 13 and weeks == sorted(weeks)
    )
    assert period.days_left(date(2026, 12, 31)) == 1 and period.days_left(date(2027, 1, 1)) == 0
    assert period.days_left(date(2026, 10, 1)) == period.days_left(date(2026, 1, 1)) == 92


@pytest.mark.parametrize(
    "key",
    [
        "",
        "2026-Q5",
        "2026-Q0",
        "2026-13",
        "2026-00",
        "26-Q1",
        "2026-q1",
        "2026-W01",
        "2026-1",
        "２０２６",
        "2026-Q1 ",
    ],
)
def test_what_is_no_period_is_refused(key):
    with pytest.raises(NotAPeriod):
        parse_period(key)


@pytest.mark.parametrize("key", ["0001", "1899-Q4", "2201-01", "9999"])
def test_a_year_out_of_range_is_refused(key):
    with pytest.raises(PeriodOutOfRange):
        parse_period(key)


@pytest.mark.parametrize("start", [0, 13, -1])
def test_a_start_month_that_does_not_exist_is_refused(start):
    with pytest.raises(PeriodError, match=str(start)):
        period_of(FIRST, fiscal_year_start_month=start)


def test_a_week_starts_on_monday():
    assert monday_of(date(2026, 11, 22)) == date(2026, 11, 16)
    assert monday_of(date(2026, 11, 16)) == date(2026, 11, 16)
