"""What is typed into a close plan, on either side of it."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms

from otc.tenancy.models import Person
from otc.ui.dates import DayNotUnderstood, parse_day
from pipeline.closeplan.queries import colleagues_called
from pipeline.closeplan.rules import USUAL_DAYS
from pipeline.process.models import Milestone


class CommentForm(forms.Form):
    """Plain text, about one step or the whole; its length is the services' to check, so that nothing typed is lost."""

    text = forms.CharField(
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto", "maxlength": 20_000}),
        error_messages={"required": "Write something first"},
    )
    about = forms.ChoiceField(required=False, label="About")

    def __init__(self, *args: Any, milestones: Sequence[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = [(str(milestone_id), name) for milestone_id, name in milestones]
        self.fields["about"].choices = [("", "The whole plan"), *named]  # type: ignore[attr-defined]  # a ChoiceField


class PlanForm(forms.Form):
    """What the buyer is shown. `people` are those who may be ticked; any other colleague is added by name.

    After a name that fits several `candidates` are they, to be ticked.
    """

    title = forms.CharField(max_length=200, label="Title that the buyer reads")
    people = forms.MultipleChoiceField(
        required=False, widget=forms.CheckboxSelectMultiple, label="Our people, with title and e-mail"
    )
    add = forms.CharField(
        required=False,
        max_length=1000,
        label="Add a colleague",
        help_text="By name, or how it begins; several with commas between them",
    )
    milestones = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Steps of ours that the buyer sees beside his own",
    )

    def __init__(
        self, *args: Any, people: Sequence[Person], milestones: Sequence[Milestone], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (
            ("people", [(str(person.id), person.name) for person in people]),
            ("milestones", [(str(one.id), f"{one.name} ({one.stage.name})") for one in milestones]),
        ):
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # both are choice fields
        self.candidates: list[Person] = []
        if not milestones:
            del self.fields["milestones"]

    def clean_add(self) -> list[Person]:
        """Whom the names mean, each of them one person."""
        typed = self.cleaned_data["add"]
        whole = colleagues_called(typed)
        if len(whole) == 1:
            return whole
        found: list[Person] = []
        for name in filter(None, map(str.strip, typed.split(","))):
            called = colleagues_called(name)
            if len(called) == 1:
                found += called
                continue
            self.candidates += called
            several = f"Several may be meant by “{name}”: tick them, or type the whole name"
            nobody = f"Nobody here is called “{name}”; type how the name begins"
            self.add_error("add", several if called else nobody)
        return found

    def offer_candidates(self) -> None:
        """Let those who may be meant be ticked beside those who were there."""
        people: Any = self.fields["people"]
        shown = {key for key, _ in people.choices}
        for one in self.candidates:
            if str(one.id) not in shown:
                people.choices += [(str(one.id), f"{one.name}, {one.title or one.get_role_display()}")]

    @property
    def person_ids(self) -> list[UUID]:
        """Everybody who is to be shown: those ticked, then those added."""
        ticked = [UUID(key) for key in self.cleaned_data["people"]]
        return list(dict.fromkeys([*ticked, *(one.id for one in self.cleaned_data["add"])]))


class LinkForm(forms.Form):
    """Who gets a link, and until when it opens."""

    recipient = forms.CharField(max_length=200, label="Name of the recipient")
    expires = forms.CharField(
        max_length=40,
        label="Opens until",
        help_text="A day: 31 Dec, +30d, +2w, eom. At most a year ahead.",
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"expires": f"+{USUAL_DAYS}d"})
        super().__init__(*args, **kwargs)
        self.today = today

    def clean_expires(self) -> date:
        """The last day on which the link opens."""
        try:
            day = parse_day(self.cleaned_data["expires"], today=self.today)
        except DayNotUnderstood as problem:
            raise forms.ValidationError(str(problem)) from None
        if day > self.today + timedelta(days=366):
            raise forms.ValidationError("A link lives a year at most; make another one then")
        if day < self.today:
            raise forms.ValidationError("A link ends on a day that lies ahead")
        return day
