"""Whose deals may somebody see, and for whom do they stand in? Today's lines and delegations, read at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from otc.tenancy.context import current_organization_id, once_per_snapshot
from otc.tenancy.lines import (
    ALL_OWNERS,
    Chart,
    Owners,
    branch_owners,
    chart_keep,
    chart_without,
    sees_everything,
)
from otc.tenancy.models import Organization, Person, Visibility
from otc.tenancy.permissions import STANDS_IN


@dataclass(frozen=True)
class Reach:
    """A set of deals: those of `owners`, and those on whose team or in whose splits one of `seated` is."""

    owners: Owners
    seated: frozenset[UUID] = frozenset()


EVERYTHING = Reach(ALL_OWNERS)


@dataclass(frozen=True)
class Charge:
    """A manager for whom somebody stands in up to and with `last_on`, and the owners of that branch today."""

    manager_id: UUID
    manager_name: str
    role: str
    last_on: date
    owners: Owners


@dataclass(frozen=True)
class Standing:
    """The chart of an instant and the charges that a person has on that day."""

    chart: Chart
    charges: tuple[Charge, ...]


# One query for both, because nearly every page needs them.
STANDING = """
SELECT person_id, manager_id, NULL, NULL, NULL FROM otc_reportingline
WHERE organization_id = %(organization)s AND valid_from <= %(now)s AND valid_to > %(now)s
UNION ALL
SELECT id, NULL, NULL, NULL, left_on FROM otc_person
WHERE organization_id = %(organization)s AND left_on <= %(gone_by)s
UNION ALL
SELECT d.manager_id, NULL, p.name, p.role, d.last_on FROM otc_delegation d
JOIN otc_person p ON p.organization_id = d.organization_id AND p.id = d.manager_id
WHERE d.organization_id = %(organization)s AND d.delegate_id = %(person)s AND d.ended_at IS NULL
  AND d.first_on <= %(today)s AND d.last_on >= %(today)s
"""


def standing_of(person: Person, *, organization: Organization, now: datetime) -> Standing:
    """Today's lines, and for whom `person` stands in today. One query."""
    key = ("standing", person.id, person.role, now)
    return once_per_snapshot(key, lambda: _read_standing(person, organization=organization, now=now))


def _read_standing(person: Person, *, organization: Organization, now: datetime) -> Standing:
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "person": str(person.id),
        "now": now,
        "today": now.astimezone(ZoneInfo(organization.timezone)).date(),
        "gone_by": now.astimezone(UTC).date(),
    }
    with connection.cursor() as cursor:
        cursor.execute(STANDING, parameters)
        rows = cursor.fetchall()
    gone = {row[0] for row in rows if row[2] is None and row[4] is not None}
    lines = {row[0]: row[1] for row in rows if row[2] is None and row[4] is None}
    chart = chart_keep(now, chart_without(lines, gone=gone))
    charges = [
        Charge(manager_id, name, role, last_on, branch_owners(manager_id, chart=chart))
        for manager_id, _, name, role, last_on in rows
        if name is not None and person.role in STANDS_IN
    ]
    return Standing(chart, tuple(sorted(charges, key=lambda charge: (charge.last_on, charge.manager_name))))


def own_owners(person: Person, *, organization: Organization, chart: Chart) -> Owners:
    """Whose deals the person may see without standing in for anybody."""
    if sees_everything(person, organization=organization):
        return ALL_OWNERS
    return branch_owners(person.id, chart=chart)


def reach_of(person: Person, *, organization: Organization, standing: Standing) -> Reach:
    """What the person may see today. This never depends on `as_of`."""
    owners = own_owners(person, organization=organization, chart=standing.chart)
    owners = united([owners, *(charge.owners for charge in standing.charges)])
    if owners.person_ids is None or organization.visibility != Visibility.TEAM:
        return Reach(owners)
    return Reach(owners, owners.person_ids)


def visible_reach(person: Person, *, organization: Organization, now: datetime) -> Reach:
    """The same, read from the database. One query."""
    return reach_of(
        person,
        organization=organization,
        standing=standing_of(person, organization=organization, now=now),
    )


def united(found: Iterable[Owners]) -> Owners:
    """Everybody who is in one of the sets."""
    people: frozenset[UUID] | None = frozenset()
    unassigned = False
    for owners in found:
        unassigned = unassigned or owners.unassigned
        people = None if people is None or owners.person_ids is None else people | owners.person_ids
    return Owners(people, unassigned)
