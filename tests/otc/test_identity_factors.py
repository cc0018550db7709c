"""Lost second factors: who may take them away, what ends with them, who is told, and who is refused."""

import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.identity.factors import services
from otc.identity.factors.rules import factor_words
from otc.identity.models import User
from otc.jobs.models import Job
from otc.jobs.services import run
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import person_create, person_leave
from tests.api_client import bearer, secret_of
from tests.conftest import House
from tests.days import day_in_house

SignedIn = Callable[[Person], Client]
pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "seven quiet harbours"


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def with_factors(person: Person) -> User:
    """Their sign-in, with an app, a passkey, recovery codes and a password."""
    user = User.objects.get(id=person.user_id)
    user.set_password(PASSWORD)
    user.save()
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Key"})
    RecoveryCodes.activate(user)
    return user


def proven(person: Person) -> Client:
    """A browser whose person has just shown who they are."""
    user = User.objects.get(id=person.user_id)
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def reset_path(house: House, person: Person) -> str:
    return house.url(f"settings/people/{person.id}/factors/reset/")


def kinds_of(user: User) -> list[str]:
    return sorted(Authenticator.objects.filter(user=user).values_list("type", flat=True))


ALL = ["recovery_codes", "totp", "webauthn"]


def actions(house: House) -> list[str]:
    with use(house.organization.id):
        return list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))


def send_mail_jobs(house: House) -> list[str]:
    """Run what waits to be mailed; the jobs' states after it."""
    with use(house.organization.id):
        waiting = list(Job.objects.filter(kind=services.MAIL_JOB).values_list("id", flat=True))
    for job_id in waiting:
        run(house.organization.id, job_id)
    with use(house.organization.id):
        return list(Job.objects.filter(kind=services.MAIL_JOB).values_list("state", flat=True))


def test_an_administrator_takes_lost_factors_away(house: House) -> None:
    ana = with_factors(house.ana)
    page = proven(house.ops).post(reset_path(house, house.ana), follow=True).content.decode()
    assert kinds_of(ana) == []
    assert "Removed: authenticator app, passkey and recovery codes" in page
    with use(house.organization.id):
        entry = AuditEntry.objects.get(action="second_factor.reset")
    assert (entry.actor_name, entry.subject_id, entry.channel) == ("Olga Petrova", house.ana.id, "ui")
    assert sorted(entry.detail["removed"]) == ALL


def test_the_password_alone_signs_in_afterwards(house: House) -> None:
    with_factors(house.ana)
    wanting = Client()
    wanting.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert wanting.get(house.url("deals/")).status_code == 302
    proven(house.ops).post(reset_path(house, house.ana))
    client = Client()
    client.post("/accounts/login/", {"login": "ana@example.org", "password": PASSWORD})
    assert client.get(house.url("deals/")).status_code == 200


def test_every_session_of_theirs_ends_and_nobody_elses(house: House) -> None:
    ana, max_, token = proven(house.ana), proven(house.max), secret_of(house.ana)
    with_factors(house.ana)
    ops = proven(house.ops)
    ops.post(reset_path(house, house.ana))
    assert not UserSession.objects.filter(user_id=house.ana.user_id).exists()
    assert ana.get(house.url("deals/")).status_code == 302
    assert max_.get(house.url("deals/")).status_code == ops.get(house.url("deals/")).status_code == 200
    assert Client(headers=bearer(token)).get("/api/v1/opportunities").status_code == 200


def test_the_person_is_told_by_mail_in_the_organizations_time(house: House) -> None:
    with_factors(house.ana)
    proven(house.ops).post(reset_path(house, house.ana))
    assert send_mail_jobs(house) == ["done"]
    (letter,) = mail.outbox
    assert letter.to == ["ana@example.org"]
    assert "Olga Petrova of Halden Systems removed the second factors" in letter.body
    assert "authenticator app, passkey and recovery codes" in letter.body and "(Europe/Berlin)" in letter.body


def test_a_mail_that_is_not_taken_is_sent_again(house: House, settings: Any) -> None:
    with_factors(house.ana)
    proven(house.ops).post(reset_path(house, house.ana))
    broken = {"host": "127.0.0.1", "port": 1, "timeout": 1}
    settings.MAILERS = {
        "default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": broken}
    }
    assert send_mail_jobs(house) == ["queued"]


def test_an_administrator_proves_who_they_are_first(house: House, signed_in: SignedIn) -> None:
    ana, ops = with_factors(house.ana), proven(house.ops)
    session = ops.session
    session["account_authentication_methods"] = []
    session.save()
    answer = ops.post(reset_path(house, house.ana))
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=") and kinds_of(ana) == ALL
    back = ops.post(answer["Location"], {"password": PASSWORD})
    assert back["Location"].startswith(house.url(f"settings/people/{house.ana.id}/"))
    assert kinds_of(ana) == ALL
    ops.post(reset_path(house, house.ana))
    assert kinds_of(ana) == []


@pytest.mark.parametrize("who", ["ana", "max", "eve", "ria"])
def test_nobody_but_an_administrator_does(house: House, who: str) -> None:
    jon = house.jon
    with use(house.organization.id):
        jon.user = User.objects.create(email="jon@example.org", name="Jon", password="!")
        jon.save(update_fields=["user"])
    user = with_factors(jon)
    client = proven(getattr(house, who))
    assert client.post(reset_path(house, jon)).status_code == 403
    assert kinds_of(user) == ALL


def test_another_organizations_administrator_finds_nobody(house: House, elsewhere: House) -> None:
    ana, zoe = with_factors(house.ana), proven(elsewhere.zoe)
    for place in (house, elsewhere):
        assert zoe.post(reset_path(place, house.ana)).status_code == 404
    assert kinds_of(ana) == ALL


def test_ones_own_are_changed_on_the_account_page(house: House) -> None:
    ops = proven(house.ops)
    user = User.objects.get(id=house.ops.user_id)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    page = ops.post(reset_path(house, house.ops), follow=True).content.decode()
    assert "on your account page" in page and kinds_of(user) == ["totp"]
    assert reset_path(house, house.ops) not in page


# A sign-in that opens more than one organization


def read(client: Client, path: str) -> str:
    """A page without what is new at every look."""
    return re.sub(
        r'(csrf-token" content|csrfmiddlewaretoken" value)="\w+"', "", client.get(path).content.decode()
    )


def join(elsewhere: House, person: Person) -> Person:
    with use(elsewhere.organization.id):
        return person_create(name=person.name, role="rep", user_id=person.user_id)


def test_a_sign_in_of_two_organizations_is_no_ones_alone(house: House, elsewhere: House) -> None:
    ana, double = with_factors(house.ana), join(elsewhere, house.ana)
    for place, administrator, person in ((house, house.ops, house.ana), (elsewhere, elsewhere.zoe, double)):
        page = proven(administrator).post(reset_path(place, person), follow=True).content.decode()
        assert "opens another organization too" in page
        assert "second_factor.reset_refused" in actions(place)
    assert kinds_of(ana) == ALL and send_mail_jobs(house) == []


def test_the_page_does_not_tell_who_works_elsewhere(house: House, elsewhere: House) -> None:
    """Only the attempt is answered, and kept: whoever looks around learns nothing."""
    with_factors(house.ana)
    ops, path = proven(house.ops), house.url(f"settings/people/{house.ana.id}/")
    ops.get(path)  # greets, once
    alone = read(ops, path)
    join(elsewhere, house.ana)
    assert "Remove second factors" in alone and read(ops, path) == alone
    told = ops.post(reset_path(house, house.ana), follow=True).content.decode()
    assert elsewhere.organization.name not in told


def test_who_left_the_other_organization_is_this_ones_alone(house: House, elsewhere: House) -> None:
    ana, double = with_factors(house.ana), join(elsewhere, house.ana)
    leave(elsewhere, double)
    proven(house.ops).post(reset_path(house, house.ana))
    assert kinds_of(ana) == []


def leave(house: House, person: Person) -> None:
    with use(house.organization.id):
        person_leave(person, now=timezone.now(), today=day_in_house())


@pytest.mark.parametrize("works_elsewhere", [True, False])
def test_who_left_is_no_longer_ours_to_reset(house: House, elsewhere: House, works_elsewhere: bool) -> None:
    ana = with_factors(house.ana)
    if works_elsewhere:
        join(elsewhere, house.ana)
    leave(house, house.ana)
    page = proven(house.ops).post(reset_path(house, house.ana), follow=True).content.decode()
    assert "has no access" in page and kinds_of(ana) == ALL


def test_without_the_look_at_memberships_it_would_be_done(
    house: House, elsewhere: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: nothing else stands between."""
    ana = with_factors(house.ana)
    join(elsewhere, house.ana)
    real = services.memberships
    monkeypatch.setattr(
        services,
        "memberships",
        lambda *a, **k: [m for m in real(*a, **k) if m.organization.id == house.organization.id],
    )
    proven(house.ops).post(reset_path(house, house.ana))
    assert kinds_of(ana) == []


def test_who_runs_the_server_resets_anybody(house: House, elsewhere: House) -> None:
    ana = with_factors(house.ana)
    join(elsewhere, house.ana)
    said = StringIO()
    call_command("reset_second_factors", "Ana@example.org", stdout=said)
    assert kinds_of(ana) == [] and "authenticator app, passkey and recovery codes" in said.getvalue()
    for place in (house, elsewhere):
        with use(place.organization.id):
            assert AuditEntry.objects.get(action="second_factor.reset").actor_name == ""
    assert send_mail_jobs(house) + send_mail_jobs(elsewhere) == ["done"]
    assert "Whoever runs this server removed" in mail.outbox[0].body
    call_command("reset_second_factors", "ana@example.org", stdout=said)
    assert "has no second factor" in said.getvalue()


def test_a_sign_in_that_is_none_is_named(db: None) -> None:
    with pytest.raises(CommandError, match="nobody signs in"):
        call_command("reset_second_factors", "nobody@example.org")


# Nothing to take away


def test_who_has_none_keeps_their_sessions(house: House) -> None:
    ana, ops = proven(house.ana), proven(house.ops)
    page = ops.post(reset_path(house, house.ana), follow=True).content.decode()
    assert "has no second factor" in page and "second_factor.reset" not in actions(house)
    assert ana.get(house.url("deals/")).status_code == 200


def test_who_does_not_sign_in_has_none(house: House) -> None:
    page = proven(house.ops).post(reset_path(house, house.jon), follow=True).content.decode()
    assert "doesn’t sign in" in page and "Second factors" not in page


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        ([], ""),
        (["totp"], "authenticator app"),
        (["recovery_codes", "webauthn", "webauthn"], "2 passkeys and recovery codes"),
        (["recovery_codes", "webauthn", "totp"], "authenticator app, passkey and recovery codes"),
    ],
)
def test_factors_in_words(kinds: list[str], words: str) -> None:
    assert factor_words(kinds) == words
