"""Which deals a list asks for: one filter for page, CSV and API, over deals now or their versions as of a day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from otc.calendar.rules import Period
from otc.tenancy.lines import Owners
from otc.tenancy.models import FOREVER
from otc.tenancy.reach import Reach
from pipeline.fields.asked import FieldCondition
from pipeline.fields.queries import matching
from pipeline.fit.matching import FitCondition
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.narrowing import Narrowing
from pipeline.process.columns import COLUMNS, NO_CATEGORY
from pipeline.search.queries import LookedUp, accounts_bearing, deals_bearing, deals_looked_up, words_of
from pipeline.team.queries import seen

STATES = ("open", "closed", "won", "not_won", "lost", "no_decision")
WITHOUT = ("close_date", "amount", "account", "product", "next_step")

_STATE_CONDITIONS = {
    "open": Q(outcome__isnull=True),
    "closed": Q(outcome__isnull=False),
    "won": Q(outcome="won"),
    "not_won": Q(outcome__in=("lost", "no_decision")),
    "lost": Q(outcome="lost"),
    "no_decision": Q(outcome="no_decision"),
}
_WITHOUT_CONDITIONS = {
    "close_date": Q(close_date__isnull=True),
    "amount": Q(amount_minor__isnull=True),
    "account": Q(account__isnull=True),
    "product": Q(product__isnull=True),
    "next_step": Q(next_step=""),
}


@dataclass(frozen=True, kw_only=True)
class DealFilter:
    """Every condition is optional and all of them hold together. `owners` None asks for no particular owner.

    `closes_from` is the first and `closes_before` the first day after the close dates asked for. `overdue_on`
    asks for open deals whose close date had passed on that day, `changed_since` for deals created or edited after it.
    `fit` is asked of deals as they stand only. `created_in` asks for the pipeline created between two instants: omitted
    deals are no pipeline.
    """

    owners: Owners | None = None
    state: str | None = None
    category: str | None = None
    stage_id: UUID | None = None
    account_id: UUID | None = None
    product_id: UUID | None = None
    period: Period | None = None
    closes_from: date | None = None
    closes_before: date | None = None
    without: str | None = None
    overdue_on: date | None = None
    changed_since: datetime | None = None
    column: str | None = None
    words: str = ""
    fields: tuple[FieldCondition, ...] = ()
    fit: FitCondition | None = None
    looked_up: LookedUp | None = None
    created_in: tuple[datetime, datetime] | None = None
    narrowings: tuple[Narrowing, ...] = ()

    def apply(self, rows: Any) -> Any:
        """`rows` (Opportunity or OpportunityVersion) that hold every condition."""
        conditions = {
            "category": self.category,
            "stage_id": self.stage_id,
            "account_id": self.account_id,
            "product_id": self.product_id,
            "close_date__gte": self.closes_from,
            "close_date__lt": self.closes_before,
        }
        rows = rows.filter(**{name: value for name, value in conditions.items() if value is not None})
        if self.owners is not None:
            rows = rows.filter(self.owners.matching("owner"))
        if self.state:
            rows = rows.filter(_STATE_CONDITIONS[self.state])
        if self.without:
            rows = rows.filter(_WITHOUT_CONDITIONS[self.without])
        if self.period is not None:
            rows = rows.filter(close_date__gte=self.period.first, close_date__lt=self.period.end)
        if self.column is not None:
            rows = rows.filter(in_column(self.column))
        if self.overdue_on is not None:
            rows = rows.filter(overdue(self.overdue_on))
        if self.changed_since is not None:
            reach = None if self.owners is None else Reach(self.owners)
            rows = rows.filter(changed(rows.model, self.changed_since, reach=reach))
        if self.created_in is not None:
            rows = rows.filter(created(rows.model, self.created_in))
        if self.fields:
            rows = matching(rows, self.fields, is_past=_are_versions(rows.model))
        for narrow in self.narrowings:
            rows = narrow(rows)
        if self.fit is not None:
            rows = self.fit.apply(rows)
        if not self.words.strip():
            return rows
        if self.looked_up is not None and not _are_versions(rows.model):
            return rows.filter(self.looked_up.condition)
        return rows.filter(named(rows.model, self.words))

    def found(self, *, is_past: bool = False) -> "DealFilter":
        """The same filter with its words looked up once, for several statements or one that is cut. Two queries."""
        if is_past or not words_of(self.words):
            return self
        return replace(self, looked_up=deals_looked_up(self.words))


def created(model: Any, between: tuple[datetime, datetime]) -> Q:
    """Deals of `model` created in the half-open interval, those left out that are open and omitted."""
    column = "opportunity__created_at" if _are_versions(model) else "created_at"
    is_omitted = Q(outcome__isnull=True, category__isnull=False, category="omitted")
    return Q(**{f"{column}__gte": between[0], f"{column}__lt": between[1]}) & ~is_omitted


def in_column(column: str) -> Q:
    """Deals that a column of the forecast sums: won ones for closed, open ones by their category."""
    categories = COLUMNS[column]
    counted = Q(outcome__isnull=True, category__in=[name for name in categories if name != "closed"])
    if NO_CATEGORY in categories:
        counted |= Q(outcome__isnull=True, category__isnull=True)
    return counted | Q(outcome="won") if "closed" in categories else counted


def without(what: str) -> Q:
    """Deals where one of WITHOUT is missing."""
    return _WITHOUT_CONDITIONS[what]


def overdue(day: date) -> Q:
    """Open deals whose close date had passed on `day`."""
    return Q(outcome__isnull=True, close_date__lt=day)


def changed(
    model: Any, since: datetime, *, reach: Reach | None = None, among: Sequence[UUID] | None = None
) -> Q:
    """Deals of `model` (Opportunity or OpportunityVersion) that were created or edited after `since`.

    What changed later stands in a version that began later. `reach` says whose deals are asked for: the present
    version has the deal's present owner, and by owner it is found without a look at every deal. `among`: nobody
    asks for others.
    """
    if _are_versions(model):
        return Q(valid_from__gt=since)
    present = OpportunityVersion.objects.filter(valid_from__gt=since, valid_to=FOREVER, known_to=FOREVER)
    if reach is not None:
        present = present.filter(seen(reach, deal="opportunity_id"))
    if among is not None:
        present = present.filter(opportunity_id__in=among)
    return Q(id__in=present.values("opportunity_id"))


def named(model: Any, words: str) -> Q:
    """Deals with words in what they are found by (pipeline.search) that begin with the ones asked for.

    A deal of the past bore the name and the next step of then, for which no words are kept: there the text stands
    somewhere in them.
    """
    if _are_versions(model):
        own = Q(name__icontains=words.strip()) | Q(next_step__icontains=words.strip())
        return own | accounts_bearing(words, column="account_id")
    return deals_bearing(words)


def _are_versions(model: Any) -> bool:
    return bool(model is OpportunityVersion)
