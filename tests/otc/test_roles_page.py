"""The Roles page draws what is enforced, says who has which role, and lets an administrator choose visibility."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.tenancy.context import use
from otc.tenancy.lines import chart_at
from otc.tenancy.models import Organization, Person, Role
from otc.tenancy.permissions import ACTIONS, TABLE
from otc.tenancy.services import CyclicLine, line_set
from tests.conftest import House
from tests.guards.routes import endpoint_routes, page_routes

SignedIn = Callable[[Person], Client]
pytestmark = pytest.mark.django_db(transaction=True)

# Decided inside of a page that another action opens; the middleware asks for the first.
INSIDE = {"use_pages", "manage_tokens", "manage_delegates"}


def drawn(client: Client, house: House) -> dict[str, list[bool]]:
    """The matrix as it is read off the page: the words of each row, and its yes or no by role."""
    text = client.get(house.url("settings/roles/")).content.decode()
    rows = re.findall(r'<tr><th scope="row" class="soft">(.*?)</th>(.*?)</tr>', text, flags=re.DOTALL)
    return {words: ["yes" in cell for cell in re.findall(r"<td>(.*?)</td>", cells)] for words, cells in rows}


def test_the_page_draws_every_action_for_every_role_as_it_is_enforced(
    house: House, signed_in: SignedIn
) -> None:
    from django.utils.html import escape

    found = drawn(signed_in(house.ria), house)
    for action in TABLE:
        assert found[escape(action.meaning)] == [action.key in ACTIONS[role] for role in Role], action.key


def test_every_action_of_the_table_opens_a_page_or_an_endpoint() -> None:
    """No row of the matrix that nothing asks for. That each is enforced per role is proven in tests/guards."""
    asked = {getattr(route.view, "action", None) for route in page_routes()}
    for route in endpoint_routes():
        asked |= set(route.view.cls.actions.values())  # type: ignore[attr-defined]  # an Endpoint's view
    assert {action.key for action in TABLE} - INSIDE <= asked


def test_people_are_counted_and_named_by_role(house: House, signed_in: SignedIn) -> None:
    page = signed_in(house.ops).get(house.url("settings/roles/"))
    counts = {column.role: column.count for column in page.context["report"].columns}
    assert counts == {
        "rep": 2,
        "manager": 1,
        "executive": 1,
        "administrator": 1,
        "integration": 1,
        "operations": 1,
    }
    assert "Ria Sommer" in page.content.decode()


def test_an_administrator_chooses_visibility_and_it_is_on_record(house: House, signed_in: SignedIn) -> None:
    url = house.url("settings/roles/visibility/")
    for person in (house.ria, house.max):
        assert signed_in(person).post(url, {"visibility": "open"}).status_code == 403
    signed_in(house.ops).post(url, {"visibility": "open"})
    signed_in(house.ops).post(url, {"visibility": "everything"})
    with use(house.organization.id):
        assert Organization.objects.get(id=house.organization.id).visibility == "open"
        entry = AuditEntry.objects.get(action="visibility.changed")
    assert entry.detail == {"before": "team", "after": "open"}


def test_a_line_changes_from_a_day_on_and_a_cycle_is_refused_with_words(
    house: House, signed_in: SignedIn
) -> None:
    client, url = signed_in(house.ops), house.url(f"settings/people/{house.max.id}/line/")
    refused = client.post(url, {"manager": str(house.ana.id), "since": "today"})
    assert refused.status_code == 422
    assert "can&#x27;t report to somebody who reports to Max Brandt" in refused.content.decode()
    assert client.post(url, {"manager": "top", "since": "1 jan 2020"}).status_code == 422
    jon = house.url(f"settings/people/{house.jon.id}/line/")
    assert client.post(jon, {"manager": str(house.ops.id), "since": "+1w"}).status_code == 302
    with use(house.organization.id):
        now = timezone.now()
        assert chart_at(now).manager_of[house.jon.id] == house.max.id
        assert chart_at(now + timedelta(days=8)).manager_of[house.jon.id] == house.ops.id


def test_a_cycle_with_a_line_that_is_only_planned_is_refused(inside: House) -> None:
    now = timezone.now()
    line_set(inside.jon, manager_id=inside.ops.id, since=now + timedelta(days=5))
    line_set(inside.max, manager_id=inside.jon.id, since=now + timedelta(days=6))
    with pytest.raises(CyclicLine):
        line_set(inside.ops, manager_id=inside.max.id, since=now)


def test_a_new_line_replaces_what_was_planned_after_it(inside: House) -> None:
    now: datetime = timezone.now()
    line_set(inside.jon, manager_id=inside.ops.id, since=now + timedelta(days=5))
    line_set(inside.jon, manager_id=inside.eve.id, since=now + timedelta(days=2))
    at = [chart_at(now + timedelta(days=days)).manager_of[inside.jon.id] for days in (1, 3, 9)]
    assert at == [inside.max.id, inside.eve.id, inside.eve.id]
