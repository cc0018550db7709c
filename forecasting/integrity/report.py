"""Which open deals can't be right or are played with, and what they come to: for page, CSV and API."""

from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

from forecasting.integrity import queries
from forecasting.integrity.queries import FoundDeal
from forecasting.integrity.rules import BITS, FINDINGS, Finding, inactive, unmanaged
from otc.money.rules import CurrencySum
from otc.question import BadQuestion, Question

ROWS_A_PAGE = 50
SORTS = tuple(queries.SORTS)


@dataclass(frozen=True)
class Asked:
    """What the page's own controls say: one finding's deals, or those of any; page from 0. Raises BadQuestion."""

    finding: str = ""
    sort: str = "-amount"
    page: int = 0

    def __post_init__(self) -> None:
        if self.finding and self.finding not in BITS:
            raise BadQuestion("finding", f"“{self.finding}” is none of: {', '.join(BITS)}")
        if self.sort.removeprefix("-") not in SORTS:
            raise BadQuestion("sort", f"“{self.sort}” is none of: {', '.join(SORTS)}")
        if self.page < 0:
            raise BadQuestion("page", "Pages are counted from 0")


@dataclass(frozen=True)
class Sum:
    """Deals, and what they come to in minor units of the question's currency; `unconvertible` are in no sum."""

    count: int
    amount_minor: int
    unconvertible: int


@dataclass(frozen=True)
class FindingSum:
    finding: Finding
    sum: Sum


@dataclass(frozen=True)
class Integrity:
    """`total` are all open deals of the scope, `found` those with any finding; `rows` a page of the asked ones."""

    total: Sum
    found: Sum
    findings: tuple[FindingSum, ...]
    rows: tuple[FoundDeal, ...]
    asked: Asked
    unconvertible: tuple[CurrencySum, ...]

    @cached_property
    def shown(self) -> Sum:
        """All deals of the asked finding, on every page."""
        if not self.asked.finding:
            return self.found
        return next(one.sum for one in self.findings if one.finding.key == self.asked.finding)

    @property
    def has_more(self) -> bool:
        return (self.asked.page + 1) * ROWS_A_PAGE < self.shown.count


@dataclass(frozen=True)
class Away:
    """Who had left at the asked instant, and for whom nobody answers."""

    inactive: frozenset[UUID]
    unmanaged: frozenset[UUID]


def away_at(question: Question) -> Away:
    """By today's dates of leaving and the question's chart. One query."""
    people, chart = queries.people_left(), question.chart
    return Away(
        inactive(people, day=question.day),
        unmanaged(people, manager_of=chart.manager_of, lined=chart.lined, day=question.day),
    )


def integrity_report(question: Question, *, asked: Asked) -> Integrity:
    """Every finding with its deals and their sum, and a page of the asked one's deals. Four queries."""
    away = away_at(question)
    who = {"inactive": away.inactive, "unmanaged": away.unmanaged}
    total, found, findings = queries.sums(question, **who)
    report = Integrity(
        total=Sum(*total),
        found=Sum(*found),
        findings=tuple(FindingSum(one, Sum(*findings[one.key])) for one in FINDINGS),
        rows=tuple(
            queries.rows(
                question,
                finding=asked.finding,
                sort=asked.sort,
                offset=asked.page * ROWS_A_PAGE,
                limit=ROWS_A_PAGE,
                **who,
            )
        ),
        asked=asked,
        unconvertible=(),
    )
    if not report.shown.unconvertible:
        return report
    lacking = queries.lacking_rates(question, finding=asked.finding, **who)
    return replace(report, unconvertible=lacking)


def all_rows(question: Question, *, asked: Asked) -> list[FoundDeal]:
    """Every deal of the asked finding, for CSV."""
    away = away_at(question)
    return queries.rows(
        question,
        finding=asked.finding,
        inactive=away.inactive,
        unmanaged=away.unmanaged,
        sort=asked.sort,
        offset=0,
        limit=None,
    )


def findings_of(deal: FoundDeal) -> list[Finding]:
    """What was found of a deal, in the order of the table."""
    return [one for one in FINDINGS if deal.findings & BITS[one.key]]


def first_deals(question: Question, *, finding: str, limit: int) -> list[FoundDeal]:
    """So many deals of a finding, by amount."""
    away = away_at(question)
    return queries.rows(
        question,
        finding=finding,
        inactive=away.inactive,
        unmanaged=away.unmanaged,
        sort="-amount",
        offset=0,
        limit=limit,
    )
