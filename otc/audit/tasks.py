"""The audit's jobs: counted refusals once their minute is over."""

from uuid import UUID

from django.utils import timezone

from otc.jobs.registry import job


@job("audit_refusals")
def audit_refusals(subject: UUID | None) -> None:
    """Turn the refusals that were only counted into entries."""
    from otc.audit.refusals import refusals_close

    refusals_close(now=timezone.now())
