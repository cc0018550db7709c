"""Celery's side: the doorbell, the sweep that rings again, and the clock that asks for daily work."""

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from celery import shared_task
from django.utils import timezone

from otc.jobs.doorbell import LONG_QUEUE, SHORT_QUEUE, queue_of, ring_for, rings_waiting
from otc.jobs.queries import due_jobs, organization_ids
from otc.jobs.registry import registered_kinds
from otc.jobs.services import enqueue_once, run
from otc.tenancy.context import use
from otc.tenancy.models import Organization

SWEEP_AT_MOST = 1000
# So many rings that wait keep workers busy until the next sweep.
FULL = 200


# Acknowledged before it runs: a job that kills its worker must not come back at once, the sweep is soon enough.
@shared_task(name="otc.jobs.run_job", acks_late=False, reject_on_worker_lost=False)
def run_job(organization_id: str, job_id: str) -> bool:
    """Do one job of one organization, if it is still to be done."""
    return run(UUID(organization_id), UUID(job_id))


@shared_task(name="otc.jobs.sweep")
def sweep() -> int:
    """Ring for what was not claimed and for what a dead worker left. Returns how many.

    A queue that is full already is left alone: whoever works it off needs no second ring for each of its jobs, and
    a later sweep sees what is left.
    """
    full = {queue for queue in (SHORT_QUEUE, LONG_QUEUE) if rings_waiting(queue) >= FULL}
    due = [entry for entry in due_jobs(limit=SWEEP_AT_MOST) if queue_of(entry.kind) not in full]
    for entry in due:
        ring_for(entry.organization_id, entry.kind, [entry.job_id])
    return len(due)


@shared_task(name="otc.jobs.ask_for_daily_work")
def ask_for_daily_work(now: str | None = None) -> int:
    """Ask for each organization's daily jobs, keyed by its own day, so that two schedulers are harmless.

    `now` is an ISO instant, by default the clock. Returns how many jobs are new.
    """
    instant = datetime.fromisoformat(now) if now else timezone.now()
    return sum(_ask_for_day(organization_id, instant=instant) for organization_id in organization_ids())


def _ask_for_day(organization_id: UUID, *, instant: datetime) -> int:
    daily = [kind for kind in registered_kinds().values() if kind.is_daily]
    with use(organization_id, channel="task"):
        zone = Organization.objects.values_list("timezone", flat=True).get(id=organization_id)
        day = instant.astimezone(ZoneInfo(zone)).date()
        asked = [
            enqueue_once(
                kind.name,
                key=day.isoformat(),
                due_at=datetime.combine(day, time(kind.hour), ZoneInfo(zone)) if kind.hour else None,
            )
            for kind in daily
        ]
        return sum(job_id is not None for job_id in asked)
