"""The only writer of weekly mails: one is kept before it leaves, and marked once it has."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from forecasting.mail.models import ForecastMail
from forecasting.mail.report import mail_report
from forecasting.rhythm.queries import beat_now
from otc.jobs.models import Job
from otc.notices.kinds import WEEKLY_FORECAST
from otc.notices.mail import Letter, letter
from otc.notices.queries import addressees, ways_of
from otc.notices.stops import WEEKLY
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization, Role

TEMPLATE = "forecasting/mail/forecast"
READERS = frozenset({Role.MANAGER, Role.EXECUTIVE})


@dataclass(frozen=True)
class ClaimedMail:
    """A weekly forecast that is nobody else's to send."""

    mail_id: UUID
    letter: Letter


def mail_day(job_id: UUID, *, now: datetime) -> date | None:
    """The organization's day that the job was asked for; None once it is over, or no longer the day of the mail."""
    organization = Organization.objects.get(id=current_organization_id())
    today, beat = now.astimezone(ZoneInfo(organization.timezone)).date(), beat_now()
    key: str = Job.objects.values_list("key", flat=True).get(id=job_id)
    if key != today.isoformat() or not beat.mails or today.weekday() != beat.mail_weekday:
        return None
    return today


def mail_readers(*, today: date) -> list[UUID]:
    """Managers and executives who are here, sign in and want it."""
    people = [one.person.id for one in addressees(today=today) if one.person.role in READERS]
    return [person_id for person_id, ways in ways_of(people, WEEKLY_FORECAST).items() if ways.is_mailed]


def mail_claim(person_id: UUID, *, day: date, now: datetime) -> ClaimedMail | None:
    """The person's forecast of the day, from now on claimed; None where one was, or where they no longer get any."""
    found = addressees(today=day, person_ids=[person_id])
    wants = ways_of([person_id], WEEKLY_FORECAST)[person_id].is_mailed
    if not found or not wants or ForecastMail.objects.filter(person_id=person_id, day=day).exists():
        return None
    organization = Organization.objects.get(id=current_organization_id())
    report = mail_report(found[0].person, organization, beat=beat_now(), now=now)
    claimed = ForecastMail(person_id=person_id, day=day, claimed_at=now)
    claimed.save(force_insert=True)
    return ClaimedMail(
        claimed.id,
        letter(
            TEMPLATE,
            to=found[0].email,
            subject=f"{organization.name}: {report.sentence}",
            organization=organization,
            person_id=person_id,
            sort=WEEKLY,
            key=f"{person_id}.{day.isoformat()}",
            context={"report": report, "person": found[0].person},
        ),
    )


def mail_release(mail_id: UUID) -> None:
    """Nothing has left: let it be claimed again."""
    ForecastMail.objects.filter(id=mail_id).delete()


def mail_sent(mail_id: UUID, *, now: datetime) -> None:
    """The mail server has taken it."""
    ForecastMail.objects.filter(id=mail_id).update(sent_at=now)
