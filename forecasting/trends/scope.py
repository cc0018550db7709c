"""Whose deals a scope meant at many instants: the lines are read once, not once per instant."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from otc.question import Question
from otc.tenancy.lines import EVERYONE, OWNED, UNASSIGNED, Chart, Owners
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
    lines = list(ReportingLine.objects.values_list("person_id", "manager_id", "valid_from", "valid_to"))
    people = (
        frozenset(Person.objects.values_list("id", flat=True))
        if question.scope == UNASSIGNED
        else frozenset()
    )
    # Few instants have a chart of their own: lines move rarely.
    found: dict[frozenset[tuple[UUID, UUID | None]], Owners] = {}
    owners: dict[datetime, Owners] = {}
    for instant in asked:
        held = frozenset((person, manager) for person, manager, since, to in lines if since <= instant < to)
        if held not in found:
            found[held] = _owners(question, Chart(dict(held)), people=people)
        owners[instant] = found[held]
    return owners


def _owners(question: Question, chart: Chart, *, people: frozenset[UUID]) -> Owners:
    if question.scope == UNASSIGNED:
        named = Owners(people - chart.lined, True)
    else:
        named = Owners(chart.branch(UUID(question.scope)), False)
    return named.intersect(question.visible.owners)
