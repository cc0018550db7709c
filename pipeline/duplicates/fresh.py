"""What does one new record look like? A handful that share a word, an address or an account, compared at once.

The daily look compares everything, typos too; this one costs a few milliseconds of the request that made the record.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from pipeline.accounts.models import Account, Contact
from pipeline.duplicates.finding import pairs_keep
from pipeline.duplicates.models import RecordKind
from pipeline.duplicates.rules import (
    AccountSketch,
    ContactSketch,
    DealSketch,
    account_likeness,
    contact_likeness,
    deal_likeness,
    plain_words,
)
from pipeline.duplicates.sketches import Alike, Comparison, sites_of
from pipeline.opportunities.models import Opportunity
from pipeline.search.queries import accounts_bearing, contacts_bearing

# Of a word that many bear the first ones are compared, of a large account as many.
COMPARED_WITH = 200
SHORTEST_WORD = 3
# Longer words are asked for by their beginning: most typos come later.
BEGINNING = 5


def account_compare(account_id: UUID, *, now: datetime) -> None:
    """Keep what a new account looks like. Few queries, whatever there is."""
    rows = _rows(Account, account_id, accounts_bearing, ("id", "name", "country", "attributes"))
    sketches = [
        AccountSketch(name, frozenset(filter(None, sites_of(attributes))), country)
        for _, name, country, attributes in rows
    ]
    _keep(RecordKind.ACCOUNT, rows, sketches, likeness=account_likeness, now=now)


def contact_compare(contact_id: UUID, *, now: datetime) -> None:
    """Keep what a new contact looks like, among namesakes and the people of the account."""
    columns = ("id", "name", "account_id", "email", "phone")
    rows = _rows(
        Contact,
        contact_id,
        lambda word: contacts_bearing(word, most=COMPARED_WITH),
        columns,
        near="account_id",
    )
    sketches = [ContactSketch(name, str(account), email, phone) for _, name, account, email, phone in rows]
    _keep(RecordKind.CONTACT, rows, sketches, likeness=contact_likeness, now=now)


def deal_compare(deal_id: UUID, *, now: datetime) -> None:
    """Keep what a new deal looks like among the open ones of its account."""
    columns = ("id", "name", "account_id", "amount_minor", "currency", "close_date", "owner_id")
    found = Opportunity.objects.filter(outcome__isnull=True, deleted_at__isnull=True)
    new = list(found.filter(id=deal_id, account__isnull=False).values_list(*columns))
    if not new:
        return
    beside = found.filter(account_id=new[0][2]).exclude(id=deal_id).order_by("-created_at", "id")
    rows = [*new, *beside.values_list(*columns)[:COMPARED_WITH]]
    sketches = [
        DealSketch(name, str(account), amount, currency, closes, str(owner or ""))
        for _, name, account, amount, currency, closes, owner in rows
    ]
    _keep(RecordKind.OPPORTUNITY, rows, sketches, likeness=deal_likeness, now=now)


def _rows(
    model: Any, record_id: UUID, bearing: Any, columns: tuple[str, ...], *, near: str = ""
) -> list[tuple[Any, ...]]:
    """The new record first, then those worth comparing with it."""
    new = list(model.objects.filter(id=record_id).values_list(*columns))
    if not new:
        return []
    words = [word[:BEGINNING] for word in plain_words(new[0][1]) if len(word) >= SHORTEST_WORD]
    others = model.objects.exclude(id=record_id)
    ids: set[UUID] = set()
    for word in words[:4]:
        ids.update(others.filter(bearing(word)).values_list("id", flat=True)[:COMPARED_WITH])
    worth = Q(id__in=ids)
    if near:
        worth |= Q(**{near: new[0][columns.index(near)]})
    return [*new, *others.filter(worth).values_list(*columns)[: 4 * COMPARED_WITH]]


def _keep(
    kind: str, rows: Sequence[tuple[Any, ...]], sketches: Sequence[Any], *, likeness: Any, now: datetime
) -> None:
    comparison = Comparison(
        [row[0] for row in rows],
        sketches,
        lambda beat: {(0, place) for place in range(1, len(rows))},
        likeness,
    )
    found: list[Alike] = comparison.alike(lambda: None) if rows else []
    if found:
        pairs_keep(kind, found, now=now)
