"""The jobs of health and risk: one deal after an edit, every open deal once a day and after an import."""

from uuid import UUID

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import job, long_job


@job("deal_health")
def deal_health(subject: UUID | None) -> None:
    """Bring one deal's health and risk up to date, then tell whom its last changes concern."""
    from pipeline.health.services import health_refresh
    from pipeline.opportunities.signals import deal_scored
    from pipeline.telling.services import deal_tell

    if subject is not None:
        health_refresh([subject], now=timezone.now())
        deal_tell(subject, now=timezone.now())
        deal_scored.send(sender=None, opportunity_id=subject)


@long_job("health_daily", is_daily=True)
def health_daily(lease: Lease) -> None:
    """Learn the stage rates anew, then bring every open deal up to date: time alone changes health.

    Asked for under a key of its own it also serves an import: one job instead of one per deal.
    """
    from pipeline.health.services import health_refresh_all

    health_refresh_all(lease, now=timezone.now())


@long_job("health_half")
def health_half(lease: Lease) -> None:
    """The later half of a large organization's open deals, from the deal that the subject names on."""
    from pipeline.health.services import health_refresh_from

    if lease.subject is not None:
        health_refresh_from(lease, first=lease.subject, now=timezone.now())


@long_job("health_past")
def health_past(lease: Lease) -> None:
    """How the deals lay in the bands in the weeks before the first day was kept, from versions."""
    from pipeline.health.past import health_past_keep

    health_past_keep(lease, now=timezone.now())
