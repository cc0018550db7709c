"""Whose deals a scope meant at many instants: the lines are read once, not once per instant."""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from otc.question import Question
from otc.tenancy.lines import EVERYONE, OWNED, UNASSIGNED, Chart, Owners, chart_without, left_at_of
from otc.tenancy.models import Person, ReportingLine


def owners_over(question: Question, instants: Iterable[datetime]) -> dict[datetime, Owners]:
    """The owners of the question's scope at each instant, as far as the viewer may see them today. At most two
    queries. Somebody who had no line yet is a scope of one.
    """
    asked = list(instants)
    if question.scope in ("", EVERYONE, OWNED):
        return dict.fromkeys(asked, question.visible.owners)
    if question.org_chart == "now":
        return dict.fromkeys(asked, question.owners)
    lines = list(
        ReportingLine.objects.values_list(
            "person_id", "manager_id", "valid_from", "valid_to", "person__left_on"
        )
    )
    left_at = left_at_of((person, left_on) for person, *_, left_on in lines)
    people = (
        frozenset(Person.objects.values_list("id", flat=True))
        if question.scope == UNASSIGNED
        else frozenset()
    )
    # Between two moments at which a line begins or ends, or somebody leaves, the chart is the same.
    moments = sorted({moment for _, _, *ends, _ in lines for moment in ends}.union(left_at.values()))
    found: dict[int, Owners] = {}
    owners: dict[datetime, Owners] = {}
    for instant in asked:
        stretch = bisect_right(moments, instant)
        if stretch not in found:
            held = {person: manager for person, manager, since, to, _ in lines if since <= instant < to}
            gone = {person for person, left in left_at.items() if left <= instant}
            found[stretch] = _owners(question, chart_without(held, gone=gone), people=people)
        owners[instant] = found[stretch]
    return owners


def _owners(question: Question, chart: Chart, *, people: frozenset[UUID]) -> Owners:
    if question.scope == UNASSIGNED:
        named = Owners(people - chart.lined, True)
    else:
        named = Owners(chart.counted_branch(UUID(question.scope)), False)
    return named.intersect(question.visible.owners)
