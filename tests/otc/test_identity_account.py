"""One's own account: password, address, second factors and sessions, each as it should be and refused otherwise."""

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client

from otc.audit.models import AuditEntry
from otc.identity import signals
from otc.identity.models import User
from otc.identity.sessions.devices import device_name
from otc.tenancy.context import use
from otc.tenancy.services import person_create
from tests.conftest import House

PASSWORD = "seven quiet harbours"
OTHER = "eight loud mountains"
ANA = "ana@example.org"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def sign_in(email: str = ANA, password: str = PASSWORD) -> Client:
    client = Client(headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"})
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def is_in(client: Client, house: House) -> bool:
    return client.get(house.url("deals/")).status_code == 200


@pytest.fixture
def lived(house: House) -> House:
    """The house where ana has a password."""
    user = User.objects.get(email=ANA)
    user.set_password(PASSWORD)
    user.save()
    return house


def entries(house: House) -> list[tuple[str, str]]:
    with use(house.organization.id):
        found = AuditEntry.objects.order_by("sequence")
        return [(entry.action, entry.actor_name) for entry in found]


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def set_up_app(client: Client) -> str:
    """The secret of a new authenticator app."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="totp-secret">(\w+)<', page)
    assert secret and "<svg" in page and "style=" not in page
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1])})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    return secret[1]


# Passwords


def test_a_forgotten_password_is_renewed_by_mail(lived: House) -> None:
    before = sign_in()
    answer = Client().post("/accounts/password/reset/", {"email": ANA})
    assert answer.status_code == 302 and mail.outbox[0].to == [ANA]
    link = re.search(r"/accounts/password/reset/key/\S+", mail.outbox[0].body)
    assert link
    client = Client()
    form = client.get(link[0], follow=True)
    client.post(form.request["PATH_INFO"], {"password1": OTHER, "password2": OTHER})
    assert not is_in(before, lived) and not is_in(sign_in(), lived)
    assert is_in(sign_in(password=OTHER), lived)
    again = Client().get(link[0], follow=True).content.decode()
    assert "doesn’t work any more" in again


def test_a_known_and_an_unknown_address_get_the_same_answer(lived: House) -> None:
    pages = []
    for address in (ANA, "nobody@example.org"):
        answer = Client().post("/accounts/password/reset/", {"email": address}, follow=True)
        pages.append((answer.redirect_chain, answer.content))
    assert pages[0] == pages[1]


def test_mail_that_fails_does_not_tell_either(lived: House, settings: Any) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
        }
    }
    answer = Client().post("/accounts/password/reset/", {"email": ANA})
    assert answer.status_code == 302


def test_asking_for_mail_is_limited(lived: House) -> None:
    codes = [Client().post("/accounts/password/reset/", {"email": ANA}).status_code for _ in range(7)]
    assert codes[0] == 302 and codes[-1] == 429 and len(mail.outbox) == 5


def test_a_changed_password_ends_every_other_session(lived: House) -> None:
    here, there = sign_in(), sign_in()
    changed = {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER}
    assert here.post("/accounts/password/change/", changed).status_code == 302
    assert UserSession.objects.count() == Session.objects.count() == 1
    assert is_in(here, lived) and not is_in(there, lived)
    assert ("password.changed", "Ana Ruiz") in entries(lived)


def test_a_wrong_old_password_changes_nothing(lived: House) -> None:
    client = sign_in()
    changed = {"oldpassword": "wrong", "password1": OTHER, "password2": OTHER}
    assert client.post("/accounts/password/change/", changed).status_code == 200
    assert is_in(sign_in(), lived)


def test_a_new_address_counts_once_it_is_confirmed(lived: House) -> None:
    client = sign_in()
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"email": "ana.ruiz@example.org", "action_add": ""})
    assert User.objects.get(name="Ana").email == ANA
    letter = next(one for one in mail.outbox if one.to == ["ana.ruiz@example.org"])
    link = re.search(r"/accounts/confirm-email/\S+", letter.body)
    assert link
    client.post(link[0])
    assert User.objects.get(name="Ana").email == "ana.ruiz@example.org"
    assert EmailAddress.objects.filter(user__name="Ana", verified=True).count() == 1
    assert is_in(sign_in("ana.ruiz@example.org"), lived) and not is_in(sign_in(), lived)
    assert ("email.changed", "Ana Ruiz") in entries(lived)


# Second factors


def test_an_app_is_set_up_and_asked_for(lived: House) -> None:
    client = sign_in()
    secret = set_up_app(client)
    assert is_in(client, lived)
    cache.clear()
    later = sign_in()
    assert not is_in(later, lived)
    assert later.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert not is_in(later, lived)
    cache.clear()
    later.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert is_in(later, lived)
    noted = [action for action, _ in entries(lived)]
    assert noted.count("second_factor.added") == 1 and "sign_in.failed" in noted


def test_a_recovery_code_opens_the_door_once(lived: House) -> None:
    client = sign_in()
    set_up_app(client)
    text = client.get("/accounts/2fa/recovery-codes/download/").content.decode()
    code = text.split()[0]
    cache.clear()
    first, second = sign_in(), sign_in()
    first.post("/accounts/2fa/authenticate/", {"code": code})
    second.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_in(first, lived) and not is_in(second, lived)


def test_secrets_of_factors_are_not_readable_in_the_database(lived: House) -> None:
    secret = set_up_app(sign_in())
    kept = [str(one.data) for one in Authenticator.objects.all()]
    assert len(kept) == 2 and not any(secret in data for data in kept)


def test_a_factor_needs_the_password_again(lived: House) -> None:
    client = sign_in()
    answer = client.get("/accounts/2fa/totp/activate/")
    assert answer.status_code == 302 and "/accounts/reauthenticate/" in answer["Location"]


def test_an_app_is_turned_off(lived: House) -> None:
    client = sign_in()
    set_up_app(client)
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()
    assert [action for action, _ in entries(lived)].count("second_factor.removed") == 2


# Sessions


def test_sessions_are_listed_and_ended(lived: House) -> None:
    here, there = sign_in(), sign_in()
    listed = here.get("/accounts/").context["sessions"]
    assert [session.is_current for session in listed] == [True, False]
    assert listed[1].device == "Firefox on Linux" and listed[1].address == "127.0.0.1"
    here.post(f"/accounts/sessions/{listed[1].id}/end/")
    assert is_in(here, lived) and not is_in(there, lived)
    assert ("session.revoked", "Ana Ruiz") in entries(lived)


def sessions_panel(client: Client) -> str:
    """The account page from the list of sessions on, after the one session was given a known beginning."""
    UserSession.objects.update(created_at=datetime(2025, 1, 5, 23, 30, tzinfo=UTC))
    page = client.get("/accounts/").content.decode()
    return page[page.index("Where you are signed in") :]


def test_times_are_the_organizations_and_name_its_zone(lived: House) -> None:
    panel = sessions_panel(sign_in())
    assert 'datetime="2025-01-05T23:30:00+00:00">Mon 6\u00a0Jan\u00a02025 00:30</time>' in panel
    assert "Europe/Berlin" in panel and "UTC" not in panel


def test_times_of_two_zones_are_left_to_the_browser(lived: House, elsewhere: House) -> None:
    ana = sign_in()
    with use(elsewhere.organization.id):
        person_create(name="Ana Ruiz", role="rep", user=User.objects.get(email=ANA))
    panel = sessions_panel(ana)
    assert "Sun 5\u00a0Jan\u00a02025 23:30" in panel and "<span data-zone-name>UTC" in panel
    page = ana.get("/accounts/").content.decode()
    assert "data-browser-zone" in page and "browser-zone.js" in page


def test_times_without_an_organization_are_left_to_the_browser(db: None) -> None:
    User.objects.create_user("alone@example.org", PASSWORD)
    assert "<span data-zone-name>UTC" in sessions_panel(sign_in("alone@example.org"))


def test_mails_about_the_account_name_the_zone(lived: House) -> None:
    set_up_app(sign_in())
    assert re.search(r"on \d+ \w+ \d{4}, \d\d:\d\d \(UTC\) from 127.0.0.1", mail.outbox[-1].body)


def test_all_others_are_ended_at_once(lived: House) -> None:
    here, others = sign_in(), [sign_in(), sign_in()]
    here.post("/accounts/sessions/end-others/")
    assert is_in(here, lived) and not any(is_in(other, lived) for other in others)


def test_nobody_ends_anothers_session(lived: House, elsewhere: House) -> None:
    zoe = User.objects.get(email="zoe@example.org")
    zoe.set_password(PASSWORD)
    zoe.save()
    ana = sign_in()
    session_id = ana.get("/accounts/").context["sessions"][0].id
    assert sign_in("zoe@example.org").post(f"/accounts/sessions/{session_id}/end/").status_code == 404
    assert Client().post(f"/accounts/sessions/{session_id}/end/").status_code == 302
    assert is_in(ana, lived)


# What the audit keeps


def test_sign_ins_and_failures_are_kept_where_the_person_works(lived: House, elsewhere: House) -> None:
    sign_in()
    sign_in(password="wrong")
    sign_in("nobody@example.org", "wrong")
    assert [entry for entry in entries(lived) if entry[0].startswith("sign_in")] == [
        ("sign_in.succeeded", "Ana Ruiz"),
        ("sign_in.failed", ""),
    ]
    assert not [entry for entry in entries(elsewhere) if entry[0].startswith("sign_in")]


def test_a_sign_in_that_can_not_be_kept_fails(lived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no audit")

    monkeypatch.setattr(signals, "audit_append", broken)
    client = Client(raise_request_exception=False)
    answer = client.post("/accounts/login/", {"login": ANA, "password": PASSWORD})
    assert answer.status_code == 500 and not is_in(client, lived)


@pytest.mark.parametrize("path", ["2fa/", "2fa/webauthn/", "sessions/"])
def test_the_libraries_own_pages_lead_to_the_account(lived: House, path: str) -> None:
    assert sign_in().get(f"/accounts/{path}")["Location"] == "/accounts/"


def test_nobody_signs_up(lived: House) -> None:
    asked = {"email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert Client().post("/accounts/signup/", asked).status_code == 200
    assert not User.objects.filter(email="new@example.org").exists()


def test_a_sign_in_without_an_organization_is_told_so(lived: House) -> None:
    User.objects.create_user("alone@example.org", PASSWORD)
    client = sign_in("alone@example.org")
    assert "No organization yet" in client.get("/").content.decode()
    assert client.get("/accounts/").status_code == 200


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19) AppleWebKit Version/19 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit Chrome/140 Mobile Safari", "Chrome on Android"),
        ("curl/8.0", "Unknown browser"),
    ],
)
def test_a_browser_is_named(agent: str, name: str) -> None:
    assert device_name(agent) == name
