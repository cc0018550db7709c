"""The writers of requests for approval that need nothing of the deal's own services."""

from uuid import UUID

from django.utils import timezone

from otc.audit.services import audit_append
from otc.money.queries import corporate_currency
from otc.tenancy.context import current_context
from pipeline.approvals.models import ApprovalRequest, ApprovalState
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage


def approval_record(
    deal: Opportunity, *, stage_id: UUID, from_stage_id: UUID | None, amount_minor: int
) -> ApprovalRequest:
    """Whoever may approve of a move approved of it by moving: kept like a request that was granted at once."""
    now = timezone.now()
    context = current_context()
    request = ApprovalRequest(
        opportunity=deal,
        stage_id=stage_id,
        from_stage_id=from_stage_id,
        asked_by_id=context.person_id,
        asked_of_id=context.person_id,
        amount_minor=amount_minor,
        currency=corporate_currency(),
        asked_at=now,
        state=ApprovalState.GRANTED,
        decided_by_id=context.person_id,
        decided_at=now,
        reason="Moved by the approver",
    )
    request.save(force_insert=True)
    approval_audit("approval.given_by_moving", request, deal=deal)
    return request


def approvals_overtaken(opportunity_id: UUID) -> None:
    """What was asked about a deal that has moved meanwhile is over."""
    waiting = ApprovalRequest.objects.filter(opportunity_id=opportunity_id, state=ApprovalState.ASKED)
    waiting.update(state=ApprovalState.OVERTAKEN, decided_at=timezone.now())


def approval_audit(action: str, request: ApprovalRequest, *, deal: Opportunity) -> None:
    stage = Stage.objects.values_list("name", flat=True).get(id=request.stage_id)
    audit_append(
        action,
        subject_kind="opportunity",
        subject_id=deal.id,
        summary=f"{deal.name} into {stage}",
        detail={
            "approval_id": request.id,
            "stage": stage,
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "asked_of_id": request.asked_of_id,
            "reason": request.reason,
        },
    )
