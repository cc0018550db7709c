"""What happened on a deal, newest first: its versions in words and its activities, merged with what rooms tell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from otc.fields.queries import Book
from pipeline.history.changes import CHANNEL_WORDS, PROVENANCE_WORDS, Change, changes

CHANGE, CONTACT, NOTE, MILESTONE = "change", "contact", "note", "milestone"
COMMENT, SCORE = "comment", "score"
# What can be asked for alone: key in the address, what it is called, kind of entry.
TABS = (
    ("all", "All", ""),
    ("changes", "Changes", CHANGE),
    ("contacts", "Contacts", CONTACT),
    ("notes", "Notes", NOTE),
    ("milestones", "Milestones", MILESTONE),
    ("comments", "Comments", COMMENT),
    ("scores", "Scores", SCORE),
)
SHOWN_ENTRIES, MORE_ENTRIES, MOST_ENTRIES = 12, 50, 10_000
SHOWN_CHARACTERS = 300
ACTIVITY_ICONS = {"call": "phone", "meeting": "meeting", "mail": "mail", "email": "mail", "note": "note"}
DIRECTION_WORDS = {"in": "from them", "out": "to them", "": ""}


@dataclass(frozen=True)
class Entry:
    """One moment: its changes, its title or a comment, who did it, and a line in grey.

    `also` is a second kind that it is found under; `href` leads to evidence.
    """

    at: datetime
    kind: str
    icon: str
    title: str = ""
    changes: tuple[Change, ...] = ()
    who: str = ""
    note: str = ""
    undo_to: UUID | None = None
    comment: Any = None
    also: str = ""
    href: str = ""


@dataclass(frozen=True)
class Page:
    """The latest entries of one kind, `more` are earlier ones; `counts` says how many there are of each.

    `first_at` is the earliest of this kind; `cut_at` is when contacts begin to be left out, None where all are there.
    """

    tab: str
    entries: tuple[Entry, ...]
    more: int
    counts: tuple[tuple[str, str, int], ...]
    first_at: datetime | None
    cut_at: datetime | None = None


def page_of(
    told: Sequence[Entry], *, tab: str, shown: int = SHOWN_ENTRIES, cut_at: datetime | None = None
) -> Page:
    """The first `shown` entries of the tab. `told` are newest first."""
    kinds = {key: kind for key, _, kind in TABS}
    tab = tab if tab in kinds else "all"
    of = {
        key: [entry for entry in told if not kind or kind in (entry.kind, entry.also)]
        for key, kind in kinds.items()
    }
    wanted = of[tab]
    counts = tuple((key, label, len(of[key])) for key, label, _ in TABS if of[key] or key in ("all", tab))
    return Page(
        tab,
        tuple(wanted[:shown]),
        max(0, len(wanted) - shown),
        counts,
        wanted[-1].at if wanted else None,
        cut_at,
    )


def entries(
    *,
    versions: Sequence[Any],
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
        # The close plan tells its own, and in full.
        *(_of_activity(activity) for activity in activities if activity.kind != "close_plan"),
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


def short(text: str) -> str:
    """What fits a timeline; the whole stands where it was written."""
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS].rstrip()}…"


def _of_activity(activity: Any) -> Entry:
    kind = activity.kind.replace("_", " ").capitalize()
    words = [
        activity.person.name if activity.person else "",
        activity.contact.name if activity.contact else "",
        DIRECTION_WORDS.get(activity.direction, ""),
    ]
    return Entry(
        at=activity.at,
        kind=NOTE if activity.kind == "note" else CONTACT,
        icon=ACTIVITY_ICONS.get(activity.kind, "note"),
        title=activity.subject or kind,
        who=activity.person.name if activity.person else "",
        note=", ".join([kind if activity.subject else "", *words]).replace(", , ", ", ").strip(", "),
    )


def stages_entered(versions: Sequence[Any]) -> dict[UUID, datetime]:
    """When the deal last came into each stage that it was in. `versions` are newest first."""
    found: dict[UUID, datetime] = {}
    before = None
    for version in reversed(versions):
        if version.stage_id is not None and version.stage_id != before:
            found[version.stage_id] = version.valid_from
        before = version.stage_id
    return found


def days_by_stage(versions: Sequence[Any], *, until: datetime) -> dict[UUID | None, int]:
    """Whole days the deal spent open in each stage, up to `until`. `versions` are newest first."""
    spent: dict[UUID | None, timedelta] = {}
    end = until
    for version in versions:
        if version.outcome is None and version.deleted_at is None and end > version.valid_from:
            spent[version.stage_id] = spent.get(version.stage_id, timedelta()) + (end - version.valid_from)
        end = min(end, version.valid_from)
    return {stage: time.days for stage, time in spent.items()}
