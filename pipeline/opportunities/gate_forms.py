"""What is asked of a deal that isn't ready for a stage: its missing fields, its milestones, a word to the approver."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
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
from pipeline.opportunities.milestones import checked_evidence, checked_note
from pipeline.opportunities.models import Competitor, Opportunity, Product
from pipeline.opportunities.rules import MoveRefused, Refused
from pipeline.process.rules import BUILT_IN, StageMilestone

DAYS = ("close_date", "next_step_on")
TEXTS = {"account": 300, "next_step": 500, "source": 100, "kind": 100}
CHOSEN: dict[str, Any] = {"competitor": Competitor, "product": Product}
MILESTONE = "milestone-"
EVIDENCE = "evidence-"
MARKS = (("met", "Met"), ("waived", "Waive"))


@dataclass(frozen=True)
class Mark:
    """What a milestone is marked as, on what evidence; None keeps what was said before."""

    milestone_id: UUID
    state: str
    note: str | None
    url: str | None


def evidence_of(typed: str) -> tuple[str | None, str | None]:
    """Note and link of one line: it is a link where it begins like one and has no words beside it.

    >>> evidence_of("https://example.org/a"), evidence_of("Mail of 12 May"), evidence_of("")
    ((None, 'https://example.org/a'), ('Mail of 12 May', None), (None, None))
    """
    typed = typed.strip()
    if typed.lower().startswith(("https://", "http://")) and " " not in typed:
        return None, typed
    return typed or None, None


class GateForm(forms.Form):
    """One input for each thing that is missing; empty where a deal is ready.

    Fields of `asked_elsewhere` are left to the form beside it, and so is the approver where `asks_approver` is False.
    """

    def __init__(
        self,
        *args: Any,
        deal: Opportunity,
        refused: MoveRefused | None,
        today: Any,
        calendar: Calendar,
        asked_elsewhere: Collection[str] = (),
        asks_approver: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(*args, **more)
        self.deal = deal
        self.missing = refused.missing if refused else ()
        if refused is None:
            return
        for milestone in self.missing:
            self._ask_milestone(milestone)
        for name in refused.verdict.fields:
            if not name.startswith(PREFIX) and name not in asked_elsewhere:
                self.fields[name] = _input(name, deal=deal, today=today, calendar=calendar)
        self._add_custom(refused, today=today, calendar=calendar)
        if refused.verdict.approval and asks_approver:
            self.fields["note"] = forms.CharField(
                max_length=500,
                required=False,
                label="A word to the approver",
                help_text="Why this deal, why now",
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def _ask_milestone(self, milestone: StageMilestone) -> None:
        self.fields[f"{MILESTONE}{milestone.id}"] = forms.ChoiceField(
            choices=MARKS,
            widget=forms.RadioSelect,
            label=milestone.name,
            error_messages={"required": "Say whether it is met, or waive it"},
        )
        self.fields[f"{EVIDENCE}{milestone.id}"] = forms.CharField(
            required=False,
            label=f"Evidence for {milestone.name}",
            widget=forms.TextInput(
                attrs={"placeholder": "Note or link", "dir": "auto", "autocomplete": "off"}
            ),
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

    def clean(self) -> dict[str, Any]:
        """Evidence that couldn't be kept is refused beside its milestone."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for milestone in self.missing:
            note, url = evidence_of(cleaned.get(f"{EVIDENCE}{milestone.id}", ""))
            try:
                checked_note(note)
                checked_evidence(url)
            except Refused as refusal:
                self.add_error(f"{EVIDENCE}{milestone.id}", refusal.reason)
        return cleaned

    @property
    def milestones(self) -> list[tuple[StageMilestone, forms.BoundField, forms.BoundField]]:
        """Each missing milestone with its tick and its evidence."""
        return [(one, self[f"{MILESTONE}{one.id}"], self[f"{EVIDENCE}{one.id}"]) for one in self.missing]

    @property
    def others(self) -> list[forms.BoundField]:
        """What is asked beside the milestones."""
        return [self[name] for name in self.fields if not name.startswith((MILESTONE, EVIDENCE))]

    def marks(self) -> list[Mark]:
        """What each milestone is marked as, and why."""
        return [
            Mark(
                one.id,
                self.cleaned_data[f"{MILESTONE}{one.id}"],
                *evidence_of(self.cleaned_data[f"{EVIDENCE}{one.id}"]),
            )
            for one in self.missing
        ]

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
