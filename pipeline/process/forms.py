"""What is typed in the settings of a process, and the document that it proposes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.forms import formset_factory

from otc.fields.queries import field_book
from otc.money.queries import corporate_currency
from otc.money.rules import decimal_text
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from pipeline.buying.models import Part
from pipeline.opportunities.models import Competitor
from pipeline.process.document import (
    CATEGORIES,
    LONGEST_GUIDANCE,
    LONGEST_TEXT,
    MOST_DAYS,
    Document,
)
from pipeline.process.models import Category
from pipeline.process.rules import BUILT_IN

NEW_STAGES = 2


class MilestoneRow(forms.Form):
    """One exit criterion; an empty name takes the row out."""

    id = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=200, required=False, label="Milestone")
    side = forms.ChoiceField(
        choices=[("buyer", "Buyer’s"), ("seller", "Seller’s")], initial="seller", label="Whose"
    )
    is_required = forms.BooleanField(required=False, label="Required")
    due_days = forms.IntegerField(min_value=0, max_value=MOST_DAYS, initial=14, label="Due, days")


class AidRow(forms.Form):
    """A link or a text that helps in the stage; an empty title takes the row out."""

    title = forms.CharField(max_length=200, required=False, label="Title")
    url = forms.CharField(max_length=500, required=False, label="Link")
    text = forms.CharField(max_length=LONGEST_TEXT, required=False, label="Text")
    competitor_id = forms.ChoiceField(required=False, label="Against")
    role = forms.ChoiceField(choices=[("", "Anybody"), *Part.choices], required=False, label="For whom")

    def __init__(self, *args: Any, competitors: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["competitor_id"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any competitor"), *competitors]


MilestoneRows = formset_factory(MilestoneRow, extra=2)
AidRows = formset_factory(AidRow, extra=1)


class StageForm(forms.Form):
    """One stage with its rules; milestones and aids are rows beside it."""

    name = forms.CharField(max_length=100, label="Name")
    objective = forms.CharField(max_length=300, required=False, label="Objective")
    guidance = forms.CharField(
        max_length=LONGEST_GUIDANCE,
        required=False,
        label="Guidance",
        help_text="What to do here, in a few lines",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    category = forms.ChoiceField(
        choices=[("", "No category"), *((key, Category(key).label) for key in CATEGORIES)],
        required=False,
        label="Proposes the category",
    )
    win_percent = forms.IntegerField(
        min_value=0, max_value=100, required=False, label="Proposes the probability, %"
    )
    expected_days = forms.IntegerField(min_value=0, max_value=MOST_DAYS, label="Expected days")
    cant_be_skipped = forms.BooleanField(required=False, label="No deal jumps over this stage")
    no_way_back = forms.BooleanField(required=False, label="No way back from here to an earlier stage")
    approval_above = forms.CharField(
        max_length=60, required=False, label="Needs the manager’s approval above"
    )
    required_fields = forms.MultipleChoiceField(
        required=False, label="Required from here on", widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.currency = corporate_currency()
        custom = [(field.name, field.label) for field in field_book("deal").active]
        choices = [*((name, label) for name, _, label in BUILT_IN), *custom]
        self.fields["required_fields"].choices = choices  # type: ignore[attr-defined]  # it has them
        self.fields["approval_above"].help_text = f"{self.currency}; 0 for every amount, empty for none"

    def clean_approval_above(self) -> int | None:
        text = self.cleaned_data["approval_above"].strip()
        if not text:
            return None
        try:
            return parse_amount(text, currency=self.currency)
        except AmountNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem


def stage_initial(stage: Document, *, currency: str) -> dict[str, Any]:
    """What StageForm starts with."""
    above = stage["approval_above_minor"]
    return {
        **{name: stage[name] for name in ("name", "objective", "guidance", "win_percent", "expected_days")},
        "category": stage["category"] or "",
        "cant_be_skipped": not stage["may_be_skipped"],
        "no_way_back": not stage["may_go_back"],
        "approval_above": "" if above is None else decimal_text(above, currency=currency),
        "required_fields": stage["required_fields"],
    }


def stage_proposed(old: Document, *, cleaned: Mapping[str, Any], milestones: Any, aids: Any) -> Document:
    """The stage as the three forms say."""
    return {
        "id": old["id"],
        **{name: cleaned[name] for name in ("name", "objective", "guidance", "win_percent", "expected_days")},
        "category": cleaned["category"] or None,
        "may_be_skipped": not cleaned["cant_be_skipped"],
        "may_go_back": not cleaned["no_way_back"],
        "approval_above_minor": cleaned["approval_above"],
        "required_fields": cleaned["required_fields"],
        "milestones": [
            {
                "id": row["id"] or None,
                "name": row["name"],
                "side": row["side"],
                "is_required": row["is_required"],
                "due_days": row["due_days"],
            }
            for row in milestones
            if row.get("name")
        ],
        "aids": [{**row, "competitor_id": row["competitor_id"] or None} for row in aids if row.get("title")],
    }


def competitor_choices() -> list[tuple[str, str]]:
    found = Competitor.objects.order_by("name_folded").values_list("id", "name")
    return [(str(competitor_id), name) for competitor_id, name in found]


def outline_proposed(document: Document, typed: Mapping[str, str]) -> tuple[Document, dict[str, str]]:
    """The process with its stages renamed, reordered, removed and added as the outline's form says, and where the
    deals of removed stages go. A place that isn't a number leaves the stage where it was.
    """
    placed: list[tuple[float, int, Document]] = []
    moves: dict[str, str] = {}
    for number, stage in enumerate(document["stages"], start=1):
        key = stage["id"]
        if typed.get(f"remove-{key}"):
            moves[key] = _as_id(typed.get(f"to-{key}", ""))
            continue
        renamed = {**stage, "name": typed.get(f"name-{key}", stage["name"])}
        placed.append((_place(typed.get(f"place-{key}", ""), number), number, renamed))
    for number in range(1, NEW_STAGES + 1):
        if name := typed.get(f"name-new{number}", "").strip():
            last = len(document["stages"]) + number
            placed.append((_place(typed.get(f"place-new{number}", ""), last), last, {"name": name}))
    stages = [stage for _, _, stage in sorted(placed, key=lambda one: one[:2])]
    name = typed.get("name", document["name"])
    return {
        **document,
        "name": name,
        "gates_winning": bool(typed.get("gates_winning")),
        "stages": stages,
    }, moves


def _place(text: str, otherwise: int) -> float:
    try:
        return float(text.replace(",", ".")[:8])
    except ValueError:
        return float(otherwise)


def _as_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
