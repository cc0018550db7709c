"""The only writers of closing reasons once an organization is set up: add, change, retire, and take that back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from otc.audit.services import audit_append
from otc.tenancy.names import clean_name
from otc.tenancy.services import fold
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.models import Opportunity, Outcome
from pipeline.process.models import CloseReason
from pipeline.process.services import reason_add

KIND = "reason"
# Who learns from a reason.
FEEDS = ("training", "messaging", "product", "process", "follow-up")
LONGEST_NAME = 200
PLACES = 32_000


class Unfit(ValueError):
    """A reason that can't be: in which field, and what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def reason_new(
    *, name: str, outcomes: Sequence[str], feeds: str, position: int
) -> tuple[CloseReason, UUID | None]:
    """Add a reason; beside it the step that Undo takes back. Raises Unfit."""
    fields = _checked(name=name, outcomes=outcomes, feeds=feeds, position=position, reason_id=None)
    reason = reason_add(**fields)
    return reason, _offer(f"{reason.name} added", reason, before=None)


def reason_change(
    reason_id: UUID, *, name: str, outcomes: Sequence[str], feeds: str, position: int
) -> tuple[CloseReason, UUID | None]:
    """Rename a reason, or ask it elsewhere: deals closed for it bear the new name. Raises Unfit."""
    reason = CloseReason.objects.select_for_update().get(id=reason_id)
    before = _state(reason)
    fields = _checked(name=name, outcomes=outcomes, feeds=feeds, position=position, reason_id=reason_id)
    return _write(reason, {**before, **fields}, before=before, said="changed")


def reason_retire(reason_id: UUID, *, now: datetime) -> tuple[CloseReason, UUID | None]:
    """No closing is booked under it any more; those that are stay. Raises Unfit where an outcome would have none."""
    reason = CloseReason.objects.select_for_update().get(id=reason_id)
    others = CloseReason.objects.filter(retired_at__isnull=True).exclude(id=reason_id)
    left = {outcome for outcomes in others.values_list("outcomes", flat=True) for outcome in outcomes}
    for outcome in reason.outcomes:
        if outcome not in left:
            label = Outcome(outcome).label.lower()
            raise Unfit("", f"{reason.name} is the last reason for {label} deals; add another one first")
    before = _state(reason)
    return _write(reason, {**before, "retired_at": now.isoformat()}, before=before, said="retired")


def reason_restore(reason_id: UUID) -> tuple[CloseReason, UUID | None]:
    """Offer a retired reason again."""
    reason = CloseReason.objects.select_for_update().get(id=reason_id)
    before = _state(reason)
    return _write(reason, {**before, "retired_at": None}, before=before, said="in use again")


@undoes(KIND, action="manage_process")
def put_reason_back(payload: Mapping[str, Any]) -> str:
    """The reason as it was before; one that was added goes, unless a deal was closed for it."""
    reason = CloseReason.objects.select_for_update().filter(id=payload["reason_id"]).first()
    if reason is None or _state(reason) != payload["after"]:
        raise CantUndo("Somebody changed this reason since; look at it as it is now")
    before = payload["before"]
    if before is not None:
        _write(reason, before, before=payload["after"], said="as it was before")
        return f"{before['name']} is as it was before"
    if Opportunity.objects.filter(reason_id=reason.id).exists():
        raise CantUndo(f"A deal was closed for {reason.name} meanwhile; retire it instead")
    reason.delete()
    _append(reason, "taken back", detail={})
    return f"{reason.name} is gone again"


def _checked(
    *, name: str, outcomes: Sequence[str], feeds: str, position: int, reason_id: UUID | None
) -> dict[str, Any]:
    """The fields as they may be written. Raises Unfit."""
    cleaned = clean_name(name)
    if not cleaned:
        raise Unfit("name", "A reason needs a name")
    if len(cleaned) > LONGEST_NAME:
        raise Unfit("name", f"At most {LONGEST_NAME} characters")
    if CloseReason.objects.filter(name_folded=fold(cleaned)).exclude(id=reason_id).exists():
        raise Unfit("name", f"There is a reason {cleaned} already; choose another name")
    if not outcomes or not set(outcomes) <= set(Outcome.values):
        raise Unfit("outcomes", "Say for which outcomes it is asked")
    if feeds not in FEEDS:
        raise Unfit("feeds", "Choose who learns from it")
    if not 0 <= position <= PLACES:
        raise Unfit("position", f"A place from 0 to {PLACES:,}")
    kept = [outcome for outcome in Outcome.values if outcome in outcomes]
    return {"name": cleaned, "outcomes": kept, "feeds": feeds, "position": position}


def _state(reason: CloseReason) -> dict[str, Any]:
    """What an edit may change, as JSON."""
    return {
        "name": reason.name,
        "outcomes": list(reason.outcomes),
        "feeds": reason.feeds,
        "position": reason.position,
        "retired_at": reason.retired_at.isoformat() if reason.retired_at else None,
    }


def _write(
    reason: CloseReason, fields: Mapping[str, Any], *, before: Mapping[str, Any], said: str
) -> tuple[CloseReason, UUID | None]:
    for name, value in fields.items():
        setattr(reason, name, value)
    reason.name_folded = fold(reason.name)
    reason.retired_at = datetime.fromisoformat(fields["retired_at"]) if fields["retired_at"] else None
    reason.save()
    _append(reason, said, detail={"before": dict(before), "after": dict(fields)})
    return reason, _offer(f"{reason.name} {said}", reason, before=before)


def _offer(said: str, reason: CloseReason, *, before: Mapping[str, Any] | None) -> UUID | None:
    payload = {"reason_id": str(reason.id), "before": before, "after": _state(reason)}
    return undo_offer(KIND, said=said, payload=payload)


def _append(reason: CloseReason, said: str, *, detail: dict[str, Any]) -> None:
    audit_append(
        "reason.changed",
        subject_kind="reason",
        subject_id=reason.id,
        summary=f"Closing reason “{reason.name}” {said}",
        detail=detail,
    )
