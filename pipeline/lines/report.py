"""A deal's products at an instant: each line with what it comes to, the totals, and how the amount stands to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pipeline.lines.models import DealLine
from pipeline.lines.rules import Sums, Terms, discount_share, line_sums, lines_sums


@dataclass(frozen=True)
class LineRow:
    line: DealLine
    terms: Terms
    sums: Sums

    @property
    def discount(self) -> Fraction | None:
        return discount_share(self.terms)

    @property
    def quantity_text(self) -> str:
        """“25”, “2.5”: thousandths without needless zeros."""
        return quantity_text(self.terms.quantity_milli)


@dataclass(frozen=True)
class LinesReport:
    """`difference_minor` is the deal's amount less the lines' total, None where there is no amount or no line."""

    rows: tuple[LineRow, ...]
    sums: Sums
    currency: str
    amount_minor: int | None
    follows: bool

    @property
    def difference_minor(self) -> int | None:
        if self.amount_minor is None or not self.rows:
            return None
        return self.amount_minor - self.sums.total_minor


def terms_of(line: DealLine) -> Terms:
    return Terms(
        line.quantity_milli,
        line.price_minor,
        line.charge,
        line.term_months,
        line.list_price_minor,
        line.discount_bp,
    )


def quantity_text(quantity_milli: int) -> str:
    whole, rest = divmod(quantity_milli, 1000)
    return f"{whole:,}.{rest:03d}".rstrip("0") if rest else f"{whole:,}"


def lines_report(
    lines: Sequence[DealLine], *, amount_minor: int | None, currency: str, follows: bool
) -> LinesReport:
    """The report of the lines that stand, in their order."""
    rows = tuple(LineRow(line, terms_of(line), line_sums(terms_of(line))) for line in lines)
    return LinesReport(rows, lines_sums(row.terms for row in rows), currency, amount_minor, follows)
