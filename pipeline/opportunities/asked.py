"""What does the address of a list of deals ask? Its parameters become the one filter, a tab, a sort, a page."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from otc.question import BadQuestion, Question, parse_uuid
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.filters import STATES, DealFilter, changed, overdue, without
from pipeline.opportunities.models import Opportunity
from pipeline.process.columns import COLUMNS
from pipeline.process.models import Category

DEFAULT_SORT = "close"
ANY_STATE = "any"
TABS = (
    ("all", "All"),
    ("changed", "Changed"),
    ("overdue", "Close date passed"),
    ("no_next_step", "No next step"),
    ("no_close_date", "No close date"),
    ("no_amount", "No amount"),
)


@dataclass(frozen=True)
class Asked:
    """A list's address, read. `filter` holds what narrows it; the tab narrows it further, with counts beside."""

    filter: DealFilter
    tab: str = "all"
    sort: str = DEFAULT_SORT
    after: str | None = None

    @property
    def without_stage(self) -> DealFilter:
        """The filter in any stage: what the stages' counts are taken from."""
        return replace(self.filter, stage_id=None)

    @property
    def stage_id(self) -> UUID | None:
        return self.filter.stage_id


def read(parameters: Mapping[str, str], question: Question) -> Asked:
    """Read state, category, column, stage_id, account_id, period, q, tab, sort, after. Raises BadQuestion."""
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
            words=parameters.get("q", "")[:200].replace("\x00", ""),
        ),
        tab=_one_of(parameters, "tab", tuple(key for key, _ in TABS)) or "all",
        sort=parameters.get("sort") or DEFAULT_SORT,
        after=parameters.get("after") or None,
    )


def conditions(question: Question, *, since: datetime) -> dict[str, Q]:
    """What each tab asks for, as conditions on the rows of `deals_of`; `all` asks for nothing."""
    model: Any = OpportunityVersion if question.is_past else Opportunity
    return {
        "all": Q(),
        "changed": changed(model, since, reach=question.reach),
        "overdue": overdue(question.day),
        "no_next_step": Q(outcome__isnull=True) & without("next_step"),
        "no_close_date": without("close_date"),
        "no_amount": without("amount"),
    }


def _one_of(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    chosen = parameters.get(name, "")
    if chosen and chosen not in allowed:
        raise BadQuestion(name, f"“{chosen}” is none of: {', '.join(allowed)}")
    return chosen


def _id(parameters: Mapping[str, str], name: str) -> UUID | None:
    text = parameters.get(name, "")
    return parse_uuid(text, name) if text else None
