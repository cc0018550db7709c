"""Whose deals a scope means on a chart of reporting lines, the same for every report."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from forecasting.rollup.rules import Tree, unassigned_people
from otc.tenancy.lines import UNASSIGNED, Chart, Owners, chart_at, scope_owners
from otc.tenancy.models import Person


def chart_for(instant: datetime, *, org_chart: str, now: datetime) -> Chart:
    """The lines by which a report as of `instant` groups: those of then, or today's."""
    if org_chart not in ("then", "now"):
        raise ValueError(f"org_chart is then or now, not “{org_chart}”")
    return chart_at(instant if org_chart == "then" else now)


def owners_in_scope(scope: str, *, chart: Chart, visible: Owners) -> Owners:
    """The owners that `scope` means on `chart`, as far as visible; "unassigned" holds people without a line
    too.

    Raises UnknownScope for a scope that the viewer can't see.
    """
    owners = scope_owners(scope, chart=chart, visible=visible)
    if scope != UNASSIGNED:
        return owners
    people = Person.objects.values_list("id", flat=True)
    outside = unassigned_people(Tree(chart.manager_of), people=people)
    return Owners(outside, True).intersect(visible)


def tree_of(owners: Owners, *, chart: Chart) -> Tree:
    """The chart as far as the scope reaches: whoever reports to somebody outside of it is a top here."""
    if owners.person_ids is None:
        return Tree(chart.manager_of)
    inside: Mapping[UUID, UUID | None] = {
        person: manager if manager in owners.person_ids else None
        for person, manager in chart.manager_of.items()
        if person in owners.person_ids
    }
    return Tree(inside)
