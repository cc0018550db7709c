"""The jobs of exports: one per file that was asked for, and a daily one that deletes what has expired."""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job
from pipeline.exports.services import EXPORT_JOB, exports_forget


@long_job(EXPORT_JOB)
def deals_export(lease: Lease) -> None:
    """Make one file."""
    from pipeline.exports.writing import write_export

    write_export(lease)


@long_job("exports_forget", is_daily=True)
def forget_exports(lease: Lease) -> None:
    with lease.step():
        exports_forget(now=timezone.now())
