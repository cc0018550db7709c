"""Pairs that look like one record, the surest first, and what was merged, the latest first; in pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from rest_framework.exceptions import ValidationError

from otc.api.pages import PAGE_SIZE, Sort, keyset_page
from otc.money.rules import decimal_text
from otc.question import BadQuestion
from otc.tenancy.models import Person
from otc.tenancy.reach import Reach
from pipeline.accounts.models import Account, Contact
from pipeline.duplicates.models import DuplicatePair, Merge, RecordKind
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.queries import visible_opportunities
from pipeline.team.queries import seen

SORTS: Mapping[str, Sort] = {"score": Sort("score", int)}
MERGE_SORTS: Mapping[str, Sort] = {"merged_at": Sort("merged_at", datetime)}


@dataclass(frozen=True)
class Face:
    """One record of a pair: its name and what else tells it apart."""

    id: UUID
    name: str
    facts: str


@dataclass(frozen=True)
class Pair:
    id: UUID
    kind: str
    first: Face
    second: Face
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class DuplicatesReport:
    """A page of the pairs of a kind, and how many each kind has."""

    kind: str
    rows: tuple[Pair, ...]
    counts: Mapping[str, int]
    next_cursor: str | None


@dataclass(frozen=True)
class MergeRow:
    id: UUID
    kind: str
    kept_id: UUID
    kept_name: str
    gone_name: str
    moved_count: int
    merged_at: datetime
    merged_by: str
    undone_at: datetime | None


def standing_pairs(kind: str, *, visible: Reach) -> Any:
    """Pairs of which both records stand and may be seen, and that nobody dismissed."""
    records = _records(kind, visible=visible)
    return DuplicatePair.objects.filter(
        Exists(records.filter(id=OuterRef("first_id"))),
        Exists(records.filter(id=OuterRef("second_id"))),
        kind=kind,
        dismissed_at__isnull=True,
    )


def _records(kind: str, *, visible: Reach) -> Any:
    if kind == RecordKind.OPPORTUNITY:
        return visible_opportunities(visible)
    return Account.objects.all() if kind == RecordKind.ACCOUNT else Contact.objects.all()


def duplicates_report(kind: str, *, visible: Reach, after: str | None = None) -> DuplicatesReport:
    """A fixed number of queries, whatever the rows. Raises BadQuestion."""
    if kind not in RecordKind.values:
        raise BadQuestion("kind", f"“{kind}” is none of: {', '.join(RecordKind.values)}")
    columns = ("id", "kind", "first_id", "second_id", "score", "reasons")
    try:
        page = keyset_page(
            standing_pairs(kind, visible=visible).values(*columns),
            parameters={"sort": "-score", "cursor": after, "limit": PAGE_SIZE},
            sorts=SORTS,
        )
    except ValidationError as problem:
        raise BadQuestion("after", "This page isn’t there any more; start with the first one") from problem
    counts = {one: standing_pairs(one, visible=visible).count() for one in RecordKind.values}
    return DuplicatesReport(kind, tuple(faced(kind, page.rows)), counts, page.next_cursor)


def faced(kind: str, rows: Iterable[Mapping[str, Any]]) -> list[Pair]:
    """Pairs with what both records are called. One query."""
    pairs = list(rows)
    faces = faces_of(kind, {row[end] for row in pairs for end in ("first_id", "second_id")})
    return [
        Pair(
            row["id"],
            row["kind"],
            faces[row["first_id"]],
            faces[row["second_id"]],
            row["score"],
            tuple(row["reasons"]),
        )
        for row in pairs
    ]


def faces_of(kind: str, ids: Iterable[UUID]) -> dict[UUID, Face]:
    columns: tuple[str, ...]
    if kind == RecordKind.ACCOUNT:
        rows = Account.objects.filter(id__in=list(ids)).values_list("id", "name", "industry", "country")
        return {key: Face(key, name, _joined(*facts)) for key, name, *facts in rows}
    if kind == RecordKind.CONTACT:
        columns = ("id", "name", "account__name", "title", "email")
        rows = Contact.objects.filter(id__in=list(ids)).values_list(*columns)
        return {key: Face(key, name, _joined(*facts)) for key, name, *facts in rows}
    columns = ("id", "name", "account__name", "amount_minor", "currency", "stage__name", "owner__name")
    rows = Opportunity.objects.filter(id__in=list(ids)).values_list(*columns)
    return {
        key: Face(key, name, _joined(account, _amount(amount, currency), stage, owner))
        for key, name, account, amount, currency, stage, owner in rows
    }


def _amount(amount_minor: int | None, currency: str) -> str:
    return "" if amount_minor is None else f"{decimal_text(amount_minor, currency=currency)} {currency}"


def _joined(*facts: str | None) -> str:
    return " · ".join(fact for fact in facts if fact)


def pair_of(pair_id: UUID, *, visible: Reach) -> DuplicatePair | None:
    """A pair that is proposed to somebody who may see both."""
    kind = DuplicatePair.objects.filter(id=pair_id).values_list("kind", flat=True).first()
    found: DuplicatePair | None = (
        standing_pairs(kind, visible=visible).filter(id=pair_id).first() if kind else None
    )
    return found


def duplicates_of(kind: str, *record_ids: UUID, visible: Reach) -> list[Pair]:
    """What these records may be duplicates of, the surest first. Two queries, one where there is nothing."""
    if not record_ids:
        return []
    ends = Q(first_id__in=record_ids) | Q(second_id__in=record_ids)
    found = standing_pairs(kind, visible=visible).filter(ends)
    columns = ("id", "kind", "first_id", "second_id", "score", "reasons")
    return faced(kind, found.order_by("-score", "id").values(*columns)[:5])


def visible_merges(*, visible: Reach) -> Any:
    """Merges of accounts and contacts, and of deals that one may see."""
    deals = Opportunity.objects.filter(seen(visible), id=OuterRef("kept_id"))
    return Merge.objects.filter(~Q(kind=RecordKind.OPPORTUNITY) | Exists(deals))


def merges_report(*, visible: Reach, after: str | None = None) -> tuple[list[MergeRow], str | None]:
    """A page of merges, the latest first, and the cursor of the next. Two queries. Raises BadQuestion."""
    columns = (
        "id",
        "kind",
        "kept_id",
        "kept_name",
        "gone_name",
        "moved",
        "merged_at",
        "merged_by_id",
        "undone_at",
    )
    try:
        page = keyset_page(
            visible_merges(visible=visible).values(*columns),
            parameters={"sort": "-merged_at", "cursor": after, "limit": PAGE_SIZE},
            sorts=MERGE_SORTS,
        )
    except ValidationError as problem:
        raise BadQuestion("after", "This page isn’t there any more; start with the first one") from problem
    names = dict(
        Person.objects.filter(id__in={row["merged_by_id"] for row in page.rows}).values_list("id", "name")
    )
    rows = [
        MergeRow(
            id=row["id"],
            kind=row["kind"],
            kept_id=row["kept_id"],
            kept_name=row["kept_name"],
            gone_name=row["gone_name"],
            moved_count=sum(len(ids) for ids in row["moved"].values()),
            merged_at=row["merged_at"],
            merged_by=names.get(row["merged_by_id"], ""),
            undone_at=row["undone_at"],
        )
        for row in page.rows
    ]
    return rows, page.next_cursor


def merged_into(kind: str, record_id: UUID) -> UUID | None:
    """Where a record that was merged stands now."""
    found: UUID | None = (
        Merge.objects.filter(kind=kind, gone_id=record_id, undone_at__isnull=True)
        .values_list("kept_id", flat=True)
        .first()
    )
    return found
