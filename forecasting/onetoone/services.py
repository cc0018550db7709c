"""The only writers of one-to-ones and of what is agreed in them, with undo. What was said stays out of the audit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from forecasting.onetoone.models import AgreedAction, OneToOne
from otc.audit.services import audit_append
from otc.tenancy.context import current_context
from otc.tenancy.models import Person
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.opportunities.rules import Refused

NOTES, ACTION = "one_to_one", "agreed_action"
LONGEST_NOTES = 10_000
MOST_OPEN = 50


@dataclass(frozen=True)
class Written:
    """What was written, and the step that Undo takes back."""

    row: Any
    step: UUID | None


def notes_write(
    person: Person, *, held_on: date, notes: str, today: date, now: datetime, was: datetime | None
) -> Written:
    """Write the notes of the talk of a day; `was` is when those that were read had been written, None for new ones.

    Raises Refused for empty or too long notes, a day ahead, and where somebody else wrote in between.
    """
    notes = notes.replace("\x00", "").strip()
    if not notes:
        raise Refused("notes", "Write a word about the talk, or leave it")
    if len(notes) > LONGEST_NOTES:
        raise Refused("notes", f"At most {LONGEST_NOTES:,} characters")
    if held_on > today:
        raise Refused("held_on", "A talk is noted on its day or later")
    found = OneToOne.objects.select_for_update(of=("self",)).select_related("written_by")
    talk: OneToOne | None = found.filter(
        person_id=person.id, held_on=held_on, deleted_at__isnull=True
    ).first()
    if talk is not None and talk.written_at != was:
        who = talk.written_by.name if talk.written_by else "Somebody"
        raise Refused(
            "notes", f"{who} wrote meanwhile: “{talk.notes[:200]}”. Put both together and save again"
        )
    before = {"notes": talk.notes, "held_on": talk.held_on.isoformat()} if talk is not None else None
    talk = talk or OneToOne(person_id=person.id, held_on=held_on)
    talk.notes, talk.written_by_id, talk.written_at = notes, current_context().person_id, now
    talk.save()
    _note(talk.id, "one_to_one.written", f"Notes of the one-to-one with {person.name} on {held_on}")
    payload = {"id": str(talk.id), "was": before, "after": talk.notes}
    return Written(talk, undo_offer(NOTES, said=f"Notes of the talk with {person.name}", payload=payload))


@undoes(NOTES, action="edit_one_to_one")
def put_notes_back(payload: Mapping[str, Any]) -> str:
    """As they were before they were written; new ones are taken back."""
    talk: OneToOne | None = OneToOne.objects.select_for_update().filter(id=payload["id"]).first()
    if talk is None or talk.notes != payload["after"] or talk.deleted_at is not None:
        raise CantUndo("These notes were changed since; change them again instead")
    if payload["was"] is None:
        talk.deleted_at = timezone.now()
        talk.save(update_fields=["deleted_at"])
        _note(talk.id, "one_to_one.taken_back", "Notes of a one-to-one were taken back")
        return "The notes are taken back"
    talk.notes, talk.written_at = payload["was"]["notes"], timezone.now()
    talk.save(update_fields=["notes", "written_at"])
    _note(talk.id, "one_to_one.restored", "Notes of a one-to-one were put back as they were before")
    return "The notes are as they were before"


def action_agree(
    person: Person, *, text: str, owner_id: UUID, due_on: date, may_own: list[UUID], now: datetime
) -> Written:
    """Agree that `owner_id`, one of `may_own`, does something by a day. Raises Refused."""
    text = " ".join(text.replace("\x00", "").split())
    if not text:
        raise Refused("text", "Say what is to be done")
    if len(text) > 300:
        raise Refused("text", "At most 300 characters")
    if owner_id not in may_own:
        raise Refused("owner_id", "Choose one of those who read this sheet")
    if AgreedAction.objects.filter(person_id=person.id, done_at=None, deleted_at=None).count() >= MOST_OPEN:
        raise Refused("text", f"{MOST_OPEN} actions are open; finish some first")
    action = AgreedAction(
        person_id=person.id,
        owner_id=owner_id,
        text=text,
        due_on=due_on,
        agreed_by_id=current_context().person_id,
        agreed_at=now,
    )
    action.save(force_insert=True)
    _note(action.id, "agreed_action.made", f"An action was agreed in the one-to-ones with {person.name}")
    return _offer(action, "Action agreed", was=None)


def action_done(action: AgreedAction, *, is_done: bool, now: datetime) -> Written:
    """Tick it off, or open it again; it returns on the next sheet until it is done."""
    was = _state(action)
    action.done_at = (action.done_at or now) if is_done else None
    action.save(update_fields=["done_at"])
    _note(action.id, "agreed_action.done" if is_done else "agreed_action.reopened", "An agreed action moved")
    return _offer(action, "Done" if is_done else "Open again", was=was)


def action_remove(action: AgreedAction, *, now: datetime) -> Written:
    """It is no longer agreed."""
    was = _state(action)
    action.deleted_at = now
    action.save(update_fields=["deleted_at"])
    _note(action.id, "agreed_action.removed", "An agreed action was removed")
    return _offer(action, "Action removed", was=was)


@undoes(ACTION, action="edit_one_to_one")
def put_action_back(payload: Mapping[str, Any]) -> str:
    """As it was before the write; a new one is taken back."""
    action: AgreedAction | None = AgreedAction.objects.select_for_update().filter(id=payload["id"]).first()
    if action is None or _state(action) != payload["after"]:
        raise CantUndo("This action was changed since; change it again instead")
    was = payload["was"] or {"done_at": None, "deleted_at": timezone.now().isoformat()}
    for name, value in was.items():
        setattr(action, name, datetime.fromisoformat(value) if value else None)
    action.save(update_fields=["done_at", "deleted_at"])
    _note(action.id, "agreed_action.restored", "An agreed action was put back as it was before")
    return "The action is as it was before"


def _state(action: AgreedAction) -> dict[str, str | None]:
    moments = {"done_at": action.done_at, "deleted_at": action.deleted_at}
    return {name: moment.isoformat() if moment else None for name, moment in moments.items()}


def _offer(action: AgreedAction, said: str, *, was: dict[str, str | None] | None) -> Written:
    payload = {"id": str(action.id), "was": was, "after": _state(action)}
    return Written(action, undo_offer(ACTION, said=said, payload=payload))


def _note(subject_id: UUID, action: str, summary: str) -> None:
    """That something was written, not what."""
    kind = action.partition(".")[0]
    audit_append(action, subject_kind=kind, subject_id=subject_id, summary=summary)
