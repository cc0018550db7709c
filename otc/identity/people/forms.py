"""What may be changed about a person."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms

from otc.tenancy.models import Person, Role
from otc.ui.dates import DayNotUnderstood, parse_day


class RoleForm(forms.Form):
    """Any role of the table."""

    role = forms.ChoiceField(choices=Role.choices)


class PersonForm(forms.Form):
    """What the person is called and does. Shape only; the name's rule is the service's."""

    name = forms.CharField(max_length=200, label="Name")
    title = forms.CharField(max_length=200, required=False, label="Title")
    territory = forms.CharField(max_length=200, required=False, label="Territory")


# The answer that somebody reports to nobody; an empty one is none.
TOP = "top"


class LineForm(forms.Form):
    """To whom the person reports from a day on: “today”, “mon”, “1 jan”. Nobody at all is a declared top."""

    manager = forms.ChoiceField(
        label="Reports to", error_messages={"required": "Choose a manager, or nobody for who leads all"}
    )
    since = forms.CharField(label="From", max_length=60, initial="today", help_text="mon, +2w or 1 jan")

    def __init__(self, *args: Any, person: Person, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today
        here = (
            Person.objects.filter(left_on__isnull=True).exclude(role=Role.INTEGRATION).exclude(id=person.id)
        )
        people = here.order_by("name_folded", "id").values_list("id", "name")
        managers = [(str(person_id), name) for person_id, name in people]
        choices = [("", "Choose …"), (TOP, "Nobody: leads all below"), *managers]
        self.fields["manager"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def clean_since(self) -> date:
        try:
            return parse_day(self.cleaned_data["since"], today=self.today)
        except DayNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem

    @property
    def manager_id(self) -> UUID | None:
        chosen = self.cleaned_data["manager"]
        return None if chosen == TOP else UUID(chosen)
