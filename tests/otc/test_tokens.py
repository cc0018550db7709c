"""API tokens: random, hashed, scoped, expiring, shown once, ended by whom it should be."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from otc.identity.models import ApiToken
from otc.identity.services import token_issue, token_revoke
from otc.identity.tokens import TokenRefused, hash_of, new_secret
from otc.tenancy.context import use
from otc.tenancy.models import Person
from tests.api_client import Caller, bearer, secret_of
from tests.conftest import House

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
SignedIn = Callable[[Person], Client]

pytestmark = pytest.mark.django_db


def issue(person: Person, **changes: Any) -> Any:
    fields = {
        "name": "Sync",
        "scopes": frozenset({"read"}),
        "expires_at": NOW + timedelta(days=90),
        "now": NOW,
    }
    return token_issue(person.id, **(fields | changes))


def listed_secret(page: Any) -> str:
    secret: str = page.context["issued"].secret
    return secret


def test_two_secrets_are_never_alike_and_bear_the_prefix() -> None:
    first, second = new_secret(), new_secret()
    assert first != second and first.startswith("otc_") and len(first) >= 47


def test_only_the_hash_of_a_secret_is_kept(inside: House) -> None:
    issued = issue(inside.ana)
    kept = ApiToken.objects.values().get(id=issued.token.id)
    assert kept["token_hash"] == hashlib.sha256(issued.secret.encode()).hexdigest() == hash_of(issued.secret)
    assert issued.secret not in str(kept)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"scopes": frozenset()}, "scopes"),
        ({"scopes": frozenset({"read", "everything"})}, "scopes"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + timedelta(days=365, seconds=1)}, "expires_at"),
    ],
)
def test_a_token_outside_its_limits_is_refused(inside: House, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        issue(inside.ana, **changes)
    assert refused.value.field == field and not ApiToken.objects.exists()


def test_a_token_may_live_365_days(inside: House) -> None:
    assert issue(inside.ana, expires_at=NOW + timedelta(days=365)).token.expires_at.year == 2027


def test_a_second_revocation_keeps_the_first_instant(inside: House) -> None:
    token = issue(inside.ana).token
    token_revoke(token, now=NOW)
    token_revoke(token, now=NOW + timedelta(days=1))
    assert ApiToken.objects.get(id=token.id).revoked_at == NOW


def test_a_new_token_is_shown_once_and_works(house: House, signed_in: SignedIn) -> None:
    browser = signed_in(house.ana)
    page = browser.post(house.url("settings/tokens/"), {"name": "Sync", "scopes": ["read"], "days": "30"})
    secret = listed_secret(page)
    assert page.status_code == 200 and secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert secret not in browser.get(house.url("settings/tokens/")).content.decode()
    client = Client(headers=bearer(secret))
    assert client.get("/api/v1/opportunities").status_code == 200
    assert client.post("/api/v1/accounts", {"name": "x"}, content_type="application/json").status_code == 403


def test_a_form_without_scopes_issues_nothing(house: House, signed_in: SignedIn) -> None:
    page = signed_in(house.ana).post(house.url("settings/tokens/"), {"name": "Sync", "days": "30"})
    assert page.status_code == 422 and page.context["issued"] is None


def test_an_administrator_makes_a_token_for_an_integration(house: House, signed_in: SignedIn) -> None:
    form = {"name": "Bridge", "scopes": ["read", "write"], "days": "365", "person": str(house.bot.id)}
    page = signed_in(house.ops).post(house.url("settings/tokens/"), form)
    answer = Client(headers=bearer(listed_secret(page))).get("/api/v1/people")
    assert answer.status_code == 200


def test_nobody_makes_a_token_that_acts_for_a_colleague(house: House, signed_in: SignedIn) -> None:
    form = {"name": "Sly", "scopes": ["read"], "days": "30", "person": str(house.eve.id)}
    assert signed_in(house.ops).post(house.url("settings/tokens/"), form).status_code == 422
    page = signed_in(house.ana).post(house.url("settings/tokens/"), form)
    assert page.context["issued"].token.person_id == house.ana.id


def test_a_revoked_token_stops_at_once(house: House, signed_in: SignedIn) -> None:
    caller = Caller(house.ana)
    token_id = only_token(house)
    answer = signed_in(house.ana).post(house.url(f"settings/tokens/{token_id}/revoke/"))
    assert answer.status_code == 302
    assert caller.get("opportunities").status_code == 401


def test_one_sees_and_ends_only_ones_own_tokens_but_an_administrator_all(
    house: House, signed_in: SignedIn
) -> None:
    secret_of(house.ana)
    revoke = house.url(f"settings/tokens/{only_token(house)}/revoke/")
    assert signed_in(house.max).get(house.url("settings/tokens/")).context["tokens"] == []
    assert signed_in(house.max).post(revoke).status_code == 404
    assert len(signed_in(house.ops).get(house.url("settings/tokens/")).context["tokens"]) == 1
    assert signed_in(house.ops).post(revoke).status_code == 302


def test_a_token_of_the_other_organization_can_not_be_ended(
    house: House, elsewhere: House, signed_in: SignedIn
) -> None:
    secret_of(house.ana)
    answer = signed_in(elsewhere.zoe).post(elsewhere.url(f"settings/tokens/{only_token(house)}/revoke/"))
    assert answer.status_code == 404


def only_token(house: House) -> UUID:
    with use(house.organization.id):
        token_id: UUID = ApiToken.objects.values_list("id", flat=True).get()
    return token_id
