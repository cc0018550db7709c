"""What is asked for a new token."""

from collections.abc import Sequence
from typing import Any

from django import forms

from otc.tenancy.models import Person

LIVES = [("30", "30 days"), ("90", "90 days"), ("180", "180 days"), ("365", "365 days")]
SCOPES = [("read", "Read"), ("write", "Write")]


class TokenForm(forms.Form):
    """Name, holder, scopes, days to live. The holder is asked only where there is a choice."""

    name = forms.CharField(max_length=100, label="Name", help_text="After what will use it.")
    scopes = forms.MultipleChoiceField(
        choices=SCOPES, widget=forms.CheckboxSelectMultiple, initial=["read"], label="Scopes"
    )
    days = forms.ChoiceField(choices=LIVES, initial="90", label="Lives for")

    def __init__(self, *args: Any, holders: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(holders) > 1:
            choices = [(str(person.id), person.name) for person in holders]
            self.fields["person"] = forms.ChoiceField(
                label="Acts for", choices=choices, initial=choices[0][0]
            )
