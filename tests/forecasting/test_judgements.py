"""A manager judges deals of their reports: a delta made of deals, which follows them and ends with them."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from forecasting.adjustments.rules import Cell
from forecasting.judgements.models import DealJudgement
from forecasting.judgements.services import SomebodyJudged, judgement_set, judgement_withdraw
from forecasting.locks.services import period_lock
from otc.audit.models import AuditEntry
from otc.calendar.rules import following, previous
from otc.tenancy.context import use
from otc.tenancy.services import line_set
from otc.undo.services import undo_take
from pipeline.opportunities.rules import Refused
from tests.days import day_in_house
from tests.forecasting.lives import change
from tests.forecasting.test_adjustments import COLUMN, HERE, INSIDE, adjust, deal, five, now, report


def judge(house, one, verdict, by="max", on="ana", **more):
    cell = Cell(more.pop("period", HERE), house.people[on].id, more.pop("column", COLUMN))
    given = {"reason": "I met them", "expected_step_id": None, "now": now(), "today": day_in_house()}
    return judgement_set(
        house.organization,
        author=house.people[by],
        cell=cell,
        opportunity_id=one.id,
        verdict=verdict,
        **(given | more),
    )


def balances(found):
    """Final = reported + every effect, in every column."""
    for column, amounts in found.total.amounts.items():
        effects = sum(one.effect_minor for one in found.effects if one.column == column)
        assert amounts.final == amounts.rolled_up + effects


def test_each_verdict_moves_the_managers_amount_by_what_it_does_to_the_deals_part(inside):
    sure, hoped = deal(inside.ana), deal(inside.ana, 30_00, "best_case")
    later = deal(inside.ana, 5_00)
    change(later, close_date=HERE.end)
    judge(inside, sure, "out")
    assert five(report(inside), inside.ana) == (100_00, 100_00, 100_00, 100_00, 0)
    judge(inside, hoped, "amount", amount_minor=20_00)
    judge(inside, later, "date", close_date=INSIDE)
    found = report(inside)
    assert five(found, inside.ana)[4] == 25_00
    (effect,) = found.effects
    assert {(one.opportunity_id, one.effect_minor, one.ended) for one in effect.deals} == {
        (sure.id, -100_00, ""),
        (hoped.id, 20_00, ""),
        (later.id, 5_00, ""),
    }
    assert (effect.effect_minor, effect.author_id, effect.is_stale) == (-75_00, inside.max.id, False)
    balances(found)


def test_in_adds_what_the_column_lacks_and_nothing_twice(inside):
    sure, hoped = deal(inside.ana), deal(inside.ana, 30_00, "best_case")
    judge(inside, sure, "in")
    judge(inside, hoped, "in")
    assert five(report(inside), inside.ana)[4] == 130_00
    change(hoped, category="commit")
    assert five(report(inside), inside.ana) == (130_00, 130_00, 130_00, 130_00, 130_00)


def test_a_judgement_follows_its_deal_and_the_past_keeps_what_it_did(inside):
    one = deal(inside.ana)
    judge(inside, one, "amount", amount_minor=60_00)
    before = now()
    change(one, amount_minor=150_00)
    assert five(report(inside), inside.ana)[4] == 60_00
    assert report(inside).effects[0].effect_minor == -90_00
    assert report(inside, as_of=before).effects[0].effect_minor == -40_00


@pytest.mark.parametrize(
    ("columns", "ended"),
    [
        ({"outcome": "won", "category": "closed", "closed_at": now()}, "won"),
        ({"outcome": "lost", "closed_at": now()}, "lost"),
        ({"deleted_at": now()}, "deleted"),
    ],
)
def test_a_deal_that_closes_ends_its_judgement_where_it_can_be_seen(inside, columns, ended):
    one = deal(inside.ana)
    judge(inside, one, "out", column="commit_cumulative")
    change(one, **columns)
    found = report(inside)
    (effect,) = found.effects
    assert (effect.effect_minor, effect.deals[0].ended) == (0, ended)
    balances(found)


def test_a_deal_that_goes_to_somebody_else_takes_no_judgement_along(inside):
    one = deal(inside.ana)
    judge(inside, one, "out")
    change(one, owner_id=inside.jon.id)
    found = report(inside)
    assert five(found, inside.jon)[4] == 100_00
    assert [(effect.effect_minor, effect.deals[0].ended) for effect in found.effects] == [(0, "left")]


def test_judgements_count_below_the_managers_word_on_the_whole(inside):
    one = deal(inside.ana)
    deal(inside.ana, 40_00)
    judge(inside, one, "out")
    adjust(inside, "max", "ana", 7_00)
    found = report(inside)
    assert five(found, inside.ana)[4] == 47_00
    assert [effect.is_stale for effect in found.effects] == [False, False]
    judged, whole = found.effects if found.effects[0].deals else found.effects[::-1]
    assert (judged.below_minor, judged.effect_minor) == (140_00, -100_00)
    assert (whole.below_minor, whole.effect_minor) == (40_00, 7_00)
    change(one, amount_minor=200_00)  # the judgement follows, so the amount below the whole stays
    assert not any(effect.is_stale for effect in report(inside).effects)
    balances(report(inside))


def test_the_rep_sees_their_own_number_and_no_judgement(inside):
    judge(inside, deal(inside.ana), "out")
    found = report(inside, "ana")
    assert five(found, inside.ana)[3:] == (100_00, 100_00) and not found.effects


def test_a_former_managers_judgement_still_counts_and_is_marked(inside):
    judge(inside, deal(inside.ana), "out")
    line_set(inside.ana, manager_id=inside.eve.id, since=now())
    (effect,) = report(inside).effects
    assert effect.is_from_former_manager and effect.effect_minor == -100_00


def test_who_may_judge_what(inside):
    one = deal(inside.ana)
    refused = {
        "direct report": {"by": "eve"},
        "is not your": {"by": "ana"},
        "no such deal": {"by": "max", "on": "jon"},
        "is over": {"period": previous(HERE)},
        "can’t be adjusted": {"column": "closed"},
        "Say why": {"reason": " "},
        "belongs to the verdict “amount”": {"amount_minor": 1},
        "belongs to the verdict “date”": {"close_date": INSIDE},
    }
    for said, how in refused.items():
        with pytest.raises(Refused, match=said):
            judge(inside, one, "out", **how)
    with pytest.raises(Refused, match="own amount"):
        judge(inside, one, "amount")
    with pytest.raises(Refused, match="Choose one of"):
        judge(inside, one, "maybe")
    change(one, outcome="lost", closed_at=now())
    with pytest.raises(Refused, match="is closed"):
        judge(inside, one, "out")
    assert not DealJudgement.objects.exists()


def test_a_locked_period_is_judged_no_more(inside):
    one = deal(inside.ana)
    made = judge(inside, one, "out")
    period_lock(inside.organization, period=HERE, now=now(), author=inside.eve)
    with pytest.raises(Refused, match="locked"):
        judge(inside, one, "in", expected_step_id=made.step.id)
    judge(inside, one, "in", period=following(HERE))


def test_the_second_of_two_sees_the_first_and_undo_brings_back_what_stood(inside):
    person = inside.max.id
    with use(inside.organization.id, channel="ui", person_id=person):
        one = deal(inside.ana)
        first = judge(inside, one, "out")
        with pytest.raises(SomebodyJudged, match="Max Brandt"):
            judge(inside, one, "in")
        second = judge(inside, one, "amount", amount_minor=10_00, expected_step_id=first.step.id)
        assert five(report(inside), inside.ana)[4] == 10_00
        undo_take(second.undo_id, person_id=inside.max.id, may=lambda _: True, now=now())
        assert five(report(inside), inside.ana)[4] == 0
        last = DealJudgement.objects.latest("made_at")
        judgement_withdraw(
            inside.organization,
            author=inside.max,
            cell=Cell(HERE, inside.ana.id, COLUMN),
            opportunity_id=one.id,
            expected_step_id=last.id,
            now=now() + timedelta(seconds=1),
            today=day_in_house(),
        )
        found = report(inside, as_of=now() + timedelta(seconds=2))
        assert five(found, inside.ana)[4] == 100_00 and not found.effects
        actions = AuditEntry.objects.filter(action__startswith="judgement").values_list("action", flat=True)
        assert sorted(actions) == ["judgement.set"] * 3 + ["judgement.withdrawn"]


def test_nobody_changes_what_was_said(inside):
    made = judge(inside, deal(inside.ana), "out")
    for sql in (
        "UPDATE forecasting_dealjudgement SET reason = 'x' WHERE id = %s",
        "DELETE FROM forecasting_dealjudgement WHERE id = %s",
    ):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql, [str(made.step.id)])
