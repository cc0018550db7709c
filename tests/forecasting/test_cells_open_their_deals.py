"""Every number opens: a cell of the forecast leads to the deals that it is the sum of."""

from datetime import UTC, datetime

import pytest

from forecasting.rollup.report import rollup_report
from otc.question import ask
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.asked import read
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.columns import COLUMNS
from pipeline.process.models import CloseReason


@pytest.fixture
def deals(inside, make_deal):
    """A deal of every category and outcome, each worth another power of two."""
    now = datetime.now(UTC)
    today, reason = now.date(), CloseReason.objects.first()
    for place, category in enumerate(["omitted", "pipeline", "best_case", "most_likely", "commit", None]):
        deal = make_deal(owner=inside.ana, amount_minor=2**place, close_date=today)
        if category:
            opportunity_edit(deal.id, changes={"category": category})
        else:
            Opportunity.objects.filter(id=deal.id).update(category=None)
    for place, outcome in enumerate(["won", "lost", "no_decision"], start=6):
        deal = make_deal(owner=inside.ana, amount_minor=2**place)
        opportunity_close(deal.id, outcome=outcome, reason_id=reason.id, now=now, today=today)


@pytest.mark.parametrize("column", COLUMNS)
def test_a_cell_is_the_sum_of_the_deals_it_opens(inside, deals, column):
    question = ask(Tenant(inside.organization, inside.eve, datetime.now(UTC)), {})
    cell = rollup_report(inside.organization, period=question.period, **question.frame).total.amounts[column]
    asked = read({"column": column, "period": question.period.key}, question)
    opened = asked.filter.apply(Opportunity.objects.all())
    assert sum(deal.amount_minor for deal in opened) == cell.final > 0
