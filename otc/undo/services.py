"""Offer to undo what was just done, and do it: once, by whoever did it, unless somebody changed it since."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from otc.tenancy.context import current_context
from otc.undo.models import UndoStep
from otc.undo.registry import CantUndo, kind_named

UNDO_DAYS = 30


def undo_offer(kind: str, *, said: str, payload: Mapping[str, Any]) -> UUID | None:
    """Keep what puts the act back (JSON). None where nobody is at work who could ask for it."""
    person_id = current_context().person_id
    if person_id is None:
        return None
    step = UndoStep(person_id=person_id, kind=kind, said=said[:300], payload=dict(payload))
    step.save(force_insert=True)
    return UUID(str(step.id))


def undo_take(step_id: UUID, *, person_id: UUID, may: Callable[[str], bool], now: datetime) -> str:
    """Put the act back and return what to say. Raises CantUndo; nothing is half undone.

    Raises UndoStep.DoesNotExist for somebody else's step as for none. `may` says what the person may do today.
    """
    step = UndoStep.objects.select_for_update().get(id=step_id, person_id=person_id)
    if step.undone_at is not None:
        raise CantUndo("That is undone already")
    kind = kind_named(step.kind)
    if not may(kind.action):
        raise CantUndo("Your role no longer allows what this would change")
    said = kind.put_back(step.payload)
    UndoStep.objects.filter(id=step.id).update(undone_at=now)
    return said


def undo_forget(*, now: datetime) -> int:
    """Delete steps older than UNDO_DAYS. Returns how many."""
    deleted, _ = UndoStep.objects.filter(created_at__lt=now - timedelta(days=UNDO_DAYS)).delete()
    return int(deleted)
