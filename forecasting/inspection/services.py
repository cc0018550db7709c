"""The only writer of visits."""

from datetime import datetime, timedelta

from forecasting.inspection.models import LastVisit
from otc.tenancy.models import Person

SAME_VISIT = timedelta(minutes=30)


def visit_of(person: Person, *, page: str) -> LastVisit | None:
    """What is remembered of the person's looks at a page; None before the first. One query."""
    visit: LastVisit | None = LastVisit.objects.filter(person=person, page=page).first()
    return visit


def visit_note(
    person: Person, *, page: str, now: datetime, visit: LastVisit | None = None, since: str = ""
) -> None:
    """Remember that `person` looks at `page`; looks within half an hour are one visit. `since`, where one was chosen,
    is what the next looks compare with. `visit`: what `visit_of` found, where it was asked.
    """
    visit = visit or visit_of(person, page=page)
    if visit is None:
        first = LastVisit(person=person, page=page, at=now, previous_at=None, since=since)
        LastVisit.objects.bulk_create([first], ignore_conflicts=True)
        return
    if now - visit.at >= SAME_VISIT:
        visit.previous_at = visit.at
    visit.at = now
    visit.since = since or visit.since
    visit.save(update_fields=["at", "previous_at", "since"])


def visit_before(visit: LastVisit | None, *, now: datetime) -> datetime | None:
    """When the visit before the running one was; None where there was none."""
    if visit is None:
        return None
    instant: datetime | None = visit.at if now - visit.at >= SAME_VISIT else visit.previous_at
    return instant


def previous_visit(person: Person, *, page: str, now: datetime) -> datetime | None:
    """The same, read from the database."""
    return visit_before(visit_of(person, page=page), now=now)
