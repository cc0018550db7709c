"""What has to be computed anew after an import."""

from otc.imports.kinds import ImportJob
from otc.jobs.services import enqueue


def refresh_health(job: ImportJob) -> None:
    """One job for all deals instead of one for each, and one for the past's weekly sums; none when the file brought
    nothing new.
    """
    if job.rows("SELECT 1 FROM import_stage WHERE refused_reason IS NULL AND NOT is_unchanged LIMIT 1"):
        enqueue("health_daily", key="import")
        enqueue("weekly_sums", key="import")
