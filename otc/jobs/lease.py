"""The right to go on with a long job: committed, renewed by every step, lost to whoever takes over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from otc.jobs.models import Job, JobState
from otc.tenancy.context import use

LEASE = timedelta(seconds=60)


class LeaseLost(RuntimeError):
    """Another worker has taken this job over; whatever this one wanted to write is rolled back."""


@dataclass(frozen=True)
class Lease:
    job_id: UUID
    organization_id: UUID
    subject: UUID | None
    token: UUID
    done_count: int

    @contextmanager
    def step(self, *, done: int | None = None, total: int | None = None) -> Iterator[None]:
        """A short transaction of the job: fenced by the token, renewing the lease, showing progress.

        `done` and `total` are counts of the job's own unit. Raises LeaseLost before anything is written.
        """
        with use(self.organization_id, channel="task"):
            held = Job.objects.select_for_update().filter(
                id=self.job_id, state=JobState.RUNNING, lease_token=self.token
            )
            row = held.first()
            if row is None:
                raise LeaseLost(f"job {self.job_id}")
            row.lease_until = timezone.now() + LEASE
            row.done_count = row.done_count if done is None else done
            row.total_count = row.total_count if total is None else total
            row.save(update_fields=["lease_until", "done_count", "total_count"])
            yield
