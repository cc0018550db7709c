"""What was a deal, or every deal, at an instant? SQL over versions, on both clocks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from otc.tenancy.models import FOREVER
from pipeline.history.models import OpportunityVersion

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
