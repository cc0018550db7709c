"""What must hold for the versions of every deal, at every known instant: no gap, no overlap, one current."""

from datetime import datetime
from itertools import pairwise
from uuid import UUID

from otc.tenancy.models import FOREVER
from pipeline.history.models import STATE_COLUMNS, OpportunityVersion
from pipeline.opportunities.models import Opportunity


def check_chain(opportunity_id: UUID, *, known: datetime | None = None) -> list[OpportunityVersion]:
    """Assert the chain as known at `known` (None: now) and return it, oldest first."""
    rows = OpportunityVersion.objects.filter(opportunity_id=opportunity_id)
    held = {"known_to": FOREVER} if known is None else {"known_from__lte": known, "known_to__gt": known}
    rows = rows.filter(**held)
    chain = list(rows.order_by("valid_from"))
    for earlier, later in pairwise(chain):
        assert earlier.valid_to == later.valid_from, "a gap or an overlap"
        assert earlier.valid_from < later.valid_from
    if known is None:
        assert chain[-1].valid_to == FOREVER
        deal = Opportunity.objects.get(id=opportunity_id)
        for column in STATE_COLUMNS:
            assert getattr(chain[-1], column) == getattr(deal, column), column
    elif chain:
        assert chain[-1].valid_to > known
    return chain
