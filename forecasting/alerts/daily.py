"""The day's walk over every rule: each in a step of its own, which moves its watermark along with what it fired."""

from datetime import datetime
from uuid import UUID

from forecasting.alerts.delivery import deliveries_forget
from forecasting.alerts.firing import around, events_fire, state_fire
from forecasting.alerts.models import AlertRule
from otc.jobs.lease import Lease


def alerts_all(lease: Lease, *, now: datetime) -> None:
    """Done twice it fires nothing twice: every event has its key."""
    with lease.step():
        active = AlertRule.objects.filter(paused_at__isnull=True, deleted_at__isnull=True)
        rule_ids = list(active.order_by("id").values_list("id", flat=True))
        deliveries_forget(now=now)
    for number, rule_id in enumerate(rule_ids):
        since: datetime | None = None
        while True:
            with lease.step(done=number, total=len(rule_ids)):
                since = rule_walk(rule_id, now=now, since=since)
            if since is None:
                break


def rule_walk(rule_id: UUID, *, now: datetime, since: datetime | None = None) -> datetime | None:
    """Look at what one rule missed up to `now`, from `since` or its watermark on. Returns where to go on; None once
    it is through, and then its watermark has moved.
    """
    found = AlertRule.objects.select_for_update(of=("self",)).select_related("owner", "hook", "hook__owner")
    rule: AlertRule | None = found.filter(id=rule_id, paused_at__isnull=True, deleted_at__isnull=True).first()
    if rule is None:
        return None
    here, more = around(now), None
    if rule.is_event:
        _, more = events_fire(here, rules=[rule], since=since)
    else:
        state_fire(rule, here)
    if more is None and now > rule.until:
        AlertRule.objects.filter(id=rule.id).update(until=now)
    return more
