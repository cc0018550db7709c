"""What was a deal, or every deal, at an instant? SQL over versions, on both clocks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Min

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from pipeline.history.models import OpportunityVersion

# Stages ahead of the present one don't count: a deal that went back comes into them again.
REACHED = """
SELECT v.stage_id, max(v.valid_from) FROM (
  SELECT stage_id, valid_from, lag(stage_id) OVER (ORDER BY valid_from) AS before
  FROM pipeline_opportunityversion
  WHERE organization_id = %(organization)s AND opportunity_id = %(deal)s AND known_to = %(forever)s
) AS v
JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = %(deal)s
JOIN pipeline_stage here ON here.organization_id = o.organization_id AND here.id = o.stage_id
JOIN pipeline_stage s ON s.organization_id = o.organization_id AND s.id = v.stage_id
WHERE v.stage_id IS DISTINCT FROM v.before AND s.position <= here.position GROUP BY v.stage_id
"""
RELATED = ("account", "owner", "stage", "reason", "competitor", "product", "actor", "acted_for")


def as_of_condition(alias: str, *, instant: str, known: str | None = None) -> str:
    """SQL: the versions `alias` true at the parameter `instant` as known at `known` (default: then).

    >>> as_of_condition("v", instant="t0")
    'v.valid_from <= %(t0)s AND v.valid_to > %(t0)s AND v.known_from <= %(t0)s AND v.known_to > %(t0)s'
    """
    known = known or instant
    return (
        f"{alias}.valid_from <= %({instant})s AND {alias}.valid_to > %({instant})s "
        f"AND {alias}.known_from <= %({known})s AND {alias}.known_to > %({known})s"
    )


def versions_as_of(instant: datetime, *, known: datetime | None = None) -> Any:
    """One version per deal that existed at `instant`, as known at `known` (default: `instant`)."""
    seen = known or instant
    return OpportunityVersion.objects.filter(
        valid_from__lte=instant, valid_to__gt=instant, known_from__lte=seen, known_to__gt=seen
    )


def version_as_of(
    opportunity_id: UUID, instant: datetime, *, known: datetime | None = None
) -> OpportunityVersion | None:
    """The state of one deal at `instant`; None before it existed."""
    found = versions_as_of(instant, known=known).filter(opportunity_id=opportunity_id)
    version: OpportunityVersion | None = found.select_related(*RELATED).first()
    return version


def timeline(opportunity_id: UUID, *, known: datetime | None = None) -> list[OpportunityVersion]:
    """The deal's versions as known at `known` (default: now), newest first."""
    versions = OpportunityVersion.objects.filter(opportunity_id=opportunity_id)
    if known is None:
        versions = versions.filter(known_to=FOREVER)
    else:
        versions = versions.filter(known_from__lte=known, known_to__gt=known)
    return list(versions.select_related(*RELATED).order_by("-valid_from"))


def stages_reached(opportunity_id: UUID) -> dict[UUID, datetime]:
    """When the deal last came into its stage and each before it that it was in."""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "deal": str(opportunity_id),
        "forever": FOREVER,
    }
    with connection.cursor() as cursor:
        cursor.execute(REACHED, parameters)
        return dict(cursor.fetchall())


def first_version_at(*, known: datetime) -> datetime | None:
    """When the organization's earliest version begins, as known at `known`; None where there is none."""
    rows = OpportunityVersion.objects.filter(known_from__lte=known, known_to__gt=known)
    first: datetime | None = rows.aggregate(first=Min("valid_from"))["first"]
    return first
