"""Celery's side: the doorbell, the sweep that rings again, and the clock that asks for daily work."""

from datetime import datetime
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from otc.jobs.registry import registered_kinds
from otc.jobs.services import due_jobs, enqueue, organization_ids, ring_for, run
from otc.tenancy.context import use

DAILY_KINDS = ("health_daily",)


@shared_task(name="otc.jobs.run_job")
def run_job(organization_id: str, job_id: str) -> bool:
    """Do one job of one organization, if it is still to be done."""
    return run(UUID(organization_id), UUID(job_id))


@shared_task(name="otc.jobs.sweep")
def sweep() -> int:
    """Ring for what was not claimed and for what a dead worker left. Returns how many."""
    due = due_jobs()
    for organization_id, job_id in due:
        ring_for(organization_id, [job_id])
    return len(due)


@shared_task(name="otc.jobs.ask_for_daily_work")
def ask_for_daily_work(now: str | None = None) -> None:
    """Insert each organization's daily jobs, keyed by the UTC day, so that two schedulers are harmless."""
    day = (datetime.fromisoformat(now) if now else timezone.now()).date()
    for organization_id in organization_ids():
        with use(organization_id, channel="task"):
            for kind in DAILY_KINDS:
                if kind in registered_kinds() and not was_asked(kind, key=day.isoformat()):
                    enqueue(kind, key=day.isoformat())


def was_asked(kind: str, *, key: str) -> bool:
    """Whether the organization in context already has this job, done or not."""
    from otc.jobs.models import Job

    return Job.objects.filter(kind=kind, key=key).exists()
