"""Alerts' jobs: one deal after its edits, coverage after them, all rules once a day, and posts to hooks."""

from typing import Any
from uuid import UUID

from django.dispatch import receiver
from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import job, long_job
from otc.jobs.services import enqueue
from pipeline.opportunities.signals import deal_scored

# Before the digests leave.
BEFORE_DIGESTS = 6


@receiver(deal_scored)
def ask_for_alerts(sender: Any, *, opportunity_id: UUID, **more: Any) -> None:
    """A deal's health follows its edits: its alerts are looked at next, asked for in the same transaction."""
    from forecasting.alerts.queries import active_kinds
    from forecasting.alerts.rules import COVERAGE

    kinds = active_kinds()
    if kinds - {COVERAGE}:
        enqueue("alerts_of_deal", subject=opportunity_id)
    if COVERAGE in kinds:
        enqueue("alerts_of_coverage")


@job("alerts_of_deal")
def alerts_of_deal(subject: UUID | None) -> None:
    """Fire what a deal's edits and its state ask for; each event at most once, whoever comes first."""
    from forecasting.alerts.firing import deal_alerts

    if subject is not None:
        deal_alerts(subject, now=timezone.now())


@job("alerts_of_coverage")
def alerts_of_coverage(subject: UUID | None) -> None:
    """One job for however many edits: it reads what stands."""
    from forecasting.alerts.firing import around, state_fire
    from forecasting.alerts.queries import active_rules
    from forecasting.alerts.rules import COVERAGE

    here = around(timezone.now())
    for rule in active_rules([COVERAGE]):
        state_fire(rule, here)


@long_job("alerts_daily", is_daily=True, hour=BEFORE_DIGESTS)
def alerts_daily(lease: Lease) -> None:
    """Every rule: what time alone changes, and every event since its watermark that no job of a deal has told."""
    from forecasting.alerts.daily import alerts_all

    alerts_all(lease, now=timezone.now())


@long_job("alert_delivery")
def alert_delivery(lease: Lease) -> None:
    """Claimed in a step, posted outside of every transaction, booked in a step: at least once, under a stable id."""
    from forecasting.alerts.delivery import delivery_book, delivery_claim
    from forecasting.alerts.posting import post

    with lease.step():
        claimed = delivery_claim(lease.subject, now=timezone.now())
    if claimed is None:
        return
    answer = post(claimed)
    with lease.step():
        delivery_book(lease.subject, answer, now=timezone.now())
