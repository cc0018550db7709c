"""What happened on a deal, newest first: its versions in words, its milestones and its activities, merged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from otc.fields.queries import Book
from pipeline.history.changes import CHANNEL_WORDS, PROVENANCE_WORDS, Change, changes

CHANGE, CONTACT, MILESTONE, COMMENT = "change", "contact", "milestone", "comment"
ACTIVITY_ICONS = {"call": "phone", "meeting": "meeting", "mail": "mail", "email": "mail", "note": "note"}
DIRECTION_WORDS = {"in": "from them", "out": "to them", "": ""}


@dataclass(frozen=True)
class Entry:
    """One moment: its changes, its title or a comment, who did it, and a line in grey."""

    at: datetime
    kind: str
    icon: str
    title: str = ""
    changes: tuple[Change, ...] = ()
    who: str = ""
    note: str = ""
    undo_to: UUID | None = None
    comment: Any = None


def entries(
    *,
    versions: Sequence[Any],
    marks: Iterable[Any],
    activities: Iterable[Any],
    seats: Iterable[Any],
    today: date,
    until: datetime,
    book: Book | None = None,
    beside: Iterable[Entry] = (),
) -> list[Entry]:
    """All entries up to `until`, newest first. `versions` are newest first, with their names loaded; `seats` are
    who was on the deal's team; `book` has the custom fields and the people whom their values mean; `beside` is what
    other rooms tell.
    """
    found = [
        *_of_versions(versions, today=today, book=book or Book()),
        *(_of_mark(mark) for mark in marks if not _is_of_plan(mark)),
        *(_of_activity(activity) for activity in activities),
        *(entry for seat in seats for entry in _of_seat(seat, until=until)),
        *beside,
    ]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def _of_versions(versions: Sequence[Any], *, today: date, book: Book) -> Iterable[Entry]:
    for index, version in enumerate(versions):
        before = versions[index + 1] if index + 1 < len(versions) else None
        told = changes(before, version, today=today, fields=book.fields, names=book.names)
        if not told:
            continue
        is_latest_edit = index == 0 and before is not None and version.provenance == "live"
        yield Entry(
            at=version.valid_from,
            kind=CHANGE,
            icon=told[0].icon,
            changes=told,
            who=version.actor.name if version.actor else "",
            note=_note(version),
            undo_to=before.id if before is not None and is_latest_edit else None,
        )


def _note(version: Any) -> str:
    """“Ana Ruiz, over the API”; an import's words give way to the version's own provenance."""
    provenance = PROVENANCE_WORDS[version.provenance]
    who = version.actor.name if version.actor else ""
    if version.acted_for:
        who = f"{who} for {version.acted_for.name}"
    words = [who, provenance or CHANNEL_WORDS[version.channel]]
    text = ", ".join(word for word in words if word)
    return text[:1].upper() + text[1:]


def _of_seat(seat: Any, *, until: datetime) -> Iterable[Entry]:
    added_by = seat.added_by.name if seat.added_by else ""
    title = f"{seat.person.name} joined the team as {seat.part}"
    yield Entry(at=seat.valid_from, kind=CHANGE, icon="plus", title=title, who=added_by, note=added_by)
    if seat.valid_to <= until:
        removed_by = seat.removed_by.name if seat.removed_by else ""
        title = f"{seat.person.name} left the team"
        yield Entry(at=seat.valid_to, kind=CHANGE, icon="minus", title=title, who=removed_by, note=removed_by)


def _of_mark(mark: Any) -> Entry:
    is_met = mark.met_at is not None
    return Entry(
        at=mark.met_at or mark.waived_at,
        kind=MILESTONE,
        icon="check" if is_met else "box",
        title=f"Milestone {'met' if is_met else 'waived'}: {mark.milestone.name}",
        who=mark.marked_by.name if mark.marked_by else "",
        note=mark.note or (mark.marked_by.name if mark.marked_by else ""),
    )


def _is_of_plan(mark: Any) -> bool:
    """Ticked by a buyer: the plan's own events tell it, with every tick taken back."""
    return mark.marked_by_id is None and bool(mark.note.endswith("via close plan"))


def _of_activity(activity: Any) -> Entry:
    kind = activity.kind.replace("_", " ").capitalize()
    words = [
        activity.person.name if activity.person else "",
        activity.contact.name if activity.contact else "",
        DIRECTION_WORDS.get(activity.direction, ""),
    ]
    return Entry(
        at=activity.at,
        kind=CONTACT,
        icon=ACTIVITY_ICONS.get(activity.kind, "note"),
        title=activity.subject or kind,
        who=activity.person.name if activity.person else "",
        note=", ".join([kind if activity.subject else "", *words]).replace(", , ", ", ").strip(", "),
    )


def days_by_stage(versions: Sequence[Any], *, until: datetime) -> dict[UUID | None, int]:
    """Whole days the deal spent open in each stage, up to `until`. `versions` are newest first."""
    spent: dict[UUID | None, timedelta] = {}
    end = until
    for version in versions:
        if version.outcome is None and version.deleted_at is None and end > version.valid_from:
            spent[version.stage_id] = spent.get(version.stage_id, timedelta()) + (end - version.valid_from)
        end = min(end, version.valid_from)
    return {stage: time.days for stage, time in spent.items()}
