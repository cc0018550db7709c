"""Which deals a list asks for: one filter for page, CSV and API, over deals now or their versions as of a day."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q

from otc.calendar.rules import Period
from otc.tenancy.lines import Owners
from otc.tenancy.services import fold

STATES = ("open", "closed", "won", "lost", "no_decision")
WITHOUT = ("close_date", "amount", "account", "product", "next_step")

_STATE_CONDITIONS = {
    "open": Q(outcome__isnull=True),
    "closed": Q(outcome__isnull=False),
    "won": Q(outcome="won"),
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

    `closes_from` is the first and `closes_before` the first day after the close dates asked for.
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
    words: str = ""

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
        return rows.filter(self._named(rows.model)) if self.words.strip() else rows

    def _named(self, model: Any) -> Q:
        """Deals whose name has the words; only the present deal keeps its name folded."""
        if any(field.name == "name_folded" for field in model._meta.local_fields):
            return Q(name_folded__contains=fold(self.words))
        return Q(name__icontains=self.words.strip())
