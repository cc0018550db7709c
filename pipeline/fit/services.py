"""The only writer of scorecards: each change is a version of its own, and going back is one too."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.audit.services import audit_append
from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import Organization
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.fit.models import Scorecard
from pipeline.fit.queries import scorecard_now
from pipeline.fit.rules import Criterion, check_scorecard, document_of

KIND = "scorecard"


def scorecard_set(
    *, criteria: Sequence[Criterion], fair_percent: int, good_percent: int, now: datetime
) -> tuple[Scorecard, UUID | None]:
    """Let deals be measured by these from now on; none: by nothing. Returns the version and the step of its Undo.

    Raises FitRefused. What differs in nothing stays the version that it is.
    """
    check_scorecard(criteria, fair_percent=fair_percent, good_percent=good_percent)
    Organization.objects.select_for_update(no_key=True).get(id=current_organization_id())
    before = scorecard_now()
    documents = [document_of(criterion) for criterion in criteria]
    wanted = (documents, fair_percent, good_percent)
    if before is not None and (before.criteria, before.fair_percent, before.good_percent) == wanted:
        return before, None
    made = _write(wanted, number=before.number + 1 if before else 1, now=now)
    payload = {"made": made.number, "before": before.number if before else None}
    return made, undo_offer(KIND, said=f"Scorecard {made.number}", payload=payload)


@undoes(KIND, action="manage_fit")
def put_scorecard_back(payload: Mapping[str, Any]) -> str:
    present = scorecard_now()
    if present is None or present.number != payload["made"]:
        raise CantUndo("Somebody changed the scorecard since; open the version that you want and take it")
    before = Scorecard.objects.filter(number=payload["before"]).first() if payload["before"] else None
    wanted = (
        (before.criteria, before.fair_percent, before.good_percent)
        if before
        else ([], present.fair_percent, present.good_percent)
    )
    _write(wanted, number=present.number + 1, now=timezone.now())
    return "The scorecard is as it was before"


def _write(wanted: tuple[list[dict[str, Any]], int, int], *, number: int, now: datetime) -> Scorecard:
    documents, fair_percent, good_percent = wanted
    made = Scorecard(
        number=number,
        criteria=documents,
        fair_percent=fair_percent,
        good_percent=good_percent,
        made_by_id=current_context().person_id,
        made_at=now,
    )
    made.save(force_insert=True)
    audit_append(
        "scorecard.changed",
        subject_kind="scorecard",
        subject_id=made.id,
        summary=f"Scorecard {number} with {len(documents)} criteria",
        detail={"criteria": documents, "fair_percent": fair_percent, "good_percent": good_percent},
    )
    return made
