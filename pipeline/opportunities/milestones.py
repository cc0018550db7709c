"""The only writer of milestones on a deal: met, waived or open again, with evidence, and with undo."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from otc.jobs.services import enqueue
from otc.tenancy.context import current_context
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.links.rules import checked_url
from pipeline.opportunities.holding import deal_held
from pipeline.opportunities.models import EndedMark, Opportunity, OpportunityMilestone
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import HEALTH_JOB
from pipeline.process.models import Milestone

KIND = "deal_milestone"
STATES = ("met", "waived", "open")
LONGEST_NOTE = 2000
# What a mark is made of: what undo puts back, and compares with what stands there.
MARKED = ("met_at", "waived_at", "noted_at", "marked_by_id", "ticked_by", "note", "url", "noted_by_id")
RESTORED = ("restored_at", "restored_by_id")
COLUMNS = (*MARKED, *RESTORED)
MOMENTS = frozenset(name for name in COLUMNS if name.endswith("_at"))


def milestone_mark(
    opportunity_id: UUID,
    *,
    milestone_id: UUID,
    state: str,
    now: datetime,
    note: str | None = None,
    url: str | None = None,
    ticked_by: str = "",
) -> UUID | None:
    """Set a milestone of the deal to `met`, `waived` or `open`, which takes the mark and its evidence off.

    A `note` or `url` that isn't given stays as it is; one that is written later is signed apart from the mark. Returns
    the step that Undo takes back, None where nothing changed or nobody could. Raises Refused.
    """
    deal = deal_held(opportunity_id)
    if state not in STATES:
        raise Refused("state", "A milestone is met, waived or open")
    asked = Milestone.objects.filter(stage__process_id=deal.process_id, retired_at__isnull=True)
    milestone = asked.filter(id=milestone_id).first()
    if milestone is None:
        raise Refused("milestone", "This deal's process has no such milestone")
    kept = OpportunityMilestone.objects.filter(opportunity=deal, milestone_id=milestone_id).first()
    before = _columns(kept)
    if state == "open":
        after = None
    else:
        evidence = {"note": checked_note(note), "url": checked_evidence(url)}
        given = {name: text for name, text in evidence.items() if text is not None}
        after = _marked(before, state=state, evidence=given, ticked_by=ticked_by, now=now)
    if after == before:
        return None
    _write(deal, milestone_id, before, after, now=now)
    payload = {
        "deal": str(deal.id),
        "milestone": str(milestone_id),
        "before": _as_json(before),
        "after": _as_json(after),
    }
    return undo_offer(KIND, said=f"Milestone {milestone.name}", payload=payload)


@undoes(KIND, action="mark_milestone")
def put_mark_back(payload: Mapping[str, Any]) -> str:
    """The mark and its evidence as they were. Raises CantUndo where somebody changed them since."""
    deal = Opportunity.objects.filter(id=payload["deal"], deleted_at=None).first()
    milestone = Milestone.objects.filter(id=payload["milestone"]).first()
    if deal is None or milestone is None:
        raise CantUndo("The deal is gone, and its milestones with it")
    deal = deal_held(deal.id)
    kept = OpportunityMilestone.objects.filter(opportunity=deal, milestone=milestone).first()
    standing, after = _columns(kept), _from_json(payload["after"])
    if _marked_as(standing) != _marked_as(after):
        raise CantUndo(f"{milestone.name} has changed since; mark it on the deal’s page instead")
    now = timezone.now()
    before = _from_json(payload["before"])
    if before is not None and _moment(before) != _moment(standing):
        before |= {"restored_at": now, "restored_by_id": current_context().person_id}
    _write(deal, milestone.id, standing, before, now=now)
    return f"{milestone.name} is as it was before"


def checked_note(typed: str | None) -> str | None:
    """What was typed as evidence, with its line breaks, without what can't be stored. Raises Refused."""
    if typed is None:
        return None
    note = typed.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
    if len(note) > LONGEST_NOTE:
        raise Refused(
            "note", f"At most {LONGEST_NOTE:,} characters; these are {len(note):,}. Link to the rest"
        )
    return note


def checked_evidence(typed: str | None) -> str | None:
    """The link as it is kept. Raises Refused."""
    if typed is None or not typed.strip():
        return typed if typed is None else ""
    return checked_url(typed, schemes=("https", "http"))


def _marked(
    before: Mapping[str, Any] | None,
    *,
    state: str,
    evidence: Mapping[str, str],
    ticked_by: str,
    now: datetime,
) -> dict[str, Any]:
    """The columns of the mark after it was set to `state`: who marks anew signs, who adds evidence later signs that."""
    stands = before is not None and (before["met_at"] is not None) == (state == "met")
    kept = {name: before[name] if before else "" for name in ("note", "url")}
    changes = {name: text for name, text in evidence.items() if text != kept[name]}
    if before is not None and stands:
        signed = {"noted_by_id": current_context().person_id, "noted_at": now} if changes else {}
        return {**before, **changes, **signed}
    return {
        "met_at": now if state == "met" else None,
        "waived_at": now if state == "waived" else None,
        "noted_at": None,
        "marked_by_id": current_context().person_id,
        "ticked_by": ticked_by,
        **kept,
        **changes,
        "noted_by_id": None,
        **dict.fromkeys(RESTORED),
    }


def _write(
    deal: Opportunity,
    milestone_id: UUID,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    *,
    now: datetime,
) -> None:
    """Put `after` in the place of `before`, which stays on record unless only its evidence changed."""
    if before is not None and _moment(before) != _moment(after):
        ended = EndedMark(opportunity=deal, milestone_id=milestone_id, **before)
        ended.ended_at, ended.ended_by_id = now, current_context().person_id
        ended.save(force_insert=True)
    OpportunityMilestone.objects.filter(opportunity=deal, milestone_id=milestone_id).delete()
    if after is not None:
        OpportunityMilestone(opportunity=deal, milestone_id=milestone_id, **after).save(force_insert=True)
    enqueue(HEALTH_JOB, subject=deal.id)


def _moment(columns: Mapping[str, Any] | None) -> tuple[Any, Any] | None:
    """When it was met or waived, by which one mark is told from another; None for no mark."""
    return None if columns is None else (columns["met_at"], columns["waived_at"])


def _marked_as(columns: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A mark without what Undo wrote of itself."""
    return None if columns is None else {name: columns[name] for name in MARKED}


def _columns(mark: OpportunityMilestone | None) -> dict[str, Any] | None:
    return None if mark is None else {name: getattr(mark, name) for name in COLUMNS}


def _as_json(columns: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if columns is None:
        return None
    return {
        name: value.isoformat() if name in MOMENTS and value else str(value) if value is not None else None
        for name, value in columns.items()
    }


def _from_json(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if kept is None:
        return None
    known = dict.fromkeys(RESTORED) | dict(kept)  # A step of before marks could be restored.
    return {name: value if value is None else _value(name, value) for name, value in known.items()}


def _value(name: str, kept: str) -> Any:
    if name in MOMENTS:
        return parse_datetime(kept)
    return UUID(kept) if name.endswith("_id") else kept
