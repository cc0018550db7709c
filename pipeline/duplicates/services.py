"""Merge two records into one and take that back; say that two are none. The only writers of pairs and merges."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone

from otc.audit.services import audit_append
from otc.tenancy.context import current_context
from otc.tenancy.services import fold
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.duplicates.choices import ASKED, GONE, KEPT, changes_of, choices_of
from pipeline.duplicates.models import DuplicatePair, Merge, RecordKind
from pipeline.duplicates.places import place_of
from pipeline.duplicates.relations import MODELS, move, moved_since, put_back, relations
from pipeline.opportunities.merging import Absorbed, deal_absorb, deal_release
from pipeline.opportunities.rules import Refused

STATE: Mapping[str, tuple[str, ...]] = {
    RecordKind.ACCOUNT: (
        *("name", "name_folded", "external_id", "parent_id", "industry", "country", "attributes"),
        "merged_into_id",
    ),
    RecordKind.CONTACT: (
        *("name", "name_folded", "external_id", "title", "email", "phone", "attributes", "account_id"),
        "merged_into_id",
    ),
}


class CantMerge(ValueError):
    """Two records that can't become one: the text says why and what to do instead."""


def records_merge(
    kind: str, *, kept_id: UUID, gone_id: UUID, chosen: Mapping[str, str], now: datetime
) -> Merge:
    """Let `gone` become part of `kept`: its people, deals and whatever hangs on it move along.

    `chosen` says by field (`choices.ASKED`, or “attributes.” and a name) whether the value of “kept” or “gone” wins;
    a field that it leaves out keeps its value, or takes the other's where it has none. Raises CantMerge.
    """
    if kind not in MODELS or kept_id == gone_id:
        raise CantMerge("Choose two different accounts, contacts or deals")
    kept, gone = _both(kind, kept_id, gone_id)
    choices = choices_of(kind, kept, gone, chosen=chosen)
    if unknown := sorted({*chosen} - {choice.key for choice in choices} - _asked_of(kind)):
        raise CantMerge(f"There is no field {unknown[0]} to choose")
    if wrong := sorted(set(chosen.values()) - {KEPT, GONE}):
        raise CantMerge(f"“{wrong[0]}” is neither kept nor gone")
    changes = changes_of(kind, gone, choices)
    merge = Merge(kind=kind, kept_id=kept_id, gone_id=gone_id, merged_at=now)
    merge.kept_name, merge.gone_name = kept.name, gone.name
    merge.merged_by_id = current_context().person_id
    if kind == RecordKind.OPPORTUNITY:
        _merge_deals(merge, changes, now=now)
    else:
        _merge_named(merge, kept, gone, changes)
    merge.save(force_insert=True)
    _on_record(merge, "record.merged", f"“{merge.gone_name}” merged into “{merge.kept_name}”")
    return merge


def merge_offer_undo(merge: Merge) -> UUID | None:
    """A step for the toast's Undo; the page of merges undoes it later, too."""
    said = f"{merge.gone_name} merged into {merge.kept_name}"
    return undo_offer("merge", said=said, payload={"merge_id": str(merge.id)})


def merge_undo(merge_id: UUID, *, now: datetime) -> Merge:
    """Put both records and all that moved back exactly. Raises CantUndo where something moved or changed again."""
    merge: Merge = Merge.objects.select_for_update().get(id=merge_id)
    if merge.undone_at is not None:
        raise CantUndo("That merge is undone already")
    # A later merge may have taken in what this one kept.
    if Merge.objects.filter(gone_id=merge.kept_id, undone_at__isnull=True).exists():
        raise CantUndo(f"{merge.kept_name} was merged into another since; undo that merge first")
    again = moved_since(merge.kind, merge.moved, to_id=merge.kept_id)
    if again:
        raise CantUndo(f"Moved again or deleted since: {', '.join(again)}; move by hand what you want back")
    if merge.kind == RecordKind.OPPORTUNITY:
        _unmerge_deals(merge)
    else:
        _unmerge_named(merge)
    put_back(merge.kind, merge.moved, to_id=merge.gone_id)
    merge.undone_at, merge.undone_by_id = now, current_context().person_id
    merge.save(update_fields=["undone_at", "undone_by_id"])
    _on_record(
        merge, "record.merge_undone", f"“{merge.gone_name}” stands apart from “{merge.kept_name}” again"
    )
    return merge


@undoes("merge", action="merge_duplicates")
def put_merge_back(payload: Mapping[str, Any]) -> str:
    merge = merge_undo(UUID(payload["merge_id"]), now=timezone.now())
    return f"{merge.gone_name} and {merge.kept_name} are two again"


def pair_dismiss(pair_id: UUID, *, now: datetime) -> UUID | None:
    """Remember that these two are no duplicates. Returns the step that takes it back."""
    pair: DuplicatePair = DuplicatePair.objects.select_for_update().get(id=pair_id)
    pair.dismissed_at, pair.dismissed_by_id = now, current_context().person_id
    pair.save(update_fields=["dismissed_at", "dismissed_by_id"])
    audit_append(
        "duplicate.dismissed",
        subject_kind=pair.kind,
        subject_id=pair.first_id,
        summary="Said to be no duplicates",
        detail={"first": pair.first_id, "second": pair.second_id, "score": pair.score},
    )
    return undo_offer("duplicate_dismiss", said="Not a duplicate", payload={"id": str(pair_id)})


@undoes("duplicate_dismiss", action="merge_duplicates")
def put_pair_back(payload: Mapping[str, Any]) -> str:
    found = DuplicatePair.objects.filter(id=payload["id"], dismissed_at__isnull=False)
    if not found.update(dismissed_at=None, dismissed_by_id=None):
        raise CantUndo("That pair is proposed again already, or gone")
    return "Proposed as duplicates again"


def _both(kind: str, kept_id: UUID, gone_id: UUID) -> tuple[Any, Any]:
    """Both records, locked in one order. Raises CantMerge."""
    model = MODELS[kind]
    found = {
        one.id: one
        for one in model.objects.select_for_update().filter(id__in=[kept_id, gone_id]).order_by("id")
    }
    if len(found) < 2:
        raise CantMerge("One of them isn't there any more; it may have been merged already")
    return found[kept_id], found[gone_id]


def _asked_of(kind: str) -> set[str]:
    return {asked.key for asked in ASKED[kind]}


def _merge_named(merge: Merge, kept: Any, gone: Any, changes: dict[str, Any]) -> None:
    """An account or a contact: columns, then whatever refers to it, then the mark that it is merged."""
    model, kind = MODELS[merge.kind], merge.kind
    before = {KEPT: _state(kind, kept), GONE: _state(kind, gone)}
    for column, value in changes.items():
        if column == "attributes":
            kept.attributes = kept.attributes | value
        else:
            setattr(kept, column, value)
    if kind == RecordKind.ACCOUNT:
        kept.parent_id = place_of(kept.id, gone.id, wanted=kept.parent_id, gone_parent=gone.parent_id)
    kept.name_folded = fold(kept.name)
    merge.moved = _move_all(kind, from_id=gone.id, to_id=kept.id)
    if kept.external_id and kept.external_id == gone.external_id:
        gone.external_id = None
    gone.merged_into_id = kept.id
    gone.save()
    kept.save()
    kept, gone = (model.everything.get(id=one) for one in (kept.id, gone.id))
    merge.before, merge.after = before, {KEPT: _state(kind, kept), GONE: _state(kind, gone)}


def _unmerge_named(merge: Merge) -> None:
    model = MODELS[merge.kind]
    for which, record_id in ((GONE, merge.gone_id), (KEPT, merge.kept_id)):
        record = model.everything.select_for_update().filter(id=record_id).first()
        if record is None or _state(merge.kind, record) != merge.after[which]:
            name = merge.kept_name if which == KEPT else merge.gone_name
            raise CantUndo(f"Somebody changed {name} since; change by hand what you want back")
    # The one that stays lets go of an external id before the other takes it back.
    for which, record_id in ((KEPT, merge.kept_id), (GONE, merge.gone_id)):
        model.everything.filter(id=record_id).update(**merge.before[which])


def _merge_deals(merge: Merge, changes: dict[str, Any], *, now: datetime) -> None:
    attributes = changes.pop("attributes", {})
    try:
        absorbed = deal_absorb(merge.kept_id, merge.gone_id, changes=changes, attributes=attributes, now=now)
    except Refused as refusal:
        raise CantMerge(refusal.reason) from refusal
    merge.moved = _move_all(merge.kind, from_id=merge.gone_id, to_id=merge.kept_id)
    merge.after = {name: str(version) for name, version in asdict(absorbed).items()}


def _unmerge_deals(merge: Merge) -> None:
    absorbed = Absorbed(**{name: UUID(version) for name, version in merge.after.items()})
    try:
        deal_release(merge.kept_id, merge.gone_id, absorbed=absorbed)
    except Refused as refusal:
        raise CantUndo(refusal.reason) from refusal


def _move_all(kind: str, *, from_id: UUID, to_id: UUID) -> dict[str, list[str]]:
    moved = {relation.key: move(relation, from_id=from_id, to_id=to_id) for relation in relations(kind)}
    return {key: [str(row_id) for row_id in row_ids] for key, row_ids in moved.items() if row_ids}


def _state(kind: str, record: Any) -> dict[str, Any]:
    """The record's columns as JSON."""
    values = {column: getattr(record, column) for column in STATE[kind]}
    return {column: str(value) if isinstance(value, UUID) else value for column, value in values.items()}


def _on_record(merge: Merge, action: str, summary: str) -> None:
    audit_append(
        action,
        subject_kind=merge.kind,
        subject_id=merge.kept_id,
        summary=summary,
        detail={
            "merge": merge.id,
            "kept": merge.kept_id,
            "gone": merge.gone_id,
            "moved": {key: len(row_ids) for key, row_ids in merge.moved.items()},
        },
    )
