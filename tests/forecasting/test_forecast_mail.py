"""The weekly forecast: to those who lead, at the organization's hour, each of what they may see, never twice."""

from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from smtplib import SMTPException
from zoneinfo import ZoneInfo

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from django.utils import timezone

from forecasting.calls.models import Call
from forecasting.mail.models import ForecastMail
from forecasting.mail.report import mail_report
from forecasting.rhythm.models import Rhythm
from forecasting.rhythm.plan import plan
from forecasting.rhythm.rules import Beat
from otc.calendar.rules import period_of
from otc.jobs.models import Job, JobState
from otc.jobs.services import enqueue_once, run
from otc.notices.kinds import WEEKLY_FORECAST, Ways
from otc.notices.services import notice_choices_set
from otc.tenancy.context import use
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with

HERE = period_of(day_in_house())


def rhythm(**more):
    """Today is the day of the mail."""
    Rhythm.objects.all().delete()
    Rhythm(**(asdict(Beat(mail_weekday=day_in_house().weekday())) | more)).save()


def furnished(house):
    with use(house.organization.id, channel="ui"):
        rhythm()
        deal = deal_with(
            owner_id=house.ana.id, amount_minor=7_000_00, category="commit", close_date=HERE.last
        )
        deal_with(owner_id=house.eve.id, amount_minor=1_000_00, category="commit", close_date=HERE.last)
    return deal


def work(house, *, again=False):
    with use(house.organization.id):
        enqueue_once("forecast_mail", key=day_in_house().isoformat())
        if again:
            past = timezone.now() - timedelta(seconds=1)
            Job.objects.filter(kind="forecast_mail").update(
                state=JobState.QUEUED, due_at=past, lease_token=None
            )
        job = Job.objects.get(kind="forecast_mail")
    run(house.organization.id, job.id)
    with use(house.organization.id):
        return Job.objects.get(id=job.id)


def letters():
    return {letter.to[0].partition("@")[0]: letter for letter in mail.outbox}


def test_those_who_lead_get_what_they_may_see_and_nobody_else(house):
    furnished(house)
    assert work(house).state == JobState.DONE
    assert set(letters()) == {"eve", "max"}
    eve, max_ = letters()["eve"], letters()["max"]
    assert f"Commit for {HERE.label} stands at" in eve.subject
    assert "Ana Ruiz\n" in max_.body and "Eve Okafor" not in max_.body.replace("Good morning", "")
    assert "7" in max_.body and "Total" in eve.body
    html = eve.alternatives[0].content
    assert "<table" in html and "Max Brandt" in html and f"forecast/?period={HERE.key}" in html
    assert "Commit +" in max_.body and "in a week" in max_.body


def test_the_mail_says_what_the_page_says(house, signed_in):
    furnished(house)
    with use(house.organization.id):
        said = mail_report(house.eve, house.organization, beat=Beat(), now=timezone.now())
    total = said.rows[-1]
    assert (total.name, total.cells[1][0]) == ("Total", "8")
    page = signed_in(house.eve).get(house.url("forecast/")).content.decode()
    assert said.sentence.removesuffix(".").rpartition(" ")[2] in page
    panel = signed_in(house.eve).get(house.url("landing/"), headers={"HX-Request": "true"}).content.decode()
    lands = said.landing.partition(" lands at ")[2].partition(":")[0]
    assert said.landing.startswith("The model (published rates) lands at") and f">{lands}</b>" in panel


def test_it_goes_once(house):
    furnished(house)
    work(house)
    work(house, again=True)
    assert len(mail.outbox) == 2
    with use(house.organization.id):
        assert ForecastMail.objects.filter(sent_at__isnull=False).count() == 2


def test_a_server_that_is_away_is_tried_again_and_one_that_breaks_off_is_not(house, monkeypatch):
    furnished(house)

    def away(self):
        raise OSError("no route")

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "open", away, raising=False)
        assert work(house).state == JobState.QUEUED
    assert work(house, again=True).state == JobState.DONE and len(mail.outbox) == 2

    def broken(self, messages):
        raise SMTPException("broke off")

    with use(house.organization.id):
        ForecastMail.objects.all().delete()
    mail.outbox.clear()
    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", broken)
        work(house, again=True)
    work(house, again=True)
    assert mail.outbox == []
    with use(house.organization.id):
        assert ForecastMail.objects.filter(sent_at__isnull=True).count() == 2


def test_who_does_not_want_it_gets_none_and_the_link_at_its_foot_ends_it(house):
    furnished(house)
    with use(house.organization.id):
        notice_choices_set(house.eve.id, ways={WEEKLY_FORECAST: Ways(False, False, False)})
    work(house)
    assert set(letters()) == {"max"}
    stop = letters()["max"].extra_headers["List-Unsubscribe"].strip("<>")
    assert "No more weekly forecasts" in letters()["max"].body
    answer = Client().post("/" + stop.split("/", 3)[3])
    assert answer.status_code == 200
    mail.outbox.clear()
    with use(house.organization.id):
        ForecastMail.objects.all().delete()
    work(house, again=True)
    assert mail.outbox == []


@pytest.mark.parametrize("chosen", [{"mails": False}, {"mail_weekday": (day_in_house().weekday() + 1) % 7}])
def test_a_rhythm_that_has_changed_since_sends_nothing(house, chosen):
    furnished(house)
    with use(house.organization.id):
        rhythm(**chosen)
    work(house)
    assert mail.outbox == []


def test_the_night_asks_for_the_mail_at_the_organizations_hour(inside):
    Rhythm(**asdict(Beat(mail_weekday=0, mail_hour=7, call_weekday=0, call_hour=12))).save()
    night = datetime(2030, 1, 6, 23, 30, tzinfo=UTC)  # Monday already, in Berlin.
    plan(inside.organization, now=night)
    plan(inside.organization, now=night)
    due = dict(Job.objects.filter(kind="forecast_mail").values_list("key", "due_at"))
    zone = ZoneInfo("Europe/Berlin")
    assert {key: at.astimezone(zone).hour for key, at in due.items()} == {"2030-01-07": 7}
    asked = dict(Job.objects.filter(kind="calls_remind").values_list("key", "due_at"))
    assert {key: at.astimezone(zone).isoformat() for key, at in asked.items()} == {
        "2030-01-07 after": "2030-01-07T12:05:00+01:00"
    }
    assert date(2030, 1, 7).weekday() == 0


def test_changes_of_the_week_and_who_has_not_called(house):
    deal = furnished(house)
    now = timezone.now()
    with use(house.organization.id, channel="ui"):
        change(deal, amount_minor=9_000_00)
        said = mail_report(house.max, house.organization, beat=Beat(), now=now + timedelta(seconds=9))
        assert said.change.startswith("+") and said.movers[0].startswith("Ana")
        assert any("No call yet" in one and "Ana Ruiz" in one for one in said.waits)
        assert not Call.objects.exists()
