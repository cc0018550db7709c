"""A line of a deal as it is typed."""

import re
from typing import Any
from uuid import UUID

from django import forms

from otc.money.rules import decimal_text
from otc.tenancy.services import fold
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.format import money_exact
from pipeline.lines.models import Charge, DealLine
from pipeline.lines.report import quantity_text
from pipeline.lines.rules import Terms, line_terms
from pipeline.lines.services import list_price_in
from pipeline.opportunities.models import Opportunity, Product

MOST_OFFERED = 500
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"(\d{1,9})(?:\.(\d+))?", re.ASCII)


class ScaledField(forms.CharField):
    """A number with up to `places` decimals as a whole number of its smallest steps: “2.5” is 2500 thousandths."""

    def __init__(self, *, places: int, example: str, **options: Any) -> None:
        super().__init__(max_length=30, **options)
        self.places, self.example = places, example

    def clean(self, value: Any) -> int | None:
        typed = re.sub(r"[\s'’%\u00a0\u202f]", "", super().clean(value))
        if not typed:
            return None
        plain = typed.replace(",", "") if _GROUPED.fullmatch(typed) else typed.replace(",", ".")
        match = _NUMBER.fullmatch(plain)
        if match is None or len(match[2] or "") > self.places:
            raise forms.ValidationError(
                f"“{typed}” is not a number like {self.example}, with at most {self.places} decimals"
            )
        return int(match[1] + (match[2] or "").ljust(self.places, "0"))


class PriceField(forms.CharField):
    """An amount of `currency` as people type it, in minor units."""

    currency = ""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_amount(text, currency=self.currency)
        except AmountNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem


class LineForm(forms.Form):
    """Product, quantity, price and how often it is paid; `instance` is the line that is changed."""

    product = forms.CharField(max_length=200, label="Product")
    quantity = ScaledField(places=3, example="2.5", label="Quantity", initial="1")
    list_price = PriceField(max_length=40, required=False, label="List price a unit")
    discount = ScaledField(places=2, example="12.5", required=False, label="Discount, %")
    price = PriceField(max_length=40, required=False, label="Price a unit")
    charge = forms.ChoiceField(choices=Charge.choices, label="Paid")
    term_months = forms.IntegerField(required=False, min_value=1, label="Term, months")

    def __init__(
        self, *args: Any, deal: Opportunity, instance: DealLine | None = None, **options: Any
    ) -> None:
        options.setdefault("auto_id", f"line-{instance.id if instance else 'new'}-%s")
        if instance is not None:
            options["initial"] = _written(instance)
        super().__init__(*args, **options)
        self.deal = deal
        self.terms: Terms | None = None
        for name in ("list_price", "price"):
            self.fields[name].currency = deal.currency  # type: ignore[attr-defined]  # a PriceField
            self.fields[name].label = f"{self.fields[name].label}, {deal.currency}"
        self.fields["product"].widget.attrs |= {
            "list": self.datalist_id,
            "autocomplete": "off",
            "autofocus": True,
        }
        for name in ("quantity", "list_price", "discount", "price", "term_months"):
            self.fields[name].widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}
        self.fields["price"].widget.attrs["placeholder"] = "list price less discount"
        self.fields["list_price"].widget.attrs["placeholder"] = "as in the price list"

    @property
    def datalist_id(self) -> str:
        return str(self.auto_id) % "products"

    @property
    def offered(self) -> list[tuple[str, str]]:
        """The first products by name with what each costs."""
        found = Product.objects.order_by("name_folded", "id")[:MOST_OFFERED]
        return [(one.name, _listed(one)) for one in found]

    def clean_product(self) -> Product:
        name = self.cleaned_data["product"]
        found: Product | None = Product.objects.filter(name_folded=fold(name)).first()
        if found is None:
            raise forms.ValidationError(f"There is no product called “{name}”; choose one of the list")
        return found

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if self.errors:
            return given
        product, charge = given["product"], given["charge"]
        listed = given["list_price"]
        self.terms = line_terms(
            quantity_milli=given["quantity"],
            charge=charge,
            term_months=None if charge == Charge.ONCE else given["term_months"],
            list_price_minor=list_price_in(product, self.deal) if listed is None else listed,
            discount_bp=given["discount"],
            price_minor=given["price"],
        )
        return given

    @property
    def product_id(self) -> UUID:
        found: UUID = self.cleaned_data["product"].id
        return found


def _listed(product: Product) -> str:
    if product.list_price_minor is None or not product.currency:
        return product.family
    return money_exact(product.list_price_minor, currency=product.currency)


def _written(line: DealLine) -> dict[str, Any]:
    """What the form of a line begins with, as it reads back."""
    has_own_price = line.discount_bp is None and line.price_minor != line.list_price_minor
    return {
        "product": line.product.name,
        "quantity": quantity_text(line.quantity_milli),
        "list_price": _text(line.list_price_minor, line.currency),
        "discount": "" if line.discount_bp is None else f"{line.discount_bp / 100:g}",
        "price": _text(line.price_minor, line.currency) if has_own_price else "",
        "charge": line.charge,
        "term_months": line.term_months,
    }


def _text(minor: int | None, currency: str) -> str:
    return "" if minor is None else decimal_text(minor, currency=currency)
