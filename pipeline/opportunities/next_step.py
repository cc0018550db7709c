"""Finishing a deal's next step: what was done is logged, and the next one takes its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from otc.undo.registry import undoes
from otc.undo.services import undo_offer
from pipeline.activities.services import activity_forget, activity_log
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused, check_next_step, one_line
from pipeline.opportunities.services import Written, opportunity_edit
from pipeline.opportunities.undo import put_version_back

KIND = "next_step"


@dataclass(frozen=True)
class Finished:
    """The deal with its new next step, and the activity that tells of the old one; None where there was none."""

    written: Written
    activity_id: UUID | None


def next_step_finish(
    opportunity_id: UUID, *, next_step: str, next_step_on: date | None, now: datetime, today: date
) -> Finished:
    """Log the present next step as done and set the one after it, with its day; all or nothing.

    Raises Refused: an open deal always has one next step with a day, and a closed one needs none.
    """
    with transaction.atomic():
        deal = Opportunity.objects.select_for_update().get(id=opportunity_id)
        if deal.outcome is not None:
            raise Refused("next_step", "This deal is closed; reopen it first")
        check_next_step(next_step, next_step_on, today=today)
        done, following = " ".join(deal.next_step.split()), one_line(next_step, field="next_step")
        if (done, deal.next_step_on) == (following, next_step_on):
            raise Refused("next_step", "That is the step that is done; say another one, or another day")
        activity_id = None
        if done:
            activity = activity_log(opportunity_id, kind="note", at=now, now=now, subject=f"Done: {done}")
            activity_id = activity.id
        written = opportunity_edit(
            opportunity_id,
            changes={"next_step": following, "next_step_on": next_step_on},
        )
    return Finished(written, activity_id)


def next_step_undo_offer(finished: Finished) -> UUID | None:
    """The step that takes both back: the next step stands again, and is not told as done."""
    deal = finished.written.opportunity
    payload = {
        "deal": str(deal.id),
        "version": str(finished.written.before),
        "activity": str(finished.activity_id or ""),
    }
    return undo_offer(KIND, said=f"Next step of {deal.name}", payload=payload)


@undoes(KIND, action="edit_deal")
def put_step_back(payload: Mapping[str, Any]) -> str:
    """The step that was done stands again. Raises CantUndo where somebody changed the deal since."""
    deal_id = UUID(payload["deal"])
    put_version_back(deal_id, UUID(payload["version"]))
    if payload["activity"]:
        activity_forget(UUID(payload["activity"]), opportunity_id=deal_id)
    return "The next step is as it was before"
