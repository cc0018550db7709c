"""The form of a field's definition. Shape only; the rules are the services'."""

from typing import Any

from django import forms

from otc.fields.models import CustomField, FieldKind
from otc.fields.rules import MAX_DECIMALS, MAX_TEXT, Option, is_key, key_from
from otc.fields.services import options_merged

PARTS_OF_KIND = {
    "text": ("max_length",),
    "number": ("decimals", "minimum", "maximum"),
    "money": (),
    "date": (),
    "choice": ("options",),
    "person": (),
}


class NewFieldForm(forms.Form):
    """What a new field is; what only its kind needs is asked on its own page."""

    label = forms.CharField(max_length=80, label="Label")
    kind = forms.ChoiceField(choices=FieldKind.choices, label="Kind")
    options = forms.CharField(
        required=False,
        max_length=20_000,
        label="Choices",
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text="For a choice: one a line, in their order",
    )
    currency = forms.CharField(
        required=False, max_length=3, label="Currency", help_text="For money: empty is the organization’s"
    )

    def definition(self) -> dict[str, Any]:
        """What field_create takes."""
        cleaned = self.cleaned_data
        found: dict[str, Any] = {"label": cleaned["label"], "kind": cleaned["kind"]}
        if cleaned["kind"] == "choice":
            found["options"] = new_options(cleaned["options"].splitlines())
        if cleaned["kind"] == "money":
            found["currency"] = cleaned["currency"]
        if cleaned["kind"] == "number":
            found["decimals"] = 2
        return found


def new_options(lines: list[str]) -> list[Option]:
    """An option per line, with a key made of its label."""
    taken: set[str] = set()
    found = []
    for label in dict.fromkeys(line.strip() for line in lines if line.strip()):
        key = key_from(label, taken=taken, fallback="option")
        taken.add(key)
        found.append(Option(key, label))
    return found


class FieldForm(forms.Form):
    """A field that is there: its label, its help, and what its kind allows."""

    label = forms.CharField(max_length=80, label="Label")
    help_text = forms.CharField(
        max_length=300, required=False, label="Help", help_text="Shown beside the input"
    )
    required_from = forms.DateField(
        required=False,
        label="Required from",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Records made on that day or later need a value",
    )
    max_length = forms.IntegerField(min_value=1, max_value=MAX_TEXT, label="Longest, in characters")
    decimals = forms.IntegerField(min_value=0, max_value=MAX_DECIMALS, label="Decimals")
    minimum = forms.DecimalField(max_digits=19, decimal_places=6, required=False, label="Smallest")
    maximum = forms.DecimalField(max_digits=19, decimal_places=6, required=False, label="Largest")
    options = forms.CharField(
        max_length=20_000,
        label="Choices",
        widget=forms.Textarea(attrs={"rows": 8}),
        help_text="One a line, in their order. A line taken out is retired; “key = Label” renames one.",
    )

    def __init__(self, *args: Any, row: CustomField, **options: Any) -> None:
        self.row = row
        definition = row.definition
        initial = {
            name: getattr(row, name)
            for name in ("label", "help_text", "required_from", "max_length", "decimals")
        }
        initial |= {"minimum": definition.minimum, "maximum": definition.maximum}
        initial["options"] = "\n".join(option.label for option in definition.open_options)
        options["initial"] = initial
        super().__init__(*args, **options)
        for name in {"max_length", "decimals", "minimum", "maximum", "options"} - set(
            PARTS_OF_KIND[row.kind]
        ):
            del self.fields[name]

    def changes(self) -> dict[str, Any]:
        """What field_edit takes."""
        found = dict(self.cleaned_data)
        if "options" in found:
            found["options"] = self._options(found["options"])
        return found

    def _options(self, text: str) -> list[Option]:
        """Lines of labels; `key = New label` renames the option of that key."""
        present = {option.key: option for option in self.row.definition.options}
        renamed: dict[str, str] = {}
        lines = []
        for line in text.splitlines():
            key, equals, label = (part.strip() for part in line.partition("="))
            if equals and is_key(key) and key in present and label:
                renamed[present[key].label] = label
                lines.append(present[key].label)
            else:
                lines.append(line.strip())
        merged = options_merged(self.row, lines)
        return [
            Option(one.key, renamed.get(one.label, one.label), one.is_retired, one.aliases) for one in merged
        ]
