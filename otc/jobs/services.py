"""Ask for work, claim it, do it, finish it. The rows decide; a ring that is lost costs a sweep's wait.

A short job is claimed by an advisory lock and touches its row only at the end, so that a page which asks for the
same work again never waits for the work itself.
"""

import logging
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models.functions import Now

from otc.jobs.doorbell import ring_for
from otc.jobs.lease import LEASE, Lease, LeaseLost
from otc.jobs.models import Job, JobState
from otc.jobs.registry import Effect, LongEffect, kind_named
from otc.logs.context import doing
from otc.tenancy.context import current_organization_id, use

log = logging.getLogger("otc.jobs")
MAX_ATTEMPTS = 8

ENQUEUE = """
INSERT INTO otc_job (organization_id, kind, key, subject, state, generation, attempts, due_at, done_count, error,
                     created_at)
SELECT %s, %s, k.key, k.subject, 'queued', 1, 0, coalesce(%s, clock_timestamp()), 0, '', clock_timestamp()
FROM unnest(%s::text[], %s::uuid[]) AS k(key, subject)
ON CONFLICT (organization_id, kind, key) DO """

ASK_AGAIN = """UPDATE
SET generation = otc_job.generation + 1, attempts = 0, error = '', done_count = 0, total_count = NULL,
    state = CASE WHEN otc_job.state = 'running' THEN 'running' ELSE 'queued' END,
    due_at = CASE WHEN otc_job.state = 'queued' THEN least(otc_job.due_at, excluded.due_at) ELSE excluded.due_at END
RETURNING id
"""
ASK_ONCE = "NOTHING RETURNING id"


def enqueue(kind: str, *, subject: UUID | None = None, key: str = "", due_at: datetime | None = None) -> UUID:
    """Write one job in the running transaction and ring when it commits. One row per (kind, key)."""
    return enqueue_many(kind, {key or str(subject or ""): subject}, due_at=due_at)[0]


def enqueue_many(
    kind: str, subjects: dict[str, UUID | None], *, due_at: datetime | None = None, ring: bool = True
) -> list[UUID]:
    """Write a job per key; asked again while queued it stays one, asked again while running it runs again."""
    job_ids = _write(kind, subjects, due_at=due_at, on_conflict=ASK_AGAIN)
    if ring and due_at is None:
        transaction.on_commit(partial(ring_for, current_organization_id(), kind, job_ids))
    return job_ids


def enqueue_once(kind: str, *, key: str, due_at: datetime | None = None) -> UUID | None:
    """Write a job unless this key was ever asked for: two clocks that ask for one day's work get one job.

    Nobody rings for one that is due at an instant of its own: the sweep after it does.
    """
    job_ids = _write(kind, {key: None}, due_at=due_at, on_conflict=ASK_ONCE)
    if not job_ids:
        return None
    if due_at is not None:
        return job_ids[0]
    transaction.on_commit(partial(ring_for, current_organization_id(), kind, job_ids))
    return job_ids[0]


def _write(
    kind: str, subjects: dict[str, UUID | None], *, due_at: datetime | None, on_conflict: str
) -> list[UUID]:
    """In the order of keys, so that two transactions that ask for the same work can't lock each other out."""
    kind_named(kind)
    ordered = sorted(subjects.items())
    parameters = [
        str(current_organization_id()),
        kind,
        due_at,
        [key for key, _ in ordered],
        [str(subject) if subject else None for _, subject in ordered],
    ]
    with connection.cursor() as cursor:
        cursor.execute(ENQUEUE + on_conflict, parameters)
        return [row[0] for row in cursor.fetchall()]


def run(organization_id: UUID, job_id: UUID) -> bool:
    """Do the job unless somebody else has it. True when this call did it."""
    with doing(job_id):
        return _run(organization_id, job_id)


def _run(organization_id: UUID, job_id: UUID) -> bool:
    with use(organization_id, channel="task"):
        row = _claim(job_id)
        if row is None:
            return False
        try:
            kind = kind_named(row.kind)
        except LookupError as problem:
            return _postpone(row, problem, attempts=row.attempts + 1)
        if kind.long_effect is None:
            assert kind.effect is not None
            return _run_short(row, kind.effect)
        lease = _take_lease(row)
    return lease is not None and _run_long(lease, kind.long_effect)


def _claim(job_id: UUID) -> Job | None:
    """The job if it is due and nobody has it; held by an advisory lock until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [f"job {job_id}"])
        if not cursor.fetchone()[0]:
            return None
    # A statement of its own: it sees what the former holder of the lock has committed.
    due = Job.objects.filter(id=job_id, state=JobState.QUEUED, due_at__lte=Now())
    left = Job.objects.filter(id=job_id, state=JobState.RUNNING, lease_until__lt=Now())
    row: Job | None = due.first() or left.first()
    return row


def _run_short(row: Job, effect: Effect) -> bool:
    """Effect and "done" commit together; a failing effect is rolled back to here and tried later."""
    try:
        with transaction.atomic():
            effect(row.subject)
    except Exception as problem:  # whatever a room raises, the job must not be lost
        log.exception("job %s %s failed", row.kind, row.id)
        return _postpone(row, problem, attempts=row.attempts + 1)
    answered = Job.objects.filter(id=row.id, generation=row.generation)
    if not answered.update(state=JobState.DONE, finished_at=Now(), attempts=0, error=""):
        _ring_again(row)
    return True


def _take_lease(row: Job) -> Lease | None:
    """A committed lease; None when a step of the former holder still runs, or when too many have died of it."""
    same = Job.objects.filter(id=row.id, state=row.state, lease_token=row.lease_token)
    locked: Job | None = same.select_for_update(skip_locked=True).first()
    if locked is None:
        return None
    row = locked
    if row.attempts >= MAX_ATTEMPTS:
        _postpone(row, RuntimeError("every worker that took this job died of it"), attempts=row.attempts)
        return None
    token = uuid4()
    Job.objects.filter(id=row.id).update(
        state=JobState.RUNNING, lease_token=token, lease_until=Now() + LEASE, attempts=row.attempts + 1
    )
    return Lease(row.id, row.organization_id, row.subject, token, row.generation, row.done_count)


def _run_long(lease: Lease, effect: LongEffect) -> bool:
    try:
        effect(lease)
        with lease.step():
            row = Job.objects.get(id=lease.job_id)
            if row.generation == lease.generation:
                _leave(row, state=JobState.DONE, attempts=0, error="")
            else:
                _leave(row, state=JobState.QUEUED, attempts=0, error="")
                _ring_again(row)
    except LeaseLost:
        log.warning("lease of job %s lost to another worker", lease.job_id)
        return False
    except Exception as problem:  # whatever a room raises, the job must not be lost
        log.exception("long job %s failed", lease.job_id)
        with use(lease.organization_id, channel="task"):
            held = Job.objects.select_for_update().filter(id=lease.job_id, lease_token=lease.token)
            if (row := held.first()) is not None:
                _postpone(row, problem, attempts=row.attempts)
        return False
    return True


def _leave(row: Job, **changes: object) -> bool:
    """Give the job up in a new state, if it was not asked for again since `row` was read."""
    same = Job.objects.filter(id=row.id, generation=row.generation)
    return bool(same.update(lease_token=None, lease_until=None, finished_at=Now(), **changes))


def _postpone(row: Job, problem: Exception, *, attempts: int) -> bool:
    """Try again after 2, 4, 8 ... seconds; after MAX_ATTEMPTS it stays failed, with its error. Always False."""
    error = f"{type(problem).__name__}: {problem}"[:2000].replace("\0", "")
    state = JobState.FAILED if attempts >= MAX_ATTEMPTS else JobState.QUEUED
    due_at = Now() + timedelta(seconds=2**attempts)
    if not _leave(row, state=state, attempts=attempts, error=error, due_at=due_at):
        _ring_again(row)
    return False


def _ring_again(row: Job) -> None:
    """It was asked for while it ran, and that ring found it taken."""
    transaction.on_commit(partial(ring_for, row.organization_id, row.kind, [row.id]))
