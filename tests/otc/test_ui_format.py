"""How numbers, days and changes are written."""

import datetime as dt

import pytest

from otc.ui import controls
from otc.ui import format as fmt

TODAY = dt.date(2026, 11, 19)


def plain(text: str) -> str:
    """No-break spaces as spaces, so that expectations can be read."""
    return text.replace(fmt.NBSP, " ")


@pytest.mark.parametrize(
    ("minor", "currency", "unit", "said"),
    [
        (3_000_000_000, "EUR", 10**8, "30 M"),
        (3_000_000_000, "JPY", 10**9, "3 B"),
        (50_000_00, "EUR", 10**5, "50 k"),
        (900_000, "KWD", 1000, "900"),
        (0, "EUR", 100, "0"),
    ],
)
def test_an_axis_has_the_unit_of_its_currency_and_size(minor, currency, unit, said):
    found, text = fmt.money_axis(minor, currency=currency)
    assert (found, plain(text.format(minor / found))) == (unit, said)


@pytest.mark.parametrize(
    ("minor", "short"),
    [
        (308_012_345, "3.08 M"),
        (11_900_000, "119 k"),
        (-11_900_000, "−119 k"),
        (95_000, "950"),
        (0, "0"),
        (99_949, "999"),
        (99_950, "1 k"),
        (99_949_999, "999 k"),
        (99_950_000, "1.00 M"),
        (120_000_000_000, "1.20 B"),
        (None, "–"),
    ],
)
def test_sentences_say_money_short(minor, short):
    assert plain(fmt.money_short(minor, currency="EUR")) == short


def test_the_unit_never_breaks_away_from_its_number():
    assert " " not in fmt.money_short(308_000_000, currency="EUR")
    assert " " not in fmt.day(dt.date(2027, 1, 1), today=TODAY)


def test_rows_write_whole_units_and_titles_the_last_cent():
    assert fmt.money_full(38_600_050, currency="EUR") == "386,001"
    assert plain(fmt.money_exact(38_600_050, currency="EUR")) == "386,000.50 EUR"


def test_currencies_have_their_own_decimals():
    assert fmt.money_full(386_000, currency="JPY") == "386,000"
    assert plain(fmt.money_exact(386_000, currency="KWD")) == "386.000 KWD"


def test_a_rounded_zero_has_no_sign():
    assert fmt.signed(-0.4, plus=True) == "0"
    assert fmt.money_k(-20_000, currency="EUR", plus=True) == "0"


@pytest.mark.parametrize(
    ("day", "far", "near"),
    [
        (dt.date(2026, 11, 20), "20 Nov", "Fri 20 Nov"),
        (dt.date(2026, 11, 27), "27 Nov", "Fri 27 Nov"),
        (dt.date(2026, 11, 28), "28 Nov", "28 Nov"),
        (dt.date(2027, 1, 1), "1 Jan 2027", "1 Jan 2027"),
    ],
)
def test_days_bear_the_year_when_another_and_the_weekday_when_near(day, far, near):
    assert plain(fmt.day(day, today=TODAY)) == far
    assert plain(fmt.day_near(day, today=TODAY)) == near


def test_moments_are_on_the_24_hour_clock():
    value = dt.datetime(2026, 11, 19, 9, 42, tzinfo=dt.UTC)
    assert plain(fmt.moment(value, today=TODAY)) == "Thu 19 Nov 09:42"


def test_shares_ages_and_ratios():
    assert [plain(text) for text in (fmt.percent(0.375), fmt.age(12), fmt.times(1.72))] == [
        "38 %",
        "12 d",
        "1.72 ×",
    ]


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ana Ruiz", "AR"), ("Ana Maria Ruiz", "AR"), ("Éva", "É"), ("", ""), (None, ""), ("Ole (left)", "O")],
)
def test_initials_are_the_first_and_the_last_word(name, letters):
    assert fmt.initials(name) == letters


def test_nothing_is_drawn_when_nothing_changed():
    assert fmt.delta(0, text="0") is None
    assert fmt.delta_days(None) is None
    assert fmt.delta_points(0.001) is None


def test_a_rise_of_something_bad_is_bad():
    change = fmt.delta(2, text="+2 deals", good="down")
    assert (change.direction, change.tone) == ("up", "bad")


def test_a_push_points_right_and_is_bad_and_a_pull_is_good():
    push, pull = fmt.delta_days(14), fmt.delta_days(-12)
    assert (push.icon, push.tone, plain(push.text)) == ("delta-right", "bad", "+14 d")
    assert (pull.icon, pull.tone, plain(pull.text)) == ("delta-left", "good", "−12 d")


def test_one_point_is_not_points():
    assert plain(fmt.delta_points(0.01).text) == "+1 point"
    assert plain(fmt.delta_points(-0.16).text) == "−16 points"


def test_plurals():
    assert [fmt.plural(1, "deal"), fmt.plural(9, "deal"), fmt.plural(2, "activity")] == [
        "1 deal",
        "9 deals",
        "2 activities",
    ]


def test_a_changed_choice_keeps_the_rest_and_starts_at_the_first_page():
    href = controls.href_with("/o/x/deals/", {"scope": "everyone", "page": "3"}, period="2026-Q4")
    assert href == "/o/x/deals/?scope=everyone&period=2026-Q4"
    assert controls.href_with("/o/x/deals/", {"period": "2026-Q4"}, period=None) == "/o/x/deals/"


def test_the_day_after_yesterday_is_now_and_tomorrow_can_not_be_chosen():
    now = dt.datetime(2026, 11, 19, 9, 42, tzinfo=dt.UTC)
    yesterday = dt.datetime(2026, 11, 18, 23, 59, tzinfo=dt.UTC)
    past = controls.as_of_control(path="/p/", query={"as_of": "x"}, shown=yesterday, is_past=True, now=now)
    current = controls.as_of_control(path="/p/", query={}, shown=now, is_past=False, now=now)
    assert (past.next_href, past.previous_href) == ("/p/", "/p/?as_of=2026-11-17")
    assert (current.next_href, plain(current.label)) == ("", "now, Thu 19 Nov 09:42")
