"""The plan as the buyer sees it: what is his, what of ours was chosen, and nothing else of the deal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from otc.logo.models import Logo
from otc.logo.queries import logo_now
from otc.tenancy.models import Organization, Person
from pipeline.closeplan.models import ClosePlan, ClosePlanEvent
from pipeline.closeplan.queries import events_of, plan_of
from pipeline.history.queries import stages_reached
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.process.models import Milestone, Side
from pipeline.process.rules import due_on

OPEN, MET, NOT_NEEDED = "open", "met", "not_needed"


@dataclass(frozen=True)
class PlanMilestone:
    """One step. `due_on` is empty while its stage lies ahead; `met_by` is a recipient's name, empty for ours."""

    id: UUID
    name: str
    is_buyers: bool
    state: str
    due_on: date | None
    met_on: date | None
    met_by: str
    is_late: bool

    @property
    def is_tickable(self) -> bool:
        """The buyer's own, open or ticked by a recipient; what we marked stands until somebody of ours opens it."""
        return self.is_buyers and (self.state == OPEN or bool(self.met_by))


@dataclass(frozen=True)
class PlanComment:
    id: UUID
    who: str
    is_buyers: bool
    at: datetime
    text: str
    about: str


@dataclass(frozen=True)
class PlanPerson:
    name: str
    title: str
    email: str


@dataclass(frozen=True)
class SharedPlan:
    """Everything that leaves the house; the deal's own name, amount, stage, health and notes are not in it."""

    title: str
    organization_name: str
    people: tuple[PlanPerson, ...]
    milestones: tuple[PlanMilestone, ...]
    comments: tuple[PlanComment, ...]
    is_over: bool
    today: date
    zone: ZoneInfo
    logo: Logo | None = None

    @property
    def needed(self) -> tuple[PlanMilestone, ...]:
        return tuple(one for one in self.milestones if one.state != NOT_NEEDED)

    @property
    def met_count(self) -> int:
        return sum(one.state == MET for one in self.needed)

    @property
    def next_due(self) -> PlanMilestone | None:
        """The buyer's open step with the earliest day."""
        waiting = [one for one in self.needed if one.is_buyers and one.state == OPEN and one.due_on]
        return min(waiting, key=lambda one: one.due_on or self.today, default=None)


def usual_title(deal: Opportunity, organization: Organization) -> str:
    """Never the deal's own name, which may say what is not the buyer's to read."""
    return (
        f"{deal.account.name} and {organization.name}" if deal.account else f"Plan with {organization.name}"
    )


def shared_plan(deal: Opportunity, organization: Organization, *, now: datetime) -> SharedPlan:
    """The plan of the deal as it stands. Seven queries, however long it is."""
    zone = ZoneInfo(organization.timezone)
    today = now.astimezone(zone).date()
    plan = plan_of(deal.id)
    events = events_of(deal.id)
    return SharedPlan(
        title=plan.title if plan else usual_title(deal, organization),
        organization_name=organization.name,
        people=_people(plan, deal, today=today),
        milestones=_milestones(plan, deal, today=today, zone=zone),
        comments=tuple(_comment(event, organization) for event in reversed(events) if event.text),
        is_over=not deal.is_open,
        today=today,
        zone=zone,
        logo=logo_now(),
    )


def shown_milestones(plan: ClosePlan | None, deal: Opportunity) -> list[Milestone]:
    """All of the buyer's of the deal's process, and those of ours that were chosen, in order."""
    chosen = set(plan.milestone_ids) if plan else set()
    found = Milestone.objects.filter(
        stage__process_id=deal.process_id, stage__retired_at__isnull=True, retired_at__isnull=True
    )
    ordered = found.select_related("stage").order_by("stage__position", "position", "id")
    return [one for one in ordered if one.side == Side.BUYER or str(one.id) in chosen]


def _people(plan: ClosePlan | None, deal: Opportunity, *, today: date) -> tuple[PlanPerson, ...]:
    """In the order chosen; nobody who left. Without a choice the deal's owner."""
    chosen = list(plan.person_ids) if plan else [str(deal.owner_id)] if deal.owner_id else []
    people = {str(person.id): person for person in Person.objects.filter(id__in=chosen)}
    here = [
        people[key]
        for key in chosen
        if key in people and (people[key].left_on is None or people[key].left_on > today)
    ]
    return tuple(PlanPerson(person.name, person.title, person.email) for person in here)


def _milestones(
    plan: ClosePlan | None,
    deal: Opportunity,
    *,
    today: date,
    zone: ZoneInfo,
) -> tuple[PlanMilestone, ...]:
    entered = stages_reached(deal.id)
    marks = {mark.milestone_id: mark for mark in OpportunityMilestone.objects.filter(opportunity=deal)}
    return tuple(
        _milestone(one, entered, marks.get(one.id), today=today, zone=zone)
        for one in shown_milestones(plan, deal)
    )


def _milestone(
    one: Milestone,
    entered: Mapping[UUID, datetime],
    mark: Any,
    *,
    today: date,
    zone: ZoneInfo,
) -> PlanMilestone:
    due = due_on(entered.get(one.stage_id), one.due_days, zone=zone)
    state = OPEN if mark is None else MET if mark.met_at else NOT_NEEDED
    return PlanMilestone(
        id=one.id,
        name=one.name,
        is_buyers=one.side == Side.BUYER,
        state=state,
        due_on=due,
        met_on=mark.met_at.astimezone(zone).date() if state == MET else None,
        met_by=mark.ticked_by if state == MET else "",
        is_late=state == OPEN and due is not None and due < today,
    )


def _comment(event: ClosePlanEvent, organization: Organization) -> PlanComment:
    who = event.link.recipient if event.link else event.person.name if event.person else organization.name
    about = event.milestone.name if event.milestone else ""
    return PlanComment(event.id, who, event.link is not None, event.at, event.text, about)
