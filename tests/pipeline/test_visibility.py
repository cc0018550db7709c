"""Who sees which deal? Random charts, teams, splits and delegations against a naive oracle, on every surface."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from forecasting.inspection.report import Asked, all_deals
from otc.delegation.models import Delegation
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Organization, Person
from otc.tenancy.services import organization_create, person_create
from pipeline.activities.services import activity_log
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create, opportunity_edit
from pipeline.process.services import process_install
from pipeline.team.rules import Share
from pipeline.team.services import splits_set, team_member_add, team_member_remove
from tests.api_client import Caller
from tests.conftest import user_for
from tests.days import day_in_house
from tests.nightly import IS_NIGHTLY

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
ROLES = ("rep", "rep", "rep", "manager", "manager", "executive", "operations", "administrator")
SEEDS = range(8 if IS_NIGHTLY else 4)
# Surfaces that are asked deal by deal, for the first few deals.
ONE_BY_ONE, ASKED_ONE_BY_ONE = ("api deal", "page"), 4
Seats = dict[UUID, set[UUID]]


@dataclass
class World:
    """An organization and what the oracle knows of it: plain dictionaries, filled beside the services."""

    organization: Organization
    people: list[Person]
    manager_of: dict[UUID, UUID | None]
    owner_of: dict[UUID, UUID | None]
    seats: Seats
    delegations: list[tuple[UUID, UUID, date, date]]


def build(seed: int) -> World:
    draw = Random(seed)
    visibility = draw.choice(["line", "team", "team", "team", "open"])
    organization = organization_create(
        slug=f"world-{seed}", name="World", currency="EUR", visibility=visibility
    )
    world = World(organization, [], {}, {}, {}, [])
    with use(organization.id, channel="ui"):
        process_install()
        _people(world, draw)
        _deals(world, draw)
        _seats(world, draw)
        _delegations(world, draw)
    return world


def _people(world: World, draw: Random) -> None:
    """A forest: some tops, some below somebody who was there before, some without a line."""
    for number in range(6):
        place = draw.choice(["top", "below", "below", "below", "below", "nowhere"])
        lined = [person for person in world.people if person.id in world.manager_of]
        manager = draw.choice(lined) if place == "below" and lined else None
        person = person_create(
            name=f"Person {number}",
            role=draw.choice(ROLES),
            manager=manager,
            is_top=place == "top",
            since=BEGINNING,
            user=user_for(f"w{world.organization.slug}p{number}"),
        )
        world.people.append(person)
        if manager is not None or place == "top":
            world.manager_of[person.id] = manager.id if manager else None


def _deals(world: World, draw: Random) -> None:
    today = day_in_house()
    for number in range(10):
        owner = draw.choice([*world.people, None])
        deal = opportunity_create(
            name=f"Deal {number}",
            owner_id=owner.id if owner else None,
            amount_minor=1_00,
            close_date=today,
            now=timezone.now(),
        ).opportunity
        activity_log(deal.id, kind="call", at=timezone.now(), now=timezone.now(), subject="Call")
        if draw.random() < 0.3:
            owner = draw.choice([*world.people, None])
            opportunity_edit(deal.id, changes={"owner_id": owner.id if owner else None})
        world.owner_of[deal.id] = owner.id if owner else None
        world.seats[deal.id] = set()


def _seats(world: World, draw: Random) -> None:
    for deal_id, owner_id in world.owner_of.items():
        others = [person for person in world.people if person.id != owner_id]
        if draw.random() < 0.5:
            person = draw.choice(others)
            member = team_member_add(deal_id, person_id=person.id, part="Legal", now=timezone.now())
            if draw.random() < 0.3:
                team_member_remove(deal_id, member.id, now=timezone.now())
            else:
                world.seats[deal_id].add(person.id)
        if draw.random() < 0.3:
            one, two = draw.sample(world.people, 2)
            shares = [Share(one.id, "revenue", 10_000), Share(two.id, "overlay", 500)]
            splits_set(deal_id, shares=shares, now=timezone.now())
            world.seats[deal_id] |= {one.id, two.id}


def _delegations(world: World, draw: Random) -> None:
    """Running, over and still to come; a chain of two, which must not reach through."""
    today = day_in_house()
    for _ in range(3):
        manager, delegate = draw.sample(world.people, 2)
        first_on = today + timedelta(days=draw.choice([-9, -2, 0, 3]))
        last_on = first_on + timedelta(days=draw.choice([0, 5, 9]))
        Delegation(manager=manager, delegate=delegate, first_on=first_on, last_on=last_on).save()
        world.delegations.append((manager.id, delegate.id, first_on, last_on))


# The oracle: one deal and one person at a time, by the words of the definition.


def leads(world: World, leader: UUID, person: UUID | None) -> bool:
    """Is the person the leader, or somewhere below? Climbs from the person."""
    while person is not None:
        if person == leader:
            return True
        person = world.manager_of.get(person)
    return False


def sees_as(world: World, viewer: UUID, deal: UUID) -> bool:
    """By line, and by the team where the organization says so."""
    owner = world.owner_of[deal]
    if owner is None:
        is_top = viewer in world.manager_of and world.manager_of[viewer] is None
        by_line = is_top
    else:
        by_line = leads(world, viewer, owner)
    by_seat = world.organization.visibility == "team" and any(
        leads(world, viewer, seated) for seated in world.seats[deal]
    )
    return by_line or by_seat


def sees(world: World, viewer: Person, deal: UUID) -> bool:
    if viewer.role in ("executive", "administrator", "operations") or world.organization.visibility == "open":
        return True
    if sees_as(world, viewer.id, deal):
        return True
    today = day_in_house()
    return any(
        delegate == viewer.id and first <= today <= last and sees_as(world, manager, deal)
        for manager, delegate, first, last in world.delegations
    )


# The surfaces.


def browser_of(person: Person) -> Client:
    from otc.identity.models import User

    client = Client()
    user = User.objects.get(id=person.user_id)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def seen_on(world: World, person: Person) -> dict[str, set[UUID]]:
    """The deals that each surface shows to the person."""
    home, caller, browser = f"/o/{world.organization.slug}/", Caller(person), browser_of(person)
    yesterday = (timezone.now() - timedelta(days=1)).date().isoformat()
    listed = browser.get(home + "deals/?scope=everyone")
    board = browser.get(home + "deals/board/?scope=everyone")
    rows = caller.get("opportunities?limit=100").json()["results"]
    calls = caller.get("activities?limit=100").json()["results"]
    csv = browser.get(home + "deals/?scope=everyone&format=csv").getvalue().decode()
    first = list(world.owner_of)[:ASKED_ONE_BY_ONE]
    found = {
        "list": {row.id for row in listed.context["report"].rows},
        "csv": {deal for deal in world.owner_of if str(deal) in csv},
        "board": {card.id for column in board.context["report"].columns for card in column.cards},
        "api list": {UUID(row["id"]) for row in rows},
        "api deal": {d for d in first if caller.get(f"opportunities/{d}").status_code == 200},
        "page": {d for d in first if browser.get(f"{home}deals/{d}/").status_code == 200},
        "activities": {UUID(row["opportunity_id"]) for row in calls},
        "inspection": _inspected(world, person),
    }
    assert caller.get(f"opportunities?as_of={yesterday}").json()["results"] == []
    return found


def _inspected(world: World, person: Person) -> set[UUID]:
    with use(world.organization.id):
        question = ask(Tenant(world.organization, person, timezone.now()), {"scope": "everyone"})
        deals = list(all_deals(question, since=timezone.now(), asked=Asked()))
    return {deal.opportunity_id for deal in deals if not deal.is_hidden}


@pytest.fixture
def rolled_back(db: None) -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def faults_of(world: World) -> Iterator[str]:
    """Where a surface shows somebody another set of deals than the oracle says."""
    for person in world.people:
        expected = {deal for deal in world.owner_of if sees(world, person, deal)}
        for surface, found in seen_on(world, person).items():
            known = (
                set(list(world.owner_of)[:ASKED_ONE_BY_ONE]) if surface in ONE_BY_ONE else expected | found
            )
            if found != expected & known:
                yield f"{person.name} ({person.role}), {surface}: {len(found ^ expected)} differ"


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("seed", SEEDS)
def test_every_surface_shows_what_the_oracle_says(rolled_back: None, seed: int) -> None:
    assert list(faults_of(build(seed))) == []


def test_the_worlds_have_something_to_tell_apart(rolled_back: None) -> None:
    """Seats and delegations open deals that the line alone doesn't; visibility by team isn't all that is drawn."""
    worlds = [build(seed) for seed in SEEDS]
    assert {world.organization.visibility for world in worlds} > {"team"}
    by_seat = by_charge = 0
    for world in worlds:
        for person in world.people:
            for deal, owner in world.owner_of.items():
                if sees(world, person, deal) and not leads(world, person.id, owner):
                    by_seat += sees_as(world, person.id, deal)
                    by_charge += not sees_as(world, person.id, deal)
    assert by_seat > 5 and by_charge > 5


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("broken", ["seats", "charges"])
def test_a_surface_that_forgets_seats_or_charges_is_noticed(
    rolled_back: None, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    from otc.tenancy import reach

    if broken == "seats":
        nowhere = ("SELECT NULL::uuid", {})
        monkeypatch.setattr("pipeline.team.queries._seated_deals", lambda reach, prefix="": nowhere)
    else:
        monkeypatch.setattr(reach, "STANDS_IN", frozenset())
    assert any(True for seed in reversed(SEEDS) for _ in faults_of(build(seed)))


def test_as_of_never_changes_who_may_see(rolled_back: None) -> None:
    """A deal that left somebody's sight bears no name in the past either, and its page is gone."""
    organization = organization_create(slug="past", name="Past", currency="EUR")
    with use(organization.id, channel="ui"):
        process_install()
        max_ = person_create(
            name="Max Brandt", role="manager", is_top=False, since=BEGINNING, user=user_for("pm")
        )
        ana = person_create(name="Ana Ruiz", manager=max_, since=BEGINNING)
        far = person_create(name="Far Away", role="rep")
        deal = opportunity_create(
            name="Kestrel",
            owner_id=ana.id,
            amount_minor=5_00,
            close_date=day_in_house(),
            now=timezone.now(),
        ).opportunity
        then = timezone.now()
        opportunity_edit(deal.id, changes={"owner_id": far.id})
        assert Opportunity.objects.count() == 1
    browser, caller = browser_of(max_), Caller(max_)
    as_of = then.isoformat().replace("+", "%2B")
    assert caller.get(f"opportunities?as_of={as_of}").json()["results"] == []
    assert caller.get(f"opportunities/{deal.id}?as_of={as_of}").status_code == 404
    assert browser.get(f"/o/past/deals/{deal.id}/?as_of={as_of}").status_code == 404
    found = caller.get(f"inspection?as_of={as_of}").json()
    assert [(row["is_hidden"], row["name"]) for row in found["deals"]] == [(True, "")]
    assert "Kestrel" not in browser.get(f"/o/past/inspection/?as_of={as_of}").content.decode()
