"""Leads in pages, and one lead with its checklist; as far as one may see their owners."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum
from rest_framework.exceptions import ValidationError

from otc.api.pages import PAGE_SIZE, Sort, keyset_page
from otc.question import BadQuestion
from otc.tenancy.reach import Reach
from pipeline.leads.models import Lead, LeadCheck, LeadMark, LeadState
from pipeline.leads.rules import Fit, fit
from pipeline.search.queries import leads_bearing

SORTS: Mapping[str, Sort] = {"created": Sort("created_at", datetime), "name": Sort("name_folded", str)}
STATES = (*LeadState.values, "any")
COLUMNS = (
    *("id", "name", "name_folded", "company", "contact_name", "email", "source", "campaign", "state"),
    *("return_reason", "owner_id", "owner__name", "opportunity_id", "created_at", "decided_at"),
)


@dataclass(frozen=True)
class LeadRow:
    id: UUID
    name: str
    company: str
    contact_name: str
    source: str
    campaign: str
    state: str
    owner_name: str
    opportunity_id: UUID | None
    created_at: datetime
    fit: Fit


@dataclass(frozen=True)
class LeadsReport:
    rows: tuple[LeadRow, ...]
    counts: Mapping[str, int]
    next_cursor: str | None


@dataclass(frozen=True)
class Question:
    """A question of the checklist, and whether it holds."""

    id: UUID
    text: str
    points: int
    holds: bool


def visible_leads(visible: Reach) -> Any:
    """As for deals: by owner, today's lines."""
    return Lead.objects.filter(visible.owners.matching("owner"))


def visible_lead(lead_id: UUID, *, visible: Reach) -> Lead | None:
    found = visible_leads(visible).select_related("owner", "account", "contact", "opportunity", "decided_by")
    lead: Lead | None = found.filter(id=lead_id).first()
    return lead


def worded(leads: Any, words: str) -> Any:
    """Leads where each word that was typed begins a word of the name, company, person or address."""
    return leads.filter(leads_bearing(words)) if words.strip() else leads


def leads_report(
    *, visible: Reach, state: str = "open", words: str = "", sort: str = "-created", after: str | None = None
) -> LeadsReport:
    """A page of leads. Four queries. Raises BadQuestion."""
    if state not in STATES:
        raise BadQuestion("state", f"“{state}” is none of: {', '.join(STATES)}")
    if sort.removeprefix("-") not in SORTS:
        raise BadQuestion("sort", f"“{sort}” is none of: {', '.join(SORTS)}")
    found = worded(visible_leads(visible), words)
    rows = found if state == "any" else found.filter(state=state)
    try:
        page = keyset_page(
            rows.values(*COLUMNS),
            parameters={"sort": sort, "cursor": after, "limit": PAGE_SIZE},
            sorts=SORTS,
        )
    except ValidationError as problem:
        raise BadQuestion("after", "This page isn’t there any more; start with the first one") from problem
    counted = dict(found.values("state").annotate(n=Count("id")).order_by("state").values_list("state", "n"))
    counts = {one: counted.get(one, 0) for one in LeadState.values} | {"any": sum(counted.values())}
    return LeadsReport(tuple(_rows(page.rows)), counts, page.next_cursor)


def _rows(found: list[dict[str, Any]]) -> list[LeadRow]:
    fits = fits_of([row["id"] for row in found])
    return [
        LeadRow(
            id=row["id"],
            name=row["name"],
            company=row["company"],
            contact_name=row["contact_name"],
            source=row["source"],
            campaign=row["campaign"],
            state=row["state"],
            owner_name=row["owner__name"] or "",
            opportunity_id=row["opportunity_id"],
            created_at=row["created_at"],
            fit=fits[row["id"]],
        )
        for row in found
    ]


def fits_of(lead_ids: list[UUID]) -> dict[UUID, Fit]:
    """How well each fits today's checklist. Two queries."""
    asked = LeadCheck.objects.filter(retired_at__isnull=True)
    most = asked.aggregate(most=Sum("points"))["most"] or 0
    held = LeadMark.objects.filter(lead_id__in=lead_ids, check_asked__retired_at__isnull=True)
    points = dict(
        held.values("lead_id")
        .annotate(points=Sum("check_asked__points"))
        .order_by("lead_id")
        .values_list("lead_id", "points")
    )
    return {lead_id: Fit(points.get(lead_id, 0), most) for lead_id in lead_ids}


def checklist_of(lead_id: UUID) -> tuple[list[Question], Fit]:
    """Today's questions with what holds for the lead. Two queries."""
    marked = set(LeadMark.objects.filter(lead_id=lead_id).values_list("check_asked_id", flat=True))
    asked = list(LeadCheck.objects.filter(retired_at__isnull=True))
    questions = [Question(one.id, one.text, one.points, one.id in marked) for one in asked]
    return questions, fit({one.id: one.points for one in asked}, marked)
