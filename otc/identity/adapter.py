"""How allauth behaves here: no sign-up, mail that can't stop a page, secrets of second factors encrypted."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from otc.identity.sessions.devices import device_name
from otc.sealing import seal, unseal

PURPOSE = "otc second factors"
log = logging.getLogger(__name__)


class ClosedAccountAdapter(DefaultAccountAdapter):
    """Sign-in stays, sign-up is closed: people are invited by an administrator or imported."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Always false: a stranger's account would belong to no organization."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, or say in the log that it failed: a known address must answer like an unknown one."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            log.exception("mail %s was not sent", template_prefix)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps what authenticator apps and recovery codes are made from unreadable in a copy of the database."""

    def encrypt(self, text: str) -> str:
        return seal(text, purpose=PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text, purpose=PURPOSE)

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Authenticator.Type) -> str:
        """What a new passkey is called unless its person says otherwise: the browser that made it."""
        return device_name(context.request.headers.get("User-Agent", ""))
