"""A lock freezes a period and keeps its grid for good; it ends with a reason; a period's end locks it by itself."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from forecasting.calls.services import call_submit
from forecasting.locks.ends import ended_periods, ended_periods_lock
from forecasting.locks.models import Lock, LockedRow, RowKind
from forecasting.locks.queries import is_locked, lock_of, period_of_lock
from forecasting.locks.services import grid_keep, period_hold, period_lock, period_unlock
from forecasting.rhythm.models import Rhythm
from forecasting.rhythm.rules import Beat
from otc.audit.models import AuditEntry
from otc.calendar.rules import CALENDAR_YEARS, parse_period, period_of, previous
from otc.tenancy.models import Organization
from pipeline.opportunities.rules import Refused
from tests.forecasting.lives import change, deal_with

QUARTER = period_of(datetime.now(UTC).date())


def commit(owner, amount_minor, **columns):
    columns = {"close_date": QUARTER.last, "category": "commit", **columns}
    return deal_with(owner_id=owner.id, amount_minor=amount_minor, **columns)


def lock_now(house, **more):
    return period_lock(house.organization, period=QUARTER, author=house.eve, **more)


def final_of(lock, person, column="commit_cumulative"):
    return LockedRow.objects.get(lock=lock, person=person).amounts[column][4]


def test_a_lock_keeps_the_grid_as_it_was_shown(inside):
    deal = commit(inside.ana, 100)
    commit(inside.max, 7)
    lock = lock_now(inside)
    change(deal, amount_minor=40)
    assert (final_of(lock, inside.ana), final_of(lock, inside.max), final_of(lock, inside.eve)) == (
        100,
        107,
        107,
    )
    assert LockedRow.objects.get(lock=lock, person=inside.max).amounts["commit"] == [7, 107, 107, 107, 107]
    assert LockedRow.objects.get(lock=lock, kind=RowKind.TOTAL).amounts["commit"][4] == 107
    assert lock.kept_at is not None


def test_a_lock_keeps_everybodys_calls(inside):
    call(inside, 500)
    call(inside, 700)
    kept = LockedRow.objects.get(lock=lock_now(inside), person=inside.ana).calls
    assert kept["commit_cumulative"]["amount_minor"] == 700


def call(house, amount_minor):
    now = datetime.now(UTC)
    return call_submit(
        house.organization,
        author=house.ana,
        period=QUARTER,
        amount_minor=amount_minor,
        now=now,
        today=now.date(),
    )


def test_a_locked_period_takes_no_call_until_it_is_unlocked(inside):
    lock = lock_now(inside)
    with pytest.raises(Refused, match="locked since"):
        call(inside, 500)
    period_unlock(lock, reason="The order came late", now=datetime.now(UTC))
    assert call(inside, 500).submitted_at > lock.locked_at


def test_a_call_read_before_the_lock_and_made_after_the_unlock_counts_after_it(inside):
    before = datetime.now(UTC)
    period_unlock(lock_now(inside), reason="A late order", now=datetime.now(UTC))
    assert period_hold(QUARTER.key, now=before) > Lock.objects.get().locked_at


def test_locking_twice_is_refused_and_so_is_unlocking_without_a_reason(inside):
    lock = lock_now(inside)
    with pytest.raises(Refused, match="locked already"):
        lock_now(inside)
    with pytest.raises(Refused, match="Say why"):
        period_unlock(lock, reason="  ", now=datetime.now(UTC))
    period_unlock(lock, reason="A late order", now=datetime.now(UTC))
    with pytest.raises(Refused, match="unlocked already"):
        period_unlock(lock, reason="A late order", now=datetime.now(UTC))


def test_locked_again_there_are_two_grids_and_the_first_stays(inside):
    deal = commit(inside.ana, 100)
    first = lock_now(inside)
    period_unlock(first, reason="A late order", now=datetime.now(UTC))
    change(deal, amount_minor=300)
    second = lock_now(inside)
    assert (final_of(first, inside.ana), final_of(second, inside.ana)) == (100, 300)


def test_whether_it_was_locked_is_known_of_any_instant(inside):
    before = datetime.now(UTC)
    lock = lock_now(inside)
    while_locked = datetime.now(UTC)
    period_unlock(lock, reason="A late order", now=datetime.now(UTC))
    assert [is_locked(QUARTER.key, as_of=at) for at in (before, while_locked, datetime.now(UTC))] == [
        False,
        True,
        False,
    ]
    assert lock_of(QUARTER.key) is None


def test_lock_and_unlock_are_on_record_with_the_reason(inside):
    period_unlock(lock_now(inside, reason="Early close"), reason="A late order", now=datetime.now(UTC))
    told = AuditEntry.objects.filter(action__startswith="period.").order_by("at")
    assert [(entry.action, entry.detail["reason"]) for entry in told] == [
        ("period.locked", "Early close"),
        ("period.unlocked", "A late order"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE forecasting_lockedrow SET name = 'x'",
        "DELETE FROM forecasting_lockedrow",
        "UPDATE forecasting_lock SET locked_at = now()",
        "DELETE FROM forecasting_lock",
        "DELETE FROM forecasting_unlock",
    ],
)
def test_the_database_refuses_to_change_what_was_kept(inside, statement):
    lock_now(inside)
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_keeping_twice_keeps_once(inside):
    lock = lock_now(inside)
    count = LockedRow.objects.count()
    grid_keep(
        inside.organization,
        lock=lock,
        period=period_of_lock(lock, organization=inside.organization),
        now=datetime.now(UTC),
    )
    assert LockedRow.objects.count() == count


def keys(today, **beat):
    return [one.key for one in ended_periods(today, calendar=CALENDAR_YEARS, beat=Beat(**beat))]


def test_periods_lock_on_the_day_after_their_last(inside):
    assert keys(date(2027, 1, 1)) == ["2026-12", "2026-Q4", "2026"]
    assert keys(date(2026, 12, 31)) == []
    assert keys(date(2027, 1, 9)) == []
    assert keys(date(2026, 11, 23), locks_weeks=True) == ["2026-W47"]


def test_days_of_grace_put_the_lock_off(inside):
    assert keys(date(2027, 1, 3), lock_grace_days=3) == []
    assert keys(date(2027, 1, 4), lock_grace_days=3) == ["2026-12", "2026-Q4", "2026"]


def begun_long_ago(house):
    Organization.objects.filter(id=house.organization.id).update(created_at=datetime(2020, 1, 1, tzinfo=UTC))
    return Organization.objects.get(id=house.organization.id)


def test_the_night_locks_what_has_ended_once(inside):
    organization = begun_long_ago(inside)
    ended = previous(QUARTER)
    night = datetime(ended.end.year, ended.end.month, ended.end.day, 1, tzinfo=UTC)
    assert ended.key in [lock.period for lock in ended_periods_lock(organization, now=night)]
    assert ended_periods_lock(organization, now=night + timedelta(days=1)) == []
    assert Lock.objects.filter(locked_by__isnull=False).count() == 0


def test_what_was_opened_again_after_its_end_stays_open(inside):
    organization = begun_long_ago(inside)
    ended = previous(QUARTER)
    night = datetime(ended.end.year, ended.end.month, ended.end.day, 1, tzinfo=UTC)
    for lock in ended_periods_lock(organization, now=night):
        period_unlock(lock, reason="A late order", now=datetime.now(UTC))
    assert ended_periods_lock(organization, now=night + timedelta(days=1)) == []


def test_an_organization_locks_nothing_from_before_it_was_here(inside):
    ended = previous(QUARTER)
    night = datetime(ended.end.year, ended.end.month, ended.end.day, 1, tzinfo=UTC)
    assert ended_periods_lock(inside.organization, now=night) == []


def test_the_organizations_own_rhythm_counts(inside):
    from dataclasses import asdict

    organization = begun_long_ago(inside)
    Rhythm(**(asdict(Beat()) | {"lock_grace_days": 5})).save()
    ended = previous(QUARTER)
    night = datetime(ended.end.year, ended.end.month, ended.end.day, 1, tzinfo=UTC)
    assert ended_periods_lock(organization, now=night) == []
    assert parse_period(ended.key) == ended
