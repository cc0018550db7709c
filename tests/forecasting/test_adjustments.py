"""An adjustment is put on top, by whom it may be, never changed, and never without the other's being seen."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from forecasting.adjustments.models import AdjustmentStep
from forecasting.adjustments.queries import adjustments_at, steps_of_cell
from forecasting.adjustments.rules import Cell
from forecasting.adjustments.services import (
    Adjusted,
    SomebodyAdjusted,
    adjustment_keep,
    adjustment_set,
    adjustment_withdraw,
)
from forecasting.locks.services import period_lock, period_unlock
from forecasting.rollup.report import rollup_report
from otc.calendar.rules import following, period_of, previous
from otc.tenancy.services import line_set, person_leave
from otc.undo.services import undo_take
from pipeline.opportunities.rules import Refused
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with

HERE = period_of(day_in_house())
INSIDE = HERE.last
COLUMN = "commit"


def now() -> datetime:
    return datetime.now(UTC)


def deal(owner: Any, amount_minor: int = 100_00, category: str | None = "commit", **more: Any) -> Any:
    return deal_with(
        owner_id=owner.id, amount_minor=amount_minor, category=category, close_date=INSIDE, **more
    )


def adjust(house: House, by: str, on: str, amount_minor: int = 10_00, **more: Any) -> Adjusted:
    cell = Cell(more.pop("period", HERE), house.people[on].id, more.pop("column", COLUMN))
    given = {
        "kind": "delta",
        "reason": "A hunch",
        "expected_step_id": None,
        "now": now(),
        "today": day_in_house(),
    }
    return adjustment_set(
        house.organization,
        author=house.people[by],
        cell=cell,
        amount_minor=amount_minor,
        **(given | more),
    )


def report(house: House, viewer: str = "eve", **asked: Any) -> Any:
    given = {"viewer": house.people[viewer], "period": HERE, "as_of": now(), "now": now(), **asked}
    return rollup_report(house.organization, **given)


def five(found: Any, person: Any, column: str = COLUMN) -> tuple[int, ...]:
    row = next(row for row in found.rows if row.person_id == person.id)
    one = row.amounts[column]
    return (one.own, one.rolled_up, one.with_reports_adjustments, one.seen, one.final)


def test_the_five_amounts_of_a_person_and_of_their_manager(inside):
    deal(inside.ana)
    deal(inside.max, 7_00)
    adjust(inside, "ana", "ana", 10_00)
    adjust(inside, "max", "ana", 90_00, kind="absolute")
    adjust(inside, "max", "max", 5_00)
    found = report(inside)
    assert five(found, inside.ana) == (100_00, 100_00, 100_00, 110_00, 90_00)
    assert five(found, inside.max) == (7_00, 107_00, 97_00, 102_00, 102_00)
    assert found.total.amounts[COLUMN].rolled_up == 107_00
    assert found.total.amounts[COLUMN].final == 102_00
    assert sum(one.effect_minor for one in found.effects) == -5_00
    told = {(one.author_id, one.person_id, one.effect_minor) for one in found.effects}
    assert told == {
        (inside.ana.id, inside.ana.id, 10_00),
        (inside.max.id, inside.ana.id, -20_00),
        (inside.max.id, inside.max.id, 5_00),
    }


def test_one_sees_the_fourth_amount_and_ones_manager_the_fifth(inside):
    deal(inside.ana)
    adjust(inside, "ana", "ana", 10_00)
    adjust(inside, "max", "ana", -50_00)
    assert five(report(inside, "ana"), inside.ana)[3:] == (110_00, 110_00)
    assert report(inside, "ana").total.amounts[COLUMN].final == 110_00
    assert five(report(inside, "max"), inside.ana)[3:] == (110_00, 60_00)


def test_an_adjustment_moves_no_other_column(inside):
    deal(inside.ana)
    before = report(inside)
    adjust(inside, "ana", "ana", 10_00, column="commit_cumulative")
    after = report(inside)
    for row, was in zip(after.rows, before.rows, strict=True):
        for column, amounts in row.amounts.items():
            if column != "commit_cumulative":
                assert amounts == was.amounts[column]
    assert five(after, inside.max, "commit_cumulative") == (0, 100_00, 110_00, 110_00, 110_00)


def test_a_stale_adjustment_is_shown_as_stale_and_still_counts_until_it_is_kept(inside):
    one = deal(inside.ana)
    made = adjust(inside, "max", "ana", 10_00)
    assert not report(inside).effects[0].is_stale
    change(one, amount_minor=120_00)
    found = report(inside)
    assert found.effects[0].is_stale and five(found, inside.ana)[4] == 130_00
    adjustment_keep(
        inside.organization,
        author=inside.max,
        cell=Cell(HERE, inside.ana.id, COLUMN),
        expected_step_id=made.step.id,
        now=now(),
        today=day_in_house(),
    )
    found = report(inside)
    assert not found.effects[0].is_stale and five(found, inside.ana)[4] == 130_00


def test_what_was_read_before_a_deal_went_to_somebody_else_is_stale_at_once(inside):
    one = deal(inside.ana)
    change(one, owner_id=inside.jon.id)
    adjust(inside, "max", "ana", 90_00, kind="absolute", base_minor=100_00)
    (effect,) = report(inside).effects
    assert (effect.is_stale, effect.below_minor, effect.effect_minor) == (True, 0, 90_00)


def test_the_second_of_two_sees_the_first(inside):
    first = adjust(inside, "ana", "ana", 10_00)
    with pytest.raises(SomebodyAdjusted, match="Ana Ruiz") as refusal:
        adjust(inside, "ana", "ana", 20_00)
    assert refusal.value.step == first.step
    adjust(inside, "ana", "ana", 20_00, expected_step_id=first.step.id)
    adjust(inside, "max", "ana", 1_00)  # another role's cell is another cell
    steps = steps_of_cell(HERE.key, column=COLUMN, person_id=inside.ana.id, as_of=now())
    assert [step.amount_minor for step in steps] == [1_00, 20_00, 10_00]


@pytest.mark.parametrize(
    ("by", "on", "words"),
    [
        ("eve", "ana", "not your direct report"),
        ("ana", "max", "not your direct report"),
        ("jon", "ana", "not your direct report"),
        ("ops", "ana", "not your direct report"),
        ("bot", "ana", "not your direct report"),
    ],
)
def test_only_oneself_and_the_manager_adjust(inside, by, on, words):
    with pytest.raises(Refused, match=words) as refusal:
        adjust(inside, by, on)
    assert refusal.value.field == "person_id"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"column": "pipeline"}, "column"),
        ({"column": "closed"}, "column"),
        ({"column": "no_category"}, "column"),
        ({"column": "omitted"}, "column"),
        ({"column": "open"}, "column"),
        ({"column": "nonsense"}, "column"),
        ({"kind": "double"}, "kind"),
        ({"kind": "absolute", "amount_minor": -1}, "amount_minor"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"amount_minor": 10**17 + 1}, "amount_minor"),
        ({"reason": "  "}, "reason"),
        ({"expires_on": day_in_house() - timedelta(1)}, "expires_on"),
        ({"period": previous(HERE)}, "period"),
    ],
)
def test_what_cannot_be_said_is_refused_by_its_field(inside, more, field):
    with pytest.raises(Refused) as refusal:
        adjust(inside, "ana", "ana", **more)
    assert refusal.value.field == field
    assert not AdjustmentStep.objects.exists()


def test_nobody_adjusts_a_locked_period_and_after_it_is_opened_the_lock_stays_as_it_was(inside):
    lock = period_lock(inside.organization, period=HERE)
    with pytest.raises(Refused, match="locked"):
        adjust(inside, "ana", "ana")
    period_unlock(lock, reason="A late order", now=now())
    step = adjust(inside, "ana", "ana", now=now() - timedelta(days=1)).step
    assert step.made_at > lock.locked_at


def test_nobody_adjusts_for_somebody_who_left(inside):
    person_leave(inside.jon, now=now(), today=day_in_house())
    with pytest.raises(Refused, match="has left"):
        adjust(inside, "max", "jon")


def test_withdrawn_and_expired_ones_no_longer_count_and_bring_no_earlier_one_back(inside):
    first = adjust(inside, "ana", "ana", 10_00)
    last_day = day_in_house() + timedelta(2)
    second = adjust(inside, "ana", "ana", 20_00, expected_step_id=first.step.id, expires_on=last_day)
    at = now()
    counted = [step.amount_minor for step in adjustments_at(HERE.key, as_of=at, day=last_day)]
    assert counted == [20_00]
    assert adjustments_at(HERE.key, as_of=at, day=last_day + timedelta(1)) == []
    adjustment_withdraw(
        inside.organization,
        author=inside.ana,
        cell=Cell(HERE, inside.ana.id, COLUMN),
        expected_step_id=second.step.id,
        now=now(),
        today=day_in_house(),
    )
    assert adjustments_at(HERE.key, as_of=now(), day=day_in_house()) == []
    assert five(report(inside), inside.ana)[4] == 0


def test_an_instant_of_the_past_has_the_adjustments_of_then(inside):
    deal(inside.ana)
    first = adjust(inside, "ana", "ana", 10_00)
    between = now()
    adjust(inside, "ana", "ana", 20_00, expected_step_id=first.step.id)
    assert five(report(inside, as_of=between), inside.ana)[4] == 110_00
    assert five(report(inside), inside.ana)[4] == 120_00


def test_a_former_managers_adjustment_counts_marked_until_the_new_one_replaces_it(inside):
    deal(inside.ana)
    made = adjust(inside, "max", "ana", 10_00)
    line_set(inside.ana, manager_id=inside.eve.id, since=now())
    (effect,) = report(inside).effects
    assert effect.is_from_former_manager and effect.effect_minor == 10_00
    with pytest.raises(Refused, match="not your direct report"):
        adjust(inside, "max", "ana", expected_step_id=made.step.id)
    adjust(inside, "eve", "ana", 1_00, expected_step_id=made.step.id)
    (effect,) = report(inside).effects
    assert (effect.is_from_former_manager, effect.effect_minor) == (False, 1_00)


def test_for_a_vacant_manager_the_next_one_above_adjusts_and_the_branch_is_unassigned(inside):
    deal(inside.ana)
    person_leave(inside.max, now=now(), today=day_in_house())
    adjust(inside, "eve", "ana", 10_00)
    found = report(inside)
    assert not found.effects[0].is_from_former_manager
    assert five(found, inside.eve) == (0, 0, 0, 0, 0)
    assert found.unassigned.amounts[COLUMN].final == found.total.amounts[COLUMN].final == 110_00
    assert report(inside, scope="unassigned").total.amounts[COLUMN].rolled_up == 100_00


def test_who_left_keeps_their_past_and_is_in_no_future_period(inside):
    deal(inside.jon)
    coming = following(HERE)
    deal_with(owner_id=inside.jon.id, amount_minor=5_00, category="commit", close_date=coming.first)
    person_leave(inside.jon, now=now(), today=day_in_house())
    assert five(report(inside), inside.jon)[1] == 100_00
    future = report(inside, period=coming)
    assert inside.jon.id not in {row.person_id for row in future.rows}
    assert future.unassigned.amounts[COLUMN].rolled_up == 5_00


def test_undo_puts_back_what_stood_before(inside):
    from otc.tenancy.context import use

    with use(inside.organization.id, person_id=inside.ana.id, channel="ui"):
        first = adjust(inside, "ana", "ana", 10_00)
        second = adjust(inside, "ana", "ana", 20_00, expected_step_id=first.step.id)
        assert second.undo_id is not None
        undo_take(second.undo_id, person_id=inside.ana.id, may=lambda _: True, now=now())
        (step,) = adjustments_at(HERE.key, as_of=now(), day=day_in_house())
        assert step.amount_minor == 10_00


@pytest.mark.parametrize(
    "statement",
    ["UPDATE forecasting_adjustmentstep SET amount_minor = 1", "DELETE FROM forecasting_adjustmentstep"],
)
def test_the_database_refuses_to_change_or_delete_a_step(inside, statement):
    adjust(inside, "ana", "ana")
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_in_another_currency_nothing_becomes_stale_that_is_not(inside):
    from otc.money.models import Rate

    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    Rate(currency="USD", valid_from=date(2020, 1, 1), known_from=long_ago, rate="0.9137").save()
    deal(inside.ana, 100_01)
    deal(inside.ana, 33_33)
    adjust(inside, "max", "ana", 200_00, kind="absolute")
    found = report(inside, currency="USD")
    assert not found.effects[0].is_stale
    assert found.total.amounts[COLUMN].final == 218_89
