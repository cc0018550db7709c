"""Who reports to whom at an instant, and which owners a person may see or asks for."""

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from otc.tenancy.context import (
    current_organization_id,
    kept_for_snapshot,
    kept_of_snapshot,
    once_per_snapshot,
)
from otc.tenancy.models import Organization, Person, ReportingLine, Visibility
from otc.tenancy.permissions import SEES_EVERYTHING

# `everyone` is whatever one may see; `owned` is the same without what only a seat on a deal's team opens.
EVERYONE, OWNED = "everyone", "owned"
UNASSIGNED = "unassigned"
# What `once_per_snapshot` keeps everybody under.
EVERYBODY = "people"


class UnknownScope(ValueError):
    """The scope names nobody that the viewer may see: answered as not found."""


@dataclass(frozen=True)
class Chart:
    """The reporting lines of one instant: manager_of[person] is a person, or None for a declared top.

    A person without an entry has no line. `vacant` are the managers who had left.
    """

    manager_of: Mapping[UUID, UUID | None]
    vacant: frozenset[UUID] = frozenset()

    @cached_property
    def reports(self) -> Mapping[UUID, list[UUID]]:
        """Who reports to each manager."""
        found: dict[UUID, list[UUID]] = {}
        for person, manager in self.manager_of.items():
            if manager is not None:
                found.setdefault(manager, []).append(person)
        return found

    def branch(self, person_id: UUID) -> frozenset[UUID]:
        """The person and everybody below."""
        return self._below(person_id, without=frozenset())

    def counted_branch(self, person_id: UUID) -> frozenset[UUID]:
        """The same without the branches of vacant managers further below: their money is unassigned."""
        return self._below(person_id, without=self.vacant)

    def _below(self, person_id: UUID, *, without: frozenset[UUID]) -> frozenset[UUID]:
        found, waiting = {person_id}, [person_id]
        while waiting:
            for report in self.reports.get(waiting.pop(), ()):
                if report not in found and report not in without:
                    found.add(report)
                    waiting.append(report)
        return frozenset(found)

    @cached_property
    def lined(self) -> frozenset[UUID]:
        """Everybody whose line leads up to a declared top; the money of all others is unassigned."""
        occupied = self.tops - self.vacant
        return frozenset().union(*(self.counted_branch(top) for top in occupied))

    @cached_property
    def tops(self) -> frozenset[UUID]:
        return frozenset(person for person, manager in self.manager_of.items() if manager is None)


def chart_at(instant: datetime) -> Chart:
    """The organization's lines as they stood at `instant`."""
    return once_per_snapshot(("chart", instant), lambda: _read_chart(instant))


def charts_keep(instants: Iterable[datetime]) -> None:
    """Read the lines of several instants of one page at once. One query, for those that nobody has read yet."""
    missing = {instant for instant in instants if kept_of_snapshot(("chart", instant)) is None}

    def read() -> dict[Hashable, Any]:
        return {("chart", instant): chart for instant, chart in _read_charts(missing).items()}

    if missing:
        kept_for_snapshot(read)


def chart_keep(instant: datetime, chart: Chart) -> Chart:
    """The chart of the instant, which was read for something else."""
    known = _once(chart)
    kept_for_snapshot(lambda: {("chart", instant): known})
    return known


def _read_chart(instant: datetime) -> Chart:
    return _read_charts([instant])[instant]


def _once(chart: Chart) -> Chart:
    """The chart, or one like it of another instant: what was worked out from that one holds here too."""
    charts: list[Chart] = once_per_snapshot("charts", list)
    for other in charts:
        if other == chart:
            return other
    charts.append(chart)
    return chart


# Lines and leavers at once: nearly every page asks.
LINES = """
SELECT person_id, manager_id, valid_from, valid_to, NULL FROM otc_reportingline
WHERE organization_id = %(organization)s AND valid_from <= %(last)s AND valid_to > %(first)s
UNION ALL
SELECT id, NULL, NULL, NULL, left_on FROM otc_person WHERE organization_id = %(organization)s AND left_on IS NOT NULL
"""


def _read_charts(instants: Collection[datetime]) -> dict[datetime, Chart]:
    asked: dict[str, Any] = {"first": min(instants), "last": max(instants)}
    asked["organization"] = str(current_organization_id())
    with connection.cursor() as cursor:
        cursor.execute(LINES, asked)
        rows = cursor.fetchall()
    left_at = left_at_of((person, left_on) for person, *_, left_on in rows)

    def stood(instant: datetime) -> Chart:
        lines = {
            person: manager for person, manager, start, end, _ in rows if start and start <= instant < end
        }
        return _once(chart_without(lines, gone={one for one, left in left_at.items() if left <= instant}))

    return {instant: stood(instant) for instant in instants}


def left_at_of(people: Iterable[tuple[UUID, date | None]]) -> dict[UUID, datetime]:
    """The instants from which on the seats of those who left are vacant: their `left_on` begins, in UTC."""
    return {
        person: datetime.combine(left_on, time(), tzinfo=UTC)
        for person, left_on in people
        if left_on is not None
    }


def chart_without(manager_of: Mapping[UUID, UUID | None], *, gone: Collection[UUID]) -> Chart:
    """The lines, where of those who had left the managers' seats are vacant."""
    managers = {manager for manager in manager_of.values() if manager is not None}
    return Chart(manager_of, frozenset(managers.intersection(gone)))


@dataclass(frozen=True)
class Owners:
    """A set of deal owners. `person_ids` None means every person; `unassigned` says whether nobody counts too."""

    person_ids: frozenset[UUID] | None
    unassigned: bool

    def contains(self, owner_id: UUID | None) -> bool:
        if owner_id is None:
            return self.unassigned
        return self.person_ids is None or owner_id in self.person_ids

    def intersect(self, other: "Owners") -> "Owners":
        if self.person_ids is None:
            ids = other.person_ids
        elif other.person_ids is None:
            ids = self.person_ids
        else:
            ids = self.person_ids & other.person_ids
        return Owners(ids, self.unassigned and other.unassigned)

    def matching(self, field: str = "owner") -> Q:
        """The same condition for a queryset whose `field` is the owner."""
        nobody = Q(**{f"{field}__isnull": True})
        if self.person_ids is None:
            return Q() if self.unassigned else ~nobody
        somebody = Q(**{f"{field}_id__in": sorted(self.person_ids)})
        return somebody | nobody if self.unassigned else somebody

    def condition(self, column: str) -> tuple[str, list[object]]:
        """SQL that holds for deals of these owners, with its parameters."""
        if self.person_ids is None:
            return ("true", []) if self.unassigned else (f"{column} IS NOT NULL", [])
        if not self.person_ids:
            return (f"{column} IS NULL", []) if self.unassigned else ("false", [])
        clause = f"{column} = ANY(%s::uuid[])"
        ids = [str(person_id) for person_id in sorted(self.person_ids)]
        return (f"({clause} OR {column} IS NULL)", [ids]) if self.unassigned else (clause, [ids])


ALL_OWNERS = Owners(None, True)


def sees_everything(person: Person, *, organization: Organization) -> bool:
    """By role, or because the organization is open."""
    return person.role in SEES_EVERYTHING or organization.visibility == Visibility.OPEN


def branch_owners(person_id: UUID, *, chart: Chart) -> Owners:
    """The person and everybody below; a declared top also sees what nobody owns."""
    return Owners(chart.branch(person_id), person_id in chart.tops)


def scope_owners(scope: str, *, chart: Chart, visible: Owners) -> Owners:
    """The owners that `scope` (a person's id, `unassigned`, `everyone`, `owned`) means on `chart`, as far as visible.

    Unassigned are nobody and everybody without a line (DEFINITIONS 5).
    Raises UnknownScope for anything else and for a person whose deals the viewer can't see.
    """
    if scope in ("", EVERYONE, OWNED):
        return visible
    if scope == UNASSIGNED:
        if not visible.unassigned:
            raise UnknownScope(scope)
        people = Person.objects.values_list("id", flat=True)
        return Owners(frozenset(people) - chart.lined, True).intersect(visible)
    try:
        person_id = UUID(scope)
    except ValueError:
        raise UnknownScope(scope) from None
    is_known = person_id in chart.manager_of or Person.objects.filter(id=person_id).exists()
    if not is_known or not visible.contains(person_id):
        raise UnknownScope(scope)
    return Owners(chart.counted_branch(person_id), False).intersect(visible)


class Named(NamedTuple):
    """What reports say of a person. A tuple, because a large organization has thousands of them."""

    id: UUID
    name: str
    name_folded: str
    title: str
    role: str
    left_on: date | None

    def __str__(self) -> str:
        return self.name


def people_by_id(person_ids: Iterable[UUID] | None = None) -> dict[UUID, Named]:
    """The people of the organization by id, all of them when `person_ids` is None."""
    if person_ids is None:
        return once_per_snapshot(EVERYBODY, lambda: _named(Person.objects.all()))
    wanted = set(person_ids)
    kept: dict[UUID, Named] | None = kept_of_snapshot(EVERYBODY)
    if kept is None:
        return _named(Person.objects.filter(id__in=wanted))
    return {person_id: person for person_id, person in kept.items() if person_id in wanted}


def _named(people: QuerySet[Person]) -> dict[UUID, Named]:
    return {row[0]: Named._make(row) for row in people.values_list(*Named._fields)}


def lines_of(person_id: UUID) -> list[ReportingLine]:
    """To whom the person reported, reports and will report, the latest first."""
    lines = ReportingLine.objects.filter(person_id=person_id).select_related("manager")
    return list(lines.order_by("-valid_from"))


def lock_lines() -> None:
    """Serialize changes of lines in this organization, so that two of them can't close a cycle together.

    Not against foreign keys, which are checked at commit, when others may wait for the audit's chain.
    """
    Organization.objects.select_for_update(no_key=True).get(id=current_organization_id())
