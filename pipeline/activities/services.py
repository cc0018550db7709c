"""The only writer of activities: what happened around a deal is logged, never edited."""

from datetime import datetime
from uuid import UUID

from otc.jobs.services import enqueue
from otc.tenancy.context import current_context
from otc.tenancy.models import Person
from pipeline.accounts.models import Contact
from pipeline.activities.models import Activity
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import HEALTH_JOB

KINDS = ("call", "meeting", "mail", "note")
CLOSE_PLAN = "close_plan"
# What somebody logs, and what a room records of what was done in it.
ALL_KINDS = (*KINDS, CLOSE_PLAN)
DIRECTIONS = ("", "in", "out")


def activity_log(
    opportunity_id: UUID,
    *,
    kind: str,
    at: datetime,
    now: datetime,
    subject: str = "",
    direction: str = "",
    person_id: UUID | None = None,
    contact_id: UUID | None = None,
) -> Activity:
    """Log one contact or note at `at`, by the acting person unless `person_id` names another.

    Raises Refused for an unknown kind or direction, a moment that lies ahead, and people who aren't here.
    """
    if kind not in ALL_KINDS:
        raise Refused("kind", "Choose one of: " + ", ".join(KINDS))
    if direction not in DIRECTIONS:
        raise Refused("direction", "A contact goes in, out or neither way")
    if at > now:
        raise Refused("at", "Only what has happened is logged; write what lies ahead as the next step")
    if kind == "note" and not subject.strip():
        raise Refused("subject", "A note needs words")
    _check_people(person_id, contact_id)
    deal = Opportunity.objects.only("id").get(id=opportunity_id)
    activity = Activity(
        opportunity_id=deal.id,
        kind=kind,
        at=at,
        subject=subject.strip()[:500],
        direction=direction,
        person_id=person_id or current_context().person_id,
        contact_id=contact_id,
    )
    activity.save()
    enqueue(HEALTH_JOB, subject=deal.id)
    return activity


def activity_forget(activity_id: UUID, *, opportunity_id: UUID) -> None:
    """Take back a logged activity: the undo of activity_log."""
    Activity.objects.filter(id=activity_id, opportunity_id=opportunity_id).delete()
    enqueue(HEALTH_JOB, subject=opportunity_id)


def _check_people(person_id: UUID | None, contact_id: UUID | None) -> None:
    """Refuse an id of nobody in this organization, before the database's key would."""
    if person_id is not None and not Person.objects.filter(id=person_id).exists():
        raise Refused("person", "There is no such person")
    if contact_id is not None and not Contact.objects.filter(id=contact_id).exists():
        raise Refused("contact", "There is no such contact")
