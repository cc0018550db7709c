"""The marks of a deal's milestones: which stand, which stood at an instant, and what the timeline tells of them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pipeline.opportunities.models import EndedMark, MarkState, OpportunityMilestone
from pipeline.opportunities.timeline import MILESTONE, Entry, short

PEOPLE = ("marked_by", "noted_by", "restored_by")
MOST_ENDED = 500


def marks_standing(opportunity_id: UUID) -> list[OpportunityMilestone]:
    """Those that stand now. One query."""
    found = OpportunityMilestone.objects.filter(opportunity_id=opportunity_id)
    return list(found.select_related("milestone", *PEOPLE))


def marks_ended(opportunity_id: UUID) -> list[EndedMark]:
    """The latest five hundred that were taken off, the first first. One query."""
    found = EndedMark.objects.filter(opportunity_id=opportunity_id)
    latest = found.select_related("milestone", "ended_by", *PEOPLE).order_by("-ended_at", "-id")[:MOST_ENDED]
    return list(latest)[::-1]


def marks_at(
    standing: Sequence[OpportunityMilestone], ended: Sequence[EndedMark], instant: datetime
) -> list[MarkState]:
    """What stood at `instant`: of evidence that came later nothing is said, for what it replaced isn't kept."""
    stood: list[MarkState] = [
        *(mark for mark in ended if mark.stands_since <= instant < mark.ended_at),
        *(mark for mark in standing if mark.stands_since <= instant),
    ]
    return [_without_later_evidence(mark, instant) for mark in stood]


def _without_later_evidence(mark: MarkState, instant: datetime) -> MarkState:
    if mark.noted_at is not None and mark.noted_at > instant:
        mark.note, mark.url, mark.noted_at, mark.noted_by = "", "", None, None
    return mark


def mark_entries(
    standing: Sequence[OpportunityMilestone],
    ended: Sequence[EndedMark],
    *,
    until: datetime,
    told_at: Collection[datetime] = (),
) -> list[Entry]:
    """Every marking and opening again up to `until`, each once.

    `told_at` are the instants of what the close plan tells itself, and in full.
    """
    found: dict[tuple[UUID, datetime, str], Entry] = {}
    for mark in (*ended, *standing):
        for entry in _of_mark(mark):
            # What Undo put back was told when it was marked first.
            found.setdefault((mark.milestone_id, entry.at, entry.icon), entry)
    marked = {(mark.milestone_id, mark.stands_since) for mark in (*ended, *standing)}
    for gone in ended:
        # Marked anew at that instant: the new mark tells it.
        if (gone.milestone_id, gone.ended_at) not in marked:
            found[gone.milestone_id, gone.ended_at, "box"] = _opened(gone)
    return [entry for entry in found.values() if entry.at <= until and entry.at not in told_at]


def _of_mark(mark: Any) -> Iterator[Entry]:
    """A milestone that was met or waived, with its evidence; what was added later is told when it was."""
    state, icon = ("met", "check") if mark.met_at is not None else ("waived", "minus")
    by = _name(mark.marked_by)
    evidence = {"note": short(mark.note), "href": mark.url}
    # What a recipient ticked is told by the close plan, with every tick that was taken back.
    if not mark.ticked_by:
        told = evidence if mark.noted_at is None else {}
        yield Entry(
            at=mark.marked_at,
            kind=MILESTONE,
            icon=icon,
            title=f"Milestone {state}: {mark.milestone.name}",
            who=by,
            **told | {"note": _said(by, told.get("note", ""))},
        )
    if mark.noted_at is not None:
        by = _name(mark.noted_by)
        title = f"Evidence for {mark.milestone.name}"
        note = _said(by, evidence["note"])
        yield Entry(
            at=mark.noted_at, kind=MILESTONE, icon="note", title=title, who=by, **evidence | {"note": note}
        )
    if mark.restored_at is not None:
        by = _name(mark.restored_by)
        title = f"Milestone {state} again: {mark.milestone.name}"
        yield Entry(
            at=mark.restored_at, kind=MILESTONE, icon=icon, title=title, who=by, note=_said(by, "Undo")
        )


def _opened(gone: Any) -> Entry:
    by = _name(gone.ended_by)
    title = f"Milestone open again: {gone.milestone.name}"
    return Entry(at=gone.ended_at, kind=MILESTONE, icon="box", title=title, who=by, note=by)


def _name(person: Any) -> str:
    return person.name if person else ""


def _said(by: str, note: str) -> str:
    """“Ana Ruiz: Signed”; one of both where that is all there is."""
    return ": ".join(words for words in (by, note) if words)
