"""Work that shows when it is lost or done twice: each task adds one to its deal's amount.

The same effect twice: as a job of otc.jobs, and as a task that plain Celery delivers with its own defaults.
"""

import time
from functools import partial
from uuid import UUID

from celery import shared_task
from django.db import connection, transaction

from otc.jobs.doorbell import ring_for
from otc.jobs.lease import Lease
from otc.jobs.registry import job, long_job
from otc.jobs.services import enqueue_many
from otc.tenancy.context import use

SECONDS_OF_WORK = 0.01
# A long job lasts long enough for a fault to meet it, and for its successor to be met at work.
LONG_STEPS, SECONDS_PER_STEP = 20, 0.06
ASKED = "asked"
# Between effect and "done" there is time to die: a claim that didn't commit with its effect would show.
SLOW_DONE = """
CREATE FUNCTION storm_pause() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(0.01); RETURN NEW; END $$;
CREATE TRIGGER storm_pause BEFORE UPDATE ON otc_job FOR EACH ROW
WHEN (NEW.kind = 'count' AND NEW.state = 'done') EXECUTE FUNCTION storm_pause()
"""


@job("count")
def count(subject: UUID | None) -> None:
    """One transaction with its job's row."""
    _add_one(subject)
    time.sleep(SECONDS_OF_WORK)


@long_job("count_long")
def count_long(lease: Lease) -> None:
    """Adds one per step, from where its progress says that it must."""
    for step in range(lease.done_count, LONG_STEPS):
        with lease.step(done=step + 1, total=LONG_STEPS):
            _add_one(lease.subject)
        time.sleep(SECONDS_PER_STEP)


@shared_task(name="storm.plain_count", acks_late=False, reject_on_worker_lost=None)
def plain_count(organization_id: str, deal_id: str) -> None:
    """As most projects do it: sent on commit, acknowledged on receipt."""
    with use(UUID(organization_id)):
        _add_one(UUID(deal_id))
    time.sleep(SECONDS_OF_WORK)


def _add_one(deal_id: UUID | None) -> None:
    """Not repeatable on purpose."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pipeline_opportunity SET amount_minor = amount_minor + 1 WHERE id = %s", [str(deal_id)]
        )


def ask(organization_id: UUID, deal_ids: list[UUID], *, how: str) -> int:
    """Ask once for each deal's count in the transaction that notes the asking; a repeated request asks nothing.

    `how` is jobs, long or plain; twice are jobs whose rings come doubled, so that two workers reach for the same
    at once. Returns how many were asked for now.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pipeline_opportunity SET next_step = %s "
            "WHERE id = ANY(%s::uuid[]) AND next_step <> %s RETURNING id",
            [ASKED, [str(deal_id) for deal_id in deal_ids], ASKED],
        )
        new = [deal_id for (deal_id,) in cursor.fetchall()]
    if how == "plain":
        for deal_id in new:
            transaction.on_commit(partial(plain_count.delay, str(organization_id), str(deal_id)))
    elif new:
        kind = "count_long" if how == "long" else "count"
        is_doubled = how == "twice"
        job_ids = enqueue_many(kind, {str(deal_id): deal_id for deal_id in new}, ring=not is_doubled)
        if is_doubled:
            rings = [job_id for job_id in job_ids for _ in range(2)]
            transaction.on_commit(partial(ring_for, organization_id, kind, rings))
    return len(new)
