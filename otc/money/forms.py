"""What is typed for a rate. Shape and types; whether it can be is the services' to say."""

from datetime import date
from typing import Any

from django import forms

from otc.calendar.rules import Calendar
from otc.money.rules import DECIMALS, MoneyError, parse_rate
from otc.ui.dates import DayNotUnderstood, parse_day


class RateForm(forms.Form):
    """A currency, a day, and what one unit is worth from then on. `is_right` confirms an unlikely one."""

    currency = forms.CharField(max_length=3, label="Currency", help_text="Three letters, like USD")
    valid_from = forms.CharField(max_length=60, label="From", help_text="1 jan, today, 2026-01-01")
    rate = forms.CharField(max_length=40, label="Rate")
    is_right = forms.BooleanField(required=False, label="It is right", widget=forms.HiddenInput)

    def __init__(self, *args: Any, own: str, today: date, calendar: Calendar, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today, self.calendar = today, calendar
        self.fields["rate"].help_text = f"{own} for one unit, decimals with a point"
        self.fields["currency"].widget.attrs |= {"list": "currencies", "autocomplete": "off"}
        self.fields["rate"].widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}

    def ask_whether_right(self) -> None:
        """Show the box that confirms."""
        self.fields["is_right"].widget = forms.CheckboxInput()

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        if code not in DECIMALS:
            raise forms.ValidationError(f"“{code}” is not a currency code of ISO 4217, like USD.")
        return code

    def clean_valid_from(self) -> date:
        try:
            return parse_day(self.cleaned_data["valid_from"], today=self.today, calendar=self.calendar)
        except DayNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem

    def clean_rate(self) -> Any:
        try:
            return parse_rate(self.cleaned_data["rate"])
        except MoneyError as problem:
            raise forms.ValidationError(str(problem)) from problem
