"""Rates are added, corrected, withdrawn and put back; what was known before stays on record."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otc.audit.models import AuditEntry
from otc.money.models import Rate
from otc.money.queries import rate_on
from otc.money.rules import (
    DECIMALS,
    MoneyError,
    NotARate,
    UnknownCurrency,
    convert,
    implausible_jump,
    parse_rate,
    sum_by_currency,
)
from otc.money.services import ImplausibleRate, RateRefused, rate_undo, rate_withdraw, rate_write
from otc.tenancy.models import FOREVER

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATER, LAST = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)


def write(rate, *, currency="USD", day=JANUARY, now=NOW, **more):
    return rate_write(currency, valid_from=day, rate=Decimal(rate), now=now, **more)


def test_a_correction_ends_what_was_known_and_adds(inside):
    write("0.92")
    write("0.93", now=LATER)
    rows = list(Rate.objects.order_by("known_from").values_list("rate", "known_to"))
    assert rows == [(Decimal("0.92"), LATER), (Decimal("0.93"), FOREVER)]
    assert rate_on("USD", JANUARY, known=NOW) == Decimal("0.92")
    assert rate_on("USD", JANUARY, known=LATER) == rate_on("USD", JANUARY) == Decimal("0.93")


def test_the_same_rate_again_writes_nothing(inside):
    write("0.92")
    assert write("0.920", now=LATER).undo_id is None
    assert Rate.objects.count() == 1


def test_a_rate_where_none_was_is_known_from_its_day_and_a_late_one_from_now(inside):
    first = write("0.92").rate
    late = write("0.95", day=MARCH).rate
    assert first.known_from == datetime(2025, 12, 31, 23, tzinfo=UTC)  # midnight in Berlin
    assert late.known_from == NOW
    assert write("0.94", day=date(2027, 1, 1)).rate.known_from == NOW


def test_what_was_added_corrected_or_withdrawn_can_be_undone(inside):
    added = write("0.92")
    rate_undo(added.undo_id, now=LATER)
    assert rate_on("USD", JANUARY) is None
    write("0.92", now=LATER)
    corrected = write("0.93", now=LATER + timedelta(minutes=1))
    rate_undo(corrected.undo_id, now=LATER + timedelta(minutes=2))
    assert rate_on("USD", JANUARY) == Decimal("0.92")
    withdrawn = rate_withdraw(Rate.objects.get(known_to=FOREVER).id, now=LATER + timedelta(minutes=3))
    assert rate_on("USD", JANUARY) is None
    rate_undo(withdrawn.undo_id, now=LAST)
    assert rate_on("USD", JANUARY) == Decimal("0.92")
    assert rate_on("USD", JANUARY, known=LATER + timedelta(minutes=1)) == Decimal("0.93")


def test_undo_after_somebody_elses_change_is_refused(inside):
    added = write("0.92")
    write("0.93", now=LATER)
    with pytest.raises(RateRefused, match="Somebody changed"):
        rate_undo(added.undo_id, now=LAST)
    with pytest.raises(RateRefused, match="Somebody changed"):
        rate_withdraw(added.undo_id, now=LAST)


def test_a_rate_ten_times_off_is_to_be_confirmed(inside):
    write("0.92")
    with pytest.raises(ImplausibleRate, match="slipped"):
        write("9.3", day=MARCH)
    with pytest.raises(ImplausibleRate):
        write("0.0092", now=LATER)
    assert write("9.3", day=MARCH, is_confirmed=True).rate.rate == Decimal("9.3")


@pytest.mark.parametrize(("currency", "day", "error"), [
    ("EUR", JANUARY, RateRefused),
    ("XXQ", JANUARY, UnknownCurrency),
    ("USD", date(1969, 12, 31), RateRefused),
    ("USD", date(2101, 1, 1), RateRefused),
])  # fmt: skip
def test_a_rate_that_can_not_be_is_refused(inside, currency, day, error):
    with pytest.raises(error):
        write("1", currency=currency, day=day)
    assert not Rate.objects.exists()


@pytest.mark.parametrize(
    "text", ["0", "-1", "", "1,08", "nan", "inf", "1e3", "0.00000000001", "10000000000", "½"]
)
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(NotARate):
        parse_rate(text)


@pytest.mark.parametrize(
    ("text", "rate"), [("1.0825", "1.0825"), (" 0.0000000001 ", "1E-10"), ("1 350", "1350")]
)
def test_a_rate_is_read_exactly(text, rate):
    assert parse_rate(text) == Decimal(rate)


def test_every_change_is_on_the_audit_log(inside):
    written = write("0.92")
    write("0.93", now=LATER)
    rate_withdraw(Rate.objects.get(known_to=FOREVER).id, now=LAST)
    rate_undo(Rate.objects.order_by("-known_from").first().id, now=LAST + timedelta(hours=1))
    actions = list(
        AuditEntry.objects.filter(subject_kind="rate").order_by("at", "id").values_list("action", flat=True)
    )
    assert sorted(actions) == ["rate.added", "rate.corrected", "rate.restored", "rate.withdrawn"]
    assert AuditEntry.objects.get(action="rate.added").subject_id == written.rate.id


def test_nobody_sees_rates_of_another_organization(inside, elsewhere):
    from otc.tenancy.context import use

    write("0.92")
    with use(elsewhere.organization.id):
        assert rate_on("USD", JANUARY) == 1 and rate_on("EUR", JANUARY) is None
        assert not Rate.objects.exists()


def test_a_jump_is_seen_both_ways():
    assert implausible_jump(Decimal("10"), before=Decimal("1")) is None
    assert implausible_jump(Decimal("10.01"), before=Decimal("1")) == Decimal("10.01")
    assert implausible_jump(Decimal("1"), before=Decimal("10.01")) == Decimal("10.01")
    assert implausible_jump(Decimal("5"), before=None) is None


rates = st.decimals(Decimal("0.0001"), Decimal("10000"), places=6).filter(lambda rate: rate > 0)


@given(
    st.integers(-(10**12), 10**12),
    st.sampled_from(sorted(DECIMALS)),
    st.sampled_from(sorted(DECIMALS)),
    rates,
)
def test_there_and_back_is_off_by_no_more_than_the_rounding(amount, source, target, rate):
    """One minor unit of the target is worth so many of the source: half of that, and half a unit of the source."""
    there = convert(amount, from_currency=source, to_currency=target, rate=rate)
    back = convert(there, from_currency=target, to_currency=source, rate=1 / rate_fraction(rate))
    if source == target:
        assert back == there == amount
        return
    unit = rate_fraction(rate) * (10 ** DECIMALS[target]) / (10 ** DECIMALS[source])
    assert abs(back - amount) <= 1 / (2 * unit) + rate_fraction(rate) / rate_fraction(rate) / 2


def rate_fraction(rate):
    from fractions import Fraction

    return Fraction(rate)


@given(st.lists(st.tuples(st.sampled_from(["NOK", "JPY", "KWD"]), st.integers(0, 10**9))))
def test_sums_by_currency_lose_nothing(amounts):
    found = sum_by_currency(amounts)
    assert sum(one.count for one in found) == len(amounts)
    assert sum(one.amount_minor for one in found) == sum(minor for _, minor in amounts)
    assert [one.currency for one in found] == sorted({code for code, _ in amounts})


def test_money_errors_are_one_family():
    assert issubclass(NotARate, MoneyError) and issubclass(UnknownCurrency, MoneyError)
