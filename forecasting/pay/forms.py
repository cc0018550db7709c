"""A plan as it is typed: for whom, from when, and a tier on each line."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from forecasting.pay.models import Cycle
from forecasting.pay.rules import Tier, tiers_fault
from forecasting.pay.services import PAID_ROLES, Wanted

LINE = re.compile(
    r"(?P<from>\d{1,5}(?:[.,]\d{1,2})?)\s*%?\s*[:;\t ]\s*(?P<rate>\d{1,3}(?:[.,]\d{1,2})?)\s*%?"
)
EXAMPLE = "0: 5\n100: 8\n120: 12"


class TiersNotUnderstood(ValueError):
    """A line that names no tier; str(error) says which."""


def read_tiers(text: str) -> tuple[Tier, ...]:
    """Tiers as typed, percent of the quota and percent paid on each line. Raises TiersNotUnderstood.

    >>> read_tiers("0: 5")
    (Tier(from_bp=0, rate_bp=500),)
    """
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        match = LINE.fullmatch(line)
        if match is None:
            raise TiersNotUnderstood(f"“{line[:40]}” is not a tier; write 100: 8 for 8 % from 100 % on")
        found.append(Tier(_bp(match["from"]), _bp(match["rate"])))
    return tuple(found)


def _bp(text: str) -> int:
    return int(Decimal(text.replace(",", ".")) * 100)


class PlanForm(forms.Form):
    """`people` are (id, name) of those who may have a plan of their own."""

    whom = forms.ChoiceField(
        label="For whom", help_text="A person’s own plan counts before that of the role."
    )
    starts_on = forms.DateField(
        label="From",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="It pays the periods that begin on this day or later.",
    )
    cycle = forms.ChoiceField(label="Measured and paid by", choices=Cycle.choices, initial=Cycle.QUARTER)
    tiers = forms.CharField(
        max_length=600,
        initial=EXAMPLE,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="A tier on each line: from so many percent of the quota, percent paid of what is won in it.",
    )
    reason = forms.CharField(max_length=500, label="Why", help_text="It stays with the plan.")

    def __init__(self, *given: Any, people: list[tuple[UUID, str]], **more: Any) -> None:
        super().__init__(*given, **more)
        whom = self.fields["whom"]
        assert isinstance(whom, forms.ChoiceField)
        whom.choices = [
            ("Everybody of a role", [(f"role:{role}", role.label) for role in PAID_ROLES]),
            ("One person", [(f"person:{person_id}", name) for person_id, name in people]),
        ]

    def clean_tiers(self) -> tuple[Tier, ...]:
        try:
            tiers = read_tiers(self.cleaned_data["tiers"])
        except TiersNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from None
        fault = tiers_fault(tiers)
        if fault:
            raise forms.ValidationError(fault)
        return tiers

    def wanted(self) -> Wanted:
        kind, _, which = self.cleaned_data["whom"].partition(":")
        return Wanted(
            starts_on=self.cleaned_data["starts_on"],
            cycle=self.cleaned_data["cycle"],
            tiers=self.cleaned_data["tiers"],
            reason=self.cleaned_data["reason"],
            person_id=UUID(which) if kind == "person" else None,
            role=which if kind == "role" else "",
        )
