"""A deal whose amount follows its lines: what may not be written then, and the choice itself."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from otc.tenancy.context import act_on
from pipeline.lines.queries import has_lines
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused, check_amount_follows


def check_lines_stand(
    deal: Opportunity, changes: Mapping[str, Any], *, lines_total_minor: int | None = None
) -> None:
    """Refuse an amount beside the lines' while it follows them, and a currency that isn't the lines'."""
    check_amount_follows(
        changes,
        present_minor=deal.amount_minor,
        follows=deal.amount_follows_lines,
        lines_total_minor=lines_total_minor,
    )
    if changes.get("currency", deal.currency) != deal.currency and has_lines(deal.id):
        raise Refused(
            "currency", f"The products of this deal are priced in {deal.currency}; take them off first"
        )


def amount_follows_set(opportunity_id: UUID, *, follows: bool) -> Opportunity:
    """Let the amount follow the lines or stand by itself; the amount is written by whoever decides so."""
    deal: Opportunity = Opportunity.objects.select_for_update().get(id=opportunity_id)
    act_on(deal.owner_id)
    if deal.amount_follows_lines != follows:
        deal.amount_follows_lines = follows
        Opportunity.objects.filter(id=deal.id).update(amount_follows_lines=follows)
    return deal
