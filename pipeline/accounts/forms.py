"""What is typed about accounts and contacts. Shape only; the rules are the services'."""

from typing import Any

from django import forms


class AccountForm(forms.Form):
    name = forms.CharField(max_length=300, label="Name")
    industry = forms.CharField(max_length=200, required=False, label="Industry")
    country = forms.CharField(max_length=100, required=False, label="Country")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["name"].widget.attrs |= {"autofocus": True, "autocomplete": "off"}


class ContactForm(forms.Form):
    name = forms.CharField(max_length=200, label="Name")
    title = forms.CharField(max_length=200, required=False, label="Title")
    email = forms.CharField(max_length=254, required=False, label="E-mail")
    phone = forms.CharField(max_length=50, required=False, label="Phone")
