"""Which products did an account buy, which not, and which might it want? From won deals: their product, their lines."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from pipeline.accounts.models import Account
from pipeline.accounts.upsell import Candidate, candidates
from pipeline.opportunities.models import Product

# Of an industry with more accounts the latest are asked.
MOST_SIMILAR = 2000
MOST_PRODUCTS = 500

BOUGHT = """
WITH asked AS MATERIALIZED (
  (SELECT a.id FROM pipeline_account a WHERE a.organization_id = %(organization)s AND a.id = %(id)s)
  UNION
  (SELECT a.id FROM pipeline_account a WHERE a.organization_id = %(organization)s AND a.industry = %(industry)s
     AND a.industry <> '' AND a.merged_into_id IS NULL ORDER BY a.id DESC LIMIT %(most)s)),
won AS MATERIALIZED (
  SELECT o.id, o.account_id, o.product_id FROM asked JOIN pipeline_opportunity o
    ON o.organization_id = %(organization)s AND o.account_id = asked.id
  WHERE o.outcome = 'won' AND o.deleted_at IS NULL)
SELECT account_id, product_id FROM won WHERE product_id IS NOT NULL
UNION
SELECT won.account_id, l.product_id FROM won JOIN pipeline_dealline l
  ON l.organization_id = %(organization)s AND l.opportunity_id = won.id AND l.valid_to = %(forever)s
"""


@dataclass(frozen=True)
class Claim:
    """`both` of `buyers` accounts of the same industry that bought `because_of` also bought `product`."""

    product: str
    because_of: str
    both: int
    buyers: int
    product_id: UUID
    because_of_id: UUID


@dataclass(frozen=True)
class Purchases:
    """By name. `similar_count`: accounts of the industry that bought something; 0 where no industry is known."""

    bought: tuple[str, ...]
    not_bought: tuple[str, ...]
    claims: tuple[Claim, ...]
    similar_count: int


def purchases_of(account: Account) -> Purchases:
    """Two queries. Every won deal counts, whoever may see it: only products show, and counts of at least four."""
    bought = _bought(account)
    own = bought.pop(account.id, set())
    products = dict(Product.objects.order_by("name_folded").values_list("id", "name")[:MOST_PRODUCTS])
    found: list[Candidate[UUID]] = candidates(own, bought)
    return Purchases(
        bought=tuple(name for key, name in products.items() if key in own),
        not_bought=tuple(name for key, name in products.items() if key not in own),
        claims=tuple(
            _named(one, products) for one in found if {one.product, one.because_of} <= set(products)
        ),
        similar_count=len(bought),
    )


def _bought(account: Account) -> dict[UUID, set[UUID]]:
    values: dict[str, Any] = {
        "organization": str(current_organization_id()),
        "id": str(account.id),
        "industry": account.industry,
        "most": MOST_SIMILAR,
        "forever": FOREVER,
    }
    bought: dict[UUID, set[UUID]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(BOUGHT, values)
        for account_id, product_id in cursor.fetchall():
            bought[account_id].add(product_id)
    return bought


def _named(one: Candidate[UUID], products: Mapping[UUID, str]) -> Claim:
    return Claim(
        product=products[one.product],
        because_of=products[one.because_of],
        both=one.both,
        buyers=one.buyers,
        product_id=one.product,
        because_of_id=one.because_of,
    )
