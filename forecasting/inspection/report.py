"""What changed in the period's pipeline, what is at risk, where is upside: one report for page, API and CSV."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from forecasting.inspection import queries
from forecasting.inspection.queries import Contact, DealRow, EndSums, GroupRow
from forecasting.quotas.queries import quota_minor
from forecasting.quotas.rules import Coverage, coverage
from otc.fields.queries import Book
from otc.fields.rules import PREFIX, Field
from otc.money.rules import CurrencySum
from otc.question import BadQuestion, Question
from pipeline.fields.asked import field_named

# What the address may name; a custom field goes by `field.<key>`.
GROUPS = tuple(group for group in queries.GROUPS if group != queries.FIELD)
GROUPABLE = ("text", "number", "date", "choice", "person")
NO_CONTACT = Contact((0,) * queries.WEEKS, None)


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


@dataclass(frozen=True)
class Summary:
    """The period's figures now and at the compared instant, in corporate minor units."""

    now: EndSums
    before: EndSums
    quota_minor: int | None
    slip_minor: int
    slip_count: int

    @property
    def commit_with_won_minor(self) -> int:
        return self.now.commit_minor + self.now.won_minor

    @property
    def commit_change_minor(self) -> int:
        return self.commit_with_won_minor - self.before.commit_minor - self.before.won_minor

    @property
    def open_change_minor(self) -> int:
        return self.now.open_minor - self.before.open_minor

    @property
    def won_change_minor(self) -> int:
        return self.now.won_minor - self.before.won_minor

    @property
    def coverage(self) -> Coverage:
        return coverage(self.now.open_minor, won_minor=self.now.won_minor, quota_minor=self.quota_minor)

    @property
    def coverage_before(self) -> Coverage:
        return coverage(self.before.open_minor, won_minor=self.before.won_minor, quota_minor=self.quota_minor)


@dataclass(frozen=True)
class Inspection:
    """Groups with sums over all their deals, and the deals of one page."""

    since: datetime
    groups: list[GroupRow]
    deals: list[DealRow]
    contacts: dict[UUID, Contact]
    counts: dict[str, int]
    summary: Summary
    asked: Asked
    unconvertible: tuple[CurrencySum, ...] = ()

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
    """The deals of a period and scope as of the question, beside how they stood at `since`. 8 queries."""
    deals = queries.deal_rows(
        question,
        since=since,
        tab=asked.tab,
        group=asked.group,
        sort=asked.sort,
        offset=asked.page * queries.ROWS_A_PAGE,
        limit=queries.ROWS_A_PAGE,
        field=asked.field,
    )
    groups = queries.group_rows(question, since=since, tab=asked.tab, group=asked.group, field=asked.field)
    lacks_rates = any(group.unconvertible_count for group in groups)
    return Inspection(
        since=since,
        groups=groups,
        deals=deals,
        contacts=queries.contacts_of((d.opportunity_id for d in deals), as_of=question.as_of),
        counts=queries.tab_counts(question, since=since),
        summary=summary_report(question, since=since),
        asked=asked,
        unconvertible=queries.unconvertible_sums(question, since=since, tab=asked.tab) if lacks_rates else (),
    )


def summary_report(question: Question, *, since: datetime) -> Summary:
    """The six figures of the period with what they were at `since`."""
    slip_count, slip_minor = queries.slip_sums(question, since=since)
    known_before = question.known if question.known > question.as_of else since
    return Summary(
        now=queries.end_sums(question, instant=question.as_of, known=question.known),
        before=queries.end_sums(question, instant=since, known=known_before),
        quota_minor=quota_minor(question),
        slip_minor=slip_minor,
        slip_count=slip_count,
    )


def all_deals(question: Question, *, since: datetime, asked: Asked) -> list[DealRow]:
    """Every deal of the tab, for CSV."""
    return queries.deal_rows(
        question,
        since=since,
        tab=asked.tab,
        group=asked.group,
        sort=asked.sort,
        offset=0,
        limit=None,
        field=asked.field,
    )


def group_field(group: str, *, book: Book) -> Field | None:
    """The custom field that a group names; None for a group of the house. Raises BadQuestion."""
    if not group.startswith(PREFIX):
        return None
    found = field_named(group, book=book)
    if found.kind not in GROUPABLE:
        raise BadQuestion("group", f"{found.name} is a {found.kind}: deals aren’t grouped by amounts")
    return found
