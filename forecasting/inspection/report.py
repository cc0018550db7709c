"""What changed in the period's pipeline, what is at risk, where is upside: one report for page, API and CSV."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import batched
from uuid import UUID

from forecasting.inspection import queries, rows
from forecasting.inspection.causes import Cause, causes
from forecasting.inspection.found import EndSums, GroupRow, Part, Pass
from forecasting.inspection.queries import AskedRows
from forecasting.inspection.rows import Change, Contact, DealRow
from forecasting.quotas.queries import quota_minor
from forecasting.quotas.rules import Coverage, coverage
from otc.fields.queries import Book
from otc.fields.rules import PREFIX, Field
from otc.money.rules import CurrencySum
from otc.question import BadQuestion, Question
from pipeline.fields.asked import field_named
from pipeline.history.queries import first_version_at

# What the address may name; a custom field goes by `field.<key>`.
GROUPS = tuple(group for group in queries.GROUPS if group != queries.FIELD)
GROUPABLE = ("text", "number", "date", "choice", "person")
NO_CONTACT = Contact((0,) * rows.WEEKS, None)
CSV_BATCH = 1000


@dataclass(frozen=True)
class Asked:
    """What the page's own controls say: tab, group, sort, page (from 0). Raises BadQuestion for unknown words."""

    tab: str = "all"
    group: str = "category"
    sort: str = "-amount"
    page: int = 0
    field: Field | None = None

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("tab", self.tab, queries.TABS),
            ("group", "none" if self.field else self.group, [*GROUPS, "field.<key>"]),
            ("sort", self.sort.removeprefix("-"), queries.SORTS),
        ):
            if value not in allowed:
                raise BadQuestion(name, f"“{value}” is none of: {', '.join(allowed)}")
        if self.page < 0:
            raise BadQuestion("page", "Pages are counted from 0")

    def rows(self, *, limit: int | None) -> AskedRows:
        """The rows of this page, or all of them (`limit` None)."""
        offset = 0 if limit is None else self.page * limit
        return AskedRows(self.tab, self.group, self.sort, offset, limit, self.field)


@dataclass(frozen=True)
class Summary:
    """The period's figures now and at the compared instant, in corporate minor units.

    `risk` and `upside` are by the scores of the present; `risk_before` and `upside_before` by those of the compared
    instant. None where they weren't kept yet, and on a past day.
    """

    now: EndSums
    before: EndSums
    quota_minor: int | None
    risk: Part
    upside: Part
    risk_before: Part | None = None
    upside_before: Part | None = None

    @property
    def commit_with_won_minor(self) -> int:
        return cumulative(self.now, "commit")

    @property
    def coverage(self) -> Coverage:
        return coverage(self.now.open_minor, won_minor=self.now.won_minor, quota_minor=self.quota_minor)

    @property
    def coverage_before(self) -> Coverage:
        return coverage(self.before.open_minor, won_minor=self.before.won_minor, quota_minor=self.quota_minor)

    @property
    def gap_minor(self) -> int | None:
        """What is missing to the quota: negative once it is exceeded; None without one."""
        return None if self.quota_minor is None else self.quota_minor - self.now.won_minor

    @property
    def hygiene(self) -> Fraction | None:
        return hygiene(self.now)

    @property
    def hygiene_before(self) -> Fraction | None:
        return hygiene(self.before)


def cumulative(end: EndSums, category: str) -> int:
    """A category with every surer one and what is won (DEFINITIONS 5), in corporate minor units."""
    amount_minor = end.won_minor + end.commit_minor
    if category in ("most_likely", "best_case"):
        amount_minor += end.most_likely_minor
    return amount_minor + end.best_case_minor if category == "best_case" else amount_minor


def hygiene(end: EndSums) -> Fraction | None:
    """The share of the open deals that lack nothing and are late with nothing; None where there are none."""
    return Fraction(end.open_count - end.gaps_count, end.open_count) if end.open_count else None


@dataclass(frozen=True)
class Inspection:
    """Groups with sums over all their deals, and the deals of one page with their changes.

    `since` is the instant compared with; `first_at` is that of the first version where `since` lies before it.
    """

    since: datetime
    first_at: datetime | None
    groups: list[GroupRow]
    deals: list[DealRow]
    changes: dict[tuple[UUID, str], Change]
    contacts: dict[UUID, Contact]
    counts: dict[str, int]
    summary: Summary
    causes: list[Cause]
    asked: Asked
    unconvertible: tuple[CurrencySum, ...] = ()

    @property
    def change_minor(self) -> int:
        """What the open pipeline moved by since: the causes come to it."""
        return sum(cause.amount_minor for cause in self.causes)

    @property
    def total_minor(self) -> int:
        return sum(group.total_minor for group in self.groups)

    @property
    def count(self) -> int:
        return sum(group.count for group in self.groups)

    @property
    def seated_count(self) -> int:
        """Deals that are shown for a seat on their team: counted with their owners, in no sum here."""
        return sum(group.seated_count for group in self.groups)

    @property
    def has_more(self) -> bool:
        return (self.asked.page + 1) * queries.ROWS_A_PAGE < self.count


def inspection_report(question: Question, *, since: datetime, asked: Asked) -> Inspection:
    """The deals of a period and scope as of the question, beside how they stood at `since`. At most 7 queries."""
    found = queries.one_pass(question, since=since, asked=asked.rows(limit=queries.ROWS_A_PAGE))
    deals = rows.deal_rows(question, since=since, places=found.places)
    is_scored = not question.is_past and found.scored_from is not None and found.scored_from <= since
    return Inspection(
        since=since,
        first_at=first_after(question, since=since, found=found),
        groups=found.groups,
        deals=deals,
        changes=rows.changes_of(question, since=since, deals=deals),
        contacts=rows.contacts_of((d.opportunity_id for d in deals), as_of=question.as_of),
        counts=found.counts,
        summary=Summary(
            now=found.now,
            before=found.before,
            quota_minor=quota_minor(question),
            risk=found.risk,
            upside=found.upside,
            risk_before=found.risk_before if is_scored else None,
            upside_before=found.upside_before if is_scored else None,
        ),
        causes=causes(question, since=since, found=found),
        asked=asked,
        unconvertible=found.unconvertible,
    )


def first_after(question: Question, *, since: datetime, found: Pass) -> datetime | None:
    """When the organization's first version begins, where `since` lies before it: nothing was there to compare with.

    Asked only where nothing was found at `since`: whoever had something then has versions.
    """
    before = found.before
    if before.open_count or before.won_count or before.not_won_count:
        return None
    first_at = first_version_at(known=question.known)
    return first_at if first_at is not None and first_at > since else None


def all_deals(question: Question, *, since: datetime, asked: Asked) -> Iterator[DealRow]:
    """Every deal of the tab, for CSV: read in batches, so that a large one doesn't stand in memory at once."""
    found = queries.one_pass(question, since=since, asked=asked.rows(limit=None))
    for places in batched(found.places, CSV_BATCH, strict=False):
        yield from rows.deal_rows(question, since=since, places=places)


def group_field(group: str, *, book: Book) -> Field | None:
    """The custom field that a group names; None for a group of the house. Raises BadQuestion."""
    if not group.startswith(PREFIX):
        return None
    found = field_named(group, book=book)
    if found.kind not in GROUPABLE:
        raise BadQuestion("group", f"{found.name} is a {found.kind}: deals aren’t grouped by amounts")
    return found
