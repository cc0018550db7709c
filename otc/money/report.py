"""Which currencies does the organization work in, what are they worth, since when, and what wants a rate?"""

from dataclasses import dataclass
from datetime import date

from otc.money.missing import MissingRate, currencies_in_use, missing_rates
from otc.money.models import Rate
from otc.money.rules import DECIMALS
from otc.tenancy.models import FOREVER
from otc.ui.charts import line
from otc.ui.charts.svg import Chart

SHOWN_POINTS = 36
DAYS_A_PAGE = 60


@dataclass(frozen=True)
class CurrencyRow:
    """A currency beside the organization's: the rate of today (None: none yet), how many rates and amounts."""

    code: str
    decimals: int
    in_force: Rate | None
    before: Rate | None
    rate_count: int
    amount_count: int
    missing: MissingRate | None

    @property
    def change_percent(self) -> float | None:
        """How far today's rate lies from the one before it, as a share."""
        if self.in_force is None or self.before is None:
            return None
        return float(self.in_force.rate / self.before.rate) - 1


@dataclass(frozen=True)
class CurrenciesReport:
    rows: tuple[CurrencyRow, ...]
    missing: tuple[MissingRate, ...]
    own_count: int


@dataclass(frozen=True)
class RateRow:
    """A day's rate, with what it was known to be before it was corrected, the latest first."""

    rate: Rate
    earlier: tuple[Rate, ...]

    @property
    def is_current(self) -> bool:
        return bool(self.rate.known_to == FOREVER)


@dataclass(frozen=True)
class CurrencyReport:
    """What holds today and what follows it; `rows` are a page of days; `next_before` is the day that the next page
    lies before, None on the last.
    """

    code: str
    in_force: Rate | None
    coming: Rate | None
    rows: tuple[RateRow, ...]
    chart: Chart | None
    missing: MissingRate | None
    next_before: date | None


def currencies_report(*, own: str, today: date) -> CurrenciesReport:
    """Every currency that has rates or amounts, by code."""
    current: dict[str, list[Rate]] = {}
    for rate in Rate.objects.filter(known_to=FOREVER).order_by("-valid_from"):
        current.setdefault(rate.currency, []).append(rate)
    used, missing = currencies_in_use(), {one.currency: one for one in missing_rates()}
    rows = []
    for code in sorted((set(current) | set(used)) - {own}):
        past = [rate for rate in current.get(code, []) if rate.valid_from <= today]
        rows.append(
            CurrencyRow(
                code=code,
                decimals=DECIMALS[code],
                in_force=past[0] if past else None,
                before=past[1] if len(past) > 1 else None,
                rate_count=len(current.get(code, [])),
                amount_count=used.get(code, 0),
                missing=missing.get(code),
            )
        )
    return CurrenciesReport(tuple(rows), tuple(missing.values()), used.get(own, 0))


def currency_report(code: str, *, own: str, today: date, before: date | None = None) -> CurrencyReport:
    """The rates of a currency that are or were known, the latest day first, those of before a day where one is given;
    and the latest current ones drawn over time.
    """
    known_rates = Rate.objects.filter(currency=code)
    paged = known_rates.filter(valid_from__lt=before) if before else known_rates
    days = list(
        paged.order_by("-valid_from").values_list("valid_from", flat=True).distinct()[: DAYS_A_PAGE + 1]
    )
    by_day: dict[date, list[Rate]] = {}
    for rate in paged.filter(valid_from__in=days[:DAYS_A_PAGE]).order_by("-valid_from", "-known_from"):
        by_day.setdefault(rate.valid_from, []).append(rate)
    current = known_rates.filter(known_to=FOREVER).order_by("-valid_from")
    shown = list(current[:SHOWN_POINTS])[::-1]
    return CurrencyReport(
        code=code,
        in_force=current.filter(valid_from__lte=today).first(),
        coming=current.filter(valid_from__gt=today).last(),
        rows=tuple(RateRow(known[0], tuple(known[1:])) for known in by_day.values()),
        next_before=days[DAYS_A_PAGE - 1] if len(days) > DAYS_A_PAGE else None,
        chart=rate_chart(shown, own=own) if len(shown) > 1 else None,
        missing=next((one for one in missing_rates() if one.currency == code), None),
    )


def rate_chart(rates: list[Rate], *, own: str) -> Chart:
    points = [
        line.LinePoint(f"{rate.valid_from:%-d %b %Y}", float(rate.rate), f"{rate.rate.normalize():f}")
        for rate in rates
    ]
    largest = max(point.value for point in points)
    decimals = next((n for n in range(2, 11) if largest * 10**n >= 100), 10)
    return line.draw(label=f"{own} per {rates[0].currency}", points=points, tick_text=f"{{:,.{decimals}f}}")
