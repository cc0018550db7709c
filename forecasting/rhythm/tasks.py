"""What the rhythm asks for: planned in the night, done at the organization's hour."""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization


@long_job("rhythm_plan", is_daily=True)
def rhythm_plan(lease: Lease) -> None:
    """In the night: ask for the reminders of the next deadline and for the day's mail, each once."""
    from forecasting.rhythm.plan import plan

    with lease.step():
        plan(Organization.objects.get(id=current_organization_id()), now=timezone.now())
