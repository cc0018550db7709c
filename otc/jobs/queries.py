"""What is due in the whole house, and for whom there is work: through the jobs' doorway, ids only."""

from dataclasses import dataclass
from uuid import UUID

from otc.tenancy.context import through_doorway

# Two branches, so that each can use its own partial index.
DUE = """
(SELECT organization_id, kind, id, due_at FROM otc_job
 WHERE state = 'queued' AND due_at <= clock_timestamp() ORDER BY due_at LIMIT %s)
UNION ALL
(SELECT organization_id, kind, id, lease_until FROM otc_job
 WHERE state = 'running' AND lease_until < clock_timestamp() ORDER BY lease_until LIMIT %s)
ORDER BY 4 LIMIT %s
"""


@dataclass(frozen=True)
class DueJob:
    organization_id: UUID
    kind: str
    job_id: UUID


def due_jobs(*, limit: int) -> list[DueJob]:
    """What is due or whose lease has expired, oldest first."""
    rows = through_doorway("doorway", "jobs", DUE, [limit, limit, limit])
    return [DueJob(organization_id, kind, job_id) for organization_id, kind, job_id, _ in rows]


def organization_ids() -> list[UUID]:
    """Every organization's id, for periodic work."""
    return [
        row[0] for row in through_doorway("doorway", "jobs", "SELECT id FROM otc_organization ORDER BY id")
    ]
