"""How Celery is told that a job waits. A ring may be lost, doubled or late: only the job's row counts."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import current_app

from otc.jobs.registry import is_long

log = logging.getLogger("otc.jobs")
SHORT_QUEUE, LONG_QUEUE = "celery", "long"
# A transaction that asks for more (an import) lets the sweep ring for the rest.
RING_AT_MOST = 200
# The sweep rings again anyway, so a ring that nobody has heard by then only fills the broker.
RING_EXPIRES_SECONDS = 60


def queue_of(kind: str) -> str:
    """Long jobs have a queue of their own, so that short ones never wait for them."""
    return LONG_QUEUE if is_long(kind) else SHORT_QUEUE


def rings_waiting(queue: str) -> int:
    """How many rings of a queue nobody has heard yet; 0 where the broker doesn't say."""
    try:
        with current_app.connection_for_write() as connection:
            channel: Any = connection.channel()
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except Exception:  # an empty queue doesn't exist; a dead broker raises a family of its own
        return 0


def ring_for(organization_id: UUID, kind: str, job_ids: Sequence[UUID]) -> None:
    """Tell Celery. A dead broker is logged and forgotten."""
    from otc.jobs.tasks import run_job

    queue = queue_of(kind)
    try:
        for job_id in job_ids[:RING_AT_MOST]:
            run_job.apply_async(
                (str(organization_id), str(job_id)), queue=queue, expires=RING_EXPIRES_SECONDS, retry=False
            )
    except Exception:  # the broker's client raises a family of its own, and a page must not care
        log.warning("the broker does not answer; the sweep will ring")
