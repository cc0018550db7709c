"""What an organization may ask of sign-ins."""

from typing import Any

from django import forms

from otc.identity.policy.gate import span
from otc.identity.policy.rules import IDLE_CHOICES_MINUTES, LENGTH_CHOICES_HOURS
from otc.tenancy.models import SecondFactor

UNLIMITED = ("none", "No limit of its own")


def _number(value: Any) -> int | None:
    return None if value == UNLIMITED[0] else int(value)


class PolicyForm(forms.Form):
    """Second factor, time without a click, time since the sign-in."""

    second_factor = forms.ChoiceField(
        choices=SecondFactor.choices,
        label="Second factor",
        help_text="Whoever has none is led to set one up before the next page opens, you too.",
    )
    session_idle_minutes = forms.TypedChoiceField(
        choices=[UNLIMITED, *((str(minutes), span(minutes)) for minutes in IDLE_CHOICES_MINUTES)],
        coerce=_number,
        label="Sign out after so long without a click",
    )
    session_length_hours = forms.TypedChoiceField(
        choices=[UNLIMITED, *((str(hours), span(hours * 60)) for hours in LENGTH_CHOICES_HOURS)],
        coerce=_number,
        label="Ask for a new sign-in after, however busy",
        help_text="In any case a session ends after 14 days without a click.",
    )
