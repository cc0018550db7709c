"""The only writer of visits."""

from datetime import datetime, timedelta

from forecasting.inspection.models import LastVisit
from otc.tenancy.models import Person

SAME_VISIT = timedelta(minutes=30)


def visit_note(person: Person, *, page: str, now: datetime) -> None:
    """Remember that `person` looks at `page`; looks within half an hour are one visit."""
    visit = LastVisit.objects.filter(person=person, page=page).first()
    if visit is None:
        LastVisit.objects.bulk_create(
            [LastVisit(person=person, page=page, at=now, previous_at=None)], ignore_conflicts=True
        )
        return
    if now - visit.at >= SAME_VISIT:
        visit.previous_at = visit.at
    visit.at = now
    visit.save(update_fields=["at", "previous_at"])


def previous_visit(person: Person, *, page: str, now: datetime) -> datetime | None:
    """When the visit before the running one was; None where there was none."""
    visit = LastVisit.objects.filter(person=person, page=page).first()
    if visit is None:
        return None
    instant: datetime | None = visit.at if now - visit.at >= SAME_VISIT else visit.previous_at
    return instant
