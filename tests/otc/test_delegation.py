"""A delegate for an absent manager: what they see and may do, in whose name, and when it ends."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.delegation.models import Delegation
from otc.delegation.rules import Absence, DelegationRefused, check_absence
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import person_create
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.services import opportunity_create
from tests.api_client import Caller
from tests.conftest import House, user_for
from tests.days import day_in_house

SignedIn = Callable[[Person], Client]
pytestmark = pytest.mark.django_db(transaction=True)
TODAY = day_in_house()
DAYS = timedelta(days=1)


@pytest.fixture
def lea(house: House) -> Person:
    """A rep of another team."""
    with use(house.organization.id):
        return person_create(name="Lea Moser", role="rep", manager=house.eve, user=user_for("lea"))


@pytest.fixture
def deals(house: House, lea: Person) -> dict[str, Any]:
    """One deal of Jonas, whom Max leads, and one of Lea's own."""
    with use(house.organization.id, channel="ui"):
        owners = {"jon": house.jon, "lea": lea, "eve": house.eve}
        return {
            name: opportunity_create(
                name=f"Deal of {name}", owner_id=owner.id, now=timezone.now()
            ).opportunity
            for name, owner in owners.items()
        }


def name_delegate(house: House, lea: Person, *, first: int = 0, last: int = 3) -> None:
    with use(house.organization.id):
        Delegation(
            manager=house.max, delegate=lea, first_on=TODAY + first * DAYS, last_on=TODAY + last * DAYS
        ).save()


def test_a_delegate_sees_the_managers_branch_and_nothing_beside_it(
    house: House, lea: Person, deals: dict[str, Any]
) -> None:
    caller = Caller(lea)

    def codes() -> dict[str, int]:
        return {name: caller.get(f"opportunities/{deal.id}").status_code for name, deal in deals.items()}

    assert codes() == {"jon": 404, "lea": 200, "eve": 404}
    name_delegate(house, lea)
    assert codes() == {"jon": 200, "lea": 200, "eve": 404}


@pytest.mark.parametrize(("first", "last"), [(-9, -1), (1, 9)])
def test_outside_of_its_days_a_delegation_gives_nothing(
    house: House, lea: Person, deals: dict[str, Any], first: int, last: int
) -> None:
    name_delegate(house, lea, first=first, last=last)
    assert Caller(lea).get(f"opportunities/{deals['jon'].id}").status_code == 404


def test_what_a_delegate_changes_says_for_whom_and_their_own_does_not(
    house: House, lea: Person, deals: dict[str, Any], signed_in: SignedIn
) -> None:
    name_delegate(house, lea)
    caller = Caller(lea)
    for name in ("jon", "lea"):
        assert caller.patch(f"opportunities/{deals[name].id}", {"next_step": "Call"}).status_code == 200
    with use(house.organization.id):
        written = {
            version.opportunity_id: version
            for version in OpportunityVersion.objects.filter(next_step="Call").select_related("acted_for")
        }
    theirs, own = written[deals["jon"].id], written[deals["lea"].id]
    assert (theirs.actor_id, theirs.acted_for_id) == (lea.id, house.max.id)
    assert (own.actor_id, own.acted_for_id) == (lea.id, None)
    versions = caller.get(f"opportunities/{deals['jon'].id}/versions").json()["results"]
    assert versions[0]["acted_for_name"] == "Max Brandt"
    page = signed_in(lea).get(house.url(f"deals/{deals['jon'].id}/")).content.decode()
    assert "Lea Moser for Max Brandt" in page
    assert "You stand in for <b>Max Brandt</b>" in page


def test_a_delegate_may_what_the_managers_role_may_on_that_branch_only(
    house: House, lea: Person, deals: dict[str, Any]
) -> None:
    """Reps don't split deals, managers do."""
    caller = Caller(lea)
    shares = {"splits": [{"person_id": str(house.jon.id), "share_bp": 10_000}]}

    def split(name: str) -> int:
        return int(caller.call("put", f"opportunities/{deals[name].id}/splits", shares).status_code)

    assert split("lea") == 403
    name_delegate(house, lea)
    assert (split("jon"), split("lea")) == (200, 403)


def test_standing_in_for_an_administrator_opens_no_settings(
    house: House, lea: Person, signed_in: SignedIn
) -> None:
    with use(house.organization.id):
        Delegation(manager=house.ops, delegate=lea, first_on=TODAY, last_on=TODAY).save()
    client = signed_in(lea)
    assert [client.get(house.url(p)).status_code for p in ("settings/", "settings/people/")] == [403, 403]


def test_a_manager_names_a_delegate_and_takes_that_back(
    house: House, lea: Person, deals: dict[str, Any], signed_in: SignedIn
) -> None:
    client, page = signed_in(house.max), house.url("settings/delegates/")
    asked = {"delegate": str(lea.id), "first_on": "today", "last_on": "+1w"}
    assert client.post(page, asked).status_code == 302
    with use(house.organization.id):
        named = Delegation.objects.get()
    assert (named.manager_id, named.named_by_id) == (house.max.id, house.max.id)
    assert "Lea Moser stands in for Max Brandt" in client.get(page).content.decode()
    assert signed_in(house.ana).post(f"{page}{named.id}/end/").status_code == 404
    assert client.post(f"{page}{named.id}/end/").status_code == 302
    assert Caller(lea).get(f"opportunities/{deals['jon'].id}").status_code == 404
    assert client.post(f"{page}{named.id}/again/").status_code == 302
    assert Caller(lea).get(f"opportunities/{deals['jon'].id}").status_code == 200
    with use(house.organization.id):
        actions = AuditEntry.objects.filter(subject_kind="delegation").values_list("action", flat=True)
        assert sorted(actions) == ["delegation.ended", "delegation.named", "delegation.restored"]


def test_a_manager_names_only_for_themselves_and_an_administrator_for_anybody(
    house: House, lea: Person, signed_in: SignedIn
) -> None:
    page = house.url("settings/delegates/")
    asked = {"manager": str(house.max.id), "delegate": str(lea.id), "first_on": "today", "last_on": "+1w"}
    assert signed_in(house.ana).post(page, asked).status_code == 302
    with use(house.organization.id):
        assert [one.manager_id for one in Delegation.objects.all()] == [house.ana.id]
        Delegation.objects.all().delete()
    assert signed_in(house.ops).post(page, asked).status_code == 302
    with use(house.organization.id):
        assert [one.manager_id for one in Delegation.objects.all()] == [house.max.id]


def test_revenue_operations_is_nobodys_delegate(house: House, signed_in: SignedIn) -> None:
    page = house.url("settings/delegates/")
    asked = {"delegate": str(house.ria.id), "first_on": "today", "last_on": "+1w"}
    assert signed_in(house.max).post(page, asked).status_code == 422
    with use(house.organization.id):
        Delegation(manager=house.max, delegate=house.ria, first_on=TODAY, last_on=TODAY).save()
    assert signed_in(house.ria).get(house.url("deals/new/")).status_code == 403


ANA, MAX, KIM, LEA = (UUID(int=number) for number in range(1, 5))


def november(day: int) -> date:
    return date(2026, 11, day)


STANDING = [Absence(MAX, KIM, november(10), november(20))]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Absence(MAX, MAX, november(1), november(2)), "stand in for"),
        (Absence(MAX, LEA, november(5), november(4)), "before the first"),
        (Absence(MAX, LEA, november(1), november(1)), "over already"),
        (Absence(MAX, LEA, november(4), date(2028, 1, 1)), "A year at most"),
        (Absence(MAX, LEA, november(20), november(25)), "has a delegate until 20 Nov 2026"),
        (Absence(ANA, MAX, november(9), november(10)), "is away then"),
        (Absence(KIM, LEA, november(15), november(16)), "can’t be handed on"),
    ],
)
def test_what_can_not_be_is_refused_with_words(asked: Absence, words: str) -> None:
    with pytest.raises(DelegationRefused, match=words):
        check_absence(asked, manager="Max", delegate="Kim", others=STANDING, today=november(2))


def test_beside_what_stands_a_delegation_is_fine() -> None:
    for asked in (
        Absence(MAX, LEA, november(21), november(25)),
        Absence(ANA, KIM, november(10), november(12)),
    ):
        check_absence(asked, manager="Max", delegate="Kim", others=STANDING, today=november(2))
