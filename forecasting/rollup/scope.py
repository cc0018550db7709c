"""The chart by which a report groups, and its tree as far as the scope reaches."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from forecasting.rollup.rules import Tree
from otc.tenancy.lines import Chart, Owners, chart_at


def chart_for(instant: datetime, *, org_chart: str, now: datetime) -> Chart:
    """The lines by which a report as of `instant` groups: those of then, or today's."""
    if org_chart not in ("then", "now"):
        raise ValueError(f"org_chart is then or now, not “{org_chart}”")
    return chart_at(instant if org_chart == "then" else now)


def tree_of(owners: Owners, *, chart: Chart, line: Tree | None = None) -> Tree:
    """The chart as far as the scope reaches: whoever reports to somebody outside of it is a top here. `line` is the
    whole chart's tree where it is known to be sound already.
    """
    if owners.person_ids is None:
        return line or Tree(chart.manager_of, chart.vacant)
    inside: Mapping[UUID, UUID | None] = {
        person: manager if manager in owners.person_ids else None
        for person, manager in chart.manager_of.items()
        if person in owners.person_ids
    }
    return Tree(inside, chart.vacant)
