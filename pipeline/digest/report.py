"""What somebody's digest says: what changed in their own and their team's deals, what is due, what they were told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from otc.fields.queries import field_book
from otc.notices.models import Notice
from otc.question import ask
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import FOREVER, Organization, Person
from otc.ui import format as fmt
from pipeline.history.changes import changes
from pipeline.history.models import OpportunityVersion
from pipeline.history.queries import RELATED, versions_as_of
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.queries import visible_opportunities
from pipeline.team.models import DealTeamMember
from pipeline.today.report import today_report

MOST_CHANGED, MOST_DUE, MOST_NOTICES = 20, 15, 20
# Reasons of Today that a day has brought.
DUE = frozenset({"close_date_passed", "next_step_due", "milestone_missing"})


@dataclass(frozen=True)
class Changed:
    """A deal with what changed, in words."""

    deal_id: UUID
    name: str
    owner: str
    amount: str
    told: tuple[str, ...]


@dataclass(frozen=True)
class Due:
    deal_id: UUID
    name: str
    headline: str
    detail: str


@dataclass(frozen=True)
class DigestReport:
    """`more_…` count what was left out."""

    person: Person
    organization: Organization
    day: date
    changed: tuple[Changed, ...]
    more_changed: int
    due: tuple[Due, ...]
    more_due: int
    notices: tuple[Notice, ...]
    more_notices: int

    @property
    def is_empty(self) -> bool:
        return not (self.changed or self.due or self.notices)

    @property
    def subject(self) -> str:
        """“3 due, 12 deals changed”."""
        changed = len(self.changed) + self.more_changed
        parts = [
            f"{len(self.due) + self.more_due} due" if self.due else "",
            f"{fmt.plural(changed, 'deal')} changed" if changed else "",
            f"{fmt.plural(len(self.notices) + self.more_notices, 'notice')}" if self.notices else "",
        ]
        return ", ".join([part for part in parts if part][:2])


def digest_report(
    person: Person, organization: Organization, *, since: datetime, now: datetime
) -> DigestReport:
    """What happened in (since, now] and is due today, of what the person may see now."""
    tenant = Tenant(organization, person, now, [organization])
    changed, more_changed = _changed(tenant, since=since)
    due, more_due = _due(tenant)
    notices = _notices(tenant, since=since)
    return DigestReport(
        person=person,
        organization=organization,
        day=tenant.today,
        changed=changed,
        more_changed=more_changed,
        due=due[:MOST_DUE],
        more_due=more_due,
        notices=tuple(notices[:MOST_NOTICES]),
        more_notices=max(0, len(notices) - MOST_NOTICES),
    )


def _changed(tenant: Tenant, *, since: datetime) -> tuple[tuple[Changed, ...], int]:
    """The largest of the deals that somebody else changed, with how many there are besides. Six queries."""
    branch = sorted(tenant.chart.branch(tenant.person.id))
    seats = DealTeamMember.objects.filter(person=tenant.person, valid_to=FOREVER).values("opportunity_id")
    recent = OpportunityVersion.objects.filter(
        valid_from__gt=since, valid_from__lte=tenant.now, known_to=FOREVER, provenance="live"
    ).exclude(actor=tenant.person)
    # Whose deal it is by the version, for the index; whether it still is theirs by the deal itself.
    touched = recent.filter(Q(owner_id__in=branch) | Q(opportunity_id__in=seats)).values("opportunity_id")
    mine = Q(owner_id__in=branch) | Q(id__in=seats)
    found = visible_opportunities(tenant.visible).filter(mine, id__in=touched)
    count = found.count()
    largest = found.select_related(*(name for name in RELATED if name not in ("actor", "acted_for")))
    deals = list(largest.order_by("-amount_minor", "id")[:MOST_CHANGED])
    told = _told(deals, since=since, today=tenant.today)
    rows = tuple(_row(deal, told[deal.id]) for deal in deals if told[deal.id])
    return rows, max(0, count - len(deals))


def _told(deals: Sequence[Opportunity], *, since: datetime, today: date) -> dict[UUID, tuple[str, ...]]:
    """What changed of each deal since then, in words: nothing where it is as it was."""
    ids = [deal.id for deal in deals]
    then = versions_as_of(since, known=None).filter(opportunity_id__in=ids).select_related(*RELATED)
    before: dict[UUID, Any] = {version.opportunity_id: version for version in then}
    states = [deal.attributes for deal in deals] + [version.attributes for version in before.values()]
    book = field_book("deal").naming(states)
    return {
        deal.id: tuple(
            change.sentence.strip()
            for change in changes(
                before.get(deal.id), deal, today=today, fields=book.fields, names=book.names
            )
        )
        for deal in deals
    }


def _row(deal: Opportunity, told: tuple[str, ...]) -> Changed:
    amount = ""
    if deal.amount_minor is not None:
        amount = f"{fmt.money_full(deal.amount_minor, currency=deal.currency)} {deal.currency}"
    return Changed(deal.id, deal.name, deal.owner.name if deal.owner else "", amount, told)


def _due(tenant: Tenant) -> tuple[tuple[Due, ...], int]:
    """What Today asks of the person because a day has come, and what is to close today: of their own deals."""
    report = today_report(ask(tenant, {"scope": str(tenant.person.id)}), limit=10 * MOST_DUE)
    asked = [
        row
        for row in report.rows
        if row.deal.owner_id == tenant.person.id and {reason.key for reason in row.reasons} & DUE
    ]
    closing = visible_opportunities(tenant.visible).filter(
        owner=tenant.person, outcome__isnull=True, close_date=tenant.today
    )
    known = {row.deal.id for row in asked}
    due = [Due(row.deal.id, row.deal.name, row.headline, row.detail) for row in asked]
    due += [
        Due(deal.id, deal.name, "Its close date is today", "")
        for deal in closing.order_by("-amount_minor", "id")[:MOST_DUE]
        if deal.id not in known
    ]
    return tuple(due), max(0, len(due) - MOST_DUE)


def _notices(tenant: Tenant, *, since: datetime) -> list[Notice]:
    """What the person was told of, as far as they may still see the deal that it is about."""
    found = Notice.objects.filter(
        person=tenant.person, in_digest=True, created_at__gt=since, created_at__lte=tenant.now
    )
    notices = list(found.order_by("-created_at", "-id")[: 5 * MOST_NOTICES])
    about = [notice.deal_id for notice in notices if notice.deal_id is not None]
    shown = set(visible_opportunities(tenant.visible).filter(id__in=about).values_list("id", flat=True))
    return [notice for notice in notices if notice.deal_id is None or notice.deal_id in shown]
