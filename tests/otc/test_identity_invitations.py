"""Invitations: who may send them, what a link opens, and that it opens it once, for its time, for its person."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from otc.audit.models import AuditEntry
from otc.identity.invitations.queries import invitation_by_token
from otc.identity.invitations.services import (
    InvitationRefused,
    invitation_accept_new,
    invitation_send,
)
from otc.identity.models import Invitation, User
from otc.tenancy.context import use
from otc.tenancy.models import Person
from tests.conftest import House

SignedIn = Callable[[Person], Client]
PASSWORD = "seven quiet harbours"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    cache.clear()


def link_for(house: House, person: Person, email: str = "jon@example.org") -> str:
    now = timezone.now()
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        token = invitation_send(person, email=email, now=now, today=now.date()).token
    return f"/invitations/{token}/"


def actions(house: House) -> list[str]:
    with use(house.organization.id):
        return list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True))


def user_id_of(house: House, person: Person) -> Any:
    with use(house.organization.id):
        return Person.objects.get(id=person.id).user_id


def sign_in(email: str, password: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": email, "password": password})
    return client


def test_an_administrator_invites_somebody_new_by_mail(house: House, signed_in: SignedIn) -> None:
    asked = {"name": "Nia Sol", "email": "Nia@Example.org", "role": "rep", "manager": str(house.max.id)}
    page = signed_in(house.ops).post(house.url("settings/people/invite/"), asked)
    link = re.search(r"/invitations/[\w.-]+/", mail.outbox[0].body)
    assert mail.outbox[0].to == ["nia@example.org"] and "Halden Systems" in mail.outbox[0].subject
    assert link and link[0] in page.content.decode()
    assert link[0] not in signed_in(house.ops).get(house.url("settings/people/")).content.decode()
    with use(house.organization.id):
        person = Person.objects.get(name="Nia Sol")
        assert person.role == "rep" and Invitation.objects.get(person=person).token_hash not in link[0]
    answer = Client().post(link[0], {"password": PASSWORD})
    assert answer.status_code == 302
    assert sign_in("nia@example.org", PASSWORD).get(house.url("deals/")).status_code == 200
    assert actions(house)[-3:] == ["invitation.sent", "invitation.accepted", "sign_in.succeeded"]


def test_somebody_with_a_sign_in_elsewhere_joins_by_signing_in(house: House, elsewhere: House) -> None:
    link = link_for(house, house.jon, email="zoe@example.org")
    zoe = Client()
    zoe.force_login(
        User.objects.get(email="zoe@example.org"),
        backend="allauth.account.auth_backends.AuthenticationBackend",
    )
    assert zoe.get(house.url("deals/")).status_code == 404
    assert "Join Halden Systems" in zoe.get(link).content.decode()
    assert zoe.post(link).status_code == 302
    assert zoe.get(house.url("deals/")).status_code == zoe.get(elsewhere.url("deals/")).status_code == 200


def test_a_known_and_an_unknown_address_get_the_same_answers(house: House, elsewhere: House) -> None:
    zoe = User.objects.get(email="zoe@example.org")
    zoe.set_password("the password of zoe")
    zoe.save()
    known = link_for(house, house.jon, email="zoe@example.org")
    pages = [Client().get(known)]
    answers = [Client().post(known, {"password": PASSWORD})]
    with use(house.organization.id):
        Invitation.objects.all().delete()
    unknown = link_for(house, house.jon, email="zoy@example.org")
    pages.append(Client().get(unknown))
    answers.append(Client().post(unknown, {"password": PASSWORD}))

    def plain(text: str) -> str:
        text = re.sub(
            r"csrfmiddlewaretoken\" value=\"\w+|/invitations/[\w.-]+/|%2Finvitations%2F[\w.-]+%2F", "", text
        )
        return text.replace("zoy@", "zoe@")

    assert plain(pages[0].content.decode()) == plain(pages[1].content.decode())
    assert [answer.status_code for answer in answers] == [302, 302]
    assert plain(answers[0]["Location"]) == plain(answers[1]["Location"])
    told = [[str(m) for m in get_messages(answer.wsgi_request)] for answer in answers]
    assert told[0] == told[1] and told[0]
    zoe.refresh_from_db()
    assert zoe.check_password("the password of zoe")


def test_a_link_opens_once(house: House) -> None:
    link = link_for(house, house.jon)
    Client().post(link, {"password": PASSWORD})
    again = Client().post(link, {"password": "another long passphrase"})
    assert again.status_code == 404
    assert not User.objects.get(email="jon@example.org").check_password("another long passphrase")


def test_two_at_once_do_not_both_come_in_by_one_link(house: House) -> None:
    token = link_for(house, house.jon).split("/")[2]
    found = invitation_by_token(token)
    assert found is not None
    assert invitation_accept_new(found, password=PASSWORD, now=timezone.now())
    with pytest.raises(InvitationRefused, match="work any more"):
        invitation_accept_new(found, password=PASSWORD, now=timezone.now())


@pytest.mark.parametrize("how", ["expired", "revoked", "changed", "unsigned", "replaced"])
def test_a_link_that_is_over_opens_nothing(house: House, how: str) -> None:
    link = link_for(house, house.jon)
    assert Client().get(link).status_code == 200
    with use(house.organization.id):
        if how == "expired":
            Invitation.objects.update(expires_at=timezone.now())
        elif how == "revoked":
            Invitation.objects.update(revoked_at=timezone.now())
    if how == "changed":
        link = f"{link[:15]}{'A' if link[15] != 'A' else 'B'}{link[16:]}"
    elif how == "unsigned":
        link = link.partition(".")[0] + "/"
    elif how == "replaced":
        link_for(house, house.jon)
    answers = [Client().get(link), Client().post(link, {"password": PASSWORD})]
    nowhere = Client().get("/invitations/nothing.at-all/")
    assert [answer.status_code for answer in (*answers, nowhere)] == [404, 404, 404]
    assert answers[0].content == nowhere.content
    assert not User.objects.filter(email="jon@example.org").exists() and user_id_of(house, house.jon) is None


def test_a_foreign_sign_in_can_not_use_a_link_of_another_address(
    house: House, elsewhere: House, signed_in: SignedIn
) -> None:
    answer = signed_in(elsewhere.zoe).post(link_for(house, house.jon))
    assert answer.status_code == 422 and "jon@example.org" in answer.content.decode()
    assert user_id_of(house, house.jon) is None


def test_a_weak_password_is_refused_and_the_link_goes_on(house: House) -> None:
    link = link_for(house, house.jon)
    assert Client().post(link, {"password": "short"}).status_code == 422
    assert Client().get(link).status_code == 200


def test_an_open_invitation_is_sent_again_and_revoked(house: House, signed_in: SignedIn) -> None:
    ops, first = signed_in(house.ops), link_for(house, house.jon)
    ops.post(house.url(f"settings/people/{house.jon.id}/invite/"), {"email": "jon@example.org"})
    second = re.search(r"/invitations/[\w.-]+/", mail.outbox[-1].body)
    assert second and [Client().get(url).status_code for url in (first, second[0])] == [404, 200]
    with use(house.organization.id):
        waiting = Invitation.objects.get(accepted_at=None, revoked_at=None)
    ops.post(house.url(f"settings/people/invitations/{waiting.id}/revoke/"))
    assert Client().get(second[0]).status_code == 404
    assert actions(house)[-3:] == ["invitation.sent", "invitation.sent", "invitation.revoked"]


@pytest.mark.parametrize("who", ["ana", "max", "eve"])
def test_only_administrators_invite(house: House, signed_in: SignedIn, who: str) -> None:
    client = signed_in(getattr(house, who))
    asked = {"name": "Nia", "email": "nia@example.org", "role": "administrator"}
    assert client.post(house.url("settings/people/invite/"), asked).status_code == 403
    path = f"settings/people/{house.jon.id}/invite/"
    assert client.post(house.url(path), {"email": "jon@example.org"}).status_code == 403
    assert mail.outbox == []


def test_nobody_invites_into_another_organization(
    house: House, elsewhere: House, signed_in: SignedIn
) -> None:
    zoe = signed_in(elsewhere.zoe)
    for organization in (house, elsewhere):
        path = f"settings/people/{house.jon.id}/invite/"
        assert zoe.post(organization.url(path), {"email": "j@example.org"}).status_code == 404
    assert mail.outbox == []


@pytest.mark.parametrize("who", ["ana", "bot"])
def test_who_signs_in_or_is_a_program_is_not_invited(house: House, signed_in: SignedIn, who: str) -> None:
    path = f"settings/people/{getattr(house, who).id}/invite/"
    answer = signed_in(house.ops).post(house.url(path), {"email": "x@example.org"})
    assert answer.status_code == 422 and mail.outbox == []


def test_a_mail_that_fails_still_shows_the_link(house: House, signed_in: SignedIn, settings: Any) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 1},
        }
    }
    path = f"settings/people/{house.jon.id}/invite/"
    page = signed_in(house.ops).post(house.url(path), {"email": "jon@example.org"})
    assert page.status_code == 200 and "could not be sent" in page.content.decode()


def test_links_can_not_be_tried_for_ever(house: House) -> None:
    client = Client()
    codes = {client.post(f"/invitations/no{number}.thing/").status_code for number in range(35)}
    assert codes == {404, 429}


def test_a_link_lives_seven_days(house: House) -> None:
    link_for(house, house.jon)
    with use(house.organization.id):
        invitation = Invitation.objects.get()
    assert invitation.expires_at - invitation.sent_at == timedelta(days=7)
