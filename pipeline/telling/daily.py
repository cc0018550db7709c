"""The day's walk over every open deal, batch by batch."""

from datetime import datetime
from zoneinfo import ZoneInfo

from otc.jobs.lease import Lease
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from pipeline.opportunities.models import Opportunity
from pipeline.telling.services import deals_due_tell

BATCH = 1000


def due_tell_all(lease: Lease, *, now: datetime) -> None:
    """Tell the owners of what is due; `done_count` deals were told of already by a run that died."""
    done = lease.done_count
    with lease.step():
        organization = Organization.objects.get(id=current_organization_id())
        today = now.astimezone(ZoneInfo(organization.timezone)).date()
        still_open = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True)
        ids = list(still_open.order_by("id").values_list("id", flat=True))
    while done < len(ids):
        batch = ids[done : done + BATCH]
        done += len(batch)
        with lease.step(done=done, total=len(ids)):
            deals_due_tell(batch, today=today, now=now)
