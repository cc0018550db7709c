"""Typed days."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otc.calendar.rules import Kind, month_years
from otc.ui.dates import DayNotUnderstood, end_of_period, parse_day

THURSDAY = dt.date(2026, 11, 19)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("fri", "2026-11-20"),
        ("Friday", "2026-11-20"),
        ("thu", "2026-11-19"),
        ("next thu", "2026-11-26"),
        ("mon", "2026-11-23"),
        ("today", "2026-11-19"),
        ("tomorrow", "2026-11-20"),
        ("+10d", "2026-11-29"),
        ("+ 2 weeks", "2026-12-03"),
        ("-3d", "2026-11-16"),
        ("+1m", "2026-12-19"),
        ("+5", "2026-11-24"),
        ("eow", "2026-11-20"),
        ("eom", "2026-11-30"),
        ("eoq", "2026-12-31"),
        ("eoy", "2026-12-31"),
        ("18 dec", "2026-12-18"),
        ("dec 18", "2026-12-18"),
        ("18 December 2027", "2027-12-18"),
        ("sept 3", "2027-09-03"),
        ("18.12.2026", "2026-12-18"),
        ("18.12.", "2026-12-18"),
        ("18/12/26", "2026-12-18"),
        ("2026-12-18", "2026-12-18"),
        ("5 nov", "2027-11-05"),
    ],
)
def test_a_day_is_understood(text, day):
    assert parse_day(text, today=THURSDAY).isoformat() == day


def test_a_shift_counts_from_the_day_that_stands_there():
    assert parse_day("+2w", today=THURSDAY, base=dt.date(2026, 12, 18)) == dt.date(2027, 1, 1)


def test_the_quarter_ends_by_the_fiscal_calendar():
    assert parse_day("eoq", today=THURSDAY, calendar=month_years(2)) == dt.date(2027, 1, 31)
    assert parse_day("eoy", today=THURSDAY, calendar=month_years(4)) == dt.date(2027, 3, 31)
    assert parse_day("eop", today=THURSDAY) == dt.date(2026, 11, 30)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("31 Feb", "February has 28 days in 2027. Try eom."),
        ("29.2.2027", "February has 28 days in 2027. Try eom."),
        ("1.13.2026", "There is no month 13. Write the day first: 18.12.2026."),
        ("soon", "“soon” is not a date. Try fri, +2w, eom or 18 dec."),
        ("  ", "No date was typed. Try fri, +2w, eom or 18 dec."),
        ("+9999y", "That is too far away. Try fri, +2w, eom or 18 dec."),
        ("m 5", "“m 5” is not a date. Try fri, +2w, eom or 18 dec."),
    ],
)
def test_what_is_not_understood_says_why_and_what_to_type(text, sentence):
    with pytest.raises(DayNotUnderstood) as refused:
        parse_day(text, today=THURSDAY)
    assert str(refused.value) == sentence


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31)), st.integers(1, 12))
def test_a_quarter_ends_on_or_after_its_day_within_three_months(day, start):
    end = end_of_period(day, kind=Kind.QUARTER, calendar=month_years(start))
    assert 0 <= (end - day).days <= 92
    assert (end.month - start) % 3 == 2


@given(st.text(max_size=30))
def test_no_text_gives_anything_but_a_day_or_a_sentence(text):
    try:
        assert isinstance(parse_day(text, today=THURSDAY), dt.date)
    except DayNotUnderstood as refused:
        assert str(refused).endswith(".")


@given(st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)))
def test_a_written_day_is_read_back(day):
    assert parse_day(day.isoformat(), today=THURSDAY) == day
    assert parse_day(f"{day.day}.{day.month}.{day.year}", today=THURSDAY) == day
