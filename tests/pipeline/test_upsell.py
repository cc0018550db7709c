"""No claim about what an account could buy without the counts behind it, and the counts are true."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from pipeline.accounts.models import Account
from pipeline.accounts.purchases import purchases_of
from pipeline.accounts.services import account_create
from pipeline.accounts.upsell import LEAST_BOTH, LEAST_BUYERS, LEAST_SHARE, candidates
from pipeline.opportunities.models import Product
from pipeline.opportunities.services import opportunity_close, opportunity_create
from pipeline.process.models import CloseReason

PRODUCTS = st.sets(st.sampled_from("ABCDE"), max_size=5)


def slowly(own: set[str], others: Mapping[int, set[str]]) -> dict[tuple[str, str], tuple[int, int]]:
    """The definition: (product, because of) -> (both, buyers), for every claim that may be made."""
    found = {}
    for because_of in own:
        for product in set("ABCDE") - own:
            buyers = [theirs for theirs in others.values() if because_of in theirs]
            both = [theirs for theirs in buyers if product in theirs]
            enough = len(buyers) >= LEAST_BUYERS and len(both) >= LEAST_BOTH
            if enough and len(both) / len(buyers) >= LEAST_SHARE:
                found[product, because_of] = (len(both), len(buyers))
    return found


@given(PRODUCTS, st.lists(PRODUCTS, max_size=40))
def test_every_claim_is_one_of_the_slow_definition_and_none_is_missing(
    own: set[str], others: list[set[str]]
) -> None:
    named = dict(enumerate(others))
    expected, found = slowly(own, named), candidates(own, named)
    assert {one.product for one in found} == {product for product, _ in expected}
    for one in found:
        assert (one.both, one.buyers) == expected[one.product, one.because_of]
    assert [one.surely for one in found] == sorted((one.surely for one in found), reverse=True)


def bought(account: Account, *products: Product) -> None:
    now = timezone.now()
    reason = CloseReason.objects.all()[0]
    for product in products:
        deal = opportunity_create(
            name="Deal", account_id=account.id, product_id=product.id, now=now
        ).opportunity
        opportunity_close(deal.id, outcome="won", reason_id=reason.id, now=now, today=now.date())


def test_the_page_says_what_of_how_many_and_only_of_the_same_industry(inside: Any) -> None:
    rails, depot, other = (
        Product(name=name, name_folded=name.lower()) for name in ("Rails", "Depot", "Roof")
    )
    for product in (rails, depot, other):
        product.save()
    account = account_create(name="Kestrel Rail", industry="Rail")
    bought(account, rails)
    for number in range(10):
        similar = account_create(name=f"Rail {number}", industry="Rail")
        bought(similar, rails, *([depot] if number < 6 else []))
    for number in range(10):
        bought(account_create(name=f"Dairy {number}", industry="Dairy"), rails, other)
    found = purchases_of(account)
    [claim] = found.claims
    assert (claim.product, claim.because_of, claim.both, claim.buyers) == ("Depot", "Rails", 6, 10)
    assert (found.bought, found.not_bought, found.similar_count) == (("Rails",), ("Depot", "Roof"), 10)
    assert purchases_of(account_create(name="Nobody knows")).claims == ()
