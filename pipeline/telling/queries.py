"""What happened to a deal since it was last told of, how it looks, and who may be told."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import chart_at
from otc.tenancy.models import FOREVER, Organization, Person
from otc.tenancy.permissions import may
from otc.tenancy.reach import visible_reach
from pipeline.history.models import OpportunityVersion
from pipeline.history.queries import RELATED
from pipeline.opportunities.gates import corporate_amount
from pipeline.opportunities.models import Opportunity
from pipeline.risk.models import Risk
from pipeline.team.models import DealTeamMember
from pipeline.team.queries import seen
from pipeline.telling.rules import Look


def steps_since(opportunity_id: UUID, *, since: datetime) -> tuple[Any, list[Any]]:
    """The version in force at `since` (None: the deal is newer), and what people changed after it, the oldest first."""
    known = OpportunityVersion.objects.filter(opportunity_id=opportunity_id, known_to=FOREVER)
    named = known.select_related(*RELATED)
    before = named.filter(valid_from__lte=since).order_by("-valid_from").first()
    after = named.filter(valid_from__gt=since, provenance="live", channel__in=["ui", "api"])
    return before, list(after.order_by("valid_from"))


def look_of(state: Any, *, p_won: float | None = None) -> Look:
    """A deal or version as the rules look at it; without a score its stage's proposal is the chance."""
    proposed = (state.stage.win_percent or 0) / 100 if state.stage else 0.0
    return Look(
        corporate_minor=corporate_amount(state),
        chance=p_won if p_won is not None else proposed,
        close_date=state.close_date,
        category=state.category,
        stage_position=state.stage.position if state.stage else None,
        outcome=state.outcome,
        is_deleted=state.deleted_at is not None,
    )


def chance_of(deal: Any) -> float | None:
    """Its chance of being won by the close date that stands; None where no score stands for that."""
    found: Any = Risk.objects.filter(opportunity_id=deal.opportunity_id, close_date=deal.close_date)
    p_won = found.values_list("p_won", flat=True).first()
    return float(p_won) if p_won is not None else None


def concerned(opportunity_id: UUID, owner_id: UUID | None, *, now: datetime) -> list[UUID]:
    """The owner, everybody above them in the line, and the deal's team."""
    chart = chart_at(now)
    found: list[UUID] = []
    person_id = owner_id
    while person_id is not None and person_id not in found:
        found.append(person_id)
        person_id = chart.manager_of.get(person_id)
    seats = DealTeamMember.objects.filter(opportunity_id=opportunity_id, valid_to=FOREVER)
    return [*found, *(seat for seat in seats.values_list("person_id", flat=True) if seat not in found)]


def may_be_told(person_ids: Iterable[UUID], opportunity_id: UUID, *, now: datetime) -> list[UUID]:
    """Those of them who are here and may see the deal today, also one that was just deleted."""
    organization = Organization.objects.get(id=current_organization_id())
    people = {person.id: person for person in Person.objects.filter(id__in=list(person_ids))}
    return [
        person_id
        for person_id in person_ids
        if person_id in people and _sees(people[person_id], opportunity_id, organization, now=now)
    ]


def _sees(person: Person, opportunity_id: UUID, organization: Organization, *, now: datetime) -> bool:
    if person.left_on is not None and person.left_on <= now.date():
        return False
    if not may(person.role, "view_deals"):
        return False
    reach = visible_reach(person, organization=organization, now=now)
    return bool(Opportunity.objects.filter(seen(reach), id=opportunity_id).exists())
