"""A new address to sign in with."""

from typing import Any

from allauth.account.forms import AddEmailForm
from allauth.account.models import EmailAddress
from django.http import HttpRequest


class ChangeAddressForm(AddEmailForm):
    """Vouches for the present address first: the library drops one that it has not seen confirmed, and with it
    the way in. Here an administrator or an invitation vouched for it.
    """

    def save(self, request: HttpRequest) -> Any:
        present = {"verified": True, "primary": True}
        EmailAddress.objects.update_or_create(user=self.user, email=self.user.email, defaults=present)
        return super().save(request)
