"""Asking for approval, granting it so that the move happens once, declining, taking the question back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from otc.money.queries import corporate_currency
from otc.notices.kinds import APPROVAL_ANSWERED, APPROVAL_ASKED
from otc.notices.services import notice_send
from otc.tenancy.context import act_on, current_context
from otc.ui import format as fmt
from pipeline.approvals.models import ApprovalRequest, ApprovalState
from pipeline.approvals.queries import approvers_of, open_request
from pipeline.approvals.services import approval_audit
from pipeline.opportunities.gates import corporate_amount
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.opportunities.services import Written, opportunity_edit

# What an approval may be asked for.
CHANGES = ("stage_id", "amount_minor", "currency")

ON_RECORD = {
    ApprovalState.GRANTED: "approval.granted",
    ApprovalState.DECLINED: "approval.declined",
    ApprovalState.WITHDRAWN: "approval.withdrawn",
}


def approval_ask(
    opportunity_id: UUID, *, changes: Mapping[str, Any], note: str, now: datetime
) -> ApprovalRequest | Written:
    """Ask whoever decides about the deal to let `changes` (of CHANGES) happen; where nobody has to be asked they
    happen at once.

    Raises MoveRefused where something else is missing, and Refused where a question waits already.
    """
    deal = Opportunity.objects.select_for_update().get(id=opportunity_id)
    changes = {name: changes[name] for name in CHANGES if name in changes}
    if not changes:
        raise Refused("stage_id", "Say which stage the deal is to enter, or what it is to be worth")
    try:
        with transaction.atomic():
            return opportunity_edit(opportunity_id, changes=changes)
    except MoveRefused as refused:
        asked = refused.verdict.approval
        if asked is None or not refused.verdict.is_free:
            raise
    if open_request(opportunity_id) is not None:
        raise Refused("approval", "An approval is asked for already; withdraw that question first")
    approvers = approvers_of(deal.owner_id, now=now)
    if not approvers.deciders:
        raise Refused("approval", "Nobody may decide about this deal; give its owner a manager first")
    request = ApprovalRequest(
        opportunity=deal,
        stage_id=asked.stage_id,
        from_stage_id=deal.stage_id,
        asked_by_id=current_context().person_id,
        asked_of_id=approvers.asked_of,
        amount_minor=_worth_after(deal, changes),
        currency=corporate_currency(),
        changes={name: str(value) if isinstance(value, UUID) else value for name, value in changes.items()},
        note=" ".join(note.split())[:500],
        asked_at=now,
    )
    request.save(force_insert=True)
    approval_audit("approval.asked", request, deal=deal)
    amount = fmt.money_full(request.amount_minor, currency=request.currency)
    for person_id in approvers.told:
        notice_send(
            person_id,
            text=f"{deal.name} ({amount} {request.currency}) waits for your approval to enter {asked.stage}",
            path=f"approvals/{request.id}/",
            kind=APPROVAL_ASKED,
            deal_id=deal.id,
        )
    return request


def approval_grant(request_id: UUID, *, reason: str, now: datetime) -> Written:
    """Grant it, and the move happens. Raises Refused where it can't any more, and then nothing is granted."""
    request, deal = _waiting(request_id)
    _check_decider(request, deal, now=now)
    if request.from_stage_id != deal.stage_id or deal.outcome is not None:
        raise Refused("state", f"{deal.name} has moved since; decline this and let it be asked anew")
    changes = dict(request.changes)
    if changes.get("stage_id"):
        changes["stage_id"] = UUID(changes["stage_id"])
    # Whoever grants is a decider, whom the gates let through: that it grew since is for them to know first.
    if _worth_after(Opportunity.objects.get(id=deal.id), changes) > request.amount_minor:
        raise Refused("state", f"{deal.name} is worth more by now than was asked for; let it be asked anew")
    # Before the move, which ends every question that still waits.
    _decide(request, deal, ApprovalState.GRANTED, reason=reason, now=now)
    return opportunity_edit(deal.id, changes=changes, approved_minor=request.amount_minor)


def approval_decline(request_id: UUID, *, reason: str, now: datetime) -> ApprovalRequest:
    """Say no, with the reason that the asker reads."""
    request, deal = _waiting(request_id)
    _check_decider(request, deal, now=now)
    if not reason.strip():
        raise Refused("reason", "Say why, so that it can be put right")
    _decide(request, deal, ApprovalState.DECLINED, reason=reason, now=now)
    return request


def approval_withdraw(request_id: UUID, *, now: datetime) -> ApprovalRequest:
    """Take the question back: by whoever asked, or whoever may decide."""
    request, deal = _waiting(request_id)
    if request.asked_by_id != current_context().person_id:
        _check_decider(request, deal, now=now)
    _decide(request, deal, ApprovalState.WITHDRAWN, reason="", now=now)
    return request


def may_decide(request: ApprovalRequest, *, now: datetime) -> bool:
    """Whether the person at work may grant or decline it today."""
    approvers = approvers_of(request.opportunity.owner_id, now=now)
    return current_context().person_id in approvers.deciders


def _waiting(request_id: UUID) -> tuple[ApprovalRequest, Opportunity]:
    """The request and its deal, both locked, the deal first as everywhere. Raises Refused once it is decided."""
    deal_id = ApprovalRequest.objects.values_list("opportunity_id", flat=True).get(id=request_id)
    deal: Opportunity = Opportunity.objects.select_for_update().get(id=deal_id)
    act_on(deal.owner_id)
    request: ApprovalRequest = ApprovalRequest.objects.select_for_update().get(id=request_id)
    if not request.is_asked:
        raise Refused("state", f"This is {request.get_state_display().lower()} already")
    return request, deal


def _check_decider(request: ApprovalRequest, deal: Opportunity, *, now: datetime) -> None:
    approvers = approvers_of(deal.owner_id, now=now)
    if current_context().person_id not in approvers.deciders:
        who = approvers.name or "a manager"
        raise Refused("state", f"{who}, a manager above or today’s delegate decides about this deal")


def _decide(
    request: ApprovalRequest, deal: Opportunity, state: ApprovalState, *, reason: str, now: datetime
) -> None:
    person_id = current_context().person_id
    request.state, request.decided_by_id, request.decided_at = state, person_id, now
    request.reason = " ".join(reason.split())[:500]
    request.save(force_update=True)
    approval_audit(ON_RECORD[state], request, deal=deal)
    if request.asked_by_id is not None and request.asked_by_id != person_id:
        notice_send(
            request.asked_by_id,
            text=f"{deal.name}: approval {state.label.lower()}"
            + (f": {request.reason}" if request.reason else ""),
            path=f"approvals/{request.id}/",
            is_bad=state == ApprovalState.DECLINED,
            kind=APPROVAL_ANSWERED,
            deal_id=deal.id,
        )


def _worth_after(deal: Opportunity, changes: Mapping[str, Any]) -> int:
    """The corporate amount that the deal would have."""
    for name in ("amount_minor", "currency"):
        if name in changes:
            setattr(deal, name, changes[name])
    return corporate_amount(deal) or 0
