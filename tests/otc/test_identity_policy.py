"""The policy at the door: who is sent where, at once, per organization, whatever the page; tokens pass."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.identity.models import User
from otc.identity.policy import gate
from otc.identity.policy.rules import Verdict
from otc.identity.sessions import stamps
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import organization_policy_set, person_create
from tests.api_client import bearer, secret_of
from tests.conftest import House

SignedIn = Callable[[Person], Client]
pytestmark = pytest.mark.django_db(transaction=True)
OPEN = {"second_factor": "optional", "session_idle_minutes": None, "session_length_hours": None}


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def ask(house: House, **policy: Any) -> None:
    with use(house.organization.id, person_id=None, channel="ui"):
        organization_policy_set(**OPEN | policy)


def set_back(client: Client, **stamps_: timedelta) -> None:
    """Make the session look as if it had been begun, or used, so long ago."""
    session, now = client.session, timezone.now()
    for name, ago in stamps_.items():
        session[{"started": stamps.STARTED, "seen": stamps.SEEN}[name]] = int((now - ago).timestamp())
    session.save()


def show_factor(client: Client, kind: str) -> None:
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "type": kind, "at": 0}]
    session["account_authentication_methods_user"] = session["_auth_user_id"]
    session.save()


def user_of(person: Person) -> User:
    return User.objects.get(id=person.user_id)


PATHS = ("deals/", "settings/", "settings/security/", "forecast/?format=csv", "nothing-is-here/")


@pytest.mark.parametrize("path", PATHS)
def test_without_a_factor_every_page_leads_to_the_account(
    house: House, signed_in: SignedIn, path: str
) -> None:
    ops = signed_in(house.ops)
    ask(house, second_factor="any")
    for answer in (ops.get(house.url(path)), ops.post(house.url(path))):
        assert answer.status_code == 302 and answer["Location"] == "/accounts/"
    assert "Halden Systems asks for a second factor" in ops.get("/accounts/").content.decode()


def test_a_part_of_a_page_sends_the_whole_page(house: House, signed_in: SignedIn) -> None:
    ana = signed_in(house.ana)
    ask(house, second_factor="any")
    answer = ana.get(house.url("deals/"), headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/accounts/" and answer.content == b""


def test_an_owned_factor_has_to_be_shown_in_this_session(house: House, signed_in: SignedIn) -> None:
    ana = signed_in(house.ana)
    TOTP.activate(user_of(house.ana), "JBSWY3DPEHPK3PXP")
    ask(house, second_factor="any")
    answer = ana.get(house.url("deals/"))
    assert urlsplit(answer["Location"]).path == "/accounts/2fa/reauthenticate/"
    assert parse_qs(urlsplit(answer["Location"]).query)["next"] == [house.url("deals/")]
    codes = RecoveryCodes.activate(user_of(house.ana)).get_unused_codes()
    back = ana.post(answer["Location"], {"code": codes[0], "next": house.url("deals/")})
    assert back.status_code == 302 and back["Location"] == house.url("deals/")
    assert ana.get(house.url("deals/")).status_code == 200


def test_a_factor_that_is_gone_does_not_count(house: House, signed_in: SignedIn) -> None:
    ana = signed_in(house.ana)
    TOTP.activate(user_of(house.ana), "JBSWY3DPEHPK3PXP")
    show_factor(ana, "totp")
    ask(house, second_factor="any")
    assert ana.get(house.url("deals/")).status_code == 200
    Authenticator.objects.all().delete()
    assert ana.get(house.url("deals/")).status_code == 302


def test_a_passkey_is_asked_for_where_an_app_is_not_enough(house: House, signed_in: SignedIn) -> None:
    ana = signed_in(house.ana)
    TOTP.activate(user_of(house.ana), "JBSWY3DPEHPK3PXP")
    show_factor(ana, "totp")
    ask(house, second_factor="passkey")
    assert ana.get(house.url("deals/"))["Location"] == "/accounts/"


def test_tokens_are_not_asked_for_a_factor(house: House) -> None:
    ask(house, second_factor="passkey", session_idle_minutes=15, session_length_hours=8)
    client = Client(headers=bearer(secret_of(house.ana)))
    assert client.get("/api/v1/opportunities").status_code == 200


def test_each_organization_asks_for_itself(house: House, elsewhere: House, signed_in: SignedIn) -> None:
    with use(elsewhere.organization.id, channel="ui"):
        person_create(name="Ana Ruiz", role="rep", user=user_of(house.ana))
    ana = signed_in(house.ana)
    ask(elsewhere, second_factor="any", session_idle_minutes=15)
    set_back(ana, seen=timedelta(minutes=16))
    assert ana.get(house.url("deals/")).status_code == 200
    assert ana.get(elsewhere.url("deals/")).status_code == 302


def test_a_stranger_learns_nothing_of_a_policy(house: House, elsewhere: House, signed_in: SignedIn) -> None:
    ask(house, second_factor="any", session_length_hours=8)
    zoe = signed_in(elsewhere.zoe)
    theirs, nowhere = zoe.get(house.url("deals/")), zoe.get("/o/nowhere/deals/")
    assert theirs.status_code == nowhere.status_code == 404 and theirs.content == nowhere.content


def test_who_rested_too_long_signs_in_again(house: House, signed_in: SignedIn) -> None:
    ask(house, session_idle_minutes=30)
    ana = signed_in(house.ana)
    set_back(ana, seen=timedelta(minutes=29))
    assert ana.get(house.url("deals/")).status_code == 200
    set_back(ana, seen=timedelta(minutes=31))
    answer = ana.get(house.url("deals/"))
    assert "/accounts/login/" in answer["Location"] and "_auth_user_id" not in ana.session
    assert "30 minutes" in ana.get(answer["Location"]).content.decode()


def test_another_page_does_not_wake_a_session_up(house: House, signed_in: SignedIn) -> None:
    ask(house, session_idle_minutes=30)
    ana = signed_in(house.ana)
    set_back(ana, seen=timedelta(minutes=31))
    assert ana.get("/accounts/").status_code == 200
    set_back(ana, seen=timedelta(minutes=2))
    assert "/accounts/login/" in ana.get(house.url("deals/"))["Location"]


def test_a_busy_session_ends_by_its_length(house: House, signed_in: SignedIn) -> None:
    ask(house, session_length_hours=8)
    ana = signed_in(house.ana)
    set_back(ana, started=timedelta(hours=7, minutes=59))
    assert ana.get(house.url("deals/")).status_code == 200
    set_back(ana, started=timedelta(hours=8))
    assert "/accounts/login/" in ana.get(house.url("deals/"))["Location"]


def test_a_session_that_bears_no_stamps_is_over(house: House, signed_in: SignedIn) -> None:
    ask(house, session_length_hours=8)
    ana = signed_in(house.ana)
    session = ana.session
    del session[stamps.STARTED]
    session.save()
    assert "/accounts/login/" in ana.get(house.url("deals/"))["Location"]


def test_without_the_gate_the_page_would_open(
    house: House, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: it is the verdict that keeps people out, nothing else."""
    ask(house, second_factor="any", session_idle_minutes=15)
    monkeypatch.setattr(gate, "verdict", lambda *_, **__: Verdict.IN)
    assert signed_in(house.ana).get(house.url("deals/")).status_code == 200


def test_an_administrator_sets_the_policy_and_the_audit_knows(house: House, signed_in: SignedIn) -> None:
    ops = signed_in(house.ops)
    asked = {"second_factor": "optional", "session_idle_minutes": "60", "session_length_hours": "none"}
    assert ops.post(house.url("settings/security/"), asked).status_code == 302
    with use(house.organization.id):
        entry = AuditEntry.objects.get(action="policy.changed")
    assert entry.detail["before"]["session_idle_minutes"] is None
    assert entry.detail["after"]["session_idle_minutes"] == 60
    assert "0 of 5 people" in ops.get(house.url("settings/security/")).content.decode()


def test_a_policy_that_is_none_is_refused(house: House, signed_in: SignedIn) -> None:
    asked = {"second_factor": "fingers", "session_idle_minutes": "1"}
    assert signed_in(house.ops).post(house.url("settings/security/"), asked).status_code == 422


@pytest.mark.parametrize("who", ["ana", "max", "eve"])
def test_nobody_else_sets_the_policy(house: House, signed_in: SignedIn, who: str) -> None:
    answer = signed_in(getattr(house, who)).post(house.url("settings/security/"), {"second_factor": "any"})
    assert answer.status_code == 403


def test_zoe_does_not_set_another_houses_policy(house: House, elsewhere: House, signed_in: SignedIn) -> None:
    answer = signed_in(elsewhere.zoe).post(house.url("settings/security/"), {"second_factor": "any"})
    assert answer.status_code == 404
