"""Reminders of the weekly deadline."""

from datetime import date

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.models import Job
from otc.jobs.registry import long_job
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization


@long_job("calls_remind")
def calls_remind(lease: Lease) -> None:
    """Tell whoever hasn't called; told already nobody is told again. Its key names the deadline's day and the kind."""
    from forecasting.calls.models import ReminderKind
    from forecasting.calls.reminders import deadline_remind

    with lease.step():
        organization = Organization.objects.get(id=current_organization_id())
        day, _, kind = str(Job.objects.values_list("key", flat=True).get(id=lease.job_id)).partition(" ")
        if kind in ReminderKind.values:
            due_on = date.fromisoformat(day)
            deadline_remind(organization, kind=ReminderKind(kind), due_on=due_on, now=timezone.now())
