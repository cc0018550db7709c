"""The state at two instants of every deal that counts in a period at either: one query over versions, one for
rates.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.rollup.queries import owner_condition, owner_parameters
from forecasting.waterfall.rules import ABSENT, Part, PartState
from otc.calendar.rules import Period
from otc.money.models import Rate
from otc.money.queries import corporate_minor_sql
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import Owners
from otc.tenancy.reach import Reach
from pipeline.history.queries import as_of_condition
from pipeline.team.queries import seen_sql


@dataclass(frozen=True)
class End:
    """One end of a waterfall: the instant, whose knowledge of it counts, and the owners in scope."""

    instant: datetime
    known: datetime
    owners: Owners


@dataclass(frozen=True)
class DealLabel:
    """What a line is called: names of the later end. `is_visible`: the viewer may see the deal today."""

    name: str
    account_name: str
    owner_name: str
    is_visible: bool


# Ids that many deals share come as text: reading each once is a fifth of the work of a large waterfall.
_STATE = (
    "{0}.opportunity_id IS NOT NULL",
    "{0}.deleted_at IS NOT NULL",
    "{0}.outcome",
    "{0}.category",
    "{0}.close_date",
    "{0}.owner_id::text",
    "{0}.amount_minor",
    "{0}.currency",
    "{0}.stage_id::text",
    "{0}.product_id::text",
)


def _as_of(alias: str, end: str) -> str:
    return as_of_condition(alias, instant=f"{end}_instant", known=f"{end}_known")


def _closing_in_period(end: str) -> str:
    """Deals that are open or won, close in the period and belong to the scope, at one end."""
    return f"""
        SELECT v.opportunity_id FROM pipeline_opportunityversion v
        WHERE v.organization_id = %(organization)s
          AND v.close_date >= %(first)s AND v.close_date < %(end)s
          AND v.deleted_at IS NULL AND (v.outcome IS NULL OR v.outcome = 'won')
          AND {_as_of("v", end)} AND {owner_condition("v", prefix=end)}
    """


def _state_columns(alias: str, end: str) -> str:
    columns = ", ".join(column.format(alias) for column in _STATE)
    return f"{columns}, {corporate_minor_sql(alias, known=f'{end}_known')}"


_PARTS = f"""
    WITH candidate AS ({_closing_in_period("t0")} UNION {_closing_in_period("t1")})
    SELECT c.opportunity_id, CASE WHEN b.opportunity_id IS NULL THEN a.name ELSE b.name END,
      coalesce(account.name, ''), coalesce(person.name, ''), coalesce({{visible}}, false),
      {_state_columns("a", "t0")}, {_state_columns("b", "t1")}
    FROM candidate c
    JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = c.opportunity_id
    LEFT JOIN pipeline_opportunityversion a ON a.organization_id = %(organization)s
      AND a.opportunity_id = c.opportunity_id AND {_as_of("a", "t0")}
    LEFT JOIN pipeline_opportunityversion b ON b.organization_id = %(organization)s
      AND b.opportunity_id = c.opportunity_id AND {_as_of("b", "t1")}
    LEFT JOIN pipeline_account account ON account.organization_id = %(organization)s
      AND account.id = coalesce(b.account_id, a.account_id)
    LEFT JOIN otc_person person ON person.organization_id = %(organization)s
      AND person.id = CASE WHEN b.opportunity_id IS NULL THEN a.owner_id ELSE b.owner_id END
    ORDER BY c.opportunity_id
"""


def parts_between(
    period: Period, *, before: End, after: End, own: str, corporate: str, visible: Reach
) -> tuple[list[Part], dict[UUID, DealLabel]]:
    """Every deal that can show in the waterfall of `period`, at both ends, and what it is called for a viewer
    who sees `visible`. `own` is the organization's currency, `corporate` that of the totals.
    """
    is_visible, seen_by = seen_sql(visible, deal="o.id", owner="o.owner_id")
    parameters: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "first": period.first,
        "end": period.end,
        "corporate": corporate,
        **seen_by,
    }
    for name, end in (("t0", before), ("t1", after)):
        parameters |= {f"{name}_instant": end.instant, f"{name}_known": end.known}
        parameters |= owner_parameters(end.owners, prefix=name)
    with connection.cursor() as cursor:
        cursor.execute(_PARTS.format(visible=is_visible), parameters)
        found = cursor.fetchall()
    rates = Rates.known_at(max(before.known, after.known), own=own, corporate=corporate)
    width = len(_STATE) + 1
    parts, labels = [], {}
    for opportunity_id, name, account_name, owner_name, is_seen, *states in found:
        labels[opportunity_id] = DealLabel(name, account_name, owner_name, is_seen)
        a = _state(states[:width], rates=rates, known=before.known)
        b = _state(states[width:], rates=rates, known=after.known)
        parts.append(Part(opportunity_id, a, b))
    return parts, labels


class Rates:
    """The dated rates of the organization, for the rate of a day as known at an instant."""

    def __init__(
        self, rows: Iterable[tuple[str, date, datetime, datetime, Decimal]], *, own: str, corporate: str
    ) -> None:
        """`own` is what the rates count in, `corporate` the currency of the totals."""
        by_currency: dict[str, list[tuple[date, datetime, datetime, Decimal]]] = defaultdict(list)
        for currency, valid_from, known_from, known_to, rate in rows:
            by_currency[currency].append((valid_from, known_from, known_to, rate))
        newest_first = {currency: sorted(dated, reverse=True) for currency, dated in by_currency.items()}

        def in_own(currency: str, day: date | None, known: datetime) -> Decimal | None:
            if currency == own:
                return Decimal(1)
            return next(
                (
                    rate
                    for start, since, until, rate in newest_first.get(currency, [])
                    if since <= known < until and (day is None or start <= day)
                ),
                None,
            )

        @cache
        def in_force(currency: str, day: date | None, known: datetime) -> Fraction | None:
            if currency == corporate:
                return Fraction(1)
            source, target = in_own(currency, day, known), in_own(corporate, day, known)
            return None if source is None or target is None else Fraction(source) / Fraction(target)

        self.in_force = in_force

    @classmethod
    def known_at(cls, instant: datetime, *, own: str, corporate: str) -> "Rates":
        rows = Rate.objects.filter(known_from__lte=instant)
        columns = ("currency", "valid_from", "known_from", "known_to", "rate")
        return cls(rows.values_list(*columns), own=own, corporate=corporate)


def _state(row: list[Any], *, rates: Rates, known: datetime) -> PartState:
    (
        is_there,
        is_deleted,
        outcome,
        category,
        close_date,
        owner,
        amount_minor,
        currency,
        stage,
        product,
        minor,
    ) = row
    if not is_there:
        return ABSENT
    return PartState(
        deleted=is_deleted,
        outcome=outcome,
        category=category,
        close_date=close_date,
        owner=_shared_id(owner),
        amount_minor=amount_minor,
        currency=currency,
        rate=rates.in_force(currency, close_date, known),
        corporate_minor=0 if amount_minor is None else minor,
        stage=_shared_id(stage),
        product=_shared_id(product),
    )


@lru_cache(100_000)
def _shared_id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
