"""Who may open an account by themselves: nobody. People are invited by an administrator or imported."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAccountAdapter(DefaultAccountAdapter):
    """Sign-in stays, sign-up is closed."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always false: a stranger's account would belong to no organization."""
        return False
