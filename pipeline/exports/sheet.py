"""A deal as a line of a file: the same cells for the streamed CSV, the exported CSV and XLSX."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from otc.fields.rules import Field, stored
from otc.fields.shown import cell_of
from otc.money.rules import decimal_text
from pipeline.opportunities.report import DealRow

HEAD = (
    "id",
    "name",
    "account",
    "owner",
    "stage",
    "category",
    "amount",
    "currency",
    "corporate_amount",
    "close_date",
    "outcome",
    "closed_at",
    "next_step",
    "next_step_on",
    "health",
    "slip_risk",
    "fit",
    "fit_points",
)


def head(fields: Sequence[Field]) -> list[str]:
    """The columns' names; custom fields by theirs, as the import reads them."""
    return [*HEAD, *(one.name for one in fields)]


def line(row: DealRow, *, corporate: str, fields: Sequence[Field], names: Mapping[str, str]) -> list[Any]:
    """Text, numbers and days; amounts as decimals in their currency, instants in ISO form, None where nothing is."""
    return [
        str(row.id),
        row.name,
        row.account_name,
        row.owner_name,
        row.stage_name,
        row.category,
        _decimal(row.amount_minor, row.currency),
        row.currency,
        _decimal(row.corporate_minor, corporate),
        row.close_date,
        row.outcome,
        row.closed_at.isoformat() if row.closed_at else None,
        row.next_step,
        row.next_step_on,
        row.health,
        row.p_slip,
        row.fit.band if row.fit else None,
        row.fit.points if row.fit else None,
        *(cell_of(one, stored(one, row.attributes), names=names) for one in fields),
    ]


def _decimal(amount_minor: int | None, currency: str) -> Decimal | None:
    return None if amount_minor is None else Decimal(decimal_text(amount_minor, currency=currency))
