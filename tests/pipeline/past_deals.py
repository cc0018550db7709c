"""Deals with a past: entered as imported history, so that every state is known from when it was true."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from otc.tenancy.context import use
from pipeline.history.models import STATE_COLUMNS, HistoryRow
from pipeline.history.services import enter_history
from pipeline.opportunities.models import Opportunity
from tests.conftest import House


def past_deal(
    house: House, *states: tuple[datetime, dict[str, Any]], provenance: str = "imported"
) -> Opportunity:
    """A deal that went through `states` of (instant, columns that changed), oldest first."""
    with use(house.organization.id, channel="import"):
        deal = Opportunity(id=uuid4(), name="Old", name_folded="old", currency="EUR", created_at=states[0][0])
        rows = []
        for at, changes in states:
            for column, value in changes.items():
                setattr(deal, column, value)
            state = {column: getattr(deal, column) for column in STATE_COLUMNS}
            rows.append(HistoryRow(opportunity_id=deal.id, at=at, provenance=provenance, **state))
        deal.save(force_insert=True)
        enter_history(rows)
    return deal


def won(at: datetime, **more: Any) -> tuple[datetime, dict[str, Any]]:
    """The state of a closing as won at `at`, on that day unless `close_date` says otherwise."""
    columns = {"outcome": "won", "category": "closed", "closed_at": at, "close_date": at.date()}
    return at, columns | more


def lost(at: datetime, *, outcome: str = "lost") -> tuple[datetime, dict[str, Any]]:
    columns = {"outcome": outcome, "category": "omitted", "closed_at": at, "close_date": at.date()}
    return at, columns
