"""Which judgements stood at an instant, and what are the parts of the deals that they judge?"""

from collections.abc import Collection, Hashable, Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.adjustments.queries import latest_by_instant
from forecasting.judgements.models import DealJudgement, Verdict
from forecasting.judgements.rules import DealPart
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id, kept_for_snapshot, once_per_snapshot
from pipeline.history.queries import as_of_condition
from pipeline.parts.queries import parts_sql, share_sql, splits_count

# What makes a place: the latest step in it counts.
PLACE = ("column", "person_id", "opportunity_id")
DEALS_OF_ONE = 100


def judgements_at(period_key: str, *, as_of: datetime) -> list[DealJudgement]:
    """The judgements that stood at `as_of`, the oldest first. One query."""
    found = once_per_snapshot(("judgements", period_key, as_of), lambda: _latest(period_key, as_of))
    stood = [step for step in found if step.verdict != Verdict.WITHDRAWN]
    return sorted(stood, key=lambda step: (step.made_at, step.id))


def judgements_keep(period_key: str, *, instants: Collection[datetime]) -> None:
    """Read the judgements of several instants of one page at once. One query."""

    def read() -> dict[Hashable, Any]:
        steps = DealJudgement.objects.filter(period=period_key)
        found = latest_by_instant(steps, place=PLACE, instants=instants)
        return {("judgements", period_key, instant): rows for instant, rows in found.items()}

    kept_for_snapshot(read)


def latest_judgement(
    period_key: str, *, column: str, person_id: UUID, opportunity_id: UUID
) -> DealJudgement | None:
    """The last step in a place, a withdrawn one too."""
    steps = DealJudgement.objects.filter(
        period=period_key, column=column, person_id=person_id, opportunity_id=opportunity_id
    )
    found: DealJudgement | None = steps.select_related("author").order_by("-made_at", "-id").first()
    return found


def judgements_of_cell(
    period_key: str, *, column: str, person_id: UUID, as_of: datetime
) -> dict[UUID, DealJudgement]:
    """By deal the last step in a person's cell, withdrawn ones too."""
    steps = DealJudgement.objects.filter(
        period=period_key, column=column, person_id=person_id, made_at__lte=as_of
    )
    return {step.opportunity_id: step for step in steps.select_related("author").order_by("made_at", "id")}


def parts_judged(
    opportunity_ids: Iterable[UUID], *, as_of: datetime, known: datetime, corporate: str
) -> dict[tuple[UUID, UUID], DealPart]:
    """By (deal, person) the parts of these deals, whatever became of them. One query, none without deals."""
    ids = sorted({str(one) for one in opportunity_ids})
    if not ids:
        return {}
    parameters = {"ids": ids, "as_of": as_of, "known": known, "corporate": corporate}
    rows = _parts("v.opportunity_id = ANY(%(ids)s::uuid[])", parameters)
    return {(part.opportunity_id, part.person_id): part for part in rows if part.person_id is not None}


def open_parts(
    person_id: UUID, *, first: date, until: date, as_of: datetime, known: datetime, corporate: str
) -> list[DealPart]:
    """A person's parts of open deals that close from `first` until before `until`, by close date."""
    parameters = {"person": str(person_id), "first": first, "until": until, "most": DEALS_OF_ONE}
    condition = """v.owner_id = %(person)s AND v.outcome IS NULL AND v.deleted_at IS NULL
        AND v.close_date >= %(first)s AND v.close_date < %(until)s"""
    order = "ORDER BY v.close_date, v.name, v.opportunity_id LIMIT %(most)s"
    asked = parameters | {"as_of": as_of, "known": known, "corporate": corporate}
    return _parts(condition, asked, order=order)


def _latest(period_key: str, as_of: datetime) -> list[Any]:
    steps = DealJudgement.objects.filter(period=period_key)
    return latest_by_instant(steps, place=PLACE, instants=[as_of])[as_of]


def _parts(condition: str, parameters: dict[str, Any], *, order: str = "") -> list[DealPart]:
    is_split = splits_count()
    sql = f"""
        SELECT v.opportunity_id, v.owner_id, v.name, v.category, v.outcome, v.deleted_at IS NOT NULL, v.close_date,
          {share_sql(corporate_minor_sql("v"), "v", is_split=is_split)}
        FROM {parts_sql(is_split=is_split)} v
        WHERE v.organization_id = %(organization)s
          AND {as_of_condition("v", instant="as_of", known="known")} AND {condition} {order}
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, {"organization": str(current_organization_id()), **parameters})
        return [DealPart(*row) for row in cursor.fetchall()]
