"""What an amount is in the currency of totals: one SQL expression for every report, and the rates for Python."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from otc.money.models import Rate
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER, Organization


def corporate_currency() -> str:
    """The currency of the organization in context."""
    currency: str = Organization.objects.values_list("currency", flat=True).get(id=current_organization_id())
    return currency


def corporate_minor_sql(alias: str, *, known: str = "known", corporate: str = "corporate") -> str:
    """SQL: what the deal or version `alias` is in the currency of totals, in minor units; NULL where it has no
    amount or no rate.

    `known` and `corporate` name query parameters: the instant whose knowledge counts, and the currency of totals
    (the organization's, or the one that the viewer asked to see). Each part is converted by itself, at the rates
    in force on its close date, or the latest known ones if that day lies ahead or is missing (DEFINITIONS 3),
    rounded half-even once.
    """
    source, target = f"{alias}.currency", f"%({corporate})s"
    rates = ", ".join(_rate_sql(code, alias=alias, known=known) for code in (source, target))
    return (
        f"CASE WHEN {source} = {target} THEN {alias}.amount_minor "
        f"ELSE otc_convert({alias}.amount_minor, {source}, {target}, {rates}) END"
    )


def _rate_sql(code: str, *, alias: str, known: str) -> str:
    """SQL: units of the organization's currency per unit of `code` on the close date of `alias`; NULL: none."""
    return (
        # Asked once a statement, and only where something has to be converted.
        f"CASE WHEN {code} = (SELECT own.currency FROM otc_organization own WHERE own.id = "
        "(SELECT current_setting('otc.organization')::uuid)) THEN 1 ELSE (SELECT r.rate FROM otc_rate r "
        f"WHERE r.organization_id = {alias}.organization_id AND r.currency = {code} "
        f"AND r.known_from <= %({known})s AND r.known_to > %({known})s "
        f"AND (r.valid_from <= {alias}.close_date OR {alias}.close_date IS NULL) "
        "ORDER BY r.valid_from DESC LIMIT 1) END"
    )


def rate_on(currency: str, day: date | None, *, known: datetime | None = None) -> Decimal | None:
    """Corporate units per unit of `currency` on `day`, as known at `known` (None: now); None where there is none.

    The organization's own currency is 1 on every day.
    """
    if currency == corporate_currency():
        return Decimal(1)
    rates: Any = Rate.objects.filter(currency=currency)
    rates = (
        rates.filter(known_to=FOREVER)
        if known is None
        else rates.filter(known_from__lte=known, known_to__gt=known)
    )
    if day is not None:
        rates = rates.filter(valid_from__lte=day)
    rate: Decimal | None = rates.order_by("-valid_from").values_list("rate", flat=True).first()
    return rate
