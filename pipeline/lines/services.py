"""The only writers of a deal's lines. A change ends a row and begins the next; nothing that stood is rewritten."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from otc.money.queries import rate_on
from otc.money.rules import convert
from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import FOREVER, Organization
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer
from pipeline.lines.models import DealLine
from pipeline.lines.queries import lines_now
from pipeline.lines.report import terms_of
from pipeline.lines.rules import LARGEST_MINOR, MOST_LINES, Terms, lines_sums
from pipeline.opportunities.following import amount_follows_set
from pipeline.opportunities.holding import deal_held
from pipeline.opportunities.models import Opportunity, Product
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_edit

LINE_KIND, FOLLOW_KIND = "deal_line", "amount_follows"
CHANGED_SINCE = "Somebody changed this line since; look at it again"


@dataclass(frozen=True)
class Written:
    """The line that a write began, the one that it ended, and the step that Undo takes back."""

    made: DealLine | None
    ended: DealLine | None
    step: UUID | None


def line_add(opportunity_id: UUID, *, product_id: UUID, terms: Terms, now: datetime) -> Written:
    """Put a product on the deal from `now` on. Raises Refused, and MoveRefused where the amount that follows may not
    be written.
    """
    with transaction.atomic():
        deal = deal_held(opportunity_id)
        product = Product.objects.filter(id=product_id).first()
        if product is None:
            raise Refused("product", "There is no such product; choose one of the list")
        present = lines_now(deal.id)
        if len(present) >= MOST_LINES:
            raise Refused("product", f"A deal has at most {MOST_LINES} products")
        position = max((line.position for line in present), default=0) + 1
        made = _begin(deal, product_id=product.id, terms=terms, position=position, now=now)
        _amount_follows(deal)
        return _written(deal, made=made, ended=None, said=f"{product.name} added to {deal.name}")


def line_change(
    opportunity_id: UUID, line_id: UUID, *, product_id: UUID, terms: Terms, now: datetime
) -> Written:
    """Let the line be this from `now` on. Raises Refused, also for one that has been changed or taken off since."""
    with transaction.atomic():
        deal = deal_held(opportunity_id)
        present = _current(deal.id, line_id)
        if not Product.objects.filter(id=product_id).exists():
            raise Refused("product", "There is no such product; choose one of the list")
        if (present.product_id, terms_of(present)) == (product_id, terms):
            return Written(None, None, None)
        end = _end(present, now=now)
        made = _begin(
            deal, product_id=product_id, terms=terms, position=present.position, now=end, replaces=present
        )
        _amount_follows(deal)
        return _written(deal, made=made, ended=present, said=f"{present.product.name} changed on {deal.name}")


def line_remove(opportunity_id: UUID, line_id: UUID, *, now: datetime) -> Written:
    """Take the line off the deal from `now` on; it stays in the past."""
    with transaction.atomic():
        deal = deal_held(opportunity_id)
        present = _current(deal.id, line_id)
        _end(present, now=now)
        _amount_follows(deal)
        said = f"{present.product.name} taken off {deal.name}"
        return _written(deal, made=None, ended=present, said=said)


def amount_follow(opportunity_id: UUID, *, follows: bool) -> UUID | None:
    """Let the amount be what the lines come to, now and after every change of them, or stand by itself.

    Returns the step that Undo takes back. Also writes the total again where an import wrote another amount. Raises
    Refused without a line.
    """
    with transaction.atomic():
        deal = deal_held(opportunity_id)
        if follows and not lines_now(deal.id):
            raise Refused(
                "amount_follows_lines", "Add a product first: without one there is nothing to follow"
            )
        before = {"follows": deal.amount_follows_lines, "amount_minor": deal.amount_minor}
        amount_follows_set(deal.id, follows=follows)
        deal.amount_follows_lines = follows
        _amount_follows(deal)
        after = {"follows": follows, "amount_minor": Opportunity.objects.get(id=deal.id).amount_minor}
        if before == after:
            return None
        said = f"The amount of {deal.name} {'follows its products' if follows else 'stands by itself'}"
        payload = {"deal": str(deal.id), "name": deal.name, "before": before, "after": after}
        return undo_offer(FOLLOW_KIND, said=said, payload=payload)


def list_price_in(product: Product, deal: Opportunity) -> int | None:
    """The product's list price in the deal's currency, at the rate of its close date; None where it has none there."""
    if product.list_price_minor is None or product.currency in ("", deal.currency):
        return product.list_price_minor if product.currency else None
    own = Organization.objects.values_list("currency", flat=True).get(id=current_organization_id())
    source, target = (rate_on(code, deal.close_date, own=own) for code in (product.currency, deal.currency))
    if not source or not target:
        return None
    price: int = convert(
        product.list_price_minor,
        from_currency=product.currency,
        to_currency=deal.currency,
        rate=source / target,
    )
    return price


@undoes(LINE_KIND, action="edit_deal")
def put_line_back(payload: Mapping[str, Any]) -> str:
    """End what the write began and begin again what it ended, unless somebody changed the line since."""
    now = timezone.now()
    deal = deal_held(UUID(payload["deal"]))
    made, ended = _line_of(payload["made"]), _line_of(payload["ended"])
    if made is not None and made.valid_to != FOREVER:
        raise CantUndo(CHANGED_SINCE)
    if ended is not None and made is None and _is_back(ended):
        raise CantUndo(CHANGED_SINCE)
    if ended is not None and ended.currency != deal.currency:
        raise CantUndo(f"The line was in {ended.currency}, and the deal is in {deal.currency} by now")
    if made is not None:
        now = _end(made, now=now)
    if ended is not None:
        _begin(
            deal,
            product_id=ended.product_id,
            terms=terms_of(ended),
            position=ended.position,
            now=now,
            replaces=made or ended,
        )
    try:
        _amount_follows(deal)
    except Refused as refusal:
        raise CantUndo(refusal.reason) from refusal
    return f"The products of {deal.name} are as they were before"


@undoes(FOLLOW_KIND, action="edit_deal")
def put_following_back(payload: Mapping[str, Any]) -> str:
    deal = deal_held(UUID(payload["deal"]))
    before, after = payload["before"], payload["after"]
    if {"follows": deal.amount_follows_lines, "amount_minor": deal.amount_minor} != after:
        raise CantUndo(f"Somebody changed the amount of {deal.name} since; change by hand what you want back")
    amount_follows_set(deal.id, follows=before["follows"])
    if before["amount_minor"] != after["amount_minor"]:
        amount_minor = before["amount_minor"]
        try:
            opportunity_edit(deal.id, changes={"amount_minor": amount_minor}, lines_total_minor=amount_minor)
        except Refused as refusal:
            raise CantUndo(refusal.reason) from refusal
    return f"The amount of {deal.name} is as it was before"


def _current(opportunity_id: UUID, line_id: UUID) -> DealLine:
    """The line as it stands; Refused where its row has ended. DoesNotExist for a line of another deal."""
    line: DealLine = DealLine.objects.select_related("product").get(id=line_id, opportunity_id=opportunity_id)
    if line.valid_to != FOREVER:
        raise Refused("line", CHANGED_SINCE)
    return line


def _begin(
    deal: Opportunity,
    *,
    product_id: UUID,
    terms: Terms,
    position: int,
    now: datetime,
    replaces: DealLine | None = None,
) -> DealLine:
    line = DealLine(
        opportunity_id=deal.id,
        product_id=product_id,
        currency=deal.currency,
        position=position,
        replaces=replaces,
        set_by_id=current_context().person_id,
        valid_from=now,
        **vars(terms),
    )
    line.save(force_insert=True)
    return line


def _end(line: DealLine, *, now: datetime) -> datetime:
    """End a row at `now`, at least a microsecond after it began, so that none is empty."""
    end = max(now, line.valid_from + timedelta(microseconds=1))
    line.valid_to, line.ended_by_id = end, current_context().person_id
    line.save(update_fields=["valid_to", "ended_by"])
    return end


def _amount_follows(deal: Opportunity) -> None:
    """Write the lines' total as the deal's amount, where it follows them: a version like any other."""
    total = lines_sums(terms_of(line) for line in lines_now(deal.id)).total_minor
    if total > LARGEST_MINOR:
        raise Refused("quantity", "The products are larger together than any deal can be")
    if deal.amount_follows_lines and deal.amount_minor != total:
        opportunity_edit(deal.id, changes={"amount_minor": total}, lines_total_minor=total)


def _written(deal: Opportunity, *, made: DealLine | None, ended: DealLine | None, said: str) -> Written:
    payload = {
        "deal": str(deal.id),
        "made": str(made.id) if made else None,
        "ended": str(ended.id) if ended else None,
    }
    return Written(made, ended, undo_offer(LINE_KIND, said=said, payload=payload))


def _line_of(line_id: str | None) -> DealLine | None:
    return DealLine.objects.get(id=UUID(line_id)) if line_id else None


def _is_back(ended: DealLine) -> bool:
    """Whether a line that was taken off stands again."""
    return bool(DealLine.objects.filter(replaces=ended, valid_to=FOREVER).exists())
