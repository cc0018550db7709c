"""A list of deals with what changed on each, and the sums over all that match: for page, CSV and API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BooleanField, Case, Count, F, OuterRef, Q, Subquery, Sum, When
from rest_framework.exceptions import ValidationError

from otc.api.pages import PAGE_SIZE, Sort, keyset_page
from otc.money.rules import CurrencySum
from otc.question import BadQuestion, Question
from pipeline.fields.queries import sortable
from pipeline.fit.matching import POINTS, measure_now, unmeasured
from pipeline.fit.report import DealFit, fits_of
from pipeline.grid.grouping import Group, grouping_named, groups_of, within
from pipeline.health.models import Health
from pipeline.opportunities.asked import TABS, UNCONVERTIBLE, Asked, conditions
from pipeline.opportunities.queries import (
    CATEGORY_RANK,
    Facts,
    category_rank,
    counted_owners,
    deals_of,
    facts_of,
)
from pipeline.process.models import Category
from pipeline.risk.models import Risk

SORTS: dict[str, Sort] = {
    "close": Sort("close_date", date, is_nullable=True),
    "amount": Sort("corporate_minor", int, is_nullable=True),
    "deal": Sort("name_folded", str),
    "owner": Sort("owner__name_folded", str, is_nullable=True),
    "stage": Sort("stage__position", int, is_nullable=True),
    "category": Sort("category_rank", int, is_nullable=True),
    "next": Sort("next_step_on", date, is_nullable=True),
    "health": Sort("health_score", int, is_nullable=True),
    "slip": Sort("p_slip", float, is_nullable=True),
    "fit": Sort(POINTS, int, is_nullable=True),
}
COLUMNS = (
    "deal_id",
    "name",
    "account_id",
    "account__name",
    "owner_id",
    "owner__name",
    "stage_id",
    "stage__name",
    "stage__position",
    "category",
    "amount_minor",
    "currency",
    "corporate_minor",
    "close_date",
    "outcome",
    "closed_at",
    "next_step",
    "next_step_on",
    "attributes",
    "split_people",
    "split_shares",
)
BATCH = 500

SUMS = """
WITH d AS MATERIALIZED ({inner})
SELECT g.stage_id, s.name, g.* FROM (
  SELECT d.stage_id, sum(corporate_minor) FILTER (WHERE {wanted}) AS wanted_minor,
    count(*) FILTER (WHERE {wanted} AND corporate_minor IS NULL AND amount_minor IS NOT NULL) AS unconvertible,
    count(*) AS in_all, {counts}
  FROM d GROUP BY d.stage_id) g
LEFT JOIN pipeline_stage s ON s.id = g.stage_id ORDER BY s.position, s.name
"""


@dataclass(frozen=True, slots=True)
class DealRow:
    """One deal of a list. Amounts in minor units: native with its currency, and corporate (None: no rate).

    `share_bp` is what the people whose parts the list counts have of a split deal, in basis points; its corporate
    amount is that part. None where the deal counts whole.
    """

    id: UUID
    name: str
    account_id: UUID | None
    account_name: str | None
    owner_id: UUID | None
    owner_name: str | None
    stage_id: UUID | None
    stage_name: str | None
    stage_position: int | None
    category: str | None
    amount_minor: int | None
    currency: str
    corporate_minor: int | None
    close_date: date | None
    outcome: str | None
    closed_at: datetime | None
    next_step: str
    next_step_on: date | None
    attributes: dict[str, Any] = field(default_factory=dict)
    split_people: Sequence[UUID] | None = None
    split_shares: Sequence[int] | None = None
    facts: Facts | None = None
    fit: DealFit | None = None
    share_bp: int | None = None

    @property
    def is_open(self) -> bool:
        return self.outcome is None

    @property
    def share_percent(self) -> str:
        """As people read it, “40 %”; empty where the deal counts whole."""
        return "" if self.share_bp is None else f"{self.share_bp / 100:g} %"

    @property
    def category_label(self) -> str:
        return Category(self.category).label if self.category else ""

    @property
    def health(self) -> int | None:
        return self.facts.health if self.facts and self.is_open else None

    @property
    def failed(self) -> tuple[dict[str, Any], ...]:
        return self.facts.failed if self.facts and self.is_open else ()

    @property
    def worst_failed(self) -> dict[str, Any] | None:
        return self.failed[0] if self.failed else None

    @property
    def more_failed(self) -> int:
        return max(0, len(self.failed) - 1)

    @property
    def p_slip(self) -> float | None:
        """None too while the score is of an earlier close date: it says nothing about this one."""
        if self.facts is None or not self.is_open or self.facts.scored_for != self.close_date:
            return None
        return self.facts.p_slip

    @property
    def is_new(self) -> bool:
        """Not there at the compared instant."""
        return self.facts is not None and self.facts.stood is None

    @property
    def amount_change_minor(self) -> int | None:
        """Since the compared instant, in the deal's currency; None when the currency changed."""
        stood = self.facts.stood if self.facts else None
        if stood is None or stood.currency != self.currency:
            return None
        return (self.amount_minor or 0) - (stood.amount_minor or 0)

    @property
    def days_moved(self) -> int | None:
        stood = self.facts.stood if self.facts else None
        if stood is None or stood.close_date is None or self.close_date is None:
            return None
        return (self.close_date - stood.close_date).days

    @property
    def stages_moved(self) -> int | None:
        stood = self.facts.stood if self.facts else None
        if stood is None or stood.stage_position is None or self.stage_position is None:
            return None
        return self.stage_position - stood.stage_position

    @property
    def stage_before(self) -> str:
        """“from Validate” when the stage changed."""
        stood = self.facts.stood if self.facts else None
        return f"from {stood.stage_name}" if stood and self.stages_moved else ""

    @property
    def categories_moved(self) -> int | None:
        stood = self.facts.stood if self.facts else None
        if stood is None or stood.category is None or self.category is None or stood.outcome != self.outcome:
            return None
        return CATEGORY_RANK[self.category] - CATEGORY_RANK[stood.category]

    @property
    def category_before(self) -> str:
        """“from best case” when the category changed."""
        stood = self.facts.stood if self.facts else None
        if not self.categories_moved or stood is None or stood.category is None:
            return ""
        return f"from {Category(stood.category).label.lower()}"


@dataclass(frozen=True)
class StageCount:
    """How many deals of the list stand in a stage, whatever stage is asked for; id None: in no stage."""

    id: UUID | None
    name: str
    count: int


@dataclass(frozen=True)
class Sums:
    """Over all deals that match, not only the page. `unconvertible` have an amount and no known rate."""

    count: int = 0
    total_minor: int = 0
    unconvertible: int = 0


@dataclass(frozen=True)
class DealsReport:
    """A page of rows, the cursor of the next, the sums, and the counts behind each tab and stage.

    Where the list is grouped, `groups` are all that there are; the rows are of `open_group`, of all groups if None.
    """

    rows: tuple[DealRow, ...]
    next_cursor: str | None
    asked: Asked
    sums: Sums
    tab_counts: Mapping[str, int]
    stages: tuple[StageCount, ...]
    unconvertible: tuple[CurrencySum, ...] = ()
    groups: tuple[Group, ...] = ()
    open_group: str | None = None


def deals_report(
    question: Question,
    asked: Asked,
    *,
    since: datetime,
    limit: int = PAGE_SIZE,
    shows_fit: bool = False,
) -> DealsReport:
    """The deals that an address asks for. Three queries, four where it groups them, two more for words and for fit,
    whatever the rows. Raises BadQuestion.

    `since` is what the rows' changes are compared with.
    """
    asked = replace(asked, filter=asked.filter.found(is_past=question.is_past))
    looked_up = asked.filter.looked_up
    tabs = conditions(question, since=since, among=looked_up.ids if looked_up else None)
    matching = asked.filter.apply(deals_of(question)).filter(tabs[asked.tab])
    sums, tab_counts, stages = _sums(question, asked, tabs=tabs)
    listed, groups, open_group = _grouped(matching, question, asked, fits=sums.count <= limit)
    rows, sorts = _sortable(listed, question, asked)
    try:
        page = keyset_page(
            rows.values(*COLUMNS, *_sort_column(asked.sort, sorts)),
            parameters={"sort": asked.sort, "cursor": asked.after, "limit": limit},
            sorts=sorts,
            id_column="deal_id",
        )
    except ValidationError as problem:
        raise BadQuestion("after", "This page isn’t there any more; start with the first one") from problem
    return DealsReport(
        rows=tuple(with_facts(page.rows, question, since=since, shows_fit=shows_fit)),
        next_cursor=page.next_cursor,
        asked=asked,
        sums=sums,
        tab_counts=tab_counts,
        stages=stages,
        unconvertible=unconvertible_sums(matching) if sums.unconvertible else (),
        groups=groups,
        open_group=open_group,
    )


def _grouped(
    matching: Any, question: Question, asked: Asked, *, fits: bool
) -> tuple[Any, tuple[Group, ...], str | None]:
    """The rows to list, all groups, and which of them stands open: none in particular where all rows fit a page."""
    if not asked.group:
        return matching, (), None
    grouping = grouping_named(asked.group, book=asked.book)
    groups = groups_of(matching, grouping)
    if (fits and not asked.inside) or not groups:
        return matching, groups, None
    key = asked.inside or groups[0].key
    return within(matching, grouping, key, question=question), groups, key


def unconvertible_sums(rows: Any) -> tuple[CurrencySum, ...]:
    """The rows of `deals_of` that no rate converts, by currency. One query."""
    found = rows.filter(UNCONVERTIBLE).values("currency").order_by("currency")
    groups = found.annotate(count=Count("deal_id"), amount=Sum("amount_minor"))
    return tuple(CurrencySum(group["currency"], group["count"], int(group["amount"])) for group in groups)


def deal_rows(
    question: Question, deal_ids: Sequence[UUID], *, since: datetime, shows_fit: bool = False
) -> list[DealRow]:
    """Those of the deals that the viewer may see, as rows of the list. Two queries, two more for fit."""
    found = list(deals_of(question).filter(deal_id__in=deal_ids).values(*COLUMNS))
    return list(with_facts(found, question, since=since, shows_fit=shows_fit))


def all_deal_rows(question: Question, asked: Asked, *, since: datetime) -> Iterator[DealRow]:
    """Every deal that matches, in the page's order, read in batches: for downloads."""
    for batch in deal_batches(question, asked, since=since):
        yield from with_facts(batch, question, since=since, shows_fit=True)


def deal_batches(question: Question, asked: Asked, *, since: datetime) -> Iterator[list[dict[str, Any]]]:
    """The values of COLUMNS of every deal that matches, in the page's order, by one statement."""
    rows, sorts = _sortable(_matching(question, asked, since=since), question, asked)
    column = F(sorts[asked.sort.removeprefix("-")].column)
    is_descending = asked.sort.startswith("-")
    order = column.desc(nulls_last=True) if is_descending else column.asc(nulls_last=True)
    found = rows.order_by(order, "-deal_id" if is_descending else "deal_id").values(*COLUMNS)
    for batch in batched(found.iterator(chunk_size=BATCH), BATCH, strict=False):
        yield list(batch)


def matching_ids(question: Question, asked: Asked, *, since: datetime, limit: int) -> list[UUID]:
    """The deals that match, at most `limit` of them. One query."""
    return list(_matching(question, asked, since=since).values_list("deal_id", flat=True)[:limit])


def check_sort(asked: Asked) -> None:
    """Raises BadQuestion for a column that the list can't be sorted by."""
    if asked.sort_field is None and asked.sort.removeprefix("-") not in SORTS:
        raise BadQuestion("sort", f"“{asked.sort}” is none of: {', '.join(SORTS)}")


def _matching(question: Question, asked: Asked, *, since: datetime) -> Any:
    return (
        asked.filter.found(is_past=question.is_past)
        .apply(deals_of(question))
        .filter(conditions(question, since=since)[asked.tab])
    )


def _sorts(question: Question) -> dict[str, Sort]:
    """Versions have no folded name, so the past is sorted by the name as written."""
    return {**SORTS, "deal": Sort("name", str)} if question.is_past else SORTS


def _sort_column(sort: str, sorts: Mapping[str, Sort]) -> tuple[str, ...]:
    column = sorts[sort.removeprefix("-")].column
    return () if column in COLUMNS else (column,)


def _sortable(rows: Any, question: Question, asked: Asked) -> tuple[Any, Mapping[str, Sort]]:
    """The rows with the column that only this sort needs, and the sorts by name."""
    check_sort(asked)
    name, sorts = asked.sort.removeprefix("-"), _sorts(question)
    if asked.sort_field is not None:
        rows, sort = sortable(rows, asked.sort_field, is_past=question.is_past)
        return rows, {**sorts, name: sort}
    deal = OuterRef("opportunity_id" if question.is_past else "id")
    if name == "category":
        rows = rows.annotate(category_rank=category_rank())
    if name == "health":
        scores = Health.objects.filter(opportunity_id=deal)
        rows = rows.annotate(health_score=Subquery(scores.values("score")[:1]))
    if name == "slip":
        chances = Risk.objects.filter(opportunity_id=deal, close_date=OuterRef("close_date"))
        rows = rows.annotate(p_slip=Subquery(chances.values("p_slip")[:1]))
    if name == "fit":
        measure = None if question.is_past else measure_now(question.organization)
        rows = rows.annotate(**{POINTS: measure.points}) if measure else unmeasured(rows)
    return rows, sorts


def with_facts(
    found: list[dict[str, Any]], question: Question, *, since: datetime, shows_fit: bool = False
) -> Iterator[DealRow]:
    """Rows of COLUMNS with what is known beside them, in one query, two more for fit; no scores of the past."""
    fits: Mapping[UUID, DealFit] = {}
    if shows_fit and not question.is_past:
        fits = fits_of([row["deal_id"] for row in found], organization=question.organization)
    facts = facts_of([row["deal_id"] for row in found], since=since, known=question.known)
    counted = counted_owners(question)
    people = counted.person_ids if counted else None
    for row in found:
        beside = facts.get(row["deal_id"])
        if beside is not None and question.is_past:
            beside = Facts(None, (), None, None, None, beside.stood)
        yield DealRow(
            *[*(row[column] for column in COLUMNS), beside, fits.get(row["deal_id"]), _share_bp(row, people)]
        )


def _share_bp(row: Mapping[str, Any], people: frozenset[UUID] | None) -> int | None:
    """What `people` have of a split deal; None where it isn't split, or counts whole (`people` None)."""
    if people is None or row["split_people"] is None:
        return None
    shares = zip(row["split_people"], row["split_shares"], strict=True)
    return sum(share_bp for person, share_bp in shares if person in people)


def _sums(
    question: Question, asked: Asked, *, tabs: Mapping[str, Q]
) -> tuple[Sums, dict[str, int], tuple[StageCount, ...]]:
    """One query grouped by stage: the counts of tabs and stages don't depend on which of them is chosen.

    Each deal's amount is converted once, in the inner query, whatever is counted of it.
    """
    # Not wrapped bare: a condition that no row can meet would come as a number.
    flags = {
        f"in_{key}": Case(When(tabs[key], then=True), default=False, output_field=BooleanField())
        for key, _ in TABS
        if key != "all"
    }
    rows = asked.without_stage.apply(deals_of(question)).annotate(**flags)
    inner, values = (
        rows.order_by().values("stage_id", "amount_minor", "corporate_minor", *flags).query.sql_with_params()
    )
    wanted = "true" if asked.tab == "all" else f"in_{asked.tab}"
    counts = ", ".join(f"count(*) FILTER (WHERE {flag})" for flag in flags)
    with connection.cursor() as cursor:
        cursor.execute(SUMS.format(inner=inner, wanted=wanted, counts=counts), values)
        groups = cursor.fetchall()
    stages = tuple(StageCount(row[0], row[1] or "No stage", row[5]) for row in groups)
    mine = [row for row in groups if asked.stage_id in (None, row[0])]
    keys = ["all", *(key for key, _ in TABS if key != "all")]
    tab_counts = {key: sum(row[5 + place] for row in mine) for place, key in enumerate(keys)}
    sums = Sums(
        count=tab_counts[asked.tab],
        total_minor=int(sum(row[3] or 0 for row in mine)),
        unconvertible=sum(row[4] for row in mine),
    )
    return sums, tab_counts, stages
