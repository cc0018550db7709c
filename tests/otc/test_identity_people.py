"""Roles and access on the people pages: at once, undone at once, never the last administrator, always audited."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from django.test import Client

from otc.audit.models import AuditEntry
from otc.identity.models import Invitation
from otc.tenancy.context import use
from otc.tenancy.lines import lines_of
from otc.tenancy.models import Person
from otc.tenancy.services import fold, person_leave
from tests.api_client import bearer, secret_of
from tests.conftest import House, user_for

SignedIn = Callable[[Person], Client]
pytestmark = pytest.mark.django_db(transaction=True)


def path_of(house: House, person: Person, what: str = "") -> str:
    return house.url(f"settings/people/{person.id}/{what}")


def last_entry(house: House) -> AuditEntry:
    with use(house.organization.id):
        entry: AuditEntry = AuditEntry.objects.order_by("sequence").last()
    return entry


def role_of(house: House, person: Person) -> str:
    with use(house.organization.id):
        return str(Person.objects.get(id=person.id).role)


def test_a_role_is_changed_and_undone(house: House, signed_in: SignedIn) -> None:
    ops = signed_in(house.ops)
    page = ops.post(path_of(house, house.ana, "role/"), {"role": "manager"}, follow=True)
    assert role_of(house, house.ana) == "manager"
    assert last_entry(house).detail == {"before": "rep", "after": "manager"}
    undo = path_of(house, house.ana, "role/?role=rep")
    assert f'action="{undo}"' in page.content.decode()
    ops.post(undo)
    assert role_of(house, house.ana) == "rep"


def test_a_role_that_is_none_is_refused(house: House, signed_in: SignedIn) -> None:
    answer = signed_in(house.ops).post(path_of(house, house.ana, "role/"), {"role": "owner"})
    assert answer.status_code == 422 and role_of(house, house.ana) == "rep"


def test_who_leaves_is_out_at_the_next_request(house: House, signed_in: SignedIn) -> None:
    ana, api = signed_in(house.ana), Client(headers=bearer(secret_of(house.ana)))
    assert ana.get(house.url("deals/")).status_code == api.get("/api/v1/opportunities").status_code == 200
    ops = signed_in(house.ops)
    ops.post(path_of(house, house.ana, "deactivate/"))
    assert last_entry(house).action == "person.deactivated"
    assert ana.get(house.url("deals/")).status_code == 404
    assert api.get("/api/v1/opportunities").status_code == 401
    ops.post(path_of(house, house.ana, "reactivate/"))
    assert ana.get(house.url("deals/")).status_code == api.get("/api/v1/opportunities").status_code == 200


@pytest.mark.parametrize(("today", "left_on"), [(21, 21), (22, 22), (23, 22)])
def test_the_day_of_leaving_has_begun_in_both_clocks(house: House, today: int, left_on: int) -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    with use(house.organization.id, channel="ui"):
        person_leave(house.ana, now=now, today=date(2026, 11, today))
    assert house.ana.left_on == date(2026, 11, left_on)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "UTC"])
def test_who_leaves_is_out_whatever_the_clock(house: House, signed_in: SignedIn, zone: str) -> None:
    with use(house.organization.id):
        house.organization.timezone = zone
        house.organization.save(update_fields=["timezone"])
    ana, ops = signed_in(house.ana), signed_in(house.ops)
    ops.post(path_of(house, house.ana, "deactivate/"))
    assert ana.get(house.url("deals/")).status_code == 404
    assert "Left" in ops.get(house.url("settings/people/")).content.decode()


def test_to_end_access_twice_is_to_end_it_once(house: House, signed_in: SignedIn) -> None:
    left_on = date(2024, 5, 1)
    with use(house.organization.id):
        Person.objects.filter(id=house.ana.id).update(left_on=left_on)
    ops = signed_in(house.ops)
    before = last_entry(house).sequence
    ops.post(path_of(house, house.ana, "deactivate/"))
    with use(house.organization.id):
        assert Person.objects.get(id=house.ana.id).left_on == left_on
    assert last_entry(house).sequence == before
    for _ in range(2):
        ops.post(path_of(house, house.ana, "reactivate/"))
    assert last_entry(house).sequence == before + 1


def lines_now(house: House, person: Person) -> list[tuple[str, bool]]:
    """Manager and whether it begins later, of the lines that hold from now on."""
    now = datetime.now(UTC)
    with use(house.organization.id):
        return [
            (line.manager.name if line.manager else "", line.valid_from > now)
            for line in lines_of(person.id)[::-1]
            if line.valid_to > now
        ]


@pytest.mark.parametrize("since", ["today", "+1w"])
def test_a_changed_line_is_put_back_with_what_was_planned(
    house: House, signed_in: SignedIn, since: str
) -> None:
    ops = signed_in(house.ops)
    ops.post(path_of(house, house.ana, "line/"), {"manager": str(house.eve.id), "since": "+2w"}, follow=True)
    before = lines_now(house, house.ana)
    assert before == [("Max Brandt", False), ("Eve Okafor", True)]
    page = ops.post(path_of(house, house.ana, "line/"), {"manager": "top", "since": since}, follow=True)
    assert lines_now(house, house.ana) != before
    undo = re.search(r'action="([^"]+/undo/[^"]+)"', page.content.decode())
    assert undo is not None
    ops.post(undo[1])
    assert [name for name, _ in lines_now(house, house.ana)][-2:] == ["Max Brandt", "Eve Okafor"]
    said = ops.post(undo[1], follow=True).content.decode()
    assert "undone already" in said


def test_a_line_that_was_changed_again_is_not_put_back(house: House, signed_in: SignedIn) -> None:
    ops = signed_in(house.ops)
    page = ops.post(path_of(house, house.ana, "line/"), {"manager": "top", "since": "today"}, follow=True)
    undo = re.search(r'action="([^"]+/undo/[^"]+)"', page.content.decode())
    assert undo is not None
    ops.post(path_of(house, house.ana, "line/"), {"manager": str(house.eve.id), "since": "today"})
    assert "changed again since" in ops.post(undo[1], follow=True).content.decode()
    assert lines_now(house, house.ana) == [("Eve Okafor", False)]


def test_an_open_invitation_leaves_with_its_person(house: House, signed_in: SignedIn) -> None:
    ops = signed_in(house.ops)
    ops.post(path_of(house, house.jon, "invite/"), {"email": "jon@example.org"})
    ops.post(path_of(house, house.jon, "deactivate/"))
    with use(house.organization.id):
        assert Invitation.objects.get().revoked_at is not None
    undo = re.search(
        r'action="([^"]+/reactivate/[^"]+)"', ops.get(house.url("settings/people/")).content.decode()
    )
    assert undo is not None
    ops.post(undo[1])
    with use(house.organization.id):
        assert Invitation.objects.get().revoked_at is None
    ops.post(path_of(house, house.jon, "deactivate/"))
    answer = ops.post(path_of(house, house.jon, "invite/"), {"email": "jon@example.org"})
    assert answer.status_code == 422 and "has left" in answer.content.decode()


@pytest.mark.parametrize("what", ["role/?role=rep", "deactivate/"])
def test_the_last_administrator_stays(house: House, signed_in: SignedIn, what: str) -> None:
    ops = signed_in(house.ops)
    page = ops.post(path_of(house, house.ops, what), follow=True)
    assert "only administrator" in page.content.decode()
    assert ops.get(house.url("settings/")).status_code == 200
    with use(house.organization.id):
        Person.objects.filter(id=house.jon.id).update(role="administrator", user=user_for("jon"))
    ops.post(path_of(house, house.ops, what))
    assert ops.get(house.url("settings/")).status_code in (403, 404)


def test_what_is_said_of_a_person_is_changed_and_put_back(house: House, signed_in: SignedIn) -> None:
    ops = signed_in(house.ops)
    words = {"name": "Jónas Øe", "title": "Account executive", "territory": "North"}
    page = ops.post(path_of(house, house.jon, "words/"), words, follow=True)
    with use(house.organization.id):
        changed = Person.objects.get(id=house.jon.id)
        assert (changed.name, changed.title, changed.territory) == tuple(words.values())
        assert changed.name_folded == fold("Jónas Øe")
        entry = AuditEntry.objects.get(action="person.described")
        assert entry.detail["title"] == [house.jon.title, "Account executive"]
    undo = re.search(r'action="([^"]+/undo/[^"]+)"', page.content.decode())
    assert undo is not None
    ops.post(undo[1])
    with use(house.organization.id):
        assert Person.objects.get(id=house.jon.id).name == house.jon.name
    for name in ("", "\u202e\u200b"):
        refused = ops.post(path_of(house, house.jon, "words/"), {**words, "name": name})
        assert refused.status_code == 422


def test_a_line_is_never_made_a_top_by_leaving_the_form_alone(house: House, signed_in: SignedIn) -> None:
    ops = signed_in(house.ops)
    before = lines_now(house, house.ana)
    answer = ops.post(path_of(house, house.ana, "line/"), {"manager": "", "since": "today"})
    assert answer.status_code == 422 and "Choose a manager" in answer.content.decode()
    assert lines_now(house, house.ana) == before


@pytest.mark.parametrize("what", ["", "words/", "role/", "deactivate/", "reactivate/", "invite/"])
def test_only_administrators_manage_people(house: House, signed_in: SignedIn, what: str) -> None:
    for person in (house.ana, house.max, house.eve):
        client = signed_in(person)
        call = client.post if what else client.get
        assert call(path_of(house, house.jon, what)).status_code == 403
    assert role_of(house, house.jon) == "rep"


def test_zoe_finds_nobody_of_ours(house: House, elsewhere: House, signed_in: SignedIn) -> None:
    zoe = signed_in(elsewhere.zoe)
    for what in ("role/", "deactivate/", "reactivate/"):
        for place in (house, elsewhere):
            assert zoe.post(path_of(place, house.ana, what), {"role": "rep"}).status_code == 404
    assert role_of(house, house.ana) == "rep"
