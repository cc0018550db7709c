"""When calls are due, periods locked and forecasts mailed."""

from typing import Any

from django import forms

from forecasting.rhythm.rules import WEEKDAYS, Beat

DAYS = tuple(enumerate(WEEKDAYS))
HOURS = tuple((hour, f"{hour:02}:00") for hour in range(24))


class RhythmForm(forms.Form):
    """Weekdays and hours are the organization's own."""

    call_kind = forms.ChoiceField(
        choices=(("quarter", "The running quarter"), ("month", "The running month")),
        label="Calls are for",
        help_text="Other periods may be called too; nobody is late with them.",
    )
    call_weekday = forms.TypedChoiceField(choices=DAYS, coerce=int, label="Calls are due every")
    call_hour = forms.TypedChoiceField(choices=HOURS, coerce=int, label="At")
    reminds = forms.BooleanField(
        required=False,
        label="Remind whoever hasn’t called, a day before and right after",
        help_text="Each in the ways they chose for themselves.",
    )
    lock_grace_days = forms.IntegerField(
        min_value=0,
        max_value=60,
        label="A period locks so many days after its last",
        help_text="0 locks at midnight. Until then deals may still be put right; calls end with the period.",
    )
    locks_weeks = forms.BooleanField(
        required=False, label="Lock weeks too", help_text="Months, quarters and years always lock."
    )
    mails = forms.BooleanField(
        required=False,
        label="Mail the forecast every week to managers and executives",
        help_text="Each gets what they may see, unless they chose otherwise.",
    )
    mail_weekday = forms.TypedChoiceField(choices=DAYS, coerce=int, label="Mailed every")
    mail_hour = forms.TypedChoiceField(choices=HOURS, coerce=int, label="At")

    def beat(self) -> Beat:
        values: dict[str, Any] = self.cleaned_data
        return Beat(**values)
