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


class LineForm(forms.Form):
    """To whom the person reports from a day on: “today”, “mon”, “1 jan”. Nobody at all is a declared top."""

    manager = forms.ChoiceField(label="Reports to", required=False)
    since = forms.CharField(label="From", max_length=60, initial="today", help_text="mon, +2w or 1 jan")

    def __init__(self, *args: Any, person: Person, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.today = today
        here = (
            Person.objects.filter(left_on__isnull=True).exclude(role=Role.INTEGRATION).exclude(id=person.id)
        )
        people = here.order_by("name_folded", "id").values_list("id", "name")
        managers = [(str(person_id), name) for person_id, name in people]
        self.fields["manager"].choices = [("", "Nobody: a top"), *managers]  # type: ignore[attr-defined]  # a ChoiceField

    def clean_since(self) -> date:
        try:
            return parse_day(self.cleaned_data["since"], today=self.today)
        except DayNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem

    @property
    def manager_id(self) -> UUID | None:
        return UUID(self.cleaned_data["manager"]) if self.cleaned_data["manager"] else None
