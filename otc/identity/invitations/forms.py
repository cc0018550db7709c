"""What is asked of who invites, and of who was invited."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password

from otc.identity.models import User
from otc.tenancy.models import Person, Role

# An integration comes in with a token.
SIGN_IN_ROLES = [(role.value, role.label) for role in Role if role is not Role.INTEGRATION]


class InviteForm(forms.Form):
    """A new person: name, address, role, and whom they report to."""

    name = forms.CharField(max_length=200)
    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.ChoiceField(choices=SIGN_IN_ROLES, initial=Role.REP)

    def __init__(self, *args: Any, managers: Sequence[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "Nobody yet"), *((str(person.id), person.name) for person in managers)]
        self.fields["manager"] = forms.ChoiceField(choices=choices, required=False, label="Reports to")


class AddressForm(forms.Form):
    """Where the invitation of a known person goes."""

    email = forms.EmailField(label="E-mail", max_length=254)


class ChoosePasswordForm(forms.Form):
    """The password of a new sign-in, held against the same rules as every other."""

    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=" ".join(password_validators_help_texts()[1:2]),
    )

    def __init__(self, *args: Any, email: str, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = User(email=email, name=name)

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password
