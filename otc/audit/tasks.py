"""The audit's jobs: the daily check of the chain, and counted refusals once their minute is over."""

from uuid import UUID

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import job, long_job


@job("audit_refusals")
def audit_refusals(subject: UUID | None) -> None:
    """Turn the refusals that were only counted into entries."""
    from otc.audit.refusals import refusals_close

    refusals_close(now=timezone.now())


@long_job("audit_daily", is_daily=True)
def audit_daily(lease: Lease) -> None:
    """Recompute the chain, keep a checkpoint of it, and clear away counters that nobody asked about."""
    from otc.audit.daily import check_chain
    from otc.audit.refusals import refusals_close

    with lease.step():
        refusals_close(now=timezone.now())
    check_chain(lease, now=timezone.now())
