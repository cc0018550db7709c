"""Health from the database's own versions, activities and milestones: right, for many deals at once, and up to date."""

from datetime import UTC, date, datetime, timedelta

from django.utils import timezone

from otc.jobs.models import Job
from otc.jobs.services import enqueue, run
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER
from pipeline.accounts.models import Account, Contact
from pipeline.activities.models import Activity
from pipeline.buying.models import BuyingRole
from pipeline.health import services
from pipeline.health.learning import thresholds_learn
from pipeline.health.models import Health, HealthChange
from pipeline.health.rules import DEFAULTS
from pipeline.health.services import health_refresh
from pipeline.health.timeline import health_changes, health_entries
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_delete,
    opportunity_edit,
)
from pipeline.process.models import CloseReason, Milestone, Stage
from pipeline.risk.models import Risk, StageRate
from tests.pipeline.past_deals import past_deal, won

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOW.date()


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def stage(name: str) -> Stage:
    return Stage.objects.get(name=name)


def state(name: str, **more: object) -> dict:
    """An open deal in a stage of the default process, otherwise beyond reproach."""
    found = stage(name)
    return {
        "stage_id": found.id,
        "process_id": found.process_id,
        "category": "pipeline",
        "amount_minor": 100_000,
        "close_date": TODAY + timedelta(days=30),
        "next_step": "Send the draft",
        "next_step_on": TODAY + timedelta(days=3),
        **more,
    }


def failed(deal, now: datetime = NOW) -> dict[str, str]:
    """What failed, as {check: detail}, after a refresh."""
    health_refresh([deal.id], now=now)
    return {row["check"]: row["detail"] for row in Health.objects.get(opportunity_id=deal.id).failed}


def activity(deal, *, days: float, contact: Contact | None = None) -> None:
    Activity(opportunity_id=deal.id, at=ago(days), kind="call", contact=contact).save()


def decides(deal, contact: Contact, *, role: str = "decision_maker", until: datetime = FOREVER) -> None:
    BuyingRole(opportunity_id=deal.id, contact=contact, role=role, valid_from=ago(4), valid_to=until).save()


def buyer(name: str, account: Account) -> Contact:
    contact = Contact(account=account, name=name, name_folded=name.casefold())
    contact.save()
    return contact


def account() -> Account:
    found = Account(name="Kestrel Rail", name_folded="kestrel rail")
    found.save()
    return found


def test_a_deal_that_is_looked_after_scores_100(inside):
    deal = past_deal(inside, (ago(5), state("Qualify")))
    house = account()
    for name in ("Noor", "Piet"):
        activity(deal, days=2, contact=buyer(name, house))
    decides(deal, buyer("Runa", house))
    assert failed(deal) == {}
    assert Health.objects.get(opportunity_id=deal.id).score == 100


def test_a_neglected_deal_says_everything_that_is_wrong(inside):
    bare = {"amount_minor": None, "close_date": None, "next_step": "", "next_step_on": None}
    deal = past_deal(inside, (ago(40), state("Qualify", **bare)))
    assert set(failed(deal)) == {
        *("no_next_step", "silent", "stalled", "single_threaded", "close_date_implausible"),
        *("no_amount", "milestone_missing", "no_decision_maker"),
    }
    assert Health.objects.get(opportunity_id=deal.id).score == 20


def test_people_with_a_part_are_known_before_anybody_talked_to_them(inside):
    deal = past_deal(inside, (ago(5), state("Qualify")))
    house = account()
    assert {"single_threaded", "no_decision_maker"} <= set(failed(deal))
    decides(deal, buyer("Runa", house))
    activity(deal, days=2, contact=buyer("Noor", house))
    assert not {"single_threaded", "no_decision_maker"} & set(failed(deal))


def test_a_decision_maker_who_is_gone_is_missed(inside):
    deal = past_deal(inside, (ago(5), state("Qualify")))
    decides(deal, buyer("Runa", account()), until=ago(1))
    assert {"single_threaded", "no_decision_maker"} <= set(failed(deal))


def test_an_economic_buyer_is_no_decision_maker(inside):
    deal = past_deal(inside, (ago(5), state("Qualify")))
    decides(deal, buyer("Runa", account()), role="economic_buyer")
    assert "no_decision_maker" in failed(deal)


def test_pushes_are_counted_from_versions_and_pulls_are_not(inside):
    days = [TODAY + timedelta(days=n) for n in (5, 20, 10, 30)]
    pushes = [(ago(20 - 5 * n), {"close_date": day}) for n, day in enumerate(days[1:])]
    deal = past_deal(inside, (ago(30), state("Qualify", close_date=days[0])), *pushes)
    assert failed(deal)["pushed_often"] == "The close date was moved later 2 times."


def test_a_push_of_this_week_is_named_by_its_day_in_the_organizations_zone(inside):
    """23:30 UTC is the next day in Berlin."""
    night = datetime(2026, 11, 17, 23, 30, tzinfo=UTC)
    deal = past_deal(
        inside,
        (ago(30), state("Qualify", close_date=TODAY)),
        (night, {"close_date": TODAY + timedelta(days=9)}),
    )
    assert failed(deal)["pushed_this_week"].endswith("on 18\xa0Nov.")


def test_an_amount_that_fell_is_measured_from_its_highest(inside):
    amounts = [(ago(9), {"amount_minor": 200_000}), (ago(3), {"amount_minor": 150_000})]
    deal = past_deal(inside, (ago(12), state("Qualify")), *amounts)
    assert failed(deal)["amount_fell"] == "The amount fell by 25 % from its highest."


def test_an_amount_in_another_currency_is_not_compared(inside):
    deal = past_deal(
        inside,
        (ago(12), state("Qualify", amount_minor=900_000, currency="SEK")),
        (ago(3), {"amount_minor": 80_000, "currency": "EUR"}),
    )
    assert "amount_fell" not in failed(deal)


def test_days_in_stage_count_from_the_last_change_of_stage(inside):
    deal = past_deal(inside, (ago(90), state("Qualify")), (ago(31), {"stage_id": stage("Discover").id}))
    assert failed(deal)["stalled"].startswith("In Discover since 20\xa0Oct;")
    fresh = past_deal(inside, (ago(90), state("Qualify")), (ago(5), {"stage_id": stage("Discover").id}))
    assert "stalled" not in failed(fresh)


def test_a_deal_behind_its_furthest_stage_moved_backward(inside):
    path = [(ago(9), {"stage_id": stage("Propose").id}), (ago(2), {"stage_id": stage("Discover").id})]
    deal = past_deal(inside, (ago(12), state("Qualify")), *path)
    assert failed(deal)["moved_backward"] == "It moved back from Propose to Discover."


def test_required_milestones_are_missing_until_met_or_waived(inside):
    deal = past_deal(inside, (ago(5), state("Validate")))
    assert failed(deal)["milestone_missing"] == (
        "Required and not met in an earlier stage: Problem confirmed by the buyer, Champion named."
    )
    for name, mark in (("Problem confirmed by the buyer", "met"), ("Champion named", "waived")):
        milestone_mark(deal.id, milestone_id=Milestone.objects.get(name=name).id, state=mark, now=NOW)
    assert "milestone_missing" not in failed(deal)


def test_a_required_milestone_of_this_stage_is_late_after_its_due_days(inside):
    on_time, late = (past_deal(inside, (ago(days), state("Qualify"))) for days in (7, 8))
    assert "milestone_missing" not in failed(on_time)
    assert failed(late)["milestone_missing"] == "Late: Problem confirmed by the buyer."


def test_people_of_the_buyer_are_counted_once_however_often_they_called(inside):
    deal = past_deal(inside, (ago(5), state("Qualify")))
    noor = buyer("Noor", account())
    for days in (1, 2, 3):
        activity(deal, days=days, contact=noor)
    assert failed(deal)["single_threaded"].startswith("Only 1 on the buyer's side is known")


def test_an_activity_ends_the_silence_and_one_that_lies_ahead_does_not(inside):
    deal = past_deal(inside, (ago(40), state("Qualify")))
    activity(deal, days=20)
    activity(deal, days=-3)
    assert failed(deal)["silent"].startswith("No activity since 31\xa0Oct;")
    activity(deal, days=1)
    assert "silent" not in failed(deal)


def test_thresholds_come_from_the_organizations_own_won_deals_once_there_are_20(inside):
    def win(days: int) -> None:
        past_deal(inside, (ago(100), state("Qualify")), won(ago(100 - days)))

    for days in range(1, 20):
        win(days)
    qualify = stage("Qualify").id
    assert thresholds_learn(now=NOW)[qualify].stalled_days == DEFAULTS.stalled_days
    win(20)
    learned = thresholds_learn(now=NOW)[qualify]
    assert (learned.won_deals, learned.stalled_days, learned.least_days_to_close) == (20, 16, 5)
    deal = past_deal(inside, (ago(17), state("Qualify")))
    assert failed(deal)["stalled"].endswith("4 of 5 won deals needed 16 days at most.")


def test_the_longest_silence_of_won_deals_is_learned_where_they_have_activities(inside):
    for _ in range(20):
        deal = past_deal(inside, (ago(60), state("Qualify")), won(ago(30)))
        for days in (58, 52, 45):
            activity(deal, days=days)
    assert thresholds_learn(now=NOW)[stage("Qualify").id].silent_days == 15


def test_a_closed_deal_has_neither_health_nor_risk(inside, make_deal):
    deal, other = make_deal("Kestrel"), make_deal("Heron")
    health_refresh([deal.id, other.id], now=NOW)
    reason = CloseReason.objects.get(name="Price").id
    opportunity_close(deal.id, outcome="lost", reason_id=reason, now=NOW, today=TODAY)
    opportunity_delete(other.id, now=NOW)
    health_refresh([deal.id, other.id], now=NOW)
    assert not Health.objects.exists()
    assert not Risk.objects.exists()


def test_a_refresh_that_read_earlier_does_not_overwrite_a_later_one(inside, make_deal):
    deal = make_deal()
    health_refresh([deal.id], now=NOW)
    health_refresh([deal.id], now=NOW - timedelta(seconds=1))
    assert Health.objects.get().computed_at == Risk.objects.get().computed_at == NOW


def test_a_score_that_moves_is_kept_with_what_moved_it(inside, make_deal):
    now = timezone.now()
    deal = make_deal(owner=inside.ana)
    health_refresh([deal.id], now=now)
    health_refresh([deal.id], now=now + timedelta(seconds=1))
    assert not HealthChange.objects.exists()
    opportunity_edit(deal.id, changes={"amount_minor": 5_00})
    health_refresh([deal.id], now=now + timedelta(seconds=2))
    move = HealthChange.objects.get()
    score = Health.objects.get(opportunity_id=deal.id).score
    assert (move.after, move.after - move.before) == (score, 10)
    assert (move.failing, move.passing) == ([], ["No amount"])
    entry = next(health_entries(health_changes(deal.id, until=now + timedelta(seconds=3))))
    assert entry.changes[0].sentence == f"Health {move.before} to {score}" and "No amount" in entry.note


def test_the_number_of_queries_does_not_grow_with_the_deals(inside, make_deal, django_assert_num_queries):
    deals = [make_deal(f"Deal {number}", close_date=date(2026, 12, 1)) for number in range(40)]
    for deal in deals:
        activity(deal, days=1)
        opportunity_edit(deal.id, changes={"close_date": date(2026, 12, 9)})
    thresholds_learn(now=NOW)
    for ids in ([deals[0].id], [deal.id for deal in deals]):
        with django_assert_num_queries(9):
            health_refresh(ids, now=NOW)
    assert Health.objects.count() == Risk.objects.count() == 40


def test_an_edit_asks_for_the_job_that_brings_health_up_to_date(inside, make_deal):
    deal = make_deal(amount_minor=None)
    job_id = Job.objects.get(kind="deal_health", subject=deal.id).id
    assert run(inside.organization.id, job_id)
    before = Health.objects.get(opportunity_id=deal.id)
    opportunity_edit(deal.id, changes={"amount_minor": 5_000, "next_step": "Call Noor"})
    assert run(inside.organization.id, job_id)
    after = Health.objects.get(opportunity_id=deal.id)
    gone = {row["check"] for row in before.failed} - {row["check"] for row in after.failed}
    assert gone == {"no_amount", "no_next_step"}


def test_the_daily_job_refreshes_every_open_deal_in_batches_and_learns_first(house, elsewhere, monkeypatch):
    monkeypatch.setattr(services, "BATCH", 3)
    now = timezone.now()
    with use(house.organization.id):
        open_state = state("Qualify", close_date=now.date() - timedelta(days=20))
        for _ in range(7):
            past_deal(house, (now - timedelta(days=60), open_state))
        closing = past_deal(house, (now - timedelta(days=60), open_state))
        health_refresh([closing.id], now=now - timedelta(days=1))
        reason = CloseReason.objects.get(name="Price").id
        opportunity_close(closing.id, outcome="lost", reason_id=reason, now=now, today=now.date())
        job_id = enqueue("health_daily", key="2026-11-20")
    assert run(house.organization.id, job_id)
    with use(house.organization.id):
        assert Health.objects.count() == Risk.objects.count() == 7
        assert sum(rate.slip_count for rate in StageRate.objects.filter(band="31-60")) == 8
        assert (Job.objects.get(id=job_id).done_count, Job.objects.get(id=job_id).total_count) == (7, 7)
    with use(elsewhere.organization.id):
        assert not Health.objects.exists()
