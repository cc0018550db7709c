"""Everybody is told in the ways they chose: bell, digest, mail at once, or not at all; mails stop without a sign-in."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from otc.identity.models import User
from otc.jobs.models import Job, JobState
from otc.jobs.services import run
from otc.notices import mail as mails
from otc.notices.kinds import APPROVAL_ANSWERED, MENTION, NOTICE_KINDS, USUAL, Ways
from otc.notices.models import Notice
from otc.notices.queries import choices_of, mails_of
from otc.notices.services import mail_choice_set, notice_choices_set, notice_send
from otc.notices.stops import AT_ONCE, DIGEST, stop_of, stop_token
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person
from tests.conftest import House

SignIn = Callable[[Person], Client]


def tell(house: House, *, kind: str = MENTION, text: str = "Max mentions you") -> None:
    with use(house.organization.id):
        notice_send(house.ana.id, text=text, path="deals/", kind=kind)


def choose(house: House, kind: str, ways: Ways) -> None:
    with use(house.organization.id):
        notice_choices_set(house.ana.id, ways={kind: ways})


def work_off(house: House) -> list[Job]:
    """Run the mail jobs that wait, as a worker would."""
    with use(house.organization.id):
        found = list(Job.objects.filter(kind="notice_mail", state=JobState.QUEUED))
    for job in found:
        run(house.organization.id, job.id)
    with use(house.organization.id):
        return list(Job.objects.filter(kind="notice_mail").order_by("id"))


def test_a_kind_that_is_mailed_at_once_is_mailed_once_with_a_link_and_a_way_out(house: House) -> None:
    tell(house, text="Max mentions you in Kestrel <b>Rail</b>\nBcc: x@example.org")
    assert [job.state for job in work_off(house)] == ["done"]
    (letter,) = mail.outbox
    assert letter.to == ["ana@example.org"] and "\n" not in letter.subject
    html = letter.alternatives[0].content
    assert "/o/halden/deals/" in letter.body and "<b>Rail" in letter.body and "&lt;b&gt;Rail" in html
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    header = [
        line for line in letter.message().as_bytes().splitlines() if line.startswith(b"List-Unsubscribe:")
    ]
    assert header == [f"List-Unsubscribe: {letter.extra_headers['List-Unsubscribe']}".encode()], (
        "one plain line"
    )
    with use(house.organization.id):
        Job.objects.update(state=JobState.QUEUED)
    work_off(house)
    assert len(mail.outbox) == 1


@pytest.mark.parametrize(
    ("ways", "bell", "kept", "mailed"),
    [
        (Ways(in_app=False, in_digest=False, is_mailed=False), 0, 0, 0),
        (Ways(in_app=False, in_digest=True, is_mailed=False), 0, 1, 0),
        (Ways(in_app=False, in_digest=False, is_mailed=True), 0, 1, 1),
        (Ways(in_app=True, in_digest=False, is_mailed=False), 1, 1, 0),
    ],
)
def test_each_way_is_switched_by_itself(
    house: House, signed_in: SignIn, ways: Ways, bell: int, kept: int, mailed: int
) -> None:
    choose(house, MENTION, ways)
    tell(house)
    work_off(house)
    assert signed_in(house.ana).get(house.url("notices/")).context["new_count"] == bell
    with use(house.organization.id):
        assert Notice.objects.count() == kept
    assert len(mail.outbox) == mailed


@pytest.mark.parametrize("gone", ["left", "no sign-in", "inactive", "no mails", "integration"])
def test_nobody_is_mailed_who_left_or_wants_none(house: House, gone: str) -> None:
    tell(house)
    with use(house.organization.id):
        found = Person.objects.filter(id=house.ana.id)
        if gone == "left":
            found.update(left_on=date(2021, 1, 1))
        elif gone == "no sign-in":
            found.update(user=None)
        elif gone == "integration":
            found.update(role="integration")
        elif gone == "inactive":
            User.objects.filter(id=house.ana.user_id).update(is_active=False)
        else:
            mail_choice_set(house.ana.id, at_once=False)
    assert [job.state for job in work_off(house)] == ["done"] and mail.outbox == []


def test_a_mail_server_that_is_away_is_asked_again_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(house)
    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.backends.locmem.EmailBackend.open", away, raising=False)
        assert [job.state for job in work_off(house)] == ["queued"] and mail.outbox == []
    with use(house.organization.id):
        Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    work_off(house)
    assert len(mail.outbox) == 1


def away(self: Any) -> None:
    raise ConnectionRefusedError("nobody listens")


def test_a_mail_that_may_have_left_is_not_sent_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies, or the line breaks, after the mail server has taken it."""
    tell(house)
    send = mails.letter_send

    def send_and_break(one: Any) -> None:
        send(one)
        raise SMTPServerDisconnected("after the data")

    with monkeypatch.context() as broken:
        broken.setattr(mails, "letter_send", send_and_break)
        work_off(house)
    with use(house.organization.id):
        Job.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    work_off(house)
    assert len(mail.outbox) == 1


def test_the_page_saves_every_kind_and_takes_it_back(house: House, signed_in: SignIn) -> None:
    client, url = signed_in(house.ana), house.url("notices/choices/")
    assert client.get(url).content.count(b'type="checkbox"') == 3 * len(NOTICE_KINDS) + 2
    client.post(url, {f"{APPROVAL_ANSWERED}.mail": "on", "mails": "on"})
    with use(house.organization.id):
        chosen = {kind.key: ways for kind, ways in choices_of(house.ana.id)}
        assert chosen.pop(APPROVAL_ANSWERED) == Ways(False, False, True)
        assert all(ways.is_off for ways in chosen.values())
        assert mails_of(house.ana.id).digest is False and mails_of(house.ana.id).at_once is True
    undo = re.search(rb'action="([^"]*undo/[^"]*)"', client.get(url).content)
    assert undo is not None
    client.post(undo[1].decode())
    with use(house.organization.id):
        assert {kind.key: ways for kind, ways in choices_of(house.ana.id)} == USUAL
        assert mails_of(house.ana.id).digest is True


def test_a_mails_foot_stops_it_without_a_sign_in(house: House) -> None:
    token = stop_token(house.organization.id, house.ana.id, AT_ONCE)
    stranger = Client(enforce_csrf_checks=True)
    page = stranger.get(f"/mails/{token}/")
    assert page.status_code == 200 and "Referrer-Policy" in page and "noindex" in page["X-Robots-Tag"]
    with use(house.organization.id):
        assert mails_of(house.ana.id).at_once, "programs that open links must not stop anything"
    stranger.post(f"/mails/{token}/", {"List-Unsubscribe": "One-Click"})
    tell(house)
    work_off(house)
    assert mail.outbox == []
    with use(house.organization.id):
        assert mails_of(house.ana.id).digest, "the other sort goes on"
    stranger.post(f"/mails/{token}/", {"again": "1"})
    tell(house)
    work_off(house)
    assert len(mail.outbox) == 1


def test_a_changed_link_leads_nowhere(house: House, elsewhere: House) -> None:
    good = stop_token(house.organization.id, house.ana.id, DIGEST)
    foreign = stop_token(elsewhere.organization.id, house.ana.id, DIGEST)
    answers = [
        Client().post(f"/mails/{token}/") for token in (good[:-1] + "!", "x", "a.b", foreign, good[5:])
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    with use(house.organization.id):
        assert mails_of(house.ana.id).digest
    assert stop_of(good) == (house.organization.id, house.ana.id, DIGEST)


def test_an_administrator_says_from_where_on_a_deal_is_big(house: House, signed_in: SignIn) -> None:
    client, url = signed_in(house.ops), house.url("settings/big-deals/")
    assert client.post(url, {"amount": "some", "percent": "40"}).status_code == 422
    assert client.post(url, {"amount": "-5", "percent": "40"}).status_code == 422
    assert client.post(url, {"amount": "1.2m", "percent": "101"}).status_code == 422
    assert client.post(url, {"amount": "1.2m", "percent": "40"}).status_code == 302
    found = organization(house)
    assert (found.big_deal_minor, found.big_deal_percent) == (1_200_000_00, 40)
    assert client.post(url, {"amount": "", "percent": "0"}).status_code == 302
    assert organization(house).big_deal_minor is None
    assert signed_in(house.ana).get(url).status_code == 403


def organization(house: House) -> Organization:
    with use(house.organization.id):
        return Organization.objects.get(id=house.organization.id)
