"""Alerts: each kind fires and doesn't, once, for those who may see it; a dead worker loses and doubles nothing."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from forecasting.alerts.daily import rule_walk
from forecasting.alerts.firing import around, state_fire
from forecasting.alerts.models import AlertFired
from forecasting.alerts.rules import KINDS
from forecasting.alerts.services import Author, Wanted, rule_create, rule_pause, rule_resume
from forecasting.quotas.models import Quota
from otc.jobs.models import Job
from otc.jobs.services import run
from otc.tenancy.context import use
from otc.tenancy.lines import ALL_OWNERS
from pipeline.activities.services import activity_log
from pipeline.health.models import Health
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_delete, opportunity_edit
from tests.forecasting.alerting import ASKED, EVENTS, MILLION, NEARLY, QUARTER, TODAY, big, look, rule, told


@pytest.mark.parametrize("kind", EVENTS)
def test_each_event_fires_once_and_no_other(inside, make_deal, kind):
    deal = big(make_deal, inside)
    for other in EVENTS:
        rule(inside, other, **ASKED.get(other, {}))
    EVENTS[kind](deal)
    assert look(deal) == 1
    assert look(deal) == 0
    (text,) = told(inside)
    assert text.startswith(f"{kind}: Kestrel (1,000,000 EUR) ")
    assert AlertFired.objects.get().rule.kind == kind


@pytest.mark.parametrize("kind", NEARLY)
def test_what_only_looks_like_it_fires_nothing(inside, make_deal, kind):
    deal = big(make_deal, inside)
    rule(inside, kind, **ASKED.get(kind, {}))
    NEARLY[kind](deal)
    assert look(deal) == 0 and told(inside) == []


@pytest.mark.parametrize("kind", EVENTS)
def test_a_deal_below_the_amount_fires_nothing(inside, make_deal, kind):
    deal = big(make_deal, inside)
    rule(inside, kind, amount_minor=MILLION + 1, **ASKED.get(kind, {}))
    rule(inside, kind, amount_minor=MILLION, name="as large", **ASKED.get(kind, {}))
    EVENTS[kind](deal)
    assert look(deal) == 1
    assert told(inside)[0].startswith("as large: ")


def test_a_month_can_be_the_period_that_a_deal_is_pushed_out_of(inside, make_deal):
    first = date(TODAY.year + 2, 4, 10)
    deal = big(make_deal, inside, close_date=first)
    rule(inside, "pushed_out", name="of the quarter")
    rule(inside, "pushed_out", name="of the month", span="month")
    opportunity_edit(deal.id, changes={"close_date": first + timedelta(days=31)})
    assert look(deal) == 1
    assert told(inside)[0].startswith("of the month: ")


def test_what_was_taken_back_before_anybody_looked_is_no_news_and_never_becomes_any(inside, make_deal):
    deal = big(make_deal, inside)
    one = rule(inside, "pushed_out")
    EVENTS["pushed_out"](deal)
    opportunity_edit(deal.id, changes={"close_date": QUARTER.last})
    assert look(deal) == 0
    EVENTS["pushed_out"](deal)
    assert look(deal) == 1
    rule_walk(one.id, now=timezone.now())
    assert len(told(inside)) == 1


def test_the_same_again_within_the_hour_is_kept_and_not_told(inside, make_deal):
    deal = big(make_deal, inside)
    rule(inside, "left_commit")
    for category in ("best_case", "commit", "pipeline"):
        opportunity_edit(deal.id, changes={"category": category})
        look(deal)
    assert len(told(inside)) == 1


def test_of_many_at_once_nobody_hears_one_by_one(inside, make_deal, monkeypatch):
    monkeypatch.setattr("forecasting.alerts.firing.TOLD_AN_HOUR", 2)
    rule(inside, "won")
    for _ in range(5):
        deal = big(make_deal, inside)
        EVENTS["won"](deal)
        look(deal)
    assert len(told(inside)) == 3
    assert told(inside)[-1] == "won: more than 2 in an hour; the log has those that follow"
    assert AlertFired.objects.filter(is_quiet=False).count() == 5


def test_what_happened_before_the_rule_or_while_it_paused_never_fires(inside, make_deal):
    deal = big(make_deal, inside)
    EVENTS["left_commit"](deal)
    one = rule(inside, "left_commit")
    assert look(deal) == 0
    opportunity_edit(deal.id, changes={"category": "commit"})
    rule_pause(one, now=timezone.now())
    EVENTS["left_commit"](deal)
    assert look(deal) == 0
    rule_resume(one, now=timezone.now())
    assert look(deal) == 0
    assert not AlertFired.objects.exists()


def test_a_branch_bounds_a_rule(inside, make_deal):
    deal = big(make_deal, inside)
    rule(inside, "lost", scope_id=inside.jon.id)
    rule(inside, "lost", name="max’s", scope_id=inside.max.id)
    EVENTS["lost"](deal)
    assert look(deal) == 1
    assert told(inside)[0].startswith("max’s: ")


def test_owner_and_manager_are_told_but_who_did_it_isn_t(house, make_deal):
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        deal = big(make_deal, house)
        rule(house, "left_commit", person_ids=(), tells_owner=True, tells_manager=True)
        EVENTS["left_commit"](deal)
        look(deal)
        assert (len(told(house)), told(house, "ana")) == (1, [])
        assert AlertFired.objects.get().told_ids == [str(house.max.id)]


def test_nobody_hears_of_a_deal_that_they_may_not_see(inside, make_deal):
    deal = big(make_deal, inside)
    rule(inside, "lost", person_ids=(inside.jon.id, inside.max.id))
    own = Wanted("own", "lost")
    rule_create(own, author=Author(inside.jon, ALL_OWNERS, manages=False), now=timezone.now())
    EVENTS["lost"](deal)
    assert look(deal) == 1
    assert (len(told(inside)), told(inside, "jon")) == (1, [])


def risky(deal: Opportunity, *, is_risky: bool) -> None:
    failed = [{"check": "commit_at_risk", "title": "", "penalty": 15, "detail": ""}] if is_risky else []
    now = timezone.now()
    Health.objects.filter(opportunity_id=deal.id).delete()
    Health(opportunity_id=deal.id, score=85, failed=failed, computed_at=now, computed_on=TODAY).save()


def test_a_commit_deal_fires_when_it_turns_risky_and_again_after_it_recovered(inside, make_deal):
    deal, was = big(make_deal, inside), big(make_deal, inside)
    risky(was, is_risky=True)
    rule(inside, "commit_at_risk")
    look(was)
    assert told(inside) == []
    for is_risky, times in ((True, 1), (True, 1), (False, 1), (True, 2)):
        risky(deal, is_risky=is_risky)
        look(deal)
        assert len(told(inside)) == times
    opportunity_edit(deal.id, changes={"category": "best_case"})
    look(deal)
    assert not AlertFired.objects.filter(holds=True, subject=deal.id).exists()


def test_a_silent_deal_fires_once_until_something_happens(inside, make_deal):
    now = timezone.now()
    deal = big(make_deal, inside, now=now - timedelta(days=15))
    one = rule(inside, "silent", days=20, amount_minor=MILLION)
    silent = [rule_walk(one.id, now=now + timedelta(days=d)) or len(told(inside)) for d in (4, 6, 7)]
    assert silent == [0, 1, 1]
    at = now + timedelta(days=8)
    activity_log(deal.id, kind="call", at=at, now=at)
    for days, times in ((9, 1), (27, 1), (29, 2)):
        rule_walk(one.id, now=now + timedelta(days=days))
        assert len(told(inside)) == times
    assert "for 20 days" in told(inside)[0]


def test_a_small_deal_may_be_silent(inside, make_deal):
    big(make_deal, inside, amount_minor=5_00)
    one = rule(inside, "silent", days=20, amount_minor=MILLION)
    rule_walk(one.id, now=timezone.now() + timedelta(days=60))
    assert told(inside) == []


def test_coverage_fires_when_it_crosses_and_again_only_after_recovery(inside, make_deal):
    Quota(person=inside.ana, period=QUARTER.key, amount_minor=MILLION).save()
    deal = big(make_deal, inside, amount_minor=4 * MILLION)
    one = rule(inside, "coverage", times_hundredths=300, scope_id=inside.max.id)
    low = rule(inside, "coverage", times_hundredths=100, scope_id=inside.max.id)
    lived = []
    for amount in (4, 3, 2, 1, 3, 2):
        opportunity_edit(deal.id, changes={"amount_minor": amount * MILLION})
        for each in (one, low):
            state_fire(each, around(timezone.now()))
        lived.append(len(told(inside)))
    assert lived == [0, 0, 1, 1, 1, 2]
    assert "Coverage of Max Brandt is 2.00\xa0×, below 3.00\xa0×" in told(inside)[0]


def test_coverage_that_is_low_when_the_rule_begins_is_no_crossing(inside, make_deal):
    Quota(person=inside.ana, period=QUARTER.key, amount_minor=MILLION).save()
    big(make_deal, inside)
    one = rule(inside, "coverage", times_hundredths=300)
    state_fire(one, around(timezone.now()))
    assert told(inside) == []


def test_coverage_of_a_branch_is_told_to_those_only_who_see_all_of_it(inside, make_deal):
    Quota(person=inside.ana, period=QUARTER.key, amount_minor=MILLION).save()
    deal = big(make_deal, inside, amount_minor=4 * MILLION)
    people = (inside.ana.id, inside.max.id)
    one = rule(inside, "coverage", times_hundredths=300, scope_id=inside.max.id, person_ids=people)
    opportunity_edit(deal.id, changes={"amount_minor": MILLION})
    state_fire(one, around(timezone.now()))
    assert (len(told(inside)), told(inside, "ana")) == (1, [])


def test_an_edit_asks_for_its_alerts_in_its_own_transaction(house, make_deal):
    with use(house.organization.id, channel="ui"):
        deal = big(make_deal, house)
        rule(house, "lost")
        EVENTS["lost"](deal)
    for kind in ("deal_health", "alerts_of_deal"):
        with use(house.organization.id):
            job_id = Job.objects.get(kind=kind, subject=deal.id).id
        assert run(house.organization.id, job_id)
    with use(house.organization.id):
        assert len(told(house)) == 1


def test_a_worker_that_dies_in_the_middle_has_told_nobody_and_the_next_one_tells_once(house, make_deal):
    with use(house.organization.id, channel="ui"):
        deal = big(make_deal, house)
        one = rule(house, "lost")
        EVENTS["lost"](deal)

        class Died(Exception):
            pass

        with pytest.raises(Died), transaction.atomic():
            assert look(deal) == 1
            raise Died
        assert told(house) == []
        rule_walk(one.id, now=timezone.now())
        assert (len(told(house)), look(deal)) == (1, 0)


def test_the_daily_walk_finds_what_no_job_told_and_moves_the_watermark_with_it(
    inside, make_deal, monkeypatch
):
    monkeypatch.setattr("forecasting.alerts.queries.MOST_STEPS", 2)
    deals = [big(make_deal, inside) for _ in range(5)]
    one = rule(inside, "left_commit")
    for deal in deals:
        EVENTS["left_commit"](deal)
    now = timezone.now()
    since = rule_walk(one.id, now=now)
    one.refresh_from_db()
    assert since is not None and one.until < now
    while since is not None:
        since = rule_walk(one.id, now=now, since=since)
    one.refresh_from_db()
    assert (len(told(inside)), one.until) == (5, now)


def test_a_deleted_deal_leaves_commit(inside, make_deal):
    deal = big(make_deal, inside)
    rule(inside, "left_commit")
    opportunity_delete(deal.id, now=timezone.now())
    assert look(deal) == 1
    assert "it was deleted" in told(inside)[0]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"kind": "weather"}, "kind"),
        ({"name": " "}, "name"),
        ({"kind": "fell"}, "percent"),
        ({"kind": "fell", "percent": 101}, "percent"),
        ({"kind": "silent"}, "days"),
        ({"kind": "coverage"}, "times_hundredths"),
        ({"person_ids": ()}, "person_ids"),
        ({"in_app": False}, "person_ids"),
        ({"person_ids": (uuid4(),)}, "person_ids"),
        ({"hook_id": uuid4()}, "hook_id"),
        ({"scope_id": uuid4()}, "scope_id"),
    ],
)
def test_a_rule_that_can_not_be_meant_is_refused(inside, wanted, field):
    given = {"kind": "lost", **wanted}
    with pytest.raises(Refused) as refusal:
        rule(inside, **given)
    assert refusal.value.field == field


def test_every_kind_is_tried_here():
    assert {kind.key for kind in KINDS} == {*EVENTS, "commit_at_risk", "silent", "coverage"}
