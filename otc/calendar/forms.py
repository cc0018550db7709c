"""What is chosen for a fiscal calendar: shape and types only."""

import calendar
from typing import Any

from django import forms

from otc.calendar.models import MONTHS, WEEKS, columns_of
from otc.calendar.rules import FIRST_YEAR
from otc.calendar.shapes import Ending, MonthShape, NamedBy, Pattern, Shape, WeekShape

MONTH_CHOICES = [(number, calendar.month_name[number]) for number in range(1, 13)]
WEEKDAY_CHOICES = [(number, calendar.day_name[number]) for number in range(7)]
ALL_YEARS = (FIRST_YEAR, "All years, the past ones too")


class CalendarForm(forms.Form):
    """The shape of the years, and from which year on."""

    basis = forms.ChoiceField(
        choices=[(MONTHS, "Twelve months"), (WEEKS, "52 or 53 weeks")],
        widget=forms.RadioSelect,
        label="A fiscal year is made of",
    )
    month = forms.TypedChoiceField(
        choices=MONTH_CHOICES, coerce=int, label="Month", help_text="The first of months, the last of weeks"
    )
    named_by = forms.ChoiceField(
        choices=[(NamedBy.END.value, "its last month"), (NamedBy.START.value, "its first month")],
        label="Named by the calendar year of",
    )
    pattern = forms.ChoiceField(
        choices=[(one.value, one.value) for one in Pattern], label="Weeks of a quarter"
    )
    ending = forms.ChoiceField(
        choices=[
            (Ending.LAST.value, "the last one in the month"),
            (Ending.NEAREST.value, "nearest to its end"),
        ],
        label="Ends on",
    )
    weekday = forms.TypedChoiceField(choices=WEEKDAY_CHOICES, coerce=int, label="Weekday")
    from_year = forms.TypedChoiceField(coerce=int, label="From the fiscal year")
    is_meant = forms.BooleanField(required=False, label="It is meant: share quotas out by days")

    def __init__(self, *args: Any, years: list[int], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["from_year"].choices = [  # type: ignore[attr-defined]  # a ChoiceField has them
            *((year, str(year)) for year in years),
            ALL_YEARS,
        ]

    @property
    def shape(self) -> Shape:
        """The chosen shape, once the form is valid."""
        chosen = self.cleaned_data
        named_by = NamedBy(chosen["named_by"])
        if chosen["basis"] == MONTHS:
            return MonthShape(chosen["month"], named_by)
        return WeekShape(
            Pattern(chosen["pattern"]),
            chosen["month"],
            chosen["weekday"],
            Ending(chosen["ending"]),
            named_by,
        )


def initial_of(shape: Shape, *, from_year: int) -> dict[str, Any]:
    """What the form shows of a shape."""
    weeks = {"pattern": Pattern.W445.value, "ending": Ending.LAST.value, "weekday": 5}
    return weeks | columns_of(shape) | {"from_year": from_year}
