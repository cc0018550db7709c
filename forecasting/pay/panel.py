"""The deal's page shows what the deal pays, to whoever sees that of one of its people."""

from typing import Any

from forecasting.pay.report import reads_pay
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.panels import Panel

ADDRESS = "deal_pay"


def is_for(tenant: Tenant, deal: Any) -> bool:
    """Open and won deals of people whose pay the viewer sees; no query."""
    if deal.outcome not in (None, "won"):
        return False
    holders = deal.split_people or [deal.owner_id]
    return any(holder is not None and reads_pay(tenant, holder) for holder in holders)


PANEL = Panel(ADDRESS, "What this deal pays", is_for)
