"""What is typed on forms of deals: a new one, its closing, an activity. Shape and types only."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms

from otc.calendar.rules import CALENDAR_YEARS, Calendar
from otc.fields.queries import field_book
from otc.fields.writing import reading_of
from otc.money.rules import DECIMALS
from otc.tenancy.models import Organization, Person
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.dates import DayNotUnderstood, parse_day
from pipeline.accounts.models import Contact
from pipeline.activities.services import DIRECTIONS, KINDS
from pipeline.fields.forms import INPUT, add_fields
from pipeline.opportunities.models import Competitor, Outcome
from pipeline.opportunities.rules import LONGEST, Refused, check_next_step
from pipeline.process.models import CloseReason
from pipeline.process.queries import process_outlines

USUAL_NEXT_DAY = "+1w"
KIND_WORDS = {"call": "Call", "meeting": "Meeting", "mail": "Mail", "note": "Note"}
DIRECTION_WORDS = {"": "Both ways", "out": "To them", "in": "From them"}


class DayField(forms.CharField):
    """A day as people type it: “fri”, “+2w”, “eom”, “18 dec”."""

    def __init__(self, *, today: date, calendar: Calendar = CALENDAR_YEARS, **options: Any) -> None:
        super().__init__(**options)
        self.today, self.calendar = today, calendar

    def clean(self, value: Any) -> date | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_day(text, today=self.today, calendar=self.calendar)
        except DayNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem


class DayAhead(DayField):
    """The day of a next step: today or later."""

    def clean(self, value: Any) -> date | None:
        day = super().clean(value)
        try:
            check_next_step("said", day, today=self.today)
        except Refused as refusal:
            raise forms.ValidationError(refusal.reason) from refusal
        return day


def ask_next_step(form: forms.Form, *, today: date, calendar: Calendar) -> None:
    """Give the form `next_step` and `next_step_on`, both required: whoever opens a deal says what comes next."""
    form.fields["next_step"] = forms.CharField(
        max_length=LONGEST["next_step"],
        label="Next step",
        help_text="What you do next, like: Call the plant manager",
        error_messages={"required": "Say what comes next: an open deal always has one next step"},
    )
    form.fields["next_step_on"] = DayAhead(
        today=today,
        calendar=calendar,
        max_length=60,
        label="On",
        initial=USUAL_NEXT_DAY,
        help_text="fri, +2w, eom or 18 dec",
        error_messages={"required": "Say when, like fri, +1w or 18 dec: a next step has a day"},
    )


class NewDealForm(forms.Form):
    """A new deal. The account is named; one that isn't there yet is added."""

    name = forms.CharField(max_length=300, label="Deal", help_text="What is sold to whom")
    account = forms.CharField(
        max_length=300, required=False, label="Account", help_text="A new name adds the account"
    )
    amount = forms.CharField(max_length=60, required=False, label="Amount")
    currency = forms.CharField(max_length=3, label="Currency")

    def __init__(
        self,
        *args: Any,
        organization: Organization,
        today: date,
        calendar: Calendar,
        person: Person,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.fields["currency"].initial = organization.currency
        self.fields["close_date"] = DayField(
            today=today,
            calendar=calendar,
            max_length=60,
            required=False,
            label="Close date",
            help_text="fri, +2w, eom or 18 dec",
        )
        self.fields["stage"] = forms.ChoiceField(choices=_stages(), required=False, label="Stage")
        self.fields["owner"] = forms.ChoiceField(
            choices=_people(), required=False, label="Owner", initial=str(person.id)
        )
        ask_next_step(self, today=today, calendar=calendar)
        self.fields["account"].widget.attrs |= {"list": "accounts", "autocomplete": "off"}
        self.fields["name"].widget.attrs |= {"autofocus": True}
        self.order_fields(
            [
                "name",
                "account",
                "next_step",
                "next_step_on",
                "amount",
                "currency",
                "close_date",
                "stage",
                "owner",
            ]
        )
        book = field_book("deal", organization)
        add_fields(self, book, reading=reading_of(today=today, calendar=lambda: calendar))

    @property
    def own(self) -> list[forms.BoundField]:
        """What every deal is asked, and the custom fields that it needs."""
        return [field for field in self if not field.name.startswith(INPUT) or field.field.required]

    @property
    def more(self) -> list[forms.BoundField]:
        """The custom fields that may wait."""
        return [field for field in self if field.name.startswith(INPUT) and not field.field.required]

    @property
    def has_more_open(self) -> bool:
        return any(field.errors for field in self.more)

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if code not in DECIMALS:
            raise forms.ValidationError(f"“{code}” is not a currency code of ISO 4217, like EUR.")
        return code

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        text = cleaned.get("amount", "")
        cleaned["amount_minor"] = None
        if text and "currency" in cleaned:
            try:
                cleaned["amount_minor"] = parse_amount(text, currency=cleaned["currency"])
            except AmountNotUnderstood as problem:
                self.add_error("amount", str(problem))
        return cleaned

    def deal_fields(self) -> dict[str, Any]:
        """What opportunity_create takes, without the account."""
        cleaned = self.cleaned_data
        fields = {
            "amount_minor": cleaned["amount_minor"],
            "currency": cleaned["currency"],
            "close_date": cleaned["close_date"],
            "next_step": cleaned["next_step"],
            "next_step_on": cleaned["next_step_on"],
            "owner_id": UUID(cleaned["owner"]) if cleaned["owner"] else None,
        }
        return fields | ({"stage_id": UUID(cleaned["stage"])} if cleaned["stage"] else {})


class CloseForm(forms.Form):
    """How a deal ended. The reasons offered are those of the outcome."""

    outcome = forms.ChoiceField(choices=Outcome.choices, widget=forms.HiddenInput)
    competitor = forms.ChoiceField(required=False, label="Competitor")

    def __init__(self, *args: Any, outcome: str, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        reasons = [
            reason
            for reason in CloseReason.objects.filter(retired_at__isnull=True)
            if outcome in reason.outcomes
        ]
        self.fields["outcome"].initial = outcome
        self.fields["reason"] = forms.ChoiceField(
            choices=[(str(reason.id), reason.name) for reason in reasons],
            widget=forms.RadioSelect,
            label="Primary reason",
            error_messages={"required": "Say the primary reason: it is what the next deal learns from."},
        )
        competitors = Competitor.objects.order_by("name_folded").values_list("id", "name")
        self.fields["competitor"].choices = [  # type: ignore[attr-defined]  # a ChoiceField has them
            ("", "None, or unknown"),
            *((str(competitor_id), name) for competitor_id, name in competitors),
        ]
        self.fields["close_date"] = DayField(
            today=today, max_length=60, required=False, label="Closed on", help_text="Today unless you say so"
        )
        self.order_fields(["outcome", "reason", "competitor", "close_date"])


class ActivityForm(forms.Form):
    """One contact or note."""

    kind = forms.ChoiceField(choices=[(kind, KIND_WORDS[kind]) for kind in KINDS], label="Kind")
    direction = forms.ChoiceField(
        choices=[(way, DIRECTION_WORDS[way]) for way in DIRECTIONS], required=False, label="Direction"
    )
    subject = forms.CharField(max_length=500, required=False, label="What about")

    def __init__(self, *args: Any, contacts: Sequence[Contact], today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today
        self.fields["contact"] = forms.ChoiceField(
            choices=[("", "Nobody named"), *((str(contact.id), contact.name) for contact in contacts)],
            required=False,
            label="With",
        )
        self.fields["day"] = DayField(
            today=today, max_length=60, required=False, label="When", help_text="Now unless you say so"
        )

    def fields_at(self, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
        """What activity_log takes; a day other than today stands for its noon."""
        cleaned = self.cleaned_data
        day = cleaned["day"]
        at = now if day in (None, self.today) else datetime.combine(day, time(12), tzinfo=zone)
        contact = cleaned["contact"]
        return {
            "kind": cleaned["kind"],
            "direction": cleaned["direction"],
            "subject": cleaned["subject"],
            "at": at,
            "contact_id": UUID(contact) if contact else None,
        }


def _stages() -> list[Any]:
    """The default process's stages, and those of other processes under their names."""
    outlines = [outline for outline in process_outlines() if outline.stages]
    groups = [
        (outline.process, [(str(entry.stage.id), entry.stage.name) for entry in outline.stages])
        for outline in outlines
    ]
    own = [choice for process, choices in groups if process.is_default for choice in choices]
    return [*own, *((process.name, choices) for process, choices in groups if not process.is_default)]


def _people() -> list[tuple[str, str]]:
    people = Person.objects.filter(left_on__isnull=True).exclude(role="integration").order_by("name_folded")
    return [("", "Nobody yet"), *((str(person.id), person.name) for person in people)]
