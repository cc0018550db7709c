"""Does any id of another organization, wherever it is put, show, change or even confirm something there?

Every place for an id, found in URLs, schema and pages, asked with the id of a foreign thing and with one that never
was: the same bytes, no word of the other house, its tables unchanged. OTC_NIGHTLY=1 tries every kind and every role.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from django.utils import timezone

from otc.identity.models import User
from otc.tenancy.context import use
from otc.tenancy.models import Person
from tests.api_client import bearer, secret_of
from tests.conftest import House
from tests.furnishing import furnish
from tests.guards import leaking_urls
from tests.guards.fuzz import (
    LOOKS_LIKE_ID,
    TENANT_MODELS,
    Position,
    Prober,
    address_positions,
    api_positions,
    ids_of,
    seen_positions,
)
from tests.guards.routes import page_routes
from tests.nightly import IS_NIGHTLY

FAR = 7000
NOUNS = ("Account", "Contact", "Deal", "Lost", "Person", "Product", "Rival")
CANARIES = {"Prairie", "Zoe Lindt", *(f"{noun} {FAR}" for noun in NOUNS)}
# How often a quick run also asks as another role, for another kind of thing.
OTHERS = 0.1


@dataclass(frozen=True)
class Callers:
    """Clients by role; tokens also by scope."""

    browsers: dict[str, Client]
    tokens: dict[str, Client]

    def of(self, position: Position) -> dict[str, Client]:
        return self.tokens if position.is_api else self.browsers


@pytest.fixture
def callers(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callers]:
    monkeypatch.setattr("otc.api.auth.TokenThrottle.allow_request", lambda self, request, view: True)
    furnish(house, owner=house.ana)
    # Pages write the minute: two answers that are compared must be of the same one.
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    browsers, tokens = {}, {}
    with use(house.organization.id):
        people = {name: Person.objects.get(id=person.id) for name, person in house.people.items()}
    for name, person in people.items():
        tokens[name] = Client(headers=bearer(secret_of(person)), raise_request_exception=False)
        if person.user_id:
            browsers[name] = Client(raise_request_exception=False)
            user = User.objects.get(id=person.user_id)
            backend = "allauth.account.auth_backends.AuthenticationBackend"
            browsers[name].force_login(user, backend=backend)
    tokens["ops, reading"] = Client(headers=bearer(secret_of(people["ops"], scopes=["read"])))
    yield Callers(browsers, tokens)


@pytest.fixture
def prober(house: House, elsewhere: House, callers: Callers) -> Prober:
    furnish(elsewhere, owner=elsewhere.zoe, start=FAR)
    return Prober(elsewhere, CANARIES)


def positions(house: House, callers: Callers) -> list[Position]:
    """Of forms that differ by whose they are only the first is taken, unless there is time for all."""
    seen: dict[str, Position] = {}
    for each in seen_positions(house, callers.browsers["ops"]):
        seen.setdefault(str(each) if IS_NIGHTLY else LOOKS_LIKE_ID.sub("id", str(each)), each)
    return [*address_positions(house), *seen.values(), *api_positions(house)]


def cases(position: Position, names: list[str], chance: random.Random) -> Iterator[tuple[str, str]]:
    """Who asks with which kind of thing: all of them, or the administrator and now and then somebody else."""
    if IS_NIGHTLY:
        yield from ((name, kind) for name in names for kind in TENANT_MODELS)
        return
    yield "ops", position.kind
    if chance.random() < OTHERS:
        yield chance.choice(names), chance.choice([position.kind, *TENANT_MODELS])


def all_faults(found: list[Position], callers: Callers, prober: Prober) -> list[str]:
    chance = random.Random(timezone.now().toordinal())
    return [
        f"{name}, {fault}"
        for position in found
        for name, kind in cases(position, sorted(callers.of(position)), chance)
        for fault in prober.faults(position, callers.of(position)[name], kind)
    ]


@pytest.mark.django_db
def test_no_id_of_another_organization_leads_anywhere(house: House, callers: Callers, prober: Prober) -> None:
    found = positions(house, callers)
    assert len(found) > 150
    faults = all_faults(found, callers, prober)
    assert faults == [], "\n".join(faults)


@pytest.mark.django_db
def test_the_places_are_real_ones(house: House, callers: Callers, prober: Prober) -> None:
    """An id of the own house is told from a missing one at most places: the fuzz is not blind."""
    prober.ids = ids_of(house)
    every = [*address_positions(house), *api_positions(house)]
    paths = [each for each in every if "{id}" in each.address.partition("?")[0]][:: 3 if IS_NIGHTLY else 6]
    blind = [
        str(each)
        for each in paths
        if each.data is None and not prober.faults(each, callers.of(each)["ops"], each.kind)
    ]
    # Half of a page's addresses take only one of the two methods.
    assert len(paths) > 25 and len(blind) < 0.6 * len(paths), "\n".join(blind)


@pytest.mark.django_db
@pytest.mark.urls("tests.guards.leaking_urls")
def test_leaking_doors_are_found(house: House, callers: Callers, prober: Prober) -> None:
    leaking = [route for route in page_routes() if route.view.__module__ == leaking_urls.__name__]
    found = [*address_positions(house), *seen_positions(house, callers.browsers["ops"], leaking)]
    for door, fault in {"shows": "shows", "changes": "changes", "tells": "tells a foreign"}.items():
        doors = [each for each in found if f"/{door}/" in each.address]
        assert any(fault in each for each in all_faults(doors, callers, prober)), door
