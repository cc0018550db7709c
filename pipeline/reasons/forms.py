"""What is typed of a closing reason."""

from django import forms

from pipeline.opportunities.models import Outcome
from pipeline.reasons.services import FEEDS, LONGEST_NAME, PLACES


class ReasonForm(forms.Form):
    """Its name, when it is asked, who learns from it, and its place among the others."""

    name = forms.CharField(max_length=LONGEST_NAME, label="Name")
    outcomes = forms.MultipleChoiceField(
        choices=Outcome.choices,
        widget=forms.CheckboxSelectMultiple,
        label="Asked when a deal is",
        error_messages={"required": "Say for which outcomes it is asked"},
    )
    feeds = forms.ChoiceField(choices=[(key, key.capitalize()) for key in FEEDS], label="Who learns from it")
    position = forms.IntegerField(
        min_value=0, max_value=PLACES, initial=100, label="Place", help_text="Smaller ones stand further up"
    )
