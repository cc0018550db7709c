"""What is typed about leads. Shape only; the rules are the services'."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms

from otc.calendar.rules import Calendar
from otc.fields.queries import people_choices
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from pipeline.leads.models import Lead, ReturnReason
from pipeline.leads.services import Conversion
from pipeline.opportunities.forms import DayField, ask_next_step

OWN = ("name", "company", "contact_name", "email", "phone", "source", "campaign", "fit_note")


class LeadForm(forms.Form):
    name = forms.CharField(
        max_length=300, required=False, label="Lead", help_text="What it is about; else the company’s name"
    )
    company = forms.CharField(max_length=300, required=False, label="Company")
    contact_name = forms.CharField(max_length=200, required=False, label="Contact")
    email = forms.CharField(max_length=254, required=False, label="E-mail")
    phone = forms.CharField(max_length=50, required=False, label="Phone")
    source = forms.CharField(
        max_length=100, required=False, label="Source", help_text="Fair, web, referral …"
    )
    campaign = forms.CharField(max_length=200, required=False, label="Campaign")
    owner = forms.ChoiceField(required=False, label="Owner")
    fit_note = forms.CharField(
        max_length=2000, required=False, label="Why it fits", widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        owner: Any = self.fields["owner"]
        owner.choices = [("", "Nobody yet"), *((str(key), name) for key, name in people_choices())]
        self.fields["name"].widget.attrs |= {"autofocus": True}
        self.fields["source"].widget.attrs |= {"list": "sources", "autocomplete": "off"}
        self.fields["campaign"].widget.attrs |= {"list": "campaigns", "autocomplete": "off"}

    def lead_fields(self) -> dict[str, Any]:
        """What lead_create and lead_edit take."""
        owner = self.cleaned_data["owner"]
        own = {name: self.cleaned_data[name] for name in OWN}
        return own | {"owner_id": UUID(owner) if owner else None}


def initial_of(lead: Lead) -> dict[str, Any]:
    return {name: getattr(lead, name) for name in OWN} | {"owner": str(lead.owner_id or "")}


class ConvertForm(forms.Form):
    name = forms.CharField(max_length=300, label="Deal")
    account = forms.CharField(
        max_length=300,
        required=False,
        label="Account",
        help_text="One that is there is taken; a new name adds it",
    )
    amount = forms.CharField(max_length=60, required=False, label="Amount")

    def __init__(
        self, *args: Any, lead: Lead, currency: str, today: date, calendar: Calendar, **options: Any
    ) -> None:
        initial = {"name": lead.name, "account": lead.company}
        super().__init__(*args, **options)
        self.initial, self.auto_id = initial, "convert_%s"
        self.currency = currency
        self.fields["account"].widget.attrs |= {"list": "accounts", "autocomplete": "off"}
        self.fields["close_date"] = DayField(
            today=today,
            calendar=calendar,
            max_length=60,
            required=False,
            label="Close date",
            help_text="fri, +2w, eom or 18 dec",
        )
        ask_next_step(self, today=today, calendar=calendar)
        self.order_fields(["name", "account", "amount", "close_date", "next_step", "next_step_on"])

    def clean_amount(self) -> int | None:
        text = self.cleaned_data["amount"]
        try:
            return parse_amount(text, currency=self.currency) if text else None
        except AmountNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem

    def conversion(self) -> Conversion:
        cleaned = self.cleaned_data
        return Conversion(
            name=cleaned["name"],
            account_name=cleaned["account"],
            amount_minor=cleaned["amount"],
            currency=self.currency,
            close_date=cleaned["close_date"],
            next_step=cleaned["next_step"],
            next_step_on=cleaned["next_step_on"],
        )


class ReturnForm(forms.Form):
    reason = forms.ChoiceField(
        choices=ReturnReason.choices, widget=forms.RadioSelect, label="Why it goes back"
    )
    note = forms.CharField(max_length=500, required=False, label="Note")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.auto_id = "return_%s"
