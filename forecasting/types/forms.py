"""A forecast type as it is typed: its name, and which deals are of it."""

from typing import Any

from django import forms

from forecasting.types.rules import Conditions
from otc.fields.queries import field_book
from otc.fields.rules import PREFIX
from otc.tenancy.models import Organization
from pipeline.opportunities.models import Opportunity, Product
from pipeline.process.models import Process

# Fields by which one may ask on the page: what has few values, or is typed.
ASKABLE = ("choice", "text")
MOST_SUGGESTED = 30


class TypeForm(forms.Form):
    """Every condition that is given must hold; of the values of one, any. Values are separated by commas."""

    name = forms.CharField(
        max_length=100, label="Name", help_text="As people call it: New business, Renewals."
    )
    kind = forms.CharField(max_length=2000, required=False, label="Kind is one of")
    source = forms.CharField(max_length=2000, required=False, label="Source is one of")
    product_id = forms.MultipleChoiceField(
        required=False, label="Product is one of", widget=forms.CheckboxSelectMultiple
    )
    process_id = forms.MultipleChoiceField(
        required=False, label="Process is one of", widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *given: Any, organization: Organization, **more: Any) -> None:
        super().__init__(*given, **more)
        for name, model in (("product_id", Product), ("process_id", Process)):
            offered = [
                (str(one), label) for one, label in model.objects.order_by("name").values_list("id", "name")
            ]
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = offered
            if len(offered) < (2 if name == "process_id" else 1):
                del self.fields[name]
        for name in ("kind", "source"):
            known = Opportunity.objects.exclude(**{name: ""}).order_by(name).values_list(name, flat=True)
            said = ", ".join(known.distinct()[:MOST_SUGGESTED])
            self.fields[name].help_text = f"Known are: {said}." if said else "No deal has one yet."
        for own in field_book("deal", organization).active:
            if own.kind not in ASKABLE:
                continue
            self.fields[f"{PREFIX}{own.key}"] = _own_field(own)

    def conditions(self) -> dict[str, list[str]]:
        found = {}
        for name, value in self.cleaned_data.items():
            values = [part.strip() for part in value.split(",")] if isinstance(value, str) else list(value)
            if name != "name" and any(values):
                found[name] = [one for one in values if one]
        return found


def _own_field(own: Any) -> forms.Field:
    if own.kind == "choice":
        return forms.MultipleChoiceField(
            required=False,
            label=f"{own.name} is one of",
            choices=[(option.key, option.name) for option in own.options],
            widget=forms.CheckboxSelectMultiple,
        )
    return forms.CharField(max_length=2000, required=False, label=f"{own.name} is one of")


def initial_of(name: str, conditions: Conditions) -> dict[str, Any]:
    """What the form shows of a type: typed values in one line, chosen ones ticked."""
    typed = {"kind", "source"}
    return {"name": name} | {
        key: ", ".join(values) if key in typed else values for key, values in conditions.items()
    }
