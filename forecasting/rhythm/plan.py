"""Which jobs does the rhythm ask for, seen from an instant? Each has a key of its day, so that asking twice is once."""

from datetime import datetime
from zoneinfo import ZoneInfo

from forecasting.calls.reminders import reminder_instants
from forecasting.rhythm.queries import beat_now
from forecasting.rhythm.rules import instant_of
from otc.jobs.services import enqueue_once
from otc.tenancy.models import Organization

REMIND_JOB, MAIL_JOB = "calls_remind", "forecast_mail"


def plan(organization: Organization, *, now: datetime) -> None:
    """Ask for what lies ahead; whoever does it looks whether the rhythm still says so."""
    beat, zone = beat_now(), ZoneInfo(organization.timezone)
    today = now.astimezone(zone).date()
    if beat.reminds:
        for kind, due_on, at in reminder_instants(today, beat=beat, zone=zone):
            if at > now:
                enqueue_once(REMIND_JOB, key=f"{due_on.isoformat()} {kind}", due_at=at)
    mail_at = instant_of(today, beat.mail_hour, zone=zone)
    if beat.mails and today.weekday() == beat.mail_weekday and mail_at > now:
        enqueue_once(MAIL_JOB, key=today.isoformat(), due_at=mail_at)
