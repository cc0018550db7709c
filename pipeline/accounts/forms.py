"""What is typed about accounts and contacts. Shape only; the rules are the services'."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from otc.fields.queries import Book
from otc.fields.rules import Reading
from otc.tenancy.names import clean_name
from otc.tenancy.services import fold
from pipeline.accounts.facts import Fact, facts_of, typed_facts
from pipeline.accounts.models import Account
from pipeline.fields.forms import add_fields, field_values


def record_fields(form: forms.Form, own: Sequence[str]) -> dict[str, Any]:
    """The cleaned values of a record's own columns, and its custom fields under `fields`."""
    return {name: form.cleaned_data[name] for name in own} | {"fields": field_values(form)}


class AccountForm(forms.Form):
    name = forms.CharField(max_length=300, label="Name")
    industry = forms.CharField(max_length=200, required=False, label="Industry")
    country = forms.CharField(max_length=100, required=False, label="Country")
    parent = forms.CharField(
        max_length=300,
        required=False,
        label="Part of",
        help_text="The name of the account that it belongs to",
    )
    external_id = forms.CharField(
        max_length=200,
        required=False,
        label="External id",
        help_text="What another system calls it; imports find it by this",
    )

    def __init__(
        self,
        *args: Any,
        book: Book,
        reading: Reading,
        attributes: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.untyped = book.others(attributes)
        add_fields(self, book, reading=reading, attributes=attributes)
        self.fields["name"].widget.attrs |= {"autofocus": True, "autocomplete": "off"}

    @property
    def facts(self) -> list[Fact]:
        """What stands under no field, as typed or as it is, and a line for one more."""
        return [*(_typed_facts(self.data) if self.is_bound else facts_of(self.untyped)), Fact("", "", "")]

    def record_fields(self) -> dict[str, Any]:
        """What account_create and account_edit take. Raises Invalid."""
        parent: Account | None = self.cleaned_data["parent"]
        own = record_fields(self, ("name", "industry", "country", "external_id"))
        own |= {"parent_id": parent.id if parent else None}
        facts = typed_facts(self.untyped, _typed_facts(self.data))
        return own if facts == self.untyped else own | {"attributes": facts}

    def clean_parent(self) -> Account | None:
        """The one account of this name."""
        name = str(self.cleaned_data["parent"]).strip()
        if not name:
            return None
        found = list(Account.objects.filter(name_folded=fold(name)).order_by("id")[:2])
        if len(found) == 1:
            return found[0]
        raise forms.ValidationError(
            f"Several accounts are called “{name}”; merge them first"
            if found
            else f"There is no account “{name}”; add it first, or leave this empty"
        )


def _typed_facts(data: Any) -> list[Fact]:
    """The lines that were sent: parallel lists of the name they had, their name and their text."""
    lists = [
        data.getlist(name) if hasattr(data, "getlist") else []
        for name in ("fact_key", "fact_name", "fact_text")
    ]
    lines = (Fact(key, clean_name(name), clean_name(text)) for key, name, text in zip(*lists, strict=False))
    return [one for one in lines if one.key or one.name or one.text]


class ContactForm(forms.Form):
    name = forms.CharField(max_length=200, label="Name")
    title = forms.CharField(max_length=200, required=False, label="Title")
    email = forms.CharField(max_length=254, required=False, label="E-mail")
    phone = forms.CharField(max_length=50, required=False, label="Phone")

    def __init__(
        self,
        *args: Any,
        book: Book,
        reading: Reading,
        attributes: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        add_fields(self, book, reading=reading, attributes=attributes)

    def record_fields(self) -> dict[str, Any]:
        """What contact_create and contact_edit take."""
        return record_fields(self, ("name", "title", "email", "phone"))
