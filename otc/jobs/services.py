"""Ask for work, ring for it, claim it, finish it. The rows decide; a ring that is lost costs a sweep's wait."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.utils import timezone

from otc.jobs.lease import LEASE, Lease, LeaseLost
from otc.jobs.models import Job, JobState
from otc.jobs.registry import Kind, kind_named
from otc.tenancy.context import current_organization_id, through_doorway, use

log = logging.getLogger("otc.jobs")
MAX_ATTEMPTS = 8
RING_AT_MOST = 200

ENQUEUE = """
INSERT INTO otc_job (organization_id, kind, key, subject, state, generation, attempts, due_at, done_count, error,
                     created_at)
SELECT %s, %s, k.key, k.subject, 'queued', 1, 0, %s, 0, '', clock_timestamp()
FROM unnest(%s::text[], %s::uuid[]) AS k(key, subject)
ON CONFLICT (organization_id, kind, key) DO UPDATE
SET generation = otc_job.generation + 1, attempts = 0, error = '',
    state = CASE WHEN otc_job.state = 'running' THEN 'running' ELSE 'queued' END,
    due_at = CASE WHEN otc_job.state = 'queued' THEN least(otc_job.due_at, excluded.due_at) ELSE excluded.due_at END
RETURNING id
"""


def enqueue(kind: str, *, subject: UUID | None = None, key: str = "", due_at: datetime | None = None) -> UUID:
    """Write one job in the running transaction and ring when it commits. One row per (kind, key)."""
    return enqueue_many(kind, {key or str(subject or ""): subject}, due_at=due_at)[0]


def enqueue_many(
    kind: str, subjects: dict[str, UUID | None], *, due_at: datetime | None = None, ring: bool = True
) -> list[UUID]:
    """Write a job per key; asked again while queued it stays one, asked again while running it runs again."""
    kind_named(kind)
    due = due_at or timezone.now()
    ordered = sorted(subjects.items())
    parameters = [
        str(current_organization_id()),
        kind,
        due,
        [key for key, _ in ordered],
        [str(subject) if subject else None for _, subject in ordered],
    ]
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE, parameters)
        job_ids = [row[0] for row in cursor.fetchall()]
    if ring and due <= timezone.now():
        organization_id = current_organization_id()
        transaction.on_commit(lambda: ring_for(organization_id, job_ids[:RING_AT_MOST]))
    return job_ids


def ring_for(organization_id: UUID, job_ids: Iterable[UUID]) -> None:
    """Tell Celery. A dead broker is logged and forgotten: the sweep rings again."""
    from otc.jobs.tasks import run_job

    try:
        for job_id in job_ids:
            run_job.delay(str(organization_id), str(job_id))
    except Exception:  # the broker's client raises a family of its own, and a page must not care
        log.warning("the broker does not answer; the sweep will ring", exc_info=True)


def run(organization_id: UUID, job_id: UUID) -> bool:
    """Do the job unless somebody else has it. True when this call did it."""
    with use(organization_id, channel="task"):
        claimed = _claim(job_id)
        if claimed is None:
            return False
        kind = kind_named(claimed.kind)
        if kind.long_effect is None:
            return _run_short(claimed, kind)
        lease = _lease(claimed)
    return _run_long(lease, kind)


def _claim(job_id: UUID) -> Job | None:
    now = timezone.now()
    row = Job.objects.select_for_update(skip_locked=True).filter(id=job_id, due_at__lte=now).first()
    if row is None or row.state in (JobState.DONE, JobState.FAILED):
        return None
    if row.state == JobState.RUNNING and row.lease_until is not None and row.lease_until > now:
        return None
    return row


def _run_short(row: Job, kind: Kind) -> bool:
    """Effect and "done" commit together; a failing effect is rolled back to here and tried later."""
    assert kind.effect is not None
    try:
        with transaction.atomic():
            kind.effect(row.subject)
    except Exception as problem:  # whatever a room raises, the job must not be lost
        log.exception("job %s %s failed", row.kind, row.id)
        _postpone(row, problem)
        return False
    _finish(row)
    return True


def _lease(row: Job) -> Lease:
    token = uuid4()
    Job.objects.filter(id=row.id).update(
        state=JobState.RUNNING,
        lease_token=token,
        lease_until=timezone.now() + LEASE,
        attempts=row.attempts + 1,
    )
    return Lease(row.id, row.organization_id, row.subject, token, row.done_count)


def _run_long(lease: Lease, kind: Kind) -> bool:
    assert kind.long_effect is not None
    with use(lease.organization_id):
        generation = Job.objects.values_list("generation", flat=True).get(id=lease.job_id)
    try:
        kind.long_effect(lease)
        with lease.step():
            _finish(Job.objects.get(id=lease.job_id), seen_generation=generation)
    except LeaseLost:
        log.warning("lease of job %s lost to another worker", lease.job_id)
        return False
    except Exception as problem:
        log.exception("long job %s failed", lease.job_id)
        with use(lease.organization_id):
            row = Job.objects.select_for_update().get(id=lease.job_id)
            if row.lease_token == lease.token:
                _postpone(row, problem)
        return False
    return True


def _finish(row: Job, *, seen_generation: int | None = None) -> None:
    asked_again = seen_generation is not None and row.generation != seen_generation
    row.state = JobState.QUEUED if asked_again else JobState.DONE
    row.finished_at = timezone.now()
    row.lease_token = row.lease_until = None
    row.done_count = 0 if asked_again else row.done_count
    row.error = ""
    row.save()


def _postpone(row: Job, problem: Exception) -> None:
    """Try again after 2, 4, 8 ... seconds; after MAX_ATTEMPTS it stays failed, with its error."""
    row.attempts += 1
    row.error = f"{type(problem).__name__}: {problem}"[:2000]
    row.state = JobState.FAILED if row.attempts >= MAX_ATTEMPTS else JobState.QUEUED
    row.due_at = timezone.now() + timedelta(seconds=2**row.attempts)
    row.lease_token = row.lease_until = None
    row.save()


def due_jobs(*, limit: int = RING_AT_MOST) -> list[tuple[UUID, UUID]]:
    """(organization, job) of what is due or whose lease has expired, oldest first; through the jobs' doorway."""
    return [
        (row[0], row[1])
        for row in through_doorway(
            "doorway",
            "jobs",
            "SELECT organization_id, id FROM otc_job WHERE (state = 'queued' AND due_at <= clock_timestamp()) "
            "OR (state = 'running' AND lease_until < clock_timestamp()) ORDER BY due_at LIMIT %s",
            [limit],
        )
    ]


def organization_ids() -> list[UUID]:
    """Every organization's id, for periodic work; through the jobs' doorway."""
    return [row[0] for row in through_doorway("doorway", "jobs", "SELECT id FROM otc_organization ORDER BY id")]
