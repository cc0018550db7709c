"""Many open deals from one stage to another at once, because the process changed; and back again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, Q, Value, When

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from pipeline.approvals.models import ApprovalRequest, ApprovalState
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage

# Those whose present version is the one that took them out of the stage: nobody has changed them since.
UNSTAGE = """
UPDATE pipeline_opportunity o
SET stage_id = p.stage_id, category = p.category, category_set_by_person = p.category_set_by_person
FROM pipeline_opportunityversion c
JOIN pipeline_opportunityversion p ON p.organization_id = c.organization_id
  AND p.opportunity_id = c.opportunity_id AND p.valid_to = c.valid_from AND p.known_to = %(forever)s
WHERE o.organization_id = %(organization)s AND o.stage_id = %(stage)s AND o.outcome IS NULL
  AND c.organization_id = o.organization_id AND c.opportunity_id = o.id
  AND c.valid_to = %(forever)s AND c.known_to = %(forever)s AND c.valid_from >= %(since)s
  AND p.stage_id = %(back_to)s
"""


def open_deals_in(stage_id: UUID) -> int:
    """Deleted ones too: they may come back."""
    count: int = Opportunity.objects.filter(stage_id=stage_id, outcome__isnull=True).count()
    return count


def deals_restage(stage_id: UUID, *, to: UUID, now: datetime) -> int:
    """Move every open deal of a stage that its process no longer has; closed ones keep the stage they ended in.

    The category follows unless a person set it. No gate: nobody moves them forward, their stage is gone.
    """
    target = Stage.objects.get(id=to)
    waiting = ApprovalRequest.objects.filter(state=ApprovalState.ASKED)
    waiting.filter(Q(stage_id=stage_id) | Q(from_stage_id=stage_id)).update(
        state=ApprovalState.OVERTAKEN, decided_at=now
    )
    moved: int = Opportunity.objects.filter(stage_id=stage_id, outcome__isnull=True).update(
        stage_id=to,
        process_id=target.process_id,
        category=Case(When(category_set_by_person=True, then=F("category")), default=Value(target.category)),
    )
    return moved


def deals_unstage(stage_id: UUID, *, back_to: UUID, since: datetime) -> int:
    """Those that left `back_to` for this stage at or after `since`, and that nobody changed since, go back."""
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "stage": str(stage_id),
        "back_to": str(back_to),
        "since": since,
        "forever": FOREVER,
    }
    with connection.cursor() as cursor:
        cursor.execute(UNSTAGE, parameters)
        moved: int = cursor.rowcount
    return moved
