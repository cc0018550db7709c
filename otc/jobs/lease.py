"""The right to go on with a long job: committed, renewed by every step, lost to whoever takes over."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models.functions import Now

from otc.jobs.models import Job, JobState
from otc.tenancy.context import use

LEASE = timedelta(seconds=60)


class LeaseLost(RuntimeError):
    """Another worker has taken this job over; whatever this one wanted to write is rolled back."""


@dataclass(frozen=True)
class Lease:
    """`token` fences: only its holder may write. `generation` is the request that this run answers.

    `done_count` is where a run that died had got to, 0 for a new one.
    """

    job_id: UUID
    organization_id: UUID
    subject: UUID | None
    token: UUID
    generation: int
    done_count: int = 0

    @contextmanager
    def step(self, *, done: int | None = None, total: int | None = None) -> Iterator[None]:
        """A short transaction of the job: fenced by the token, renewing the lease, showing progress.

        `done` and `total` are counts of the job's own unit. Raises LeaseLost before anything is written. The row
        stays locked until the step commits, so nobody takes over in the middle of one. Work between two steps
        must be shorter than LEASE.
        """
        with use(self.organization_id, channel="task"):
            row = self._locked_row()
            changes: dict[str, Any] = {"lease_until": Now() + LEASE}
            # Asked again meanwhile: what this run has done no longer counts, whoever goes on starts anew.
            if done is not None and row.generation == self.generation:
                changes["done_count"] = done
            if total is not None:
                changes["total_count"] = total
            Job.objects.filter(id=self.job_id).update(**changes)
            yield

    def _locked_row(self) -> Job:
        held = Job.objects.filter(id=self.job_id, state=JobState.RUNNING, lease_token=self.token)
        row: Job | None = held.select_for_update().first()
        if row is None:
            raise LeaseLost(f"job {self.job_id}")
        return row
