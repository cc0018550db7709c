"""What is asked for a place on a deal's team."""

from typing import Any
from uuid import UUID

from django import forms

from otc.tenancy.models import Person, Role
from pipeline.team.rules import LONGEST_PART

PARTS = ("Sales engineer", "Account manager", "Executive sponsor", "Partner manager", "Legal", "Deal desk")


class TeamMemberForm(forms.Form):
    """Who, and as what: one of the usual parts or any other words."""

    person = forms.ChoiceField(label="Who")
    part = forms.CharField(max_length=LONGEST_PART, label="Part", help_text="What they do on this deal")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **({"auto_id": "team-%s"} | options))
        here = Person.objects.filter(left_on__isnull=True).exclude(role=Role.INTEGRATION)
        people = here.order_by("name_folded", "id").values_list("id", "name")
        self.fields["person"].choices = [(str(person_id), name) for person_id, name in people]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["person"].widget.attrs["autofocus"] = True
        self.fields["part"].widget.attrs |= {"list": "team-parts", "autocomplete": "off"}

    @property
    def person_id(self) -> UUID:
        return UUID(self.cleaned_data["person"])
