"""What an amount is in the currency of totals: one SQL expression for every report, and the rates for Python."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from otc.money.models import Rate
from otc.money.rules import convert
from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import FOREVER, Organization

NAMED = re.compile(r"%\((\w+)\)s")


def corporate_currency() -> str:
    """The currency of the organization in context, which never changes. One query at most."""
    kept = current_context().read_once
    if "currency" not in kept:
        organizations = Organization.objects.values_list("currency", flat=True)
        keep_currency(organizations.get(id=current_organization_id()))
    currency: str = kept["currency"]
    return currency


def keep_currency(currency: str) -> None:
    """Say what the currency of the organization in context is, where it was read already."""
    current_context().read_once["currency"] = currency


def has_rates(currency: str) -> bool:
    """Whether any rate of a currency is known now."""
    known: bool = Rate.objects.filter(currency=currency, known_to=FOREVER).exists()
    return known


def rated_currencies() -> list[str]:
    """The currencies that have rates now, by code: those that an amount may be in beside the organization's own."""
    codes = Rate.objects.filter(known_to=FOREVER).order_by("currency").distinct()
    return list(codes.values_list("currency", flat=True))


def shown_minor[Key](
    amounts: Mapping[Key, int], *, own: str, currency: str, day: date, known: datetime | None = None
) -> dict[Key, int]:
    """Amounts of the organization's currency, `own`, that have no close date of their own (a quota, a call), in
    another: each at the rate of `day`, usually the last of its period, or the latest known one if that lies ahead.
    Without a rate there is none of them.
    """
    if currency == own:
        return dict(amounts)
    rate = rate_on(currency, day, known=known, own=own)
    if rate is None:
        return {}
    inverse = 1 / Fraction(rate)
    return {
        key: convert(amount_minor, from_currency=own, to_currency=currency, rate=inverse)
        for key, amount_minor in amounts.items()
    }


def corporate_minor_sql(alias: str, *, known: str = "known", corporate: str = "corporate") -> str:
    """SQL: what the deal or version `alias` is in the currency of totals, in minor units; NULL where it has no
    amount or no rate.

    `known` and `corporate` name query parameters: the instant whose knowledge counts, and the currency of totals
    (the organization's, or the one that the viewer asked to see). Each part is converted by itself, at the rates
    in force on its close date, or the latest known ones if that day lies ahead or is missing (DEFINITIONS 3),
    rounded half-even once.
    """
    return converted_sql(
        f"{alias}.amount_minor",
        currency=f"{alias}.currency",
        day=f"{alias}.close_date",
        organization=f"{alias}.organization_id",
        known=f"%({known})s",
        corporate=f"%({corporate})s",
    )


def converted_sql(
    amount: str, *, currency: str, day: str, organization: str, known: str, corporate: str
) -> str:
    """The same where each is an expression of its own: the amount of one moment at the rates of another."""
    rates = ", ".join(
        _rate_sql(code, day=day, organization=organization, known=known) for code in (currency, corporate)
    )
    return (
        f"CASE WHEN {currency} = {corporate} THEN {amount} "
        f"ELSE otc_convert({amount}, {currency}, {corporate}, {rates}) END"
    )


def positional(sql: str) -> tuple[str, list[str]]:
    """SQL with parameters by name as SQL with parameters in a row, and their names in that row."""
    return NAMED.sub("%s", sql), NAMED.findall(sql)


def _rate_sql(code: str, *, day: str, organization: str, known: str) -> str:
    """SQL: units of the organization's currency per unit of `code` on `day`, as known at `known`; NULL: none."""
    return (
        # Asked once a statement, and only where something has to be converted.
        f"CASE WHEN {code} = (SELECT otc_own_currency()) THEN 1 "
        f"ELSE otc_rate_on({organization}, {code}, {day}, {known}) END"
    )


def rate_on(
    currency: str, day: date | None, *, known: datetime | None = None, own: str | None = None
) -> Decimal | None:
    """Corporate units per unit of `currency` on `day`, as known at `known` (None: now); None where there is none.

    The organization's own currency (`own`, else it is looked up) is 1 on every day.
    """
    if currency == (own or corporate_currency()):
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
