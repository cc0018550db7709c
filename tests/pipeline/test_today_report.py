"""The queue in SQL beside the rules over every deal by hand, on random deals; and who sees what of it."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from otc.question import BadQuestion, ask
from otc.tenancy.context import use
from otc.tenancy.lines import UnknownScope
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import FOREVER
from pipeline.activities.models import Activity
from pipeline.activities.services import activity_log
from pipeline.health.models import Health
from pipeline.health.rules import CHECKS
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from pipeline.risk.models import Risk
from pipeline.today.models import DealAnswer
from pipeline.today.report import today_report
from pipeline.today.rules import REASONS, Answered, Standing, reasons_of, still_open, urgency_of, worth
from pipeline.today.services import Answer, deal_answer

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def today():
    return datetime.now(ZoneInfo("Europe/Berlin")).date()


def question(house, *, viewer=None, scope=None):
    viewer = viewer or house.ana
    tenant = Tenant(house.organization, viewer, datetime.now(UTC))
    return ask(tenant, {"scope": scope or str(viewer.id)})


def report(house, **asked):
    limit = asked.pop("limit", 25)
    with use(house.organization.id):
        return today_report(question(house, **asked), limit=limit)


def names(found):
    return [row.deal.name for row in found.rows]


def score(deal, *, failed=(), p_won=None, p_slip=None, stale=False):
    now = datetime.now(UTC)
    rows = [{"check": key, "title": key, "penalty": 5, "detail": f"{key}."} for key in failed]
    Health.objects.filter(opportunity=deal).delete()
    Risk.objects.filter(opportunity=deal).delete()
    Health(opportunity=deal, score=50, failed=rows, computed_at=now, computed_on=now.date()).save()
    close = deal.close_date + DAY if stale and deal.close_date else deal.close_date
    p_lost = None if p_won is None else 1 - p_won - p_slip
    Risk(
        opportunity=deal,
        p_won=p_won,
        p_lost=p_lost,
        p_slip=p_slip,
        close_date=close,
        model="t",
        computed_at=now,
    ).save()


def random_deals(house, rng, *, count):
    """Deals of ana, jon and max in every state that the reasons look at, some of them answered."""
    for number in range(count):
        close = rng.choice([None, today() + rng.randint(-20, 60) * DAY])
        step_on = rng.choice([None, today() + rng.randint(-5, 5) * DAY])
        deal = opportunity_create(
            name=f"Deal {number}",
            owner_id=rng.choice([house.ana, house.ana, house.jon, house.max]).id,
            amount_minor=rng.choice([None, 0, rng.randint(1, 500) * 1_000_00]),
            close_date=close,
            next_step=rng.choice(["", " ", "Call"]),
            next_step_on=step_on,
            now=datetime.now(UTC),
        ).opportunity
        failed = [check.key for check in CHECKS if rng.random() < 0.12]
        p_won = rng.choice([None, rng.randint(1, 40) / 100])
        score(
            deal, failed=failed, p_won=p_won, p_slip=None if p_won is None else 0.55, stale=rng.random() < 0.3
        )
        if rng.random() < 0.7:
            answered(house, deal, rng)


def answered(house, deal, rng):
    """An answer of some day, after which somebody may have changed the deal."""
    person = rng.choice([house.ana, house.jon, house.max])
    on = today() - rng.randint(0, 4) * DAY
    kind = rng.choice(["snooze", "on_track", "push"])
    DealAnswer(
        opportunity=deal,
        person=person,
        kind=kind,
        said="",
        reasons=[one.key for one in REASONS if rng.random() < 0.8],
        at=datetime.now(UTC),
        on=on,
        holds_until=on + rng.randint(2, 9) * DAY,
    ).save()
    changer, what = rng.choice([house.ana, house.max]), rng.random()
    with use(house.organization.id, person_id=changer.id, channel="ui"):
        if what < 0.12:
            opportunity_edit(deal.id, changes={"source": "Web"})
        elif what < 0.24:
            now = datetime.now(UTC)
            activity_log(deal.id, kind="call", at=now, now=now)


def overtaken(answer):
    versions = OpportunityVersion.objects.filter(
        opportunity_id=answer.opportunity_id, known_to=FOREVER, valid_from__gt=answer.at
    )
    contacts = Activity.objects.filter(opportunity_id=answer.opportunity_id, at__gt=answer.at)
    return any(version.actor_id != answer.person_id for version in versions) or any(
        contact.person_id != answer.person_id for contact in contacts
    )


def by_hand(*, owners, watchers):
    """The queue by the rules, one deal after the other: [(id, reasons, worth)], in its order."""
    found = []
    for deal in Opportunity.objects.filter(outcome=None, deleted_at=None, owner_id__in=owners):
        health, risk = Health.objects.get(opportunity=deal), Risk.objects.get(opportunity=deal)
        fits = risk.close_date == deal.close_date and deal.close_date is not None
        standing = Standing(
            today(),
            deal.close_date,
            deal.next_step,
            deal.next_step_on,
            deal.amount_minor,
            risk.p_slip if fits else None,
            {check["check"] for check in health.failed},
        )
        answers = [
            Answered(one.kind, one.person_id, tuple(one.reasons), one.on, one.holds_until)
            for one in DealAnswer.objects.filter(opportunity=deal)
            if not overtaken(one)
        ]
        left = still_open(reasons_of(standing), answers, today=today(), watchers=watchers)
        if left:
            urgency = urgency_of(left)
            chance = round(risk.p_won * 10_000) if fits and risk.p_won is not None else None
            value = worth(amount_minor=deal.amount_minor, chance_bp=chance, urgency=urgency)
            last = (deal.close_date is None, deal.close_date or today(), deal.id)
            found.append(((-value, -urgency, *last), (deal.id, left, value), deal))
    found.sort(key=lambda one: one[0])
    return [one for _, one, _ in found], [deal for _, _, deal in found]


@pytest.mark.parametrize("seed", range(2))
def test_the_queue_is_what_the_rules_say_of_every_deal(house, seed):
    with use(house.organization.id):
        random_deals(house, random.Random(seed), count=60)
        for viewer, scope, owners in (
            (house.ana, house.ana, [house.ana]),
            (house.max, house.ana, [house.ana]),
            (house.max, house.max, [house.max, house.ana, house.jon]),
        ):
            found = today_report(question(house, viewer=viewer, scope=str(scope.id)), limit=500)
            rows, deals = by_hand(owners=[one.id for one in owners], watchers={viewer.id, scope.id})
            told = [(row.deal.id, tuple(one.key for one in row.reasons), row.worth) for row in found.rows]
            assert told == rows
            assert len(rows) > 5
            assert found.queue.count == len(deals)
            assert found.queue.total_minor == sum(deal.amount_minor or 0 for deal in deals)
            passed = sum("close_date_passed" in reasons for _, reasons, _ in rows)
            assert found.queue.passed_count == passed


@pytest.fixture
def silent(house):
    """A deal of ana's that has gone silent and is fine otherwise."""
    with use(house.organization.id):
        deal = opportunity_create(
            name="Kestrel Rail",
            owner_id=house.ana.id,
            amount_minor=386_000_00,
            close_date=today() + 60 * DAY,
            next_step="Call",
            next_step_on=today() + 9 * DAY,
            now=datetime.now(UTC),
        ).opportunity
        score(deal, failed=["silent"], p_won=0.5, p_slip=0.2)
    return deal


def give(house, person, deal, kind, **fields):
    with use(house.organization.id, person_id=person.id, channel="ui"):
        return deal_answer(deal.id, Answer(kind, **fields), now=datetime.now(UTC), today=today())


def test_a_snoozed_deal_comes_back_when_somebody_else_changes_it(house, silent):
    give(house, house.ana, silent, "snooze", day=today() + 5 * DAY)
    assert names(report(house)) == []
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        opportunity_edit(silent.id, changes={"source": "Fair"})
    assert names(report(house)) == []
    with use(house.organization.id, person_id=house.max.id, channel="ui"):
        opportunity_edit(silent.id, changes={"source": "Web"})
    assert names(report(house)) == ["Kestrel Rail"]


def test_what_the_buyer_wrote_brings_a_snoozed_deal_back(house, silent):
    give(house, house.ana, silent, "snooze", day=today() + 5 * DAY)
    with use(house.organization.id, channel="import"):
        Activity(opportunity_id=silent.id, kind="mail", direction="in", at=datetime.now(UTC)).save()
    assert names(report(house)) == ["Kestrel Rail"]


def test_a_snooze_is_ones_own_and_an_answer_everybodys(house, silent):
    give(house, house.max, silent, "snooze", day=today() + 5 * DAY)
    assert names(report(house)) == ["Kestrel Rail"]
    assert names(report(house, viewer=house.max, scope=str(house.ana.id))) == []
    give(house, house.max, silent, "on_track")
    assert names(report(house)) == []


def test_who_looks_at_somebodys_today_sees_what_they_put_away(house, silent):
    give(house, house.ana, silent, "snooze", day=today() + 5 * DAY)
    assert names(report(house, viewer=house.max, scope=str(house.ana.id))) == []
    assert names(report(house, viewer=house.max)) == ["Kestrel Rail"]


def test_todays_of_strangers_and_of_everyone_are_refused(house, elsewhere, silent):
    with use(house.organization.id):
        with pytest.raises(UnknownScope):
            report(house, viewer=house.ana, scope=str(house.jon.id))
        with pytest.raises(UnknownScope):
            report(house, scope=str(elsewhere.zoe.id))
        with pytest.raises(BadQuestion):
            report(house, viewer=house.eve, scope="everyone")


def test_a_branch_too_large_to_go_through_shows_its_leaders_own(house, silent, monkeypatch):
    assert names(report(house, viewer=house.max)) == ["Kestrel Rail"]
    monkeypatch.setattr("pipeline.today.report.LARGEST_BRANCH", 2)
    found = report(house, viewer=house.max)
    assert (names(found), found.branch_size) == ([], 3)


def test_the_report_asks_eight_queries_at_most_whatever_it_finds(house):
    counts = []
    with use(house.organization.id):
        for _ in range(2):
            random_deals(house, random.Random(7), count=30)
            with CaptureQueriesContext(connection) as captured:
                found = today_report(question(house))
            counts.append(len(captured))
    assert len(found.rows) > 10
    assert counts[0] == counts[1] <= 9
