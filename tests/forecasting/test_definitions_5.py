"""Every sentence of the definitions of the rollup, quoted, with an example in small figures."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, transaction

from forecasting.adjustments.rules import Cell
from forecasting.adjustments.services import adjustment_withdraw
from forecasting.calls.models import CallColumn
from forecasting.calls.queries import latest_calls
from forecasting.calls.services import call_submit, calls_submit
from forecasting.locks.ends import ended_periods_lock
from forecasting.locks.models import LockedRow
from forecasting.locks.report import difference_report
from forecasting.locks.services import period_lock, period_unlock
from forecasting.rhythm.rules import Beat
from otc.audit.models import AuditEntry
from otc.calendar.rules import following, previous
from otc.question import ask
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Organization
from otc.tenancy.services import line_set, person_create, person_leave
from pipeline.opportunities.rules import Refused
from pipeline.team.rules import Share
from pipeline.team.services import splits_set
from tests.cluster import SHARED_DATA
from tests.conftest import BEGINNING
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
from tests.forecasting.test_adjustments import COLUMN, HERE, INSIDE, adjust, deal, five, now, report
from tests.forecasting.test_judgements import judge

DEFINITIONS = Path(__file__).parents[2] / "docs" / "definitions" / "rollup.md"


def total(found: Any, column: str = COLUMN) -> int:
    return found.total.amounts[column].final


def test_every_sentence_has_its_example():
    text = words(DEFINITIONS.read_text().partition("## 5. Rollup")[2])
    for name, example in globals().items():
        if name.startswith("test_") and example.__doc__:
            quoted = words(example.__doc__)
            assert quoted in text, f"{name} quotes what the definitions don't say: {quoted}"
            text = text.replace(quoted, "", 1)
    assert not text.replace("-", "").strip(), f"without an example: {text}"


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="../shared/data is absent: nothing to compare with")
def test_the_definitions_are_those_of_everybody():
    shared = (SHARED_DATA.parent / "DEFINITIONS.md").read_text()
    section = shared.partition("## 5. Rollup")[2].partition("## 6.")[0]
    assert words(DEFINITIONS.read_text().partition("## 5. Rollup")[2]) == words(section)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_scope_of_a_cell(inside):
    """For person u, period P and category c, over parts of open deals with close date in P
    (closed: won deals with close date in P)."""
    deal(inside.ana, 1)
    deal(inside.ana, 2, "best_case")
    deal(inside.jon, 4)
    deal(inside.ana, 8, "closed", outcome="won", closed_at=now())
    deal(inside.ana, 16, outcome="lost", closed_at=now())
    deal(inside.ana, 32, deleted_at=now())
    for day, amount in ((HERE.first, 64), (previous(HERE).last, 128), (HERE.end, 256), (None, 512)):
        deal_with(owner_id=inside.ana.id, amount_minor=amount, category=COLUMN, close_date=day)
    found = report(inside)
    owns = {column: five(found, inside.ana, column)[0] for column in ("commit", "best_case", "closed")}
    assert owns == {"commit": 1 + 64, "best_case": 2, "closed": 8}


def test_overlay(inside):
    """Overlay splits are reported apart."""
    one = deal(inside.ana, 100)
    splits_set(one.id, shares=[Share(inside.jon.id, "overlay", 3_000)], now=now())
    found = report(inside)
    assert (five(found, inside.ana)[0], five(found, inside.jon)[0], total(found)) == (100, 0, 100)
    assert [(row.person_id, row.open_minor) for row in found.overlays] == [(inside.jon.id, 30)]


def test_own(inside):
    """own(u,c): u's parts."""
    one = deal(inside.ana, 101)
    splits_set(
        one.id,
        shares=[Share(inside.ana.id, "revenue", 5_000), Share(inside.jon.id, "revenue", 5_000)],
        now=now(),
    )
    found = report(inside)
    assert sorted(five(found, person)[0] for person in (inside.ana, inside.jon)) == [50, 51]
    assert five(found, inside.max)[:2] == (0, 101)


def test_rolled_up(inside):
    """rolled_up(u,c) = own(u,c) + sum over direct reports r of final(r,c)."""
    deal(inside.max, 7)
    deal(inside.ana, 100)
    deal(inside.jon, 40)
    adjust(inside, "max", "ana", -10)
    adjust(inside, "jon", "jon", 5)
    found = report(inside)
    finals = [five(found, inside.ana)[4], five(found, inside.jon)[4]]
    assert (finals, five(found, inside.max)[2]) == ([90, 45], 7 + 90 + 45)


def test_five_amounts(inside):
    """Five amounts, all kept: 1 owner only · 2 with reports, without any adjustment · 3 with the reports' adjustments,
    without u's own · 4 with u's own adjustment, as u sees it · 5 final: with the manager's adjustment on u."""
    deal(inside.max, 7)
    deal(inside.ana, 100)
    adjust(inside, "ana", "ana", 20)
    adjust(inside, "max", "max", 3)
    adjust(inside, "eve", "max", -50)
    assert five(report(inside), inside.max) == (7, 107, 127, 130, 80)


def test_who_sees_which(inside):
    """u sees 4, u's manager sees 5."""
    deal(inside.ana, 100)
    adjust(inside, "ana", "ana", 20)
    adjust(inside, "max", "ana", -50)
    assert five(report(inside, "ana"), inside.ana) == (100, 100, 100, 120, 120)
    assert five(report(inside, "max"), inside.ana) == (100, 100, 100, 120, 70)


def test_columns(inside):
    """Columns are single (one category) or cumulative: commit = commit + closed; most likely = most likely + commit +
    closed; best case = best case + most likely + commit + closed; open = all open categories without omitted, without
    closed."""
    categories = {"omitted": 1, "pipeline": 2, "best_case": 4, "most_likely": 8, "commit": 16, None: 32}
    for category, amount in categories.items():
        deal(inside.ana, amount, category)
    deal(inside.ana, 64, "closed", outcome="won", closed_at=now())
    sums = {column: amounts.final for column, amounts in report(inside).total.amounts.items()}
    single = {category or "no_category": amount for category, amount in categories.items()}
    assert sums == single | {
        "closed": 64,
        "commit_cumulative": 16 + 64,
        "most_likely_cumulative": 8 + 16 + 64,
        "best_case_cumulative": 4 + 8 + 16 + 64,
        "open": 2 + 4 + 8 + 16 + 32,
    }


def test_what_is_adjusted(inside):
    """Pipeline and closed can't be adjusted."""
    for column in ("pipeline", "closed"):
        with pytest.raises(Refused, match="can’t be adjusted"):
            adjust(inside, "ana", "ana", column=column)
    adjust(inside, "ana", "ana", 5)
    assert total(report(inside)) == 5


def call(house: Any, amount: int, **more: Any) -> Any:
    given: dict[str, Any] = {"period": HERE, "now": now(), "today": day_in_house()}
    return call_submit(house.organization, author=house.ana, amount_minor=amount, **(given | more))


def test_calls_hold_each_other(inside):
    """Calls are cumulative."""
    given: dict[str, Any] = {"author": inside.ana, "period": HERE, "now": now(), "today": day_in_house()}
    with pytest.raises(Refused, match="holds commit"):
        calls_submit(
            inside.organization, amounts={"commit_cumulative": 10, "best_case_cumulative": 9}, **given
        )
    calls_submit(inside.organization, amounts={"commit_cumulative": 10, "best_case_cumulative": 10}, **given)
    assert all(column.endswith("_cumulative") for column in CallColumn.values)


def test_one_person_one_column(inside):
    """An adjustment belongs to one person and one column, single or cumulative, and moves no other column."""
    deal(inside.ana, 100)
    before = {row.person_id: row.amounts for row in report(inside).rows}
    for column in ("commit", "commit_cumulative"):
        adjust(inside, "max", "ana", 1, column=column)
    moved = {
        (row.person_id, column)
        for row in report(inside).rows
        for column, amounts in row.amounts.items()
        if amounts != before[row.person_id][column]
    }
    line = (inside.ana.id, inside.max.id, inside.eve.id)
    assert moved == {(person, column) for person in line for column in ("commit", "commit_cumulative")}


def test_absolute_and_delta(inside):
    """Absolute replaces the amount below it, delta adds to it."""
    one = deal(inside.ana, 100)
    adjust(inside, "ana", "ana", 70, kind="absolute")
    adjust(inside, "max", "ana", 5)
    assert five(report(inside), inside.ana)[3:] == (70, 75)
    change(one, amount_minor=1_000)
    assert five(report(inside), inside.ana)[3:] == (70, 75)


def test_what_it_has(inside):
    """It has an author, a reason, an optional expiry and the base it was made on; it is stale when that base has moved:
    shown as stale, still counted, never dropped."""
    one = deal(inside.ana, 100)
    with pytest.raises(Refused, match="Say why"):
        adjust(inside, "max", "ana", 5, reason=" ")
    step = adjust(inside, "max", "ana", 5, reason="A hunch", expires_on=day_in_house()).step
    assert (step.author_id, step.reason, step.base_minor) == (inside.max.id, "A hunch", 100)
    change(one, amount_minor=90)
    (effect,) = report(inside).effects
    assert (effect.is_stale, effect.effect_minor, total(report(inside))) == (True, 5, 95)
    tomorrow = now() + timedelta(days=1)
    assert report(inside, as_of=tomorrow, now=tomorrow).effects == ()


def test_after_a_change_of_manager(inside):
    """After a change of manager the former one's adjustment still counts, marked, until the new one replaces it."""
    deal(inside.ana, 100)
    made = adjust(inside, "max", "ana", 10)
    line_set(inside.ana, manager_id=inside.eve.id, since=now())
    (effect,) = report(inside).effects
    assert (effect.is_from_former_manager, total(report(inside))) == (True, 110)
    adjust(inside, "eve", "ana", 1, expected_step_id=made.step.id)
    (effect,) = report(inside).effects
    assert (effect.is_from_former_manager, total(report(inside))) == (False, 101)


def test_a_vacant_manager(inside):
    """For a vacant manager the next occupied one above adjusts."""
    deal(inside.ana, 100)
    person_leave(inside.max, now=now(), today=day_in_house())
    with pytest.raises(Refused, match="not your direct report"):
        adjust(inside, "max", "ana")
    adjust(inside, "eve", "ana", 5)
    assert five(report(inside), inside.ana)[4] == 105


def test_no_money_is_dropped(inside):
    """No money is dropped: a deal without an owner, an owner without a line (tops excepted), a vacant manager's branch
    land in "unassigned"; an unmapped stage in a column "no category"."""
    deal(inside.eve, 1)
    deal_with(owner_id=None, amount_minor=2, category=COLUMN, close_date=INSIDE)
    deal(inside.ops, 4)
    lea = person_create(name="Lea Vogt", manager=inside.eve, since=BEGINNING)
    kim = person_create(name="Kim Holm", manager=lea, since=BEGINNING)
    deal(lea, 8)
    deal(kim, 16)
    deal(inside.ana, 32, None)
    person_leave(lea, now=now(), today=day_in_house())
    found = report(inside, "ria")
    assert found.unassigned.amounts[COLUMN].final == 2 + 4 + 8 + 16
    assert (five(found, inside.eve)[4], total(found)) == (1, 31)
    assert total(found, "no_category") == total(found, "open") - 31 == 32


def test_own_and_unassigned_are_amount_2(inside):
    """Own amounts + unassigned = amount 2 of the top, to the minor unit."""
    for amount, owner in ((33, inside.eve), (34, inside.ana), (1, inside.jon)):
        deal(owner, amount)
    deal_with(owner_id=None, amount_minor=7, category=COLUMN, close_date=INSIDE)
    adjust(inside, "ana", "ana", 1_000)
    found = report(inside)
    owns = sum(row.amounts[COLUMN].own for row in found.rows)
    assert owns + found.unassigned.amounts[COLUMN].rolled_up == found.total.amounts[COLUMN].rolled_up == 75
    assert five(found, inside.eve)[1] == 75 - 7


def test_final_is_amount_2_and_the_effects(inside):
    """Final = that + each adjustment's effect, and the effects are shown as rows."""
    deal(inside.ana, 100)
    adjust(inside, "ana", "ana", 20)
    adjust(inside, "max", "ana", 50, kind="absolute")
    adjust(inside, "eve", "max", 3)
    found = report(inside)
    shown = {(one.author_name, one.person_name): one.effect_minor for one in found.effects}
    assert shown == {("Ana Ruiz",) * 2: 20, ("Max Brandt", "Ana Ruiz"): -70, ("Eve Okafor", "Max Brandt"): 3}
    assert total(found) == 100 + 20 - 70 + 3


def test_judged_deals(inside):
    """Deal judgement by a manager (in or out of my call, own amount or date) is a delta adjustment made of deals: it
    adds to column and person like any other, and opens its deals."""
    sure, hoped, small = deal(inside.ana, 100), deal(inside.ana, 30, "best_case"), deal(inside.ana, 9)
    late = deal_with(owner_id=inside.ana.id, amount_minor=4, category=COLUMN, close_date=HERE.end)
    judge(inside, sure, "out")
    judge(inside, hoped, "in")
    judge(inside, small, "amount", amount_minor=11)
    judge(inside, late, "date", close_date=INSIDE)
    found = report(inside)
    (effect,) = found.effects
    opened = {one.opportunity_id: one.effect_minor for one in effect.deals}
    assert opened == {sure.id: -100, hoped.id: 30, small.id: 2, late.id: 4}
    assert (effect.kind, effect.effect_minor) == ("delta", -64)
    assert five(found, inside.ana)[3:] == (109, 109 - 64)
    assert total(found) == 109 - 64


def test_calls(inside):
    """Calls: submitted per person, period and column with a note, immutable, the latest counts; a weekly deadline in
    the organization's zone."""
    call(inside, 500, note="Two are late")
    call(inside, 900, column=CallColumn.BEST_CASE)
    call(inside, 9, period=following(HERE))
    latest = call(inside, 700, now=now() + timedelta(seconds=1))
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE forecasting_call SET amount_minor = 1")
    assert latest_calls(HERE.key, as_of=now() + timedelta(minutes=1)) == {inside.ana.id: latest}
    zone = ZoneInfo(inside.organization.timezone)
    dues = [Beat().call_due(day_in_house() + timedelta(weeks=week), zone=zone) for week in range(30)]
    assert {(due.weekday(), due.hour) for due in (one.astimezone(zone) for one in dues)} == {(4, 12)}


def test_a_lock(inside):
    """A lock at the period's end freezes calls and adjustments and stores the shown grid; deals still move, and a later
    change shows as a difference to the locked grid."""
    Organization.objects.filter(id=inside.organization.id).update(created_at=BEGINNING)
    inside.organization.refresh_from_db()
    night = datetime(HERE.end.year, HERE.end.month, HERE.end.day, 1, tzinfo=now().tzinfo)
    assert HERE.key in [one.period for one in ended_periods_lock(inside.organization, now=night)]
    coming = following(HERE)
    one = deal_with(owner_id=inside.ana.id, amount_minor=100, category=COLUMN, close_date=coming.first)
    made = adjust(inside, "ana", "ana", 5, period=coming)
    lock = period_lock(inside.organization, period=coming)
    with pytest.raises(Refused, match="locked"):
        call(inside, 5, period=coming)
    with pytest.raises(Refused, match="locked"):
        adjust(inside, "max", "ana", 5, period=coming)
    with pytest.raises(Refused, match="locked"):
        withdraw(inside, made, coming)
    change(one, amount_minor=40)
    stored = LockedRow.objects.get(lock=lock, person=inside.ana).amounts[COLUMN]
    assert stored == [100, 100, 100, 105, 105]
    tenant = Tenant(inside.organization, inside.eve, now(), [inside.organization])
    found = difference_report(ask(tenant, {"period": coming.key}), lock, column=COLUMN)
    cell = next(row for row in found.rows if row.person_id == inside.ana.id).cells[COLUMN]
    assert (cell.then_minor, cell.now_minor, cell.deals_minor) == (105, 45, -60)


def withdraw(house: Any, made: Any, period: Any) -> None:
    adjustment_withdraw(
        house.organization,
        author=house.ana,
        cell=Cell(period, house.ana.id, COLUMN),
        expected_step_id=made.step.id,
        now=now(),
        today=day_in_house(),
    )


def test_unlocking(inside):
    """Unlocking is on the audit log with a reason."""
    lock = period_lock(inside.organization, period=HERE)
    with pytest.raises(Refused, match="Say why"):
        period_unlock(lock, reason=" ", now=now())
    period_unlock(lock, reason="A late order", now=now(), author=inside.eve)
    entry = AuditEntry.objects.get(action="period.unlocked")
    assert entry.detail["reason"] == "A late order"
    assert call(inside, 5).amount_minor == 5
