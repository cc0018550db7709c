"""The jobs of health and risk: one deal after an edit, every open deal once a day."""

from uuid import UUID

from otc.jobs.lease import Lease
from otc.jobs.registry import job, long_job


@job("deal_health")
def deal_health(subject: UUID | None) -> None:
    """Bring one deal's health and risk up to date."""
    from pipeline.health.services import health_refresh

    if subject is not None:
        health_refresh([subject])


@long_job("health_daily")
def health_daily(lease: Lease) -> None:
    """Learn the stage rates anew, then bring every open deal up to date: time alone changes health."""
    from pipeline.health.services import health_refresh_all

    health_refresh_all(lease)
