"""Many reporting lines changed together: all or none, in whatever order they were written, and put back together."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from otc.audit.services import audit_append
from otc.tenancy.lines import lock_lines, people_by_id
from otc.tenancy.models import FOREVER, ReportingLine
from otc.tenancy.services import CyclicLine

NAMED = 6
MOST_LINES = 5000


@dataclass(frozen=True)
class LineWish:
    """From `since` on `person_id` reports to `manager_id`, None: is a declared top."""

    person_id: UUID
    manager_id: UUID | None
    since: datetime


# (manager, from) of the lines of a person that stood from an instant on, the earliest first.
type Planned = list[tuple[UUID | None, datetime]]


def lines_set(wishes: Sequence[LineWish]) -> dict[UUID, Planned]:
    """Let all these lines hold, whatever was planned after them. Returns what stood before, of those that changed.

    Only the end counts: two who change places are no cycle, whoever is written first. Raises CyclicLine naming the
    people that would report to themselves, and then nothing is written.
    """
    with transaction.atomic():
        lock_lines()
        before = {}
        for person_id in {one.person_id for one in wishes}:
            own = sorted((one for one in wishes if one.person_id == person_id), key=lambda one: one.since)
            if (stood := _replace(own)) is not None:
                before[person_id] = stood
        refuse_cycles(since=min((one.since for one in wishes), default=FOREVER))
        if before:
            audit_append(
                "line.many",
                summary=f"{len(before):,} reporting lines changed together",
                detail={
                    "lines": [
                        {"person_id": one.person_id, "manager_id": one.manager_id, "since": one.since}
                        for one in wishes
                        if one.person_id in before
                    ][:100]
                },
            )
    return before


def _replace(own: Sequence[LineWish]) -> Planned | None:
    """Write one person's lines, the earliest first. None where they stand so already."""
    since = own[0].since
    lines = ReportingLine.objects.filter(person_id=own[0].person_id, valid_to__gt=since)
    stood: Planned = list(lines.order_by("valid_from").values_list("manager_id", "valid_from"))
    if len(stood) == len(own) == 1 and stood[0][0] == own[0].manager_id and stood[0][1] <= since:
        return None
    lines.filter(valid_from__gte=since).delete()
    lines.filter(valid_from__lt=since).update(valid_to=since)
    ends = [one.since for one in own[1:]] + [FOREVER]
    ReportingLine.objects.bulk_create(
        ReportingLine(person_id=one.person_id, manager_id=one.manager_id, valid_from=one.since, valid_to=end)
        for one, end in zip(own, ends, strict=True)
    )
    return stood


def lines_end(person_ids: Collection[UUID], *, at: datetime) -> None:
    """From `at` on these people stand in no line."""
    lines = ReportingLine.objects.filter(person_id__in=person_ids, valid_to__gt=at)
    lines.filter(valid_from__gte=at).delete()
    lines.update(valid_to=at)


def refuse_cycles(*, since: datetime) -> None:
    """Raise CyclicLine where somebody would report to themselves at `since` or on any later day."""
    lines = list(
        ReportingLine.objects.filter(valid_to__gt=since).values_list(
            "person_id", "manager_id", "valid_from", "valid_to"
        )
    )
    for instant in sorted({since, *(first for _, _, first, _ in lines if first > since)}):
        manager_of = {person: manager for person, manager, first, end in lines if first <= instant < end}
        if cycle := cycle_in(manager_of):
            people = people_by_id(cycle)
            names = [people[person].name for person in cycle]
            more = f" → … {len(names) - NAMED} more" if len(names) > NAMED else ""
            said = " → ".join(names[:NAMED]) + more
            raise CyclicLine(f"They would report in a circle: {said} → {names[0]}")


def cycle_in(manager_of: Mapping[UUID, UUID | None]) -> list[UUID]:
    """The people of a circle, each before the one reported to; none where every way up ends."""
    done: set[UUID] = set()
    for start in manager_of:
        way: list[UUID] = []
        place: dict[UUID, int] = {}
        person: UUID | None = start
        while person is not None and person not in done:
            if person in place:
                return way[place[person] :]
            place[person] = len(way)
            way.append(person)
            person = manager_of.get(person)
        done.update(way)
    return []
