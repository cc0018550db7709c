"""Reminders of the weekly deadline, planned in the night and sent at the organization's hour."""

from datetime import date
from zoneinfo import ZoneInfo

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.models import Job
from otc.jobs.registry import long_job
from otc.jobs.services import enqueue_once
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization


@long_job("calls_plan", is_daily=True)
def calls_plan(lease: Lease) -> None:
    """In the night: ask for the reminders of the next deadline, each once, due at its instant."""
    from forecasting.calls.reminders import reminder_instants
    from forecasting.rhythm.queries import beat_now

    with lease.step():
        zone = ZoneInfo(
            Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id())
        )
        now = timezone.now()
        for kind, due_on, at in reminder_instants(now.astimezone(zone).date(), beat=beat_now(), zone=zone):
            if at > now:
                enqueue_once("calls_remind", key=f"{due_on.isoformat()} {kind}", due_at=at)


@long_job("calls_remind")
def calls_remind(lease: Lease) -> None:
    """Tell whoever hasn't called; told already nobody is told again."""
    from forecasting.calls.models import ReminderKind
    from forecasting.calls.reminders import deadline_remind

    with lease.step():
        organization = Organization.objects.get(id=current_organization_id())
        day, _, kind = str(Job.objects.values_list("key", flat=True).get(id=lease.job_id)).partition(" ")
        if kind in ReminderKind.values:
            due_on = date.fromisoformat(day)
            deadline_remind(organization, kind=ReminderKind(kind), due_on=due_on, now=timezone.now())
