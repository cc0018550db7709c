"""Funnel and velocity over random lives agree with an oracle that follows one deal after the other."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from random import Random
from statistics import median
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from forecasting.funnel.closed import Closed
from forecasting.funnel.queries import OPENED, deals_of_stage
from forecasting.funnel.report import funnel_report, pace_report
from forecasting.funnel.rules import CohortEnd, Stay, Velocity, cohort_of, median_stay
from otc.question import BadQuestion, ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from pipeline.history.models import STATE_COLUMNS, HistoryRow, OpportunityVersion
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import CloseReason, Process, Stage
from tests.conftest import House
from tests.forecasting.funnel_oracle import account_for, diary, median_of, whole_days, won_in_the_end
from tests.forecasting.lives import deal_with
from tests.nightly import IS_NIGHTLY

BERLIN = ZoneInfo("Europe/Berlin")
WORDS = ("entered", "advanced", "lost", "open", "skipped", "backward")


def live(house: House, random: Random, *, count: int) -> None:
    """Deals that jump, go back, close, come again, are deleted and restored, over the last 200 days."""
    stages, reason = list(Stage.objects.order_by("position")), CloseReason.objects.first()
    owners = [house.eve, house.max, house.ana, house.ana, None]
    rows = []
    for number in range(count):
        name = f"Deal {number:03}"
        deal = Opportunity(id=uuid4(), name=name, name_folded=name.casefold(), currency="EUR")
        instants = sorted(
            timezone.now() - timedelta(seconds=random.randrange(10**5, 200 * 86400))
            for _ in range(random.randrange(1, 8))
        )
        deal.created_at = instants[0] - timedelta(days=random.choice([0, 0, 3]))
        deal.source = random.choice(["", "web", "fair"])
        for at in instants:
            owner = random.choice(owners)
            outcome = random.choice([None] * 6 + ["won", "lost", "no_decision"])
            deal.stage, deal.owner_id = random.choice(stages), owner and owner.id
            deal.outcome, deal.closed_at = outcome, at if outcome else None
            deal.category = "closed" if outcome == "won" else random.choice(["commit", "omitted", None])
            deal.close_date = at.astimezone(BERLIN).date()
            deal.reason = reason if outcome else None
            deal.amount_minor = random.choice([None, random.randrange(10**7), random.randrange(10**7)])
            deal.deleted_at = at if random.random() < 0.1 else None
            state = {column: getattr(deal, column) for column in STATE_COLUMNS}
            rows.append(HistoryRow(opportunity_id=deal.id, at=at, provenance="imported", **state))
        with use(house.organization.id, channel="import"):
            deal.save(force_insert=True)
    enter_history(rows)


@pytest.fixture
def lived(inside: House) -> House:
    live(inside, Random(5), count=90 if IS_NIGHTLY else 50)
    for deal in Opportunity.objects.filter(outcome=None, deleted_at=None)[:8]:
        deal.stage = Stage.objects.order_by("?").first()
        deal.save(force_update=True)
    return inside


def question_of(house: House, **parameters: str):
    return ask(Tenant(house.organization, house.eve, timezone.now()), parameters)


def lives_of(question, *, owned) -> dict:
    """Of each deal of the cohort: its versions up to the instant, and how it stands."""
    created = dict(Opportunity.objects.values_list("id", "created_at"))
    first, end = question.period.first, question.period.end
    begin = datetime(first.year, first.month, first.day, tzinfo=BERLIN)
    stop = min(datetime(end.year, end.month, end.day, tzinfo=BERLIN), question.as_of)
    by_deal = defaultdict(list)
    for version in OpportunityVersion.objects.order_by("valid_from"):
        if version.valid_from <= question.as_of and version.known_from <= question.known < version.known_to:
            by_deal[version.opportunity_id].append(version)
    return {
        deal: (versions, created[deal])
        for deal, versions in by_deal.items()
        if begin <= created[deal] < stop
        and versions[-1].valid_to > question.as_of
        and versions[-1].deleted_at is None
        and owned(versions[-1].owner_id)
    }


@pytest.mark.parametrize("days_ago", [0, 45])
@pytest.mark.parametrize("scope", ["everyone", "ana"])
def test_the_funnel_agrees_with_the_oracle(lived: House, scope: str, days_ago: int) -> None:
    ana = lived.ana.id
    asked = {"period": "2026", "scope": str(ana) if scope == "ana" else scope}
    asked["period"] = str(timezone.now().year)
    if days_ago:
        asked["as_of"] = (timezone.now() - timedelta(days=days_ago)).isoformat()
    question = question_of(lived, **asked)
    order = {stage.id: stage.position for stage in Stage.objects.all()}
    expected, behind, stays, ends = Counter(), defaultdict(set), defaultdict(list), []
    for deal, (versions, created) in lives_of(
        question, owned=lambda owner: scope == "everyone" or owner == ana
    ).items():
        visits = diary(versions, created=created, until=question.as_of)
        outcome = versions[-1].outcome
        for key, number in account_for(visits, outcome, order=order).items():
            expected[key] += number
            behind[key].add(deal)
        for visit in visits:
            stays[visit["stage"]].append((whole_days(visit["from"], visit["to"]), visit["by"] == "leaving"))
        ends.append((whole_days(created, versions[-1].closed_at or question.as_of), outcome or ""))
    found = funnel_report(question)
    assert found.process is not None
    for stage in found.stages:
        for word in WORDS:
            assert getattr(stage, word) == expected[stage.stage_id, word], (stage.name, word)
            opened = deals_of_stage(
                question, process_id=found.process.id, stage_id=stage.stage_id, what=word, limit=None
            )
            assert {deal.id for deal in opened} == behind[stage.stage_id, word]
        assert stage.stay.days == median_of(stays[stage.stage_id])
        assert stage.stay.count == len(stays[stage.stage_id])
        assert stage.stay.ended == sum(ended for _, ended in stays[stage.stage_id])
    assert found.cohort.count == len(ends) > 3
    assert found.cohort.won == sum(outcome == "won" for _, outcome in ends)
    assert found.cohort.win_rate == pytest.approx(won_in_the_end(ends))
    assert set(OPENED) == set(WORDS)


def test_velocity_agrees_with_the_oracle(lived: House) -> None:
    question = question_of(lived)
    deals = list(Opportunity.objects.filter(deleted_at=None))
    closed = [d for d in deals if d.outcome and question.period.first <= d.close_date < question.period.end]
    won = [deal for deal in closed if deal.outcome == "won"]
    pace = pace_report(question, segment="source")
    assert pace.total.closed.count == len(closed) and pace.total.closed.won == len(won) > 1
    assert pace.total.closed.won_minor == sum(deal.amount_minor or 0 for deal in won)
    cycles = [(deal.close_date - deal.created_at.astimezone(BERLIN).date()).days for deal in won]
    assert pace.total.cycle_days == median(cycles)
    is_open = [deal for deal in deals if deal.outcome is None and deal.category != "omitted"]
    assert pace.total.open_count == len(is_open)
    assert sum((one.velocity.closed for one in pace.segments), Closed()) == pace.total.closed
    assert {one.name for one in pace.segments} <= {"", "web", "fair"}
    assert {one.name: one.velocity.open_count for one in pace.segments if one.velocity.open_count} == Counter(
        deal.source for deal in is_open
    )
    # The last of the periods is the present one, and each is what was asked as of its end with today's closings.
    period, velocity = pace.over_time[-1]
    assert (period, velocity) == (question.period, pace.total)
    for segment in ("owner", "kind", "product"):
        assert pace_report(question, segment=segment).total == pace.total


def test_a_segment_that_is_none_is_refused(inside: House) -> None:
    with pytest.raises(BadQuestion):
        pace_report(question_of(inside), segment="weather")


def test_an_organization_without_deals_has_an_empty_funnel(inside: House) -> None:
    found = funnel_report(question_of(inside))
    assert found.cohort.count == 0 and all(stage.entered == 0 for stage in found.stages)
    assert found.cohort.win_rate is None


def test_the_process_that_new_deals_go_through_comes_first(inside: House) -> None:
    ask_now = ask(Tenant(inside.organization, inside.eve, timezone.now()), {})
    default = funnel_report(ask_now).process
    other = Process(name="Imported")
    other.save(force_insert=True)
    assert funnel_report(ask_now).process == default
    deal_with(process_id=other.id)
    assert funnel_report(ask_now).process == other
    assert default is not None
    assert funnel_report(ask_now, process=str(default.id)).process == default


def test_medians_count_open_deals_for_as_long_as_they_were_seen() -> None:
    stays = [Stay(2, True, 1), Stay(4, True, 1), Stay(5, False, 1), Stay(6, True, 1)]
    assert median_stay(stays).days == 4
    assert median_stay([Stay(9, False, 7), Stay(3, True, 1)]).days is None
    wide, narrow = (median_stay([Stay(day, True, n) for day in range(1, 40)]) for n in (1, 20))
    assert wide.days == narrow.days == 20
    assert wide.low < narrow.low <= 20 <= narrow.high < wide.high
    assert median_stay([]).days is None


def test_an_open_deal_is_not_a_lost_one() -> None:
    ends = [CohortEnd(10, "won", 1), CohortEnd(20, "lost", 1), CohortEnd(15, "", 1)]
    assert cohort_of(ends).win_rate == pytest.approx(1 / 3)
    assert cohort_of([CohortEnd(5, "won", 1), CohortEnd(30, "", 9)]).win_rate == pytest.approx(0.1)
    assert cohort_of([CohortEnd(3, "", 4)]).win_rate is None


def test_velocity_is_money_a_day() -> None:
    closed = Closed(won=1, lost=3, won_minor=1_000_000)
    assert Velocity(closed, 40, 50.0).a_day_minor == 200_000
    assert Velocity(closed, 40, 0.0).a_day_minor is None
    assert Velocity(Closed(lost=3), 40, None).a_day_minor is None
