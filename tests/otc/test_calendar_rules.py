"""Every day from 1990 to 2100 falls in exactly one week, month, quarter and year, for eight calendars and changes."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from otc.calendar.rules import (
    Calendar,
    CalendarRefused,
    Era,
    Kind,
    NotAPeriod,
    Period,
    PeriodError,
    PeriodOutOfRange,
    following,
    monday_of,
    month_years,
    parse_period,
    period_of,
    periods_of_year,
    previous,
    year_of,
)
from otc.calendar.shapes import Ending, MonthShape, NamedBy, Pattern, WeekShape
from tests.nightly import IS_NIGHTLY

FIRST, LAST = date(1990, 1, 1), date(2100, 12, 31)
MONDAY, SATURDAY, SUNDAY = 0, 5, 6
NRF = WeekShape(Pattern.W454, 1, SATURDAY, Ending.NEAREST, NamedBy.START)
SEPTEMBER = WeekShape(Pattern.W445, 9, SATURDAY, Ending.LAST)
JULY = WeekShape(Pattern.W445, 7, SATURDAY, Ending.LAST)
DECEMBER_NEAREST = WeekShape(Pattern.W544, 12, SUNDAY, Ending.NEAREST)
# The eight: months from 1, 2, 4, 7 and 10, and three of weeks, one for each pattern, last and nearest.
EIGHT = {
    "January": MonthShape(1),
    "February": MonthShape(2),
    "April, named by its start": MonthShape(4, NamedBy.START),
    "July": MonthShape(7),
    "October": MonthShape(10),
    "4-5-4, Saturday nearest to January's end": NRF,
    "4-4-5, last Saturday of September": SEPTEMBER,
    "5-4-4, Sunday nearest to December's end": DECEMBER_NEAREST,
}
CHANGES = {
    "to a later month": [(1990, MonthShape(1)), (2010, MonthShape(2)), (2040, MonthShape(7))],
    "a long year": [(1990, MonthShape(2)), (2010, MonthShape(1))],
    "months to weeks to months": [(1990, MonthShape(1)), (2003, NRF), (2031, MonthShape(10)), (2060, JULY)],
    "weeks to other weeks": [(1990, SEPTEMBER), (2000, DECEMBER_NEAREST), (2001, NRF), (2050, JULY)],
    "in the middle of a week": [(1990, DECEMBER_NEAREST), (2015, MonthShape(1)), (2016, DECEMBER_NEAREST)],
}


def calendar_of(*eras):
    return Calendar(tuple(Era(year, shape) for year, shape in eras))


CALENDARS = {name: calendar_of((1900, shape)) for name, shape in EIGHT.items()} | {
    f"change: {name}": calendar_of(*eras) for name, eras in CHANGES.items()
}
every_calendar = pytest.mark.parametrize("calendar", CALENDARS.values(), ids=CALENDARS.keys())


def next_asked(day: date, period: Period) -> date:
    following_day, last_two = day + timedelta(days=1), period.end - timedelta(days=2)
    if IS_NIGHTLY or following_day >= last_two or day == period.first:
        return following_day
    middle = period.first + (period.end - period.first) // 2
    return middle if following_day < middle else last_two


@every_calendar
@pytest.mark.parametrize("kind", list(Kind))
def test_every_day_falls_in_exactly_one_period(kind, calendar):
    """Each day is asked by itself; a period's days are one run, and no key comes twice.

    Of a long period its first, second and last two days, and one between; OTC_NIGHTLY=1 asks every day.
    """
    seen, current, day = {}, None, FIRST
    while day <= LAST:
        period = period_of(day, kind=kind, calendar=calendar)
        assert period.first <= day < period.end
        if period != current:
            assert period.key not in seen and (current is None or current.end == period.first == day)
            seen[period.key] = current = period
        day = next_asked(day, current)


@every_calendar
@pytest.mark.parametrize("kind", list(Kind))
def test_a_key_names_its_period_and_neighbours_touch(kind, calendar):
    period = period_of(FIRST, kind=kind, calendar=calendar)
    while period.first <= LAST:
        assert parse_period(period.key, calendar=calendar) == period
        assert following(period).first == period.end and previous(following(period)) == period
        period = following(period)


@every_calendar
def test_months_make_quarters_and_quarters_make_years(calendar):
    for year in range(1990, 2101):
        (whole,) = periods_of_year(year, kind=Kind.YEAR, calendar=calendar)
        quarters = periods_of_year(year, kind=Kind.QUARTER, calendar=calendar)
        months = periods_of_year(year, kind=Kind.MONTH, calendar=calendar)
        assert quarters[0].first == months[0].first == whole.first
        assert quarters[-1].end == months[-1].end == whole.end
        assert {quarter.first for quarter in quarters} <= {month.first for month in months}


@pytest.mark.parametrize("shape", [NRF, SEPTEMBER, JULY, DECEMBER_NEAREST], ids=str)
def test_years_of_weeks_have_52_or_53_and_the_last_period_bears_the_53rd(shape):
    calendar, lengths = calendar_of((1900, shape)), set()
    for year in range(1990, 2101):
        weeks = periods_of_year(year, kind=Kind.WEEK, calendar=calendar)
        months = periods_of_year(year, kind=Kind.MONTH, calendar=calendar)
        expected = list(shape.pattern.weeks * 4)
        expected[-1] += len(weeks) - 52
        assert [month.days // 7 for month in months] == expected
        assert {week.days for week in weeks} == {7} and weeks[-1].last.weekday() == shape.end_weekday
        assert {month.first for month in months} <= {week.first for week in weeks}
        lengths.add(len(weeks))
    assert lengths == {52, 53}


# The National Retail Federation's 4-5-4 calendar: the first day of a year, and the last.
NRF_YEARS = [
    (2006, "2006-01-29", "2007-02-03", 53),
    (2007, "2007-02-04", "2008-02-02", 52),
    (2012, "2012-01-29", "2013-02-02", 53),
    (2017, "2017-01-29", "2018-02-03", 53),
    (2018, "2018-02-04", "2019-02-02", 52),
    (2022, "2022-01-30", "2023-01-28", 52),
    (2023, "2023-01-29", "2024-02-03", 53),
    (2024, "2024-02-04", "2025-02-01", 52),
]


@pytest.mark.parametrize(("year", "first", "last", "weeks"), NRF_YEARS)
def test_the_retail_calendar_is_as_published(year, first, last, weeks):
    (found,) = periods_of_year(year, kind=Kind.YEAR, calendar=calendar_of((1900, NRF)))
    assert (str(found.first), str(found.last), found.days) == (first, last, 7 * weeks)


def test_the_retail_calendar_has_its_53_week_years_and_no_others():
    calendar = calendar_of((1900, NRF))
    years = {year: periods_of_year(year, kind=Kind.WEEK, calendar=calendar) for year in range(2001, 2027)}
    assert [year for year, weeks in years.items() if len(weeks) == 53] == [2006, 2012, 2017, 2023]
    may = period_of(date(2024, 5, 20), kind=Kind.MONTH, calendar=calendar)
    assert (may.key, str(may.first), str(may.last), may.days) == ("2024-P04", "2024-05-05", "2024-06-01", 28)


# Last days of published fiscal years, and which of 2014 to 2023 had 53 weeks: the last Saturday of September, of July,
# of December; the Sunday nearest to 31 December.
PUBLISHED = [
    (SEPTEMBER, {2017: "2017-09-30", 2018: "2018-09-29", 2022: "2022-09-24", 2023: "2023-09-30"}, [2017, 2023]),
    (JULY, {2015: "2015-07-25", 2016: "2016-07-30", 2021: "2021-07-31", 2022: "2022-07-30"}, [2016, 2021]),
    (WeekShape(end_month=12), {2016: "2016-12-31", 2021: "2021-12-25", 2022: "2022-12-31"}, [2016, 2022]),
    (DECEMBER_NEAREST, {2020: "2021-01-03", 2021: "2022-01-02", 2022: "2023-01-01", 2023: "2023-12-31"}, [2015, 2020]),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "ends", "long_years"), PUBLISHED, ids=lambda value: str(value)[:40])
def test_published_years_end_on_their_days(shape, ends, long_years):
    calendar = calendar_of((1900, shape))
    years = {year: periods_of_year(year, kind=Kind.YEAR, calendar=calendar)[0] for year in range(2014, 2024)}
    assert {year: str(years[year].last) for year in ends} == ends
    assert [year for year, found in years.items() if found.days == 371] == long_years


def test_quarters_of_thirteen_weeks_end_as_published():
    quarters = periods_of_year(2022, kind=Kind.QUARTER, calendar=calendar_of((1900, SEPTEMBER)))
    assert [str(q.last) for q in quarters] == ["2021-12-25", "2022-03-26", "2022-06-25", "2022-09-24"]


@given(st.dates(FIRST, LAST))
def test_weeks_of_calendar_years_are_iso_weeks(day):
    year, number, _ = day.isocalendar()
    assert period_of(day, kind=Kind.WEEK).key == f"{year}-W{number:02}"


shapes = st.one_of(
    st.builds(MonthShape, st.integers(1, 12), st.sampled_from(NamedBy)),
    st.builds(
        WeekShape,
        st.sampled_from(Pattern),
        st.integers(1, 12),
        st.integers(0, 6),
        st.sampled_from(Ending),
        st.sampled_from(NamedBy),
    ),
)


@st.composite
def calendars(draw):
    years = draw(st.lists(st.integers(1995, 2095), unique=True, max_size=4))
    try:
        return calendar_of((1900, draw(shapes)), *((year, draw(shapes)) for year in sorted(years)))
    except CalendarRefused:
        assume(False)


@given(calendars(), st.dates(FIRST, LAST), st.sampled_from(Kind))
def test_any_calendar_is_a_partition(calendar, day, kind):
    period = period_of(day, kind=kind, calendar=calendar)
    assert period.first <= day < period.end
    assert parse_period(period.key, calendar=calendar) == period
    assert following(period).first == period.end and previous(period).end == period.first
    assert period_of(period.first, kind=kind, calendar=calendar) == period
    assert period_of(period.last, kind=kind, calendar=calendar) == period
    years = range(period.year - 1, period.year + 2)
    near = [p for year in years for p in periods_of_year(year, kind=kind, calendar=calendar)]
    assert [p for p in near if day in p] == [period] and all(a.end == b.first for a, b in pairwise(near))


@given(calendars(), st.integers(1995, 2095), st.data())
def test_a_change_leaves_every_day_before_it_as_it_was(calendar, from_year, data):
    try:
        changed = calendar.changed(data.draw(shapes), from_year=from_year)
    except CalendarRefused:
        return
    start = calendar.start_of(from_year)
    assert changed.start_of(from_year) == start
    for days in (1, 40, 400, 4000):
        day = start - timedelta(days=days)
        for kind in (Kind.MONTH, Kind.QUARTER, Kind.YEAR):
            before, after = (period_of(day, kind=kind, calendar=c) for c in (calendar, changed))
            assert (before.key, before.first, before.end) == (after.key, after.first, after.end)


def test_the_first_year_of_a_later_start_is_short_and_ends_with_the_fourth_quarter():
    calendar = calendar_of((1900, MonthShape(1)), (2027, MonthShape(2)))
    (year,) = periods_of_year(2027, kind=Kind.YEAR, calendar=calendar)
    quarters = periods_of_year(2027, kind=Kind.QUARTER, calendar=calendar)
    assert (str(year.first), str(year.last)) == ("2027-01-01", "2027-01-31")
    assert [q.key for q in quarters] == ["2027-Q4"]
    assert period_of(date(2027, 2, 1), calendar=calendar).key == "2028-Q1"


def test_the_first_year_of_an_earlier_start_is_long_and_has_more_quarters():
    calendar = calendar_of((1900, MonthShape(2)), (2028, MonthShape(1)))
    quarters = periods_of_year(2028, kind=Kind.QUARTER, calendar=calendar)
    assert (str(quarters[0].first), str(quarters[-1].last)) == ("2027-02-01", "2028-12-31")
    assert [(q.key, q.days) for q in quarters[:2]] == [("2028-Q1", 59), ("2028-Q2", 91)]
    assert len(quarters) == 8


def test_a_few_days_between_two_calendars_join_the_first_period():
    weeks = WeekShape(Pattern.W445, 12, SATURDAY, Ending.NEAREST)
    calendar = calendar_of((1900, MonthShape(1)), (2027, weeks))
    quarters = periods_of_year(2027, kind=Kind.QUARTER, calendar=calendar)
    first_week = periods_of_year(2027, kind=Kind.WEEK, calendar=calendar)[0]
    assert [q.key for q in quarters] == ["2027-Q1", "2027-Q2", "2027-Q3", "2027-Q4"]
    assert (str(first_week.first), str(first_week.last)) == ("2027-01-01", "2027-01-09")


@pytest.mark.parametrize(
    "eras",
    [
        [(1900, MonthShape(1)), (2027, MonthShape(12))],
        [(1900, MonthShape(2)), (2028, MonthShape(12, NamedBy.START))],
        [(2027, MonthShape(1)), (2027, MonthShape(2))],
        [],
    ],
)
def test_a_year_that_would_have_no_days_or_too_many_is_refused(eras):
    if eras and eras[-1][1].start_month == 12 and eras[-1][1].named_by is NamedBy.END:
        calendar_of(*eras)  # 2027 has eleven months: that can be
        return
    with pytest.raises(CalendarRefused):
        calendar_of(*eras)


@pytest.mark.parametrize("start", range(1, 13))
def test_four_quarters_make_a_year_that_starts_on_the_start_month(start):
    year = parse_period("2026", calendar=month_years(start))
    quarters = [parse_period(f"2026-Q{n}", calendar=month_years(start)) for n in range(1, 5)]
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
    period = period_of(day, calendar=month_years(start))
    assert (period.key, period.label) == (key, label)


def test_a_fiscal_year_may_be_named_by_the_year_it_starts_in():
    calendar = calendar_of((1900, MonthShape(4, NamedBy.START)))
    assert period_of(date(2026, 3, 31), calendar=calendar).key == "2025-Q4"
    assert period_of(date(2026, 4, 1), calendar=calendar).key == "2026-Q1"


def test_a_month_keeps_its_calendar_key():
    period = parse_period("2026-10", calendar=month_years(2))
    assert (period.first, period.last, period.label) == (
        date(2026, 10, 1),
        date(2026, 10, 31),
        "October 2026",
    )
    assert parse_period("2027-P09", calendar=month_years(2)) == period


def test_a_period_of_weeks_bears_its_number():
    calendar = calendar_of((1900, SEPTEMBER))
    period = parse_period("2023-P12", calendar=calendar)
    assert (period.label, period.days, period.weeks, str(period.last)) == ("P12 FY2023", 42, 6, "2023-09-30")
    with pytest.raises(NotAPeriod, match="2023-P12"):
        parse_period("2023-09", calendar=calendar)


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
        "2026-P13",
        "2026-W54",
        "2026-W1",
        "26-Q1",
        "2026-q1",
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


@pytest.mark.parametrize("day", [date.min, date.max, date(1899, 12, 31), date(2201, 1, 1)])
def test_a_day_out_of_range_is_refused(day):
    with pytest.raises(PeriodOutOfRange):
        period_of(day)


@pytest.mark.parametrize("start", [0, 13, -1])
def test_a_start_month_that_does_not_exist_is_refused(start):
    with pytest.raises(PeriodError, match=str(start)):
        MonthShape(start)


def test_a_day_knows_its_fiscal_year():
    assert year_of(date(2024, 2, 3), calendar=calendar_of((1900, NRF))) == 2023


def test_a_week_starts_on_monday():
    assert monday_of(date(2026, 11, 22)) == date(2026, 11, 16)
    assert monday_of(date(2026, 11, 16)) == date(2026, 11, 16)
