"""The only writer of digests: one is kept before its mail leaves, and marked once it has."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from otc.jobs.models import Job
from otc.notices.mail import Letter, letter
from otc.notices.queries import addressees
from otc.notices.stops import DIGEST
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from pipeline.digest.models import Digest
from pipeline.digest.report import digest_report

TEMPLATE = "pipeline/digest/mail/digest"
# A first digest, or one after a holiday of the mail server, tells of at most this long.
FIRST, LONGEST = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Claimed:
    """A digest that is nobody else's to send."""

    digest_id: UUID
    letter: Letter


def day_of_job(job_id: UUID, *, now: datetime) -> date | None:
    """The organization's day that the job was asked for; None once that day is over: yesterday's is no news."""
    organization = Organization.objects.get(id=current_organization_id())
    today = now.astimezone(ZoneInfo(organization.timezone)).date()
    key: str = Job.objects.values_list("key", flat=True).get(id=job_id)
    try:
        day = date.fromisoformat(key)
    except ValueError:
        return today
    return day if day == today else None


def digest_readers(*, today: date) -> list[UUID]:
    """Who gets digests: whoever is here, signs in and wants them."""
    return [one.person.id for one in addressees(today=today) if one.mails.digest]


def digest_claim(person_id: UUID, *, day: date, now: datetime) -> Claimed | None:
    """The person's digest of the day, from now on claimed; None where one was, where they no longer get any, or
    where there is nothing to say.
    """
    found = addressees(today=day, person_ids=[person_id])
    if not found or not found[0].mails.digest:
        return None
    if Digest.objects.filter(person_id=person_id, day=day).exists():
        return None
    organization = Organization.objects.get(id=current_organization_id())
    since = _since(person_id, now=now)
    report = digest_report(found[0].person, organization, since=since, now=now)
    if report.is_empty:
        return None
    digest = Digest(person_id=person_id, day=day, since=since, until=now)
    digest.save(force_insert=True)
    subject = f"{organization.name}: {report.subject}"
    return Claimed(
        digest.id,
        letter(
            TEMPLATE,
            to=found[0].email,
            subject=subject,
            organization=organization,
            person_id=person_id,
            sort=DIGEST,
            key=f"{person_id}.{day.isoformat()}",
            context={"report": report, "person": found[0].person},
        ),
    )


def digest_release(digest_id: UUID) -> None:
    """Nothing has left: let it be claimed again."""
    Digest.objects.filter(id=digest_id).delete()


def digest_sent(digest_id: UUID, *, now: datetime) -> None:
    """The mail server has taken it."""
    Digest.objects.filter(id=digest_id).update(sent_at=now)


def _since(person_id: UUID, *, now: datetime) -> datetime:
    """Where the last digest that surely left ended."""
    last: datetime | None = (
        Digest.objects.filter(person_id=person_id, sent_at__isnull=False)
        .order_by("-until")
        .values_list("until", flat=True)
        .first()
    )
    return max(last, now - LONGEST) if last else now - FIRST
