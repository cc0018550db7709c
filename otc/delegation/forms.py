"""What is asked for a delegate: who, from which day, until which."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms

from otc.tenancy.models import Person
from otc.tenancy.permissions import STANDS_IN
from otc.ui.dates import DayNotUnderstood, parse_day


class DelegateForm(forms.Form):
    """`for_others` also asks for whom. Days are typed as everywhere: “today”, “fri”, “+2w”, “18 dec”."""

    manager = forms.ChoiceField(label="Who is away")
    delegate = forms.ChoiceField(label="Who stands in")
    first_on = forms.CharField(label="From", max_length=60, initial="today")
    last_on = forms.CharField(label="Until and with", max_length=60, help_text="fri, +2w, eom or 18 dec")

    def __init__(self, *args: Any, person: Person, for_others: bool, today: date, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person, self.today = person, today
        here = Person.objects.filter(left_on__isnull=True, role__in=sorted(STANDS_IN))
        people = here.order_by("name_folded", "id").values_list("id", "name")
        choices = [(str(person_id), name) for person_id, name in people]
        if for_others:
            self.fields["manager"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField
            self.fields["manager"].initial = str(person.id)
        else:
            del self.fields["manager"]
        others = choices if for_others else [one for one in choices if one[0] != str(person.id)]
        self.fields["delegate"].choices = [("", "Choose"), *others]  # type: ignore[attr-defined]  # as above

    def clean_first_on(self) -> date:
        return self._day("first_on")

    def clean_last_on(self) -> date:
        return self._day("last_on")

    def _day(self, name: str) -> date:
        try:
            return parse_day(self.cleaned_data[name], today=self.today)
        except DayNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from problem

    @property
    def manager_id(self) -> UUID:
        return UUID(self.cleaned_data["manager"]) if "manager" in self.fields else self.person.id
