"""The only writer of how an organization spreads a year."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from forecasting.quotas.models import QuotaSeason
from forecasting.quotas.queries import season_at
from forecasting.quotas.rules import Season, season_fault
from otc.audit.services import audit_append
from otc.tenancy.context import current_context
from otc.tenancy.models import Person
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer

UNDO = "quota_season"


def season_set(season: Season, *, author: Person | None, now: datetime) -> UUID | None:
    """From now on a year is shared out so, where nothing else is typed. Returns the step that Undo takes back, None
    where it was so already. Quotas that stand stay. Raises ValueError with what to write instead.
    """
    if fault := season_fault(season):
        raise ValueError(fault)
    before = season_at(now)
    if (before.weights if before else ()) == season.weights and (
        before is None or before.kind == season.kind
    ):
        return None
    _write(season, author=author, now=now)
    return undo_offer(
        UNDO,
        said="How a year is spread",
        payload={"before": _told(before), "after": _told(season if season.weights else None)},
    )


def _write(season: Season, *, author: Person | None, now: datetime) -> None:
    QuotaSeason.objects.update_or_create(
        said_at=now, defaults={"kind": season.kind, "weights": list(season.weights), "set_by": author}
    )
    said = " ".join(map(str, season.weights))
    audit_append(
        "quota.season",
        summary=f"A year is spread by {season.kind}: {said}" if said else "A year is spread alike",
        detail=asdict(season),
    )


def _told(season: Season | None) -> dict[str, Any] | None:
    return {"kind": season.kind, "weights": list(season.weights)} if season else None


@undoes(UNDO, action="manage_quotas")
def put_season_back(payload: Mapping[str, Any]) -> str:
    """Unless somebody has changed it again."""
    now = timezone.now()
    if _told(season_at(now)) != payload["after"]:
        raise CantUndo("How a year is spread was changed again since")
    before = payload["before"] or {"kind": "quarter", "weights": []}
    author = Person.objects.get(id=current_context().person_id)
    _write(Season(before["kind"], tuple(before["weights"])), author=author, now=now)
    return "A year is spread as it was"
