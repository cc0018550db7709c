"""What fires, once, and who hears of it. Firing commits with the job that noticed it, so a dead worker loses and
doubles nothing: each event has a key that the database takes once.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from forecasting.alerts import queries
from forecasting.alerts.delivery import delivery_ask
from forecasting.alerts.models import AlertFired, AlertRule
from forecasting.alerts.queries import Holding, Step
from forecasting.alerts.rules import (
    COVERAGE,
    DEAL_EVENTS,
    DEAL_STATES,
    Condition,
    fires,
    still_stands,
)
from forecasting.alerts.words import coverage_told, facts_of, holding_told, step_told
from forecasting.quotas.rules import State
from otc.notices.kinds import ALERT, Ways
from otc.notices.services import notices_send
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Chart, chart_at, people_by_id
from otc.tenancy.models import Organization, Person
from otc.tenancy.permissions import may
from otc.tenancy.reach import visible_reach
from pipeline.telling.queries import may_be_told

# How far behind the watermark a walk looks again: an edit's instant is taken before its transaction commits.
OVERLAP = timedelta(hours=6)
# Of so many in an hour a rule tells one by one; of those that follow it says once that they are in the log.
TOLD_AN_HOUR = 20
# The same rule doesn't speak of one deal again within this time: somebody is still at it.
QUIET = timedelta(hours=1)

TAKE = """
INSERT INTO forecasting_alertfired (organization_id, rule_id, key, subject, opportunity_id, text, facts, at, fired_at,
  told_ids, holds, is_quiet)
VALUES (%(organization)s, %(rule)s, %(key)s, %(subject)s, %(deal)s, %(text)s, %(facts)s, %(at)s, %(now)s, '[]',
  %(holds)s, %(is_quiet)s)
ON CONFLICT DO NOTHING RETURNING id
"""


@dataclass(frozen=True)
class News:
    """Something that a rule noticed, before anybody was told."""

    rule: AlertRule
    key: str
    subject: UUID
    text: str
    at: datetime
    deal_id: UUID | None = None
    owner_id: UUID | None = None
    actor_id: UUID | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    holds: bool = False


@dataclass(frozen=True)
class Around:
    """What every look at the rules needs, read once."""

    organization: Organization
    chart: Chart
    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(self.organization.timezone)).date()


def around(now: datetime) -> Around:
    return Around(Organization.objects.get(id=current_organization_id()), chart_at(now), now)


def deal_alerts(deal_id: UUID, *, now: datetime) -> int:
    """Fire what one deal's edits and its state ask for. Returns how many fired."""
    here = around(now)
    fired, _ = events_fire(here, rules=queries.active_rules(DEAL_EVENTS), deal_id=deal_id)
    for rule in queries.active_rules(DEAL_STATES):
        fired += state_fire(rule, here, deal_id=deal_id)
    return fired


def events_fire(
    here: Around, *, rules: Sequence[AlertRule], deal_id: UUID | None = None, since: datetime | None = None
) -> tuple[int, datetime | None]:
    """Fire rules about events, for one deal or for all. Returns how many fired, and where to go on (None: at the end).

    What was taken back before anybody looked, or follows closely on the same, is kept as quiet: decided once.
    """
    if not rules:
        return 0, None
    found = queries.steps(
        kinds={rule.kind for rule in rules},
        since=since or min(floor_of(rule) for rule in rules),
        until=here.now,
        deal_id=deal_id,
    )
    names = people_by_id({step.actor_id for step in found if step.actor_id})
    fired = 0
    for step in found:
        actor = names[step.actor_id].name if step.actor_id in names else ""
        for rule in rules:
            if step.at > floor_of(rule) and step_fires(rule, step, chart=here.chart):
                news = news_of_step(rule, step, actor=actor, today=here.today)
                stands = still_stands(condition_of(rule), before=step.before, now=step.now)
                fired += fire(news, here, is_quiet=not stands or _spoke_lately(rule, news))
    return fired, found[-1].at if len(found) == queries.MOST_STEPS else None


def floor_of(rule: AlertRule) -> datetime:
    """What happened up to then is old for the rule."""
    since: datetime = max(rule.since, rule.until - OVERLAP)
    return since


def step_fires(rule: AlertRule, step: Step, *, chart: Chart) -> bool:
    """The edit is of the rule's branch and fires it."""
    return is_inside(rule, step.owner_id, chart=chart) and fires(
        condition_of(rule), before=step.before, after=step.after
    )


def condition_of(rule: AlertRule) -> Condition:
    return Condition(rule.kind, rule.amount_minor, rule.percent, rule.span)


def is_inside(rule: AlertRule, owner_id: UUID | None, *, chart: Chart) -> bool:
    return rule.scope_id is None or (owner_id is not None and owner_id in chart.branch(rule.scope_id))


def news_of_step(rule: AlertRule, step: Step, *, actor: str, today: date) -> News:
    return News(
        rule=rule,
        key=f"{step.deal_id}:{step.at.isoformat()}",
        subject=step.deal_id,
        text=step_told(rule.kind, step, actor=actor, today=today),
        at=step.at,
        deal_id=step.deal_id,
        owner_id=step.owner_id,
        actor_id=step.actor_id,
        facts={"before": facts_of(step.before), "after": facts_of(step.after), "by": actor},
    )


def state_fire(rule: AlertRule, here: Around, *, deal_id: UUID | None = None, is_quiet: bool = False) -> int:
    """Fire where the condition began to hold, and let it fire again where it holds no more. Returns how many fired."""
    if rule.kind == COVERAGE:
        return _coverage_fire(rule, here, is_quiet=is_quiet)
    found = {
        one.deal_id: one
        for one in queries.holdings(rule, now=here.now, deal_id=deal_id)
        if is_inside(rule, one.owner_id, chart=here.chart)
    }
    held = _held(rule, subject=deal_id)
    AlertFired.objects.filter(id__in=[held[gone] for gone in held.keys() - found.keys()]).update(holds=False)
    new = [news_of_holding(rule, one, now=here.now) for key, one in found.items() if key not in held]
    return sum(fire(news, here, is_quiet=is_quiet) for news in new)


def news_of_holding(rule: AlertRule, found: Holding, *, now: datetime) -> News:
    return News(
        rule=rule,
        key=f"{found.deal_id}:{now.isoformat()}",
        subject=found.deal_id,
        text=holding_told(rule, found),
        at=now,
        deal_id=found.deal_id,
        owner_id=found.owner_id,
        facts={"after": {"amount_minor": found.amount_minor, "currency": found.currency}},
        holds=True,
    )


def _held(rule: AlertRule, *, subject: UUID | None) -> dict[UUID, UUID]:
    """What the rule is silent about because it said so already: {subject: firing}."""
    rows = AlertFired.objects.filter(rule_id=rule.id, holds=True)
    if subject is not None:
        rows = rows.filter(subject=subject)
    return dict(rows.values_list("subject", "id"))


def _coverage_fire(rule: AlertRule, here: Around, *, is_quiet: bool) -> int:
    subject = rule.scope_id or here.organization.id
    found = queries.coverage_of(rule.scope_id, organization=here.organization, as_of=here.now, day=here.today)
    held = _held(rule, subject=subject)
    limit: int = rule.times_hundredths or 0
    is_low = found.state == State.RATIO and found.remaining is not None and found.remaining * 100 < limit
    if not is_low:
        AlertFired.objects.filter(id__in=held.values()).update(holds=False)
        return 0
    if held:
        return 0
    whose = people_by_id([rule.scope_id])[rule.scope_id].name if rule.scope_id else here.organization.name
    text = coverage_told(found, whose=whose, times_hundredths=limit)
    facts = {"coverage": float(found.remaining or 0), "limit": limit / 100}
    news = News(rule, f"{subject}:{here.now.isoformat()}", subject, text, here.now, facts=facts, holds=True)
    return fire(news, here, is_quiet=is_quiet)


def fire(news: News, here: Around, *, is_quiet: bool = False) -> int:
    """Keep the firing under its key and tell whom it concerns: 1, or 0 where it was kept already, or where the one
    whose rule it is may not know. `is_quiet` keeps it and tells nobody. A hook hears of each.
    """
    rule = news.rule
    told = readers(rule, news, here)
    if rule.owner_id is not None and rule.owner_id not in audience(rule, news, here, [rule.owner_id]):
        return 0
    fired_id = _take(news, here, is_quiet=is_quiet)
    if fired_id is None or is_quiet:
        return 0
    path = f"deals/{news.deal_id}/" if news.deal_id else "alerts/fired/"
    if told := _tell(news, here, told=told, path=path):
        AlertFired.objects.filter(id=fired_id).update(told_ids=[str(person_id) for person_id in told])
    if rule.hook is not None and audience(rule, news, here, [rule.hook.owner_id]):
        delivery_ask(rule.hook, content=content_of(news, here, path=path), fired_id=fired_id, now=here.now)
    return 1


def _tell(news: News, here: Around, *, told: list[UUID], path: str) -> list[UUID]:
    """By bell and mail, as the rule says; returns who heard of it. Of many at once nobody hears one by one."""
    rule, text = news.rule, news.text
    lately = AlertFired.objects.filter(rule_id=rule.id, is_quiet=False, fired_at__gt=here.now - QUIET).count()
    if lately > TOLD_AN_HOUR + 1:
        return []
    if lately == TOLD_AN_HOUR + 1:
        text, path = f"more than {TOLD_AN_HOUR} in an hour; the log has those that follow", "alerts/fired/"
    if rule.in_app or rule.by_mail:
        notices_send(
            told,
            text=f"{rule.name}: {text}",
            path=path,
            is_bad=rule.kind != "won",
            kind=ALERT,
            deal_id=news.deal_id if lately <= TOLD_AN_HOUR else None,
            usual=Ways(in_app=rule.in_app, in_digest=False, is_mailed=rule.by_mail),
        )
    return told


def content_of(news: News, here: Around, *, path: str) -> dict[str, Any]:
    """What a hook gets. Amounts are minor units of the deal's own currency."""
    return {
        "type": "alert.fired",
        "timestamp": news.at.isoformat(),
        "data": {
            "rule": {"id": str(news.rule.id), "name": news.rule.name, "kind": news.rule.kind},
            "organization": here.organization.slug,
            "text": news.text,
            "deal_id": str(news.deal_id) if news.deal_id else None,
            "owner_id": str(news.owner_id) if news.owner_id else None,
            "path": f"/o/{here.organization.slug}/{path}",
            **news.facts,
        },
    }


def readers(rule: AlertRule, news: News, here: Around) -> list[UUID]:
    """Whom the rule names, but who did it, as far as they may see what it is about."""
    named = [UUID(person_id) for person_id in rule.person_ids]
    if rule.owner_id:
        named.append(rule.owner_id)
    if rule.tells_owner and news.owner_id:
        named.append(news.owner_id)
    manager_id = here.chart.manager_of.get(news.owner_id) if news.owner_id else None
    if rule.tells_manager and manager_id:
        named.append(manager_id)
    return audience(rule, news, here, [one for one in dict.fromkeys(named) if one != news.actor_id])


def audience(rule: AlertRule, news: News, here: Around, person_ids: Iterable[UUID]) -> list[UUID]:
    """Those of the people who may see the deal, or all deals of the branch whose coverage it is."""
    if news.deal_id is not None:
        return may_be_told(list(person_ids), news.deal_id, now=here.now)
    people = Person.objects.in_bulk(list(person_ids))
    return [
        person_id
        for person_id in person_ids
        if person_id in people and sees_branch(people[person_id], rule.scope_id, here)
    ]


def sees_branch(person: Person, scope_id: UUID | None, here: Around) -> bool:
    if (person.left_on and person.left_on <= here.today) or not may(person.role, "view_forecast"):
        return False
    owners = visible_reach(person, organization=here.organization, now=here.now).owners
    return owners.person_ids is None or (
        scope_id is not None and here.chart.branch(scope_id) <= owners.person_ids
    )


def _spoke_lately(rule: AlertRule, news: News) -> bool:
    """Of this deal, of another edit, within QUIET before this one."""
    lately = AlertFired.objects.filter(
        rule_id=rule.id, subject=news.subject, is_quiet=False, at__gt=news.at - QUIET, at__lte=news.at
    )
    return bool(lately.exclude(key=news.key).exists())


def _take(news: News, here: Around, *, is_quiet: bool) -> UUID | None:
    """The firing's id; None where the key was taken already, by whichever worker."""
    parameters = {
        "organization": str(here.organization.id),
        "rule": str(news.rule.id),
        "key": news.key,
        "subject": str(news.subject),
        "deal": str(news.deal_id) if news.deal_id else None,
        "text": news.text[:300],
        "facts": json.dumps(news.facts, ensure_ascii=False),
        "at": news.at,
        "now": here.now,
        "holds": news.holds,
        "is_quiet": is_quiet,
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, parameters)
        row = cursor.fetchone()
    return row[0] if row else None
