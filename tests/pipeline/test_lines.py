"""Products on a deal: what they come to, exactly; when the amount follows them; what is kept, and put back."""

from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from otc.money.models import Rate
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER, Person
from otc.tenancy.services import fold
from otc.undo.registry import CantUndo
from otc.undo.services import undo_take
from pipeline.history.models import OpportunityVersion
from pipeline.lines.models import DealLine
from pipeline.lines.rules import Terms, discounted_minor, line_sums, line_terms, lines_sums
from pipeline.lines.services import amount_follow, line_add, line_change, line_remove
from pipeline.opportunities.models import Opportunity, Product
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_edit, opportunity_undo
from tests.api_client import Caller
from tests.conftest import House

SignedIn = Callable[[Person], Client]
HTMX = {"HTTP_HX_REQUEST": "true"}

some_terms = st.builds(
    lambda quantity, price, charge, months: Terms(
        quantity, price, charge, None if charge == "once" else months
    ),
    st.integers(1, 10**7),
    st.integers(0, 10**7),
    st.sampled_from(("once", "month", "year")),
    st.integers(1, 120),
)


# Rules


@given(st.lists(some_terms, max_size=20))
def test_the_total_is_the_sum_of_the_lines_as_they_are_shown(lines: list[Terms]) -> None:
    sums = lines_sums(lines)
    assert sums.total_minor == sum(line_sums(line).total_minor for line in lines)
    assert sums.total_minor == sums.one_off_minor + sums.recurring_minor


@given(some_terms)
def test_a_line_is_within_half_a_minor_unit_of_the_exact_product(terms: Terms) -> None:
    exact = Fraction(terms.price_minor * terms.quantity_milli, 1000)
    if terms.charge != "once":
        exact *= Fraction(terms.term_months or 0, 1 if terms.charge == "month" else 12)
    assert abs(line_sums(terms).total_minor - exact) <= Fraction(1, 2)


@given(some_terms)
def test_a_year_of_a_line_is_its_annual_part(terms: Terms) -> None:
    if terms.charge == "once":
        assert line_sums(terms).annual_minor == 0
    else:
        a_year = Terms(terms.quantity_milli, terms.price_minor, terms.charge, 12)
        assert line_sums(a_year).recurring_minor == line_sums(terms).annual_minor


@given(st.integers(0, 10**12), st.integers(0, 10_000))
def test_a_discount_never_makes_a_price_dearer_nor_negative(listed: int, discount_bp: int) -> None:
    price = discounted_minor(listed, discount_bp=discount_bp)
    assert 0 <= price <= listed
    assert abs(price - Fraction(listed * (10_000 - discount_bp), 10_000)) <= Fraction(1, 2)


def test_prices_and_sums_are_rounded_half_to_even() -> None:
    assert [discounted_minor(minor, discount_bp=5000) for minor in (1, 3, 5)] == [0, 2, 2]
    assert line_sums(Terms(500, 1)).one_off_minor == 0
    assert line_sums(Terms(1500, 1)).one_off_minor == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"quantity_milli": 0}, "quantity"),
        ({"charge": "week"}, "charge"),
        ({"charge": "month"}, "term_months"),
        ({"term_months": 12}, "term_months"),
        ({"list_price_minor": None}, "price"),
        ({"discount_bp": 10_001}, "discount"),
        ({"discount_bp": 1000, "price_minor": 5}, "discount"),
        ({"price_minor": -1}, "price"),
        ({"quantity_milli": 10**12, "price_minor": 10**15}, "quantity"),
    ],
)
def test_a_line_that_can_not_be_says_which_field(changes: dict[str, Any], field: str) -> None:
    fine = {
        "quantity_milli": 1000,
        "charge": "once",
        "term_months": None,
        "list_price_minor": 100,
        "discount_bp": None,
        "price_minor": None,
    }
    assert line_terms(**fine).price_minor == 100
    with pytest.raises(Refused) as refusal:
        line_terms(**{**fine, **changes})
    assert refusal.value.field == field


# Services


@pytest.fixture
def product(house: House) -> Product:
    with use(house.organization.id):
        return make_product("Telemetry licence", price=40_00)


def make_product(name: str, *, price: int | None, currency: str = "EUR") -> Product:
    made = Product(name=name, name_folded=fold(name), list_price_minor=price, currency=currency)
    made.save()
    return made


@pytest.fixture
def deal(house: House, make_deal: Callable[..., Any]) -> Opportunity:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        found: Opportunity = make_deal("Kestrel Rail", owner=house.ana, amount_minor=100_00)
    return found


def amounts(deal: Opportunity) -> list[int | None]:
    versions = OpportunityVersion.objects.filter(opportunity_id=deal.id).order_by("valid_from")
    return list(versions.values_list("amount_minor", flat=True))


def add(deal: Opportunity, product: Product, terms: Terms) -> Any:
    return line_add(deal.id, product_id=product.id, terms=terms, now=timezone.now())


def test_an_amount_that_follows_is_an_ordinary_version(inside: House, deal: Any, product: Product) -> None:
    add(deal, product, Terms(25_000, 40_00, "month", 36))
    assert amounts(deal) == [100_00]
    amount_follow(deal.id, follows=True)
    written = add(deal, product, Terms(1000, 5_000_00))
    line_remove(deal.id, written.made.id, now=timezone.now())
    assert amounts(deal) == [100_00, 36_000_00, 41_000_00, 36_000_00]


def test_an_amount_that_follows_is_not_typed_over(inside: House, deal: Any, product: Product) -> None:
    add(deal, product, Terms(1000, 40_00))
    amount_follow(deal.id, follows=True)
    with pytest.raises(Refused, match="follows this deal’s products"):
        opportunity_edit(deal.id, changes={"amount_minor": 1})
    opportunity_edit(deal.id, changes={"amount_minor": 40_00, "next_step": "Call"})
    amount_follow(deal.id, follows=False)
    opportunity_edit(deal.id, changes={"amount_minor": 1})
    assert amounts(deal)[-1] == 1


def test_undo_of_a_version_does_not_part_the_amount_from_its_lines(
    inside: House, deal: Any, product: Product
) -> None:
    add(deal, product, Terms(1000, 40_00))
    first = OpportunityVersion.objects.get(opportunity_id=deal.id)
    amount_follow(deal.id, follows=True)
    with pytest.raises(Refused, match="follows"):
        opportunity_undo(deal.id, to_version=first.id)


def test_a_deal_with_lines_keeps_their_currency(inside: House, deal: Any, product: Product) -> None:
    Rate(
        currency="USD", valid_from="2020-01-01", known_from=datetime(2020, 1, 1, tzinfo=UTC), rate="0.9"
    ).save()
    line = add(deal, product, Terms(1000, 40_00)).made
    with pytest.raises(Refused) as refusal:
        opportunity_edit(deal.id, changes={"currency": "USD"})
    assert refusal.value.field == "currency"
    line_remove(deal.id, line.id, now=timezone.now())
    opportunity_edit(deal.id, changes={"currency": "USD"})


def test_nothing_follows_nothing(inside: House, deal: Any) -> None:
    with pytest.raises(Refused, match="Add a product first"):
        amount_follow(deal.id, follows=True)


def test_a_change_ends_a_row_and_an_old_row_can_not_be_changed(
    inside: House, deal: Any, product: Product
) -> None:
    first = add(deal, product, Terms(1000, 40_00)).made
    second = line_change(
        deal.id, first.id, product_id=product.id, terms=Terms(2000, 40_00), now=timezone.now()
    ).made
    assert DealLine.objects.get(valid_to=FOREVER).id == second.id
    with pytest.raises(Refused, match="Somebody changed this line since"):
        line_remove(deal.id, first.id, now=timezone.now())
    same = line_change(
        deal.id, second.id, product_id=product.id, terms=Terms(2000, 40_00), now=timezone.now()
    )
    assert same.step is None


def taken(house: House, step: Any) -> str:
    return undo_take(step, person_id=house.ana.id, may=lambda action: True, now=timezone.now())


def test_every_write_of_lines_can_be_taken_back(house: House, deal: Any, product: Product) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        added = add(deal, product, Terms(1000, 40_00))
        followed = amount_follow(deal.id, follows=True)
        changed = line_change(
            deal.id, added.made.id, product_id=product.id, terms=Terms(3000, 40_00), now=timezone.now()
        )
        removed = line_remove(deal.id, changed.made.id, now=timezone.now())
        assert amounts(deal)[-1] == 0
        taken(house, removed.step)
        assert amounts(deal)[-1] == 120_00
        with pytest.raises(CantUndo, match="since"):
            taken(house, changed.step)
        with pytest.raises(CantUndo, match="since"):
            taken(house, followed)


def test_undo_of_a_change_brings_the_former_terms_back(house: House, deal: Any, product: Product) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        added = add(deal, product, Terms(1000, 40_00))
        step = amount_follow(deal.id, follows=True)
        taken(house, step)
        assert (Opportunity.objects.get(id=deal.id).amount_follows_lines, amounts(deal)[-1]) == (
            False,
            100_00,
        )
        changed = line_change(
            deal.id, added.made.id, product_id=product.id, terms=Terms(3000, 40_00), now=timezone.now()
        )
        taken(house, changed.step)
        assert DealLine.objects.get(valid_to=FOREVER).quantity_milli == 1000


# Pages


def url(house: House, deal: Opportunity, rest: str = "") -> str:
    return house.url(f"deals/{deal.id}/{rest}")


def test_a_product_is_added_changed_and_taken_off_on_the_page(
    house: House, deal: Any, product: Product, signed_in: SignedIn
) -> None:
    client = signed_in(house.ana)
    asked = {"product": "telemetry LICENCE", "quantity": "25", "discount": "10 %", "charge": "month"}
    refused = client.post(url(house, deal, "lines/new/"), asked)
    assert refused.status_code == 422 and "for how many months" in refused.content.decode()
    client.post(url(house, deal, "lines/new/"), {**asked, "term_months": "36"})
    text = client.get(url(house, deal)).content.decode()
    assert "25 × 36.00\xa0EUR a month for 36 months, 10\xa0% off" in text
    assert "Telemetry licence added" in text
    with use(house.organization.id):
        line = DealLine.objects.get()
    form = client.get(url(house, deal, f"lines/{line.id}/"))
    assert form.context["form"].initial["discount"] == "10"
    client.post(
        url(house, deal, f"lines/{line.id}/"),
        {"product": product.name, "quantity": "2", "charge": "once", "price": "12.50"},
    )
    assert "2 × 12.50" in client.get(url(house, deal)).content.decode()
    with use(house.organization.id):
        line = DealLine.objects.get(valid_to=FOREVER)
    client.post(url(house, deal, f"lines/{line.id}/"), {"remove": "1"})
    assert "Telemetry licence taken off" in client.get(url(house, deal)).content.decode()


def test_htmx_gets_the_form_and_the_page_again_with_undo(
    house: House, deal: Any, product: Product, signed_in: SignedIn
) -> None:
    client = signed_in(house.ana)
    form = client.get(url(house, deal, "lines/new/"), **HTMX)
    assert "<html" not in form.content.decode() and "<form" in form.content.decode()
    done = client.post(
        url(house, deal, "lines/new/"), {"product": product.name, "quantity": "1", "charge": "once"}, **HTMX
    )
    assert done["HX-Retarget"] == "#main" and "/undo/" in done.content.decode()
    followed = client.post(url(house, deal, "lines/follow/"), {"follows": "yes"}, **HTMX)
    assert "The amount follows these products" in followed.content.decode()
    cell = client.post(url(house, deal, "edit/amount/"), {"value": "5"}, **HTMX)
    assert cell.status_code == 422 and "follows this deal" in cell.content.decode()


def test_the_past_shows_the_lines_of_then_and_no_form(
    house: House, deal: Any, product: Product, signed_in: SignedIn
) -> None:
    then = timezone.now()
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        add(deal, product, Terms(1000, 40_00))
    page = signed_in(house.ana).get(url(house, deal), {"as_of": then.isoformat()})
    assert page.context["report"].lines.rows == () and "lines/new" not in page.content.decode()


def test_a_list_price_of_another_currency_is_converted_at_the_deals_rate(
    house: House, deal: Any, signed_in: SignedIn
) -> None:
    with use(house.organization.id):
        Rate(
            currency="USD", valid_from="2020-01-01", known_from=datetime(2020, 1, 1, tzinfo=UTC), rate="0.9"
        ).save()
        make_product("Sensor", price=100_00, currency="USD")
        make_product("Gate", price=100_00, currency="JPY")
    client = signed_in(house.ana)
    client.post(url(house, deal, "lines/new/"), {"product": "Sensor", "quantity": "1", "charge": "once"})
    with use(house.organization.id):
        assert DealLine.objects.get().price_minor == 90_00
    asked = {"product": "Gate", "quantity": "1", "charge": "once"}
    refused = client.post(url(house, deal, "lines/new/"), asked)
    assert "no list price here" in refused.content.decode()


# The API


def test_the_api_adds_changes_follows_and_removes(house: House, deal: Any, product: Product) -> None:
    caller, path = Caller(house.ana), f"opportunities/{deal.id}/lines"
    made = caller.post(path, {"product_id": str(product.id), "quantity_milli": 2500, "discount_bp": 1250})
    assert made.status_code == 201
    assert (made.json()["total_minor"], made.json()["difference_minor"]) == (87_50, 12_50)
    line = made.json()["results"][0]
    changed = caller.call("patch", f"{path}/{line['id']}", {"charge": "year", "term_months": 18})
    assert (changed.json()["recurring_minor"], changed.json()["annual_minor"]) == (131_25, 87_50)
    again = caller.call("patch", f"{path}/{line['id']}", {"charge": "once"})
    assert (again.status_code, list(again.json()["error"]["fields"])) == (422, ["line"])
    followed = caller.call(
        "put", f"opportunities/{deal.id}/amount-follows-lines", {"amount_follows_lines": True}
    )
    assert followed.json()["amount_minor"] == 131_25
    refused = caller.call("patch", f"opportunities/{deal.id}", {"amount_minor": 5})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (422, ["amount_minor"])
    line = followed.json()["results"][0]
    assert caller.delete(f"{path}/{line['id']}").status_code == 204
    assert caller.get(path).json()["total_minor"] == 0


def test_nobody_reaches_a_line_through_another_deal(
    inside: House, deal: Any, product: Product, make_deal: Callable[..., Any]
) -> None:
    line = add(deal, product, Terms(1000, 1)).made
    other = make_deal("Other", owner=inside.ana)
    with pytest.raises(DealLine.DoesNotExist):
        line_remove(other.id, line.id, now=timezone.now())
