"""How Celery is told that a job waits. A ring may be lost, doubled or late: only the job's row counts."""

import logging
from collections.abc import Sequence
from uuid import UUID

from otc.jobs.registry import is_long

log = logging.getLogger("otc.jobs")
SHORT_QUEUE, LONG_QUEUE = "celery", "long"
# A transaction that asks for more (an import) lets the sweep ring for the rest.
RING_AT_MOST = 200
# The sweep rings again anyway, so a ring that nobody has heard by then only fills the broker.
RING_EXPIRES_SECONDS = 60


def ring_for(organization_id: UUID, kind: str, job_ids: Sequence[UUID]) -> None:
    """Tell Celery, long jobs in a queue of their own so that short ones never wait for them.

    A dead broker is logged and forgotten.
    """
    from otc.jobs.tasks import run_job

    queue = LONG_QUEUE if is_long(kind) else SHORT_QUEUE
    try:
        for job_id in job_ids[:RING_AT_MOST]:
            run_job.apply_async(
                (str(organization_id), str(job_id)), queue=queue, expires=RING_EXPIRES_SECONDS, retry=False
            )
    except Exception:  # the broker's client raises a family of its own, and a page must not care
        log.warning("the broker does not answer; the sweep will ring")
