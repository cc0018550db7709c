"""The health report: one set of numbers on every surface, of any day; scales and limits that keep their dates."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.jobs.models import Job
from otc.jobs.services import enqueue, run
from otc.money.rules import convert
from otc.question import Question, ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import FOREVER
from otc.undo.registry import CantUndo
from otc.undo.services import undo_take
from pipeline.health import services
from pipeline.health.learning import thresholds_at, thresholds_learn
from pipeline.health.models import Health, HealthDay, HealthScale
from pipeline.health.past import health_then
from pipeline.health.report import Asked, all_rows, health_report
from pipeline.health.rules import BITS, CHECKS, PUBLISHED, Scale, band_of, score_of
from pipeline.health.scale import bands_moved, scale_at, scale_set
from pipeline.health.services import health_refresh, refresh, surroundings
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_edit
from pipeline.process.models import Stage
from tests.conftest import House
from tests.forecasting.lives import deal_with
from tests.guards.report_house import build_report_house
from tests.guards.surface import looker
from tests.pipeline.past_deals import past_deal, won

RATES = {"EUR": Decimal(1), "USD": Decimal("0.9137"), "JPY": Decimal("0.0061")}


def question_of(house: House, person: Any = None, **parameters: str) -> Question:
    return ask(Tenant(house.organization, person or house.eve, timezone.now()), parameters)


def refreshed() -> None:
    health_refresh(list(Opportunity.objects.values_list("id", flat=True)), now=timezone.now())


def slow_sums(deals: Any) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(count, corporate minor, unconvertible) by band and by check, one deal after another, as the definitions say."""
    found: dict[tuple[str, str], tuple[int, int, int]] = {}
    for deal in deals:
        kept = Health.objects.get(opportunity_id=deal.id)
        rate = RATES.get(deal.currency)
        amount, lacks = 0, 0
        if deal.amount_minor is not None and rate is None:
            lacks = 1
        elif deal.amount_minor is not None:
            amount = convert(deal.amount_minor, from_currency=deal.currency, to_currency="EUR", rate=rate)
        keys = [("band", band_of(kept.score).key), *(("check", row["check"]) for row in kept.failed)]
        for key in keys:
            count, minor, without = found.get(key, (0, 0, 0))
            found[key] = (count + 1, minor + amount, without + lacks)
    return found


def fast_sums(report: Any) -> dict[tuple[str, str], tuple[int, int, int]]:
    sums = [(("band", one.band.key), one.sum) for one in report.bands]
    sums += [(("check", one.check.key), one.sum) for one in report.checks]
    return {key: (s.count, s.amount_minor, s.unconvertible) for key, s in sums if s.count}


def test_every_surface_shows_the_sums_of_the_slow_way_and_each_number_opens_its_deals(db: None) -> None:
    house = build_report_house(deals=60, seed=11)
    with use(house.organization.id, channel="task"):
        refreshed()
        question = question_of(house)
        still_open = list(Opportunity.objects.filter(outcome=None, deleted_at=None))
        report = health_report(question, asked=Asked())
        assert fast_sums(report) == slow_sums(still_open)
        assert report.total.count == len(still_open) and report.total.unconvertible
        for band, check in [("weak", ""), ("", "silent")]:
            shown = health_report(question, asked=Asked(band=band, check=check)).shown
            rows = all_rows(question, asked=Asked(band=band, check=check))
            assert shown.count == len(rows)
            assert shown.amount_minor == sum(row.corporate_minor or 0 for row in rows)
        mine = [deal for deal in still_open if deal.owner_id == house.ana.id]
        of_ana = health_report(question_of(house, scope=str(house.ana.id)), asked=Asked())
        assert fast_sums(of_ana) == slow_sums(mine)
        assert fast_sums(health_report(question_of(house, house.ana), asked=Asked())) == slow_sums(mine)
    eyes = looker(house, "eve", {})
    eyes.parameters = {}
    assert fast_sums(eyes.page("health/").context["report"]) == fast_sums(report)
    api = eyes.api("health")
    triple = ("count", "amount_minor", "unconvertible")
    said = {("band", one["band"]): tuple(one[key] for key in triple) for one in api["bands"]}
    said |= {("check", one["check"]): tuple(one[key] for key in triple) for one in api["checks"]}
    assert {key: value for key, value in said.items() if value[0]} == fast_sums(report)
    lines = eyes.csv("health/")
    assert Counter(band_of(int(line["health"])).key for line in lines) == {
        one.band.key: one.sum.count for one in report.bands if one.sum.count
    }
    assert sum(int(line["corporate_minor"] or 0) for line in lines) == report.total.amount_minor


def test_a_past_day_is_judged_by_what_was_known_then(inside: House) -> None:
    stage = Stage.objects.get(name="Discover")
    state = {
        "stage_id": stage.id,
        "process_id": stage.process_id,
        "category": "pipeline",
        "amount_minor": 100,
    }
    start = timezone.now() - timedelta(days=40)
    state |= {"close_date": start.date() + timedelta(days=90), "owner_id": inside.ana.id}
    deal = past_deal(inside, (start, state), (timezone.now() - timedelta(days=5), {"amount_minor": 0}))
    then = timezone.now() - timedelta(days=20)
    refresh([deal.id], surroundings(then))
    at_the_time = Health.objects.get()
    assert "no_amount" in {row["check"] for row in at_the_time.failed}
    seen = health_then(deal.id, at=then, known=then + timedelta(days=20))
    assert seen is not None
    found = {row["check"] for row in seen.failed}
    assert "no_amount" not in found and {"silent", "no_next_step"} <= found
    report = health_report(question_of(inside, as_of=then.isoformat(), knowledge="now"), asked=Asked())
    assert [(row.score, {one["check"] for one in row.failed}) for row in report.rows] == [(seen.score, found)]
    assert health_then(deal.id, at=start - timedelta(days=1), known=timezone.now()) is None


def test_a_scale_of_ones_own_moves_scores_as_foreseen_and_is_undone(inside: House) -> None:
    with use(inside.organization.id, person_id=inside.ops.id, channel="ui"):
        deal = deal_with(owner_id=inside.ana.id, category="pipeline", amount_minor=5, close_date=None)
        refreshed()
        before = Health.objects.get()
        assert "silent" in {row["check"] for row in before.failed}
        was = timezone.now()
        wanted = {check.key: 90 if check.key == "silent" else check.penalty for check in CHECKS}
        foreseen = bands_moved(Scale({"silent": 90}, frozenset({"no_next_step"})))
        step = scale_set(penalties=wanted, off={"no_next_step"})
        assert step and scale_set(penalties=wanted, off={"no_next_step"}) is None
        refreshed()
        after = Health.objects.get()
        assert foreseen == {(band_of(before.score).key, band_of(after.score).key): 1}
        assert "no_next_step" not in {row["check"] for row in after.failed}
        silent = next(row for row in after.failed if row["check"] == "silent")
        assert silent["penalty"] == 90 and after.score == 0
        assert scale_at(was) == PUBLISHED and scale_at(timezone.now()).penalties == {"silent": 90}
        assert Job.objects.filter(kind="health_daily", key="scale").exists()
        summary = AuditEntry.objects.get(action="health_scale.changed").summary
        assert summary == "No next step is off; Silent costs 90 instead of 15"
        other = scale_set(penalties={}, off=())
        with pytest.raises(CantUndo):
            undo_take(step, person_id=inside.ops.id, may=lambda _: True, now=timezone.now())
        assert other is not None
        undo_take(other, person_id=inside.ops.id, may=lambda _: True, now=timezone.now())
        assert scale_at(timezone.now()).off == {"no_next_step"}
        assert HealthScale.objects.filter(valid_to=FOREVER).count() == 1
        assert health_then(deal.id, at=was, known=timezone.now()).score == before.score


def test_the_settings_page_shows_first_and_then_saves(house: House, signed_in: Any) -> None:
    client, url = signed_in(house.ops), house.url("settings/health/")
    typed = {check.key: str(check.penalty) for check in CHECKS} | {f"on.{c.key}": "1" for c in CHECKS}
    assert client.post(url, typed | {"silent": "lots"}).status_code == 422
    assert client.post(url, typed | {"silent": "20"}).status_code == 200
    with use(house.organization.id):
        assert not HealthScale.objects.exists()
    assert client.post(url, typed | {"silent": "20", "confirm": "1"}).status_code == 302
    with use(house.organization.id):
        assert HealthScale.objects.get().penalties == {"silent": 20}
    assert signed_in(house.max).get(url).status_code == 403


def test_what_was_learned_holds_from_its_day_on(inside: House) -> None:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    stage = Stage.objects.get(name="Qualify")
    state = {"stage_id": stage.id, "process_id": stage.process_id, "category": "pipeline"}
    for days in range(1, 21):
        start = now - timedelta(days=100)
        past_deal(inside, (start, state), won(start + timedelta(days=days)))
    thresholds_learn(now=now - timedelta(days=9))
    for _ in range(40):
        past_deal(inside, (now - timedelta(days=100), state), won(now - timedelta(days=40)))
    thresholds_learn(now=now)
    assert thresholds_at(now - timedelta(days=3))[stage.id].stalled_days == 16
    assert thresholds_at(now)[stage.id].stalled_days == 60
    # Before anything was kept, the first that was.
    assert thresholds_at(now - timedelta(days=99))[stage.id].stalled_days == 16


def test_a_daily_run_writes_what_moved_and_an_edit_always(inside: House) -> None:
    deal = deal_with(owner_id=inside.ana.id, category="pipeline", amount_minor=5, close_date=None)
    first, second = timezone.now(), timezone.now() + timedelta(minutes=1)
    health_refresh([deal.id], now=first)
    refresh([deal.id], surroundings(second), only_moved=True)
    assert Health.objects.get().computed_at == first
    health_refresh([deal.id], now=second)
    assert Health.objects.get().computed_at == second
    opportunity_edit(deal.id, changes={"amount_minor": 0})
    refresh([deal.id], surroundings(second + timedelta(minutes=1)), only_moved=True)
    assert Health.objects.get().checks & BITS["no_amount"]


def test_two_workers_share_a_large_organization_and_leave_nobody_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SPLIT_FROM", 5)
    monkeypatch.setattr(services, "BATCH", 2)
    with use(house.organization.id, channel="task"):
        for number in range(9):
            deal_with(name=f"Deal {number}", owner_id=house.ana.id, amount_minor=number, category="pipeline")
        whole = enqueue("health_daily", key="today")
    assert run(house.organization.id, whole)
    with use(house.organization.id, channel="task"):
        assert Health.objects.count() == 4
        half = Job.objects.get(kind="health_half").id
    assert run(house.organization.id, half)
    with use(house.organization.id, channel="task"):
        assert Health.objects.count() == 9
        assert sum(day.deal_count for day in HealthDay.objects.all()) == 9


def test_the_weeks_before_the_first_day_are_kept_from_versions(house: House) -> None:
    now = timezone.now()
    with use(house.organization.id, channel="import"):
        state = {"category": "pipeline", "amount_minor": 700, "owner_id": house.ana.id}
        deal = past_deal(house, (now - timedelta(days=30), state))
        past_deal(house, (now - timedelta(days=30), state), won(now - timedelta(days=10)))
        job_id = enqueue("health_past")
    assert run(house.organization.id, job_id)
    with use(house.organization.id):
        kept = {one.day: (one.deal_count, one.amount_minor) for one in HealthDay.objects.all()}
        zone = question_of(house).zone
        today = now.astimezone(zone).date()
        assert kept == {
            today - timedelta(weeks=weeks): (2, 1400) if weeks > 1 else (1, 700) for weeks in (1, 2, 3, 4)
        }
        day = today - timedelta(weeks=1)
        report = health_report(question_of(house, as_of=day.isoformat(), knowledge="now"), asked=Asked())
        assert {one.band.key for one in report.bands if one.sum.count} == {
            one.band for one in HealthDay.objects.filter(day=day)
        }
        assert report.rows[0].opportunity_id == deal.id


def test_penalties_never_take_more_than_there_is() -> None:
    assert score_of([60, 60]) == 0 and score_of([]) == 100
    assert [band_of(score).key for score in (100, 80, 79, 60, 59, 40, 39, 0)] == [
        *("healthy", "healthy", "watch", "watch", "weak", "weak", "critical", "critical")
    ]
