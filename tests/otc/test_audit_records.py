"""Is everything on record that has to be, once, and no more than once a minute for who keeps hammering?"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from otc.audit.models import AuditEntry, AuditRefusal
from otc.audit.refusals import MOST_PER_MINUTE, refusals_close
from otc.identity.models import ApiToken
from otc.identity.services import token_revoke
from otc.imports.services import run_import
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import line_set, person_create
from pipeline.imports.registry import KINDS
from tests.api_client import bearer, secret_of
from tests.conftest import House
from tests.furnishing import furnish
from tests.guards.routes import page_routes, real_values

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[Person], Client]


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()


def entries(house: House, action: str = "") -> list[AuditEntry]:
    with use(house.organization.id):
        found = AuditEntry.objects.order_by("sequence")
        return list(found.filter(action=action) if action else found)


def last(house: House) -> AuditEntry:
    return entries(house)[-1]


def client_of(secret: str) -> Client:
    return Client(headers=bearer(secret), raise_request_exception=False)


def test_opening_an_organization_leaves_its_beginning_on_record(house: House) -> None:
    with use(house.organization.id):
        lea = person_create(name="Lea Roth", manager=house.max)
    actions = [entry.action for entry in entries(house)]
    assert actions == ["organization.created", "process.installed", "person.created", "line.changed"]
    assert last(house).detail["manager_id"] == str(house.max.id) and str(last(house).subject_id) == str(
        lea.id
    )


def test_a_new_line_says_from_whom_to_whom(house: House) -> None:
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        line_set(house.ana, manager_id=house.eve.id, since=timezone.now())
    entry = last(house)
    assert (entry.action, entry.actor_name) == ("line.changed", "Olga Petrova")
    assert entry.detail["manager_id"] == str(house.eve.id) and entry.detail["before"] == str(house.max.id)


def test_a_token_is_on_record_from_its_making_to_its_end(house: House) -> None:
    secret = secret_of(house.ana)
    client = client_of(secret)
    for _ in range(3):
        assert client.get("/api/v1/people").status_code == 200
    with use(house.organization.id, person_id=house.ops.id):
        token_revoke(ApiToken.objects.get(), now=timezone.now())
    found = [entry for entry in entries(house) if entry.subject_kind == "token"]
    assert [entry.action for entry in found] == ["token.created", "token.used", "token.revoked"]
    assert found[1].actor_name == "Ana Ruiz" and found[1].channel == "api"
    assert secret not in str([entry.detail for entry in found])


def test_every_download_of_every_page_is_on_record(house: House, signed_in: SignIn, unread: None) -> None:
    furnish(house, owner=house.ana)
    client = signed_in(house.ops)
    downloads = 0
    for route in page_routes():
        url = route.url(real_values(route, house=house))
        answer = client.get(f"{url}?format=csv")
        if answer.headers.get("Content-Disposition", "").startswith("attachment"):
            b"".join(answer)
            downloads += 1
            entry = entries(house, "export.made")[-1]
            assert (entry.detail["path"], entry.actor_name) == (url, "Olga Petrova"), url
    assert downloads == len(entries(house, "export.made")) >= 5


def test_a_download_says_with_which_filters_and_how_many_rows(house: House, signed_in: SignIn) -> None:
    signed_in(house.eve).get(house.url("forecast/?format=csv&scope=everyone"))
    entry = last(house)
    assert entry.detail["filters"] == {"scope": ["everyone"]} and entry.detail["rows"] > 1
    assert entry.request_id


def test_reading_a_list_page_by_page_is_on_record_once_a_day(house: House) -> None:
    client = client_of(secret_of(house.ana))
    page = client.get("/api/v1/people?limit=2").json()
    while page["next"]:
        page = client.get(page["next"]).json()
        cache.clear()  # the log itself knows, whatever the cache forgets
    found = entries(house, "export.read")
    assert [entry.detail["path"] for entry in found] == ["/api/v1/people"]


def test_an_import_says_what_came_in(house: House, tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("external_id,name\nA1,Kestrel\nA2,\n")
    for is_dry_run in (True, False):
        run_import(house.organization, kind=KINDS["accounts"], path=path, is_dry_run=is_dry_run)
    tried, applied = entries(house)[-2:]
    assert (tried.action, applied.action) == ("import.tried", "import.applied")
    assert (applied.detail["created"], applied.detail["refused"]) == (1, 1)


@pytest.mark.parametrize(
    ("person", "path", "status"),
    [("ana", "settings/", 403), ("ana", "nowhere/", 404), ("ops", "nowhere/", 404)],
)
def test_a_refused_page_is_on_record(
    house: House, signed_in: SignIn, person: str, path: str, status: int
) -> None:
    signed_in(house.people[person]).get(house.url(path))
    entry = last(house)
    assert (entry.action, entry.actor_id) == ("request.refused", house.people[person].id)
    assert (entry.detail["status"], entry.detail["method"], entry.channel) == (status, "GET", "ui")


def test_knocking_at_another_organization_is_on_the_own_record_only(
    house: House, elsewhere: House, signed_in: SignIn
) -> None:
    before = len(entries(house))
    signed_in(elsewhere.zoe).get(house.url("deals/"))
    assert "no member" in last(elsewhere).detail["reason"]
    assert len(entries(house)) == before


@pytest.mark.parametrize("kind", ["revoked", "expired", "left", "scope"])
def test_a_refused_token_is_on_its_organization_s_record(house: House, kind: str) -> None:
    client = client_of(secret_of(house.ana, scopes=["write"]))
    past = timezone.now() - timedelta(days=2)
    with use(house.organization.id):
        if kind == "left":
            Person.objects.filter(id=house.ana.id).update(left_on=past.date())
        elif kind != "scope":
            ApiToken.objects.update(**{f"{kind}_at".replace("expired", "expires"): past})
    code = client.get("/api/v1/people").status_code
    entry = last(house)
    assert (entry.action, entry.detail["status"], code) == (
        "request.refused",
        code,
        403 if kind == "scope" else 401,
    )
    assert entry.actor_id == house.ana.id


def test_a_token_that_never_was_is_nobody_s(house: House) -> None:
    before = len(entries(house))
    client_of("otc_never").get("/api/v1/people")
    assert len(entries(house)) == before


def test_being_slowed_down_is_on_record(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otc.api.auth.TokenThrottle.get_rate", lambda self: "1/min")
    client = client_of(secret_of(house.ana))
    codes = [client.get("/api/v1/people").status_code for _ in range(2)]
    assert codes == [200, 429] and last(house).detail["status"] == 429


def test_hammering_is_counted_not_multiplied(house: House, signed_in: SignIn) -> None:
    client, before = signed_in(house.ana), len(entries(house))
    for _ in range(20):
        client.get(house.url("settings/"))
    refused = entries(house)[before:]
    assert len(refused) <= 2  # two, when the clock's minute changed meanwhile
    with use(house.organization.id):
        assert sum(AuditRefusal.objects.values_list("count", flat=True)) == 20
        assert refusals_close(now=timezone.now()) == 0
        assert refusals_close(now=timezone.now() + timedelta(minutes=3)) >= 1
        assert not AuditRefusal.objects.exists()
    again = [entry for entry in entries(house) if entry.action == "request.refused_again"]
    assert sum(entry.detail["count"] for entry in again) + len(refused) - len(again) == 20
    assert again[0].actor_id == house.ana.id


def test_ever_new_doors_are_counted_together_after_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.test import RequestFactory

    from otc.audit.refusals import Visitor, refusal_append

    fixed: Any = timezone.now()
    monkeypatch.setattr("otc.audit.refusals.timezone.now", lambda: fixed)
    visitor, before = Visitor(house.organization.id, house.ana.id, "ui"), len(entries(house))
    for number in range(MOST_PER_MINUTE * 3):
        refusal_append(visitor, RequestFactory().generic(f"M{number}", "/"), status=404)
    assert len(entries(house)) - before == MOST_PER_MINUTE + 1
    with use(house.organization.id):
        assert AuditRefusal.objects.count() == MOST_PER_MINUTE + 1
