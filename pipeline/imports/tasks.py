"""The jobs of imports: one per upload that is checked or applied, and a daily one that forgets what is old."""

from django.utils import timezone

from otc.imports.runs import RUN_JOB, forget_old
from otc.jobs.lease import Lease
from otc.jobs.registry import long_job


@long_job(RUN_JOB)
def import_run(lease: Lease) -> None:
    """Check or apply one upload, as its run says."""
    from otc.imports.carrying_out import carry_out
    from pipeline.history.services import renew_statistics
    from pipeline.imports.registry import KINDS, MODELS

    carry_out(lease, kinds=KINDS, models=MODELS, after=renew_statistics)


@long_job("imports_forget", is_daily=True)
def imports_forget(lease: Lease) -> None:
    """Delete uploaded files and refused rows that are older than they are kept."""
    with lease.step():
        forget_old(now=timezone.now())
