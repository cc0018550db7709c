"""What a viewer sees of alerts: the rules, what fired of what they may see, and what a rule would have fired."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q

from forecasting.alerts import queries
from forecasting.alerts.firing import (
    around,
    is_inside,
    news_of_step,
    sees_branch,
    step_fires,
)
from forecasting.alerts.models import AlertFired, AlertRule
from forecasting.alerts.rules import COVERAGE
from forecasting.alerts.words import coverage_told, holding_told
from forecasting.quotas.rules import State
from otc.tenancy.lines import people_by_id
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.models import Opportunity
from pipeline.team.queries import seen

PREVIEW_DAYS = 30
PREVIEW_SHOWN = 50


@dataclass(frozen=True)
class RuleRow:
    """A rule with how often it fired in the last PREVIEW_DAYS, and when last."""

    rule: AlertRule
    fired_count: int
    fired_at: datetime | None


@dataclass(frozen=True)
class WouldHave:
    """One thing that a rule would have told."""

    at: datetime
    text: str
    deal_id: UUID | None


@dataclass(frozen=True)
class Preview:
    """What the rule as it stands would have fired; `is_cut`: only the first edits of the days were looked at."""

    count: int
    shown: tuple[WouldHave, ...]
    days: int = PREVIEW_DAYS
    is_cut: bool = False


def rules_of(tenant: Tenant) -> Any:
    """The rules that a viewer keeps: their own, and the organization's where they keep those."""
    kept = Q(owner_id=tenant.person.id)
    if tenant.may("manage_alerts"):
        kept |= Q(owner__isnull=True)
    return AlertRule.objects.filter(kept, deleted_at__isnull=True)


def rule_rows(tenant: Tenant) -> list[RuleRow]:
    """One's own rules, then the organization's, by name. Two queries."""
    found = rules_of(tenant).select_related("owner", "scope", "hook", "made_by")
    rules = list(found.order_by("owner_id", "name", "id"))
    since = tenant.now - timedelta(days=PREVIEW_DAYS)
    counted = (
        fired_of(tenant)
        .filter(rule_id__in=[rule.id for rule in rules], fired_at__gt=since)
        .order_by()
        .values("rule_id")
        .annotate(count=Count("id"), last=Max("fired_at"))
    )
    counts = {row["rule_id"]: (row["count"], row["last"]) for row in counted}
    return [RuleRow(rule, *counts.get(rule.id, (0, None))) for rule in rules]


def fired_of(tenant: Tenant) -> Any:
    """What was told to the viewer or by rules that they keep, of deals and branches that they may see today."""
    mine = Q(rule__in=rules_of_all(tenant)) | Q(told_ids__contains=[str(tenant.person.id)])
    may_see = Q(opportunity__in=Opportunity.objects.filter(seen(tenant.visible)).values("id"))
    owners = tenant.visible.owners
    if owners.person_ids is None:
        may_see |= Q(opportunity__isnull=True)
    else:
        heads = [head for head in owners.person_ids if tenant.chart.branch(head) <= owners.person_ids]
        may_see |= Q(opportunity__isnull=True, subject__in=heads)
    return AlertFired.objects.filter(mine, may_see, is_quiet=False)


def rules_of_all(tenant: Tenant) -> Any:
    """Those that the viewer keeps, the removed ones too: their log stays."""
    kept = Q(owner_id=tenant.person.id)
    if tenant.may("manage_alerts"):
        kept |= Q(owner__isnull=True)
    return AlertRule.objects.filter(kept).values("id")


def preview_report(rule: AlertRule, *, tenant: Tenant) -> Preview:
    """What the rule would have fired in the last PREVIEW_DAYS, of deals that the viewer may see; the rule need not be
    saved. What was taken back meanwhile counts as well.
    """
    since = tenant.now - timedelta(days=PREVIEW_DAYS)
    if rule.kind == COVERAGE:
        found = _coverage_before(rule, tenant=tenant)
        return Preview(len(found), tuple(found[:PREVIEW_SHOWN]))
    if rule.is_event:
        return _events_before(rule, tenant=tenant, since=since)
    holdings = queries.began_holding(rule, since=since, now=tenant.now, reach=tenant.visible)
    inside = [one for one in holdings if is_inside(rule, one.owner_id, chart=tenant.chart)]
    inside.sort(key=lambda one: one.at, reverse=True)
    shown = [WouldHave(one.at, holding_told(rule, one), one.deal_id) for one in inside[:PREVIEW_SHOWN]]
    return Preview(len(inside), tuple(shown))


def _events_before(rule: AlertRule, *, tenant: Tenant, since: datetime) -> Preview:
    found = queries.steps(
        kinds={rule.kind}, since=since, until=tenant.now, reach=tenant.visible, provenances=queries.LIVED
    )
    fired = [step for step in found if step_fires(rule, step, chart=tenant.chart)]
    fired.sort(key=lambda step: step.at, reverse=True)
    names = people_by_id({step.actor_id for step in fired[:PREVIEW_SHOWN] if step.actor_id})
    shown = []
    for step in fired[:PREVIEW_SHOWN]:
        actor = names[step.actor_id].name if step.actor_id in names else ""
        news = news_of_step(rule, step, actor=actor, today=tenant.today)
        shown.append(WouldHave(step.at, news.text, step.deal_id))
    return Preview(len(fired), tuple(shown), is_cut=len(found) == queries.MOST_STEPS)


def _coverage_before(rule: AlertRule, *, tenant: Tenant) -> list[WouldHave]:
    """The crossings between one day and the next, the latest first: one sum per day."""
    here = around(tenant.now)
    if not sees_branch(tenant.person, rule.scope_id, here):
        return []
    whose = people_by_id([rule.scope_id])[rule.scope_id].name if rule.scope_id else here.organization.name
    limit, was_low, found = rule.times_hundredths or 0, True, []
    for ago in range(PREVIEW_DAYS, -1, -1):
        at = tenant.now - timedelta(days=ago)
        day = at.astimezone(tenant.zone).date()
        stood = queries.coverage_of(rule.scope_id, organization=here.organization, as_of=at, day=day)
        is_low = stood.state == State.RATIO and stood.remaining is not None and stood.remaining * 100 < limit
        if is_low and not was_low:
            found.append(WouldHave(at, coverage_told(stood, whose=whose, times_hundredths=limit), None))
        was_low = is_low
    return found[::-1]
