"""What is asked of a deal that isn't ready for a stage: its missing fields, its milestones, a word to the approver."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms

from otc.calendar.rules import Calendar
from otc.fields.queries import Book, field_book
from otc.fields.rules import PREFIX
from otc.fields.writing import reading_of
from otc.tenancy.models import Person
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from pipeline.accounts.services import account_named
from pipeline.fields.forms import INPUT, add_fields, field_values
from pipeline.opportunities.forms import DayField
from pipeline.opportunities.models import Competitor, Opportunity, Product
from pipeline.opportunities.rules import MoveRefused
from pipeline.process.rules import BUILT_IN

DAYS = ("close_date", "next_step_on")
TEXTS = {"account": 300, "next_step": 500, "source": 100, "kind": 100}
CHOSEN: dict[str, Any] = {"competitor": Competitor, "product": Product}
MILESTONE = "milestone-"
MARKS = (("", "Choose"), ("met", "Met"), ("waived", "Waive it"))


class GateForm(forms.Form):
    """One input for each thing that is missing; empty where a deal is ready."""

    def __init__(
        self,
        *args: Any,
        deal: Opportunity,
        refused: MoveRefused | None,
        today: Any,
        calendar: Calendar,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.deal = deal
        if refused is None:
            return
        for milestone in refused.missing:
            self.fields[f"{MILESTONE}{milestone.id}"] = forms.ChoiceField(
                choices=MARKS, label=milestone.name, help_text=f"Required to leave {milestone.stage}"
            )
        for name in refused.verdict.fields:
            if not name.startswith(PREFIX):
                self.fields[name] = _input(name, deal=deal, today=today, calendar=calendar)
        self._add_custom(refused, today=today, calendar=calendar)
        if refused.verdict.approval:
            self.fields["note"] = forms.CharField(
                max_length=500,
                required=False,
                label="A word to the approver",
                help_text="Why this deal, why now",
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def _add_custom(self, refused: MoveRefused, *, today: Any, calendar: Calendar) -> None:
        asked = [one for one in field_book("deal").active if one.name in refused.verdict.fields]
        add_fields(
            self,
            Book(tuple(asked)),
            reading=reading_of(today=today, calendar=lambda: calendar),
            attributes=self.deal.attributes,
        )
        for one in asked:
            self.fields[f"{INPUT}{one.key}"].required = True

    def clean_amount(self) -> int:
        try:
            return parse_amount(self.cleaned_data["amount"], currency=self.deal.currency)
        except AmountNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem

    def marks(self) -> dict[UUID, str]:
        """What each milestone is marked as."""
        return {
            UUID(name.removeprefix(MILESTONE)): state
            for name, state in self.cleaned_data.items()
            if name.startswith(MILESTONE)
        }

    def changes(self) -> dict[str, Any]:
        """What opportunity_edit takes; a new account's name adds the account. Raises Invalid."""
        found: dict[str, Any] = {}
        for name, column, _ in BUILT_IN:
            if name not in self.cleaned_data:
                continue
            value = self.cleaned_data[name]
            if name == "account":
                value = account_named(value).id
            found[column] = UUID(value) if name in ("owner", *CHOSEN) else value
        values: Mapping[str, Any] = field_values(self)
        return found | ({"fields": dict(values)} if values else {})


def _input(name: str, *, deal: Opportunity, today: Any, calendar: Calendar) -> forms.Field:
    label = next(label for key, _, label in BUILT_IN if key == name)
    if name in DAYS:
        hint = "fri, +2w, eom or 18 dec"
        return DayField(today=today, calendar=calendar, max_length=60, label=label, help_text=hint)
    if name == "amount":
        return forms.CharField(max_length=60, label=f"{label}, {deal.currency}")
    if name in TEXTS:
        return forms.CharField(max_length=TEXTS[name], label=label)
    model = CHOSEN.get(name)
    rows = (
        model.objects.order_by("name_folded")
        if model
        else Person.objects.filter(left_on__isnull=True).exclude(role="integration").order_by("name_folded")
    )
    choices = [(str(key), text) for key, text in rows.values_list("id", "name")]
    return forms.ChoiceField(choices=[("", "Choose"), *choices], label=label)
