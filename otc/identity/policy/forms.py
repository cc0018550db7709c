"""What an organization may ask of sign-ins."""

from typing import Any

from django import forms

from otc.identity.policy.gate import span
from otc.identity.policy.rules import IDLE_CHOICES_MINUTES, LENGTH_CHOICES_HOURS
from otc.tenancy.models import SecondFactor

UNLIMITED = ("", "No limit of its own")


def _number(value: Any) -> int | None:
    return int(value) if value else None


class PolicyForm(forms.Form):
    """Second factor, time without a click, time since the sign-in."""

    second_factor = forms.ChoiceField(choices=SecondFactor.choices, label="Second factor")
    session_idle_minutes = forms.TypedChoiceField(
        choices=[UNLIMITED, *((str(minutes), span(minutes)) for minutes in IDLE_CHOICES_MINUTES)],
        coerce=_number,
        empty_value=None,
        required=False,
        label="Sign out after so long without a click",
    )
    session_length_hours = forms.TypedChoiceField(
        choices=[UNLIMITED, *((str(hours), span(hours * 60)) for hours in LENGTH_CHOICES_HOURS)],
        coerce=_number,
        empty_value=None,
        required=False,
        label="Ask for a new sign-in after, however busy",
    )
