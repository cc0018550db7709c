"""What an amount is in corporate currency: one SQL expression for every report, and the rates for Python."""

from datetime import date, datetime
from decimal import Decimal

from otc.money.models import Rate
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization


def corporate_currency() -> str:
    """The currency of the organization in context."""
    currency: str = Organization.objects.values_list("currency", flat=True).get(id=current_organization_id())
    return currency


def corporate_minor_sql(alias: str, *, known: str = "known", corporate: str = "corporate") -> str:
    """SQL: the corporate minor units of the deal or version `alias`; NULL where it has no amount or no rate.

    `known` and `corporate` name query parameters: the instant whose knowledge counts, and the corporate currency.
    The rate is the one in force on the close date, or the latest known one if that day lies ahead or is missing
    (DEFINITIONS 3), rounded half-even.
    """
    return (
        f"CASE WHEN {alias}.currency = %({corporate})s THEN {alias}.amount_minor ELSE "
        f"otc_convert({alias}.amount_minor, {alias}.currency, %({corporate})s, (SELECT r.rate FROM otc_rate r "
        f"WHERE r.organization_id = {alias}.organization_id AND r.currency = {alias}.currency "
        f"AND r.known_from <= %({known})s AND (r.valid_from <= {alias}.close_date OR {alias}.close_date IS NULL) "
        f"ORDER BY r.valid_from DESC, r.known_from DESC LIMIT 1)) END"
    )


def rate_on(currency: str, day: date | None, *, known: datetime) -> Decimal | None:
    """Corporate units per unit of `currency` on `day`, as known at `known`; None where there is none."""
    rates = Rate.objects.filter(currency=currency, known_from__lte=known)
    if day is not None:
        rates = rates.filter(valid_from__lte=day)
    rate: Decimal | None = rates.order_by("-valid_from", "-known_from").values_list("rate", flat=True).first()
    return rate
