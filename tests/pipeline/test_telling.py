"""Who is told of what happens to deals: those whom it concerns, who may see it, once, and not of what they did."""

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from otc.jobs.services import enqueue, run
from otc.notices.models import Notice
from otc.notices.services import big_deal_set
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person
from pipeline.health.models import Health
from pipeline.health.services import health_refresh
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import (
    opportunity_close,
    opportunity_create,
    opportunity_delete,
    opportunity_edit,
)
from pipeline.process.models import CloseReason, Milestone, Stage
from pipeline.team.services import team_member_add
from pipeline.telling.rules import Look, Threshold, changed_much, has_fallen, is_big
from pipeline.telling.services import deal_tell, deals_due_tell
from tests.conftest import House
from tests.days import day_in_house
from tests.pipeline.test_visibility import SEEDS, World, build, sees

Make = Callable[..., Any]


def told(house: House, kind: str = "") -> dict[str, list[str]]:
    """By first name what people were told."""
    names = {person.id: name for name, person in house.people.items()}
    found = Notice.objects.filter(kind=kind) if kind else Notice.objects.all()
    by_name: dict[str, list[str]] = {}
    for notice in found.order_by("created_at", "id"):
        by_name.setdefault(names[notice.person_id], []).append(notice.text)
    return by_name


def tell(deal_id: UUID) -> None:
    deal_tell(deal_id, now=timezone.now())


def as_person(house: House, name: str) -> Any:
    return use(house.organization.id, person_id=getattr(house, name).id, channel="ui")


def test_whoever_is_given_a_deal_is_told_and_who_takes_one_is_not(house: House, make_deal: Make) -> None:
    with as_person(house, "max"):
        deal = make_deal(owner=house.ana)
        tell(deal.id)
        assert told(house) == {"ana": ["Max Brandt gave you Kestrel Rail"]}
        tell(deal.id)
        opportunity_edit(deal.id, changes={"next_step": "Call", "next_step_on": day_in_house()})
        tell(deal.id)
        assert len(told(house)["ana"]) == 1, "once"
        opportunity_edit(deal.id, changes={"owner_id": house.max.id})
        tell(deal.id)
        assert "max" not in told(house)


@pytest.fixture
def big(house: House) -> House:
    with use(house.organization.id):
        big_deal_set(amount_minor=1_000_00, percent=0)
    return house


def test_a_big_deal_is_told_up_the_line_and_to_the_team_but_not_to_who_did_it(big: House) -> None:
    now = timezone.now()
    with as_person(big, "ana"):
        deal = opportunity_create(
            name="Heron", owner_id=big.ana.id, amount_minor=2_000_00, now=now
        ).opportunity
        team_member_add(deal.id, person_id=big.jon.id, part="Legal", now=now)
        tell(deal.id)
        assert sorted(told(big, "big_deal")) == ["eve", "jon", "max"]
        assert told(big, "big_deal")["max"] == ["Big deal Heron (2,000 EUR): Created Qualify (Ana Ruiz)"]
        Notice.objects.all().delete()
        opportunity_edit(deal.id, changes={"name": "Heron Air"})
        tell(deal.id)
        assert told(big) == {}, "a new name is no news"
        opportunity_edit(deal.id, changes={"amount_minor": 900_00})
        tell(deal.id)
        assert "Amount" in told(big)["max"][0], "it was big before"
        Notice.objects.all().delete()
        opportunity_edit(deal.id, changes={"amount_minor": 300_00})
        tell(deal.id)
        assert told(big) == {}


def test_a_big_deal_that_ends_is_told_whatever_its_chance(big: House) -> None:
    now = timezone.now()
    with as_person(big, "ana"):
        big_deal_set(amount_minor=1_000_00, percent=99)
        deal = opportunity_create(
            name="Heron", owner_id=big.ana.id, amount_minor=2_000_00, now=now
        ).opportunity
        tell(deal.id)
        assert told(big) == {}, "not likely enough"
        reason = CloseReason.objects.get(name="Price")
        opportunity_close(deal.id, outcome="lost", reason_id=reason.id, now=timezone.now(), today=now.date())
        tell(deal.id)
        assert "Lost: Price" in told(big)["eve"][0] and Notice.objects.filter(is_bad=True).exists()
        opportunity_delete(deal.id, now=timezone.now())
        tell(deal.id)
        assert "Deleted" in told(big)["max"][1]


def test_another_currency_is_held_against_the_corporate_amount(big: House) -> None:
    from otc.money.models import Rate

    with as_person(big, "ana"):
        Rate(currency="JPY", valid_from=date(2020, 1, 1), known_from=timezone.now(), rate="0.006").save()
        day = day_in_house()
        for name, yen in (("Small", 100_000), ("Large", 200_000)):
            fields = {"owner_id": big.ana.id, "amount_minor": yen, "currency": "JPY", "close_date": day}
            deal = opportunity_create(name=name, now=timezone.now(), **fields).opportunity
            tell(deal.id)
        assert len(told(big)["max"]) == 1 and "Large" in told(big)["max"][0]


def test_the_job_after_an_edit_tells_and_so_does_a_fall_in_health(big: House) -> None:
    with as_person(big, "max"):
        fields = {"owner_id": big.ana.id, "amount_minor": 2_000_00}
        deal = opportunity_create(name="Heron", now=timezone.now(), **fields).opportunity
        job_id = enqueue("deal_health", subject=deal.id)
    run(big.organization.id, job_id)
    with use(big.organization.id):
        assert set(told(big)) == {"ana", "eve"} and set(told(big, "assigned")) == {"ana"}
        Notice.objects.all().delete()
        Health.objects.update(score=100)
        health_refresh([deal.id], now=timezone.now())
        (text,) = told(big, "at_risk")["ana"]
        assert text.startswith("Heron fell in health from 100 to ")
        health_refresh([deal.id], now=timezone.now())
        assert len(told(big, "at_risk")["ana"]) == 1, "it stays where it fell to"


def test_many_falls_are_one_notice_per_owner(house: House, make_deal: Make) -> None:
    with as_person(house, "ana"):
        ids = [make_deal(f"Deal {number}", owner=house.ana).id for number in range(5)]
        ids.append(make_deal("Of nobody").id)
        health_refresh(ids, now=timezone.now())
        Health.objects.update(score=100)
        health_refresh(ids, now=timezone.now())
        (text,) = told(house, "at_risk")["ana"]
        assert text == "5 deals of yours fell in health: Deal 0, Deal 1, Deal 2 and 2 more"


def test_what_is_due_is_told_on_its_day_only(house: House, make_deal: Make) -> None:
    now = timezone.now()
    today = now.astimezone(ZoneInfo("Europe/Berlin")).date()
    with as_person(house, "ana"):
        deal = make_deal(owner=house.ana, close_date=today - timedelta(days=1))
        make_deal("Long past", owner=house.ana, close_date=today - timedelta(days=2))
        stage = Stage.objects.get(id=deal.stage_id)
        Milestone.objects.filter(stage=stage).update(due_days=400)
        one = Milestone(stage=stage, name="Budget", position=80, due_days=3)
        one.save()
        ids = list(Opportunity.objects.values_list("id", flat=True))
        deals_due_tell(ids, today=today, now=now)
        assert told(house) == {"ana": ["The close date has passed of Kestrel Rail"]}
        deals_due_tell(ids, today=today + timedelta(days=3), now=now)
        assert told(house, "milestone_due") == {
            "ana": ["Due today: Budget (Kestrel Rail), Budget (Long past)"]
        }
        milestone_mark(deal.id, milestone_id=one.id, state="met", now=now)
        deals_due_tell(ids, today=today + timedelta(days=3), now=now)
        assert told(house, "milestone_due")["ana"][1] == "Due today: Budget (Long past)"
        Notice.objects.all().delete()
        Person.objects.filter(id=house.ana.id).update(left_on=date(2021, 1, 1))
        deals_due_tell(ids, today=today, now=now)
        assert told(house) == {}


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_nobody_is_told_of_a_deal_that_the_oracle_hides_from_them(db: None, seed: int) -> None:
    world = build(seed)
    assert faults_of(world, seed) == []


def faults_of(world: World, seed: int) -> list[str]:
    """Change every deal, big ones, by different people; whoever is told must see the deal, and somebody is told."""
    draw = Random(seed)
    with use(world.organization.id, channel="ui"):
        big_deal_set(amount_minor=1, percent=0)
        for deal_id in world.owner_of:
            actor = draw.choice(world.people)
            with use(world.organization.id, person_id=actor.id, channel="ui"):
                opportunity_edit(deal_id, changes={"amount_minor": 900_00})
                if draw.random() < 0.5:
                    owner = draw.choice(world.people)
                    opportunity_edit(deal_id, changes={"owner_id": owner.id})
                    world.owner_of[deal_id] = owner.id
            tell(deal_id)
        people = {person.id: person for person in world.people}
        found = [(notice.person_id, notice.deal_id) for notice in Notice.objects.all()]
    assert len(found) > 5
    return [
        f"{people[person_id].name} ({people[person_id].role}) hears of a deal"
        for person_id, deal_id in found
        if deal_id is not None and not sees(world, people[person_id], deal_id)
    ]


def test_telling_whoever_is_concerned_without_asking_what_they_see_is_noticed(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: a seat opens nothing where the line alone decides, or for who left the team."""
    monkeypatch.setattr("pipeline.telling.services.may_be_told", lambda people, deal, *, now: list(people))
    everybody = "pipeline.telling.services.concerned"
    monkeypatch.setattr(
        everybody, lambda deal, owner, *, now: list(Person.objects.values_list("id", flat=True))
    )
    assert any(faults_of(build(seed), seed) for seed in SEEDS)


# The rules.

amounts = st.none() | st.integers(min_value=0, max_value=10**9)
looks = st.builds(
    Look,
    corporate_minor=amounts,
    chance=st.floats(0, 1),
    outcome=st.sampled_from([None, "won", "lost"]),
    stage_position=st.integers(1, 5),
)


@given(looks, st.integers(1, 10**9), st.integers(0, 100))
def test_a_higher_threshold_never_makes_a_deal_big(look: Look, amount: int, percent: int) -> None:
    if is_big(look, threshold=Threshold(amount + 1, percent)):
        assert is_big(look, threshold=Threshold(amount, percent))
    assert not is_big(look, threshold=Threshold(None, 0))


@given(looks)
def test_what_stays_did_not_change_much(look: Look) -> None:
    assert not changed_much(look, look)


def test_the_edges_of_much_and_of_a_fall() -> None:
    was = Look(1_000_00, 0.5)
    assert changed_much(was, Look(800_00, 0.5)) and not changed_much(was, Look(801_00, 0.5))
    assert changed_much(Look(None, 0.5), was) and changed_much(was, Look(1_000_00, 0.5, category="commit"))
    assert has_fallen(80, 60) and not has_fallen(80, 61) and not has_fallen(60, 80)


def test_the_switch_is_off_until_somebody_says_what_is_big(house: House, make_deal: Make) -> None:
    with as_person(house, "ana"):
        assert Organization.objects.get(id=house.organization.id).big_deal_minor is None
        tell(make_deal(owner=house.ana, amount_minor=10**12).id)
        assert told(house) == {}
