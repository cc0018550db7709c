"""The standing people: ana (rep) under max (manager) under eve (executive), ops (administrator), ria (revenue
operations); zoe elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Model
from django.template import Context, Template
from django.test import Client
from django.test.signals import template_rendered
from hypothesis import HealthCheck, settings

from otc.collector import settle
from otc.identity.models import User
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person, ReportingLine
from otc.tenancy.services import fold, organization_create, person_create
from pipeline.process.services import process_install
from tests.replay import Replay

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class House:
    """An organization with its standing people, by first name."""

    organization: Organization
    people: dict[str, Person]

    def __getattr__(self, name: str) -> Person:
        try:
            return self.people[name]
        except KeyError:
            raise AttributeError(name) from None

    def url(self, path: str) -> str:
        return f"/o/{self.organization.slug}/{path}"


# A busy machine is no bug: time limits belong into `make bench`.
settings.register_profile("otc", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("otc")


# What takes a minute or more, and mostly waits: begun last, it would leave the other processors idle.
LONGEST = ("tests/storm/", "tests/embedded/test_supervisor.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_collection_finish() -> None:
    settle()


def user_for(name: str) -> User:
    return User.objects.create(email=f"{name}@example.org", name=name.title(), password="!")


# First name: name, role, manager (themselves: a top), and whether they sign in.
STANDING = {
    "eve": ("Eve Okafor", "executive", "eve", True),
    "max": ("Max Brandt", "manager", "eve", True),
    "ana": ("Ana Ruiz", "rep", "max", True),
    "jon": ("Jonas Feld", "rep", "max", False),
    "ops": ("Olga Petrova", "administrator", None, True),
    "ria": ("Ria Sommer", "operations", None, True),
    "bot": ("Bridge", "integration", None, False),
}


def _build_house() -> House:
    """In few statements, past the services: most tests begin with it."""
    organization = organization_create(
        slug="halden", name="Halden Systems", currency="EUR", timezone_name="Europe/Berlin"
    )
    with use(organization.id):
        process_install()
        users = {
            first: User(email=f"{first}@example.org", name=first.title(), password="!") for first in STANDING
        }
        User.objects.bulk_create(user for first, user in users.items() if STANDING[first][3])
        people = {
            first: Person(
                name=name, name_folded=fold(name), role=role, user=users[first] if signs_in else None
            )
            for first, (name, role, _, signs_in) in STANDING.items()
        }
        Person.objects.bulk_create(people.values())
        ReportingLine.objects.bulk_create(
            ReportingLine(
                person=people[first],
                manager=None if manager == first else people[manager],
                valid_from=BEGINNING,
            )
            for first, (_, _, manager, _) in STANDING.items()
            if manager is not None
        )
    return House(organization, people)


def _build_elsewhere() -> House:
    organization = organization_create(slug="prairie", name="Prairie Robotics", currency="USD")
    with use(organization.id):
        process_install()
        zoe = person_create(
            name="Zoe Lindt", role="administrator", is_top=True, since=BEGINNING, user=user_for("zoe")
        )
    return House(organization, {"zoe": zoe})


def _rows_of(house: House) -> list[Model]:
    return [house.organization, *house.people.values()]


def _rebuild(house: House, rows: list[Any]) -> House:
    return House(rows[0], dict(zip(house.people, rows[1:], strict=True)))


build_house = Replay(_build_house, rows_of=_rows_of, rebuild=_rebuild)
build_elsewhere = Replay(_build_elsewhere, rows_of=_rows_of, rebuild=_rebuild)


@pytest.fixture
def house(db: None) -> House:
    """Halden Systems (EUR, Berlin): eve is the top, max reports to her, ana and jon to max; ops, and ria of revenue
    operations, on the side."""
    return build_house()


@pytest.fixture
def elsewhere(db: None) -> House:
    """Prairie Robotics (USD): zoe administers it and belongs nowhere else."""
    return build_elsewhere()


@pytest.fixture
def inside(house: House) -> Iterator[House]:
    """The house with its organization in context, as services and queries want it."""
    with use(house.organization.id, channel="ui"):
        yield house


@pytest.fixture
def signed_in() -> Callable[[Person], Client]:
    """A browser-like client signed in as a person."""

    def sign_in(person: Person) -> Client:
        client = Client()
        client.force_login(
            User.objects.get(id=person.user_id), backend="allauth.account.auth_backends.AuthenticationBackend"
        )
        return client

    return sign_in


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages answer and tell what they would show (`response.context`), and nothing of it is rendered: more than half
    of what a page takes.
    """

    def tell(self: Template, context: Context) -> str:
        template_rendered.send(sender=self, template=self, context=context)
        return ""

    monkeypatch.setattr(Template, "_render", tell)


@pytest.fixture
def make_deal() -> Callable[..., Any]:
    """Create a deal in the organization in context: make_deal("Kestrel", owner=ana, amount_minor=386_000_00)."""
    from pipeline.opportunities.services import opportunity_create

    def make(
        name: str = "Kestrel Rail", *, owner: Person | None = None, now: datetime | None = None, **f: Any
    ) -> Any:
        owner_id = owner.id if owner else None
        return opportunity_create(name=name, owner_id=owner_id, now=now or datetime.now(UTC), **f).opportunity

    return make
