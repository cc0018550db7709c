"""What does the address of a list of deals ask? Its parameters become the one filter, a tab, a sort, a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from otc.calendar.rules import PeriodError, parse_period
from otc.fields.queries import Book, field_book
from otc.fields.rules import PREFIX, Field
from otc.fields.writing import reading_of
from otc.question import BadQuestion, Question, parse_uuid
from pipeline.fields.asked import field_named, read_conditions
from pipeline.fields.columns import read_columns
from pipeline.fit.matching import FitCondition, fit_condition
from pipeline.fit.rules import BAND_WORDS, FitAsked
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.filters import STATES, DealFilter, changed, overdue, without
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.narrowing import read_narrowings
from pipeline.process.columns import COLUMNS
from pipeline.process.models import Category

FIT_IS_OF_NOW = "Fit is measured by the scorecard of today; leave out the past day, or the fit"
DEFAULT_SORT = "close"
ANY_STATE = "any"
# Of rows of `deals_of`: an amount that no known rate turns into the currency of totals.
UNCONVERTIBLE = Q(amount_minor__isnull=False, corporate_minor__isnull=True)
TABS = (
    ("all", "All"),
    ("changed", "Changed"),
    ("overdue", "Close date passed"),
    ("no_next_step", "No next step"),
    ("no_close_date", "No close date"),
    ("no_amount", "No amount"),
    ("no_rate", "No rate"),
)


@dataclass(frozen=True)
class Asked:
    """A list's address, read. `filter` holds what narrows it; the tab narrows it further, with counts beside.

    `book` has the custom fields; `columns` are those that the address names, empty where it names none. `group` is
    what the rows are grouped by, `inside` the group that stands open where not all fit.
    """

    filter: DealFilter
    tab: str = "all"
    sort: str = DEFAULT_SORT
    after: str | None = None
    book: Book = field(default_factory=Book)
    columns: tuple[str, ...] = ()
    group: str = ""
    inside: str = ""

    @property
    def sort_field(self) -> Field | None:
        """The custom field that the list is sorted by. Raises BadQuestion for one that isn't there."""
        name = self.sort.removeprefix("-")
        return field_named(name, book=self.book) if name.startswith(PREFIX) else None

    @property
    def without_stage(self) -> DealFilter:
        """The filter in any stage: what the stages' counts are taken from."""
        return replace(self.filter, stage_id=None)

    @property
    def stage_id(self) -> UUID | None:
        return self.filter.stage_id


def read(parameters: Mapping[str, str], question: Question) -> Asked:
    """Read state, category, column, stage_id, account_id, period, created_in, q, tab, sort, after, columns, group, in,
    fit, what is asked of custom fields and what other rooms narrow by. Raises BadQuestion.
    """
    book = field_book("deal", question.organization)
    column = _one_of(parameters, "column", tuple(COLUMNS)) or None
    state = _one_of(parameters, "state", (*STATES, ANY_STATE)) or (ANY_STATE if column else "open")
    return Asked(
        filter=DealFilter(
            state=None if state == ANY_STATE else state,
            category=_one_of(parameters, "category", tuple(Category.values)) or None,
            column=column,
            stage_id=_id(parameters, "stage_id"),
            account_id=_id(parameters, "account_id"),
            period=question.period if parameters.get("period") else None,
            created_in=_created_in(parameters.get("created_in", ""), question),
            words=parameters.get("q", "")[:200].replace("\x00", ""),
            fit=read_fit(parameters, question),
            narrowings=read_narrowings(parameters, question),
            fields=read_conditions(
                parameters,
                book=book,
                reading=reading_of(today=question.day, calendar=lambda: question.calendar),
            ),
        ),
        tab=_one_of(parameters, "tab", tuple(key for key, _ in TABS)) or "all",
        sort=parameters.get("sort") or DEFAULT_SORT,
        after=parameters.get("after") or None,
        book=book,
        columns=read_columns(parameters["columns"], book=book) if parameters.get("columns") else (),
        group=parameters.get("group", ""),
        inside=parameters.get("in", ""),
    )


def conditions(question: Question, *, since: datetime, among: Sequence[UUID] | None = None) -> dict[str, Q]:
    """What each tab asks for, as conditions on the rows of `deals_of`; `all` asks for nothing.

    `among`: nobody asks for others.
    """
    model: Any = OpportunityVersion if question.is_past else Opportunity
    return {
        "all": Q(),
        "changed": changed(model, since, reach=question.reach, among=among),
        "overdue": overdue(question.day),
        "no_next_step": Q(outcome__isnull=True) & without("next_step"),
        "no_close_date": without("close_date"),
        "no_amount": without("amount"),
        "no_rate": UNCONVERTIBLE,
    }


def read_fit(parameters: Mapping[str, Any], question: Question) -> FitCondition | None:
    """`fit=good,fair`, and a share of the points from `fit_from` to `fit_to` percent. One query where it is asked.

    Raises BadQuestion.
    """
    named = str(parameters.get("fit") or "")
    bands = tuple(dict.fromkeys(band.strip() for band in named.split(",") if band.strip()))
    asked = FitAsked(bands, _percent(parameters, "fit_from"), _percent(parameters, "fit_to"))
    if asked == FitAsked():
        return None
    for band in bands:
        if band not in BAND_WORDS:
            raise BadQuestion("fit", f"“{band[:60]}” is none of: {', '.join(BAND_WORDS)}")
    if question.is_past:
        raise BadQuestion("fit", FIT_IS_OF_NOW)
    return fit_condition(asked, organization=question.organization)


def _created_in(key: str, question: Question) -> tuple[datetime, datetime] | None:
    """The instants between which a period's deals are created, as far as the question reaches. Raises BadQuestion."""
    if not key:
        return None
    try:
        period = parse_period(key, calendar=question.calendar)
    except PeriodError as problem:
        raise BadQuestion("created_in", str(problem)) from problem
    return question.start_of(period.first), min(question.start_of(period.end), question.as_of)


def _percent(parameters: Mapping[str, Any], name: str) -> int | None:
    text = str(parameters.get(name) or "").strip().removesuffix("%").rstrip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 100):
        raise BadQuestion(name, "Say a share of the points in whole percent, from 0 to 100")
    return int(text)


def _one_of(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    chosen = parameters.get(name, "")
    if chosen and chosen not in allowed:
        raise BadQuestion(name, f"“{chosen}” is none of: {', '.join(allowed)}")
    return chosen


def _id(parameters: Mapping[str, str], name: str) -> UUID | None:
    text = parameters.get(name, "")
    return parse_uuid(text, name) if text else None
