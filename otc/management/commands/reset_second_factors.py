"""Take away the second factors of somebody who lost device and codes, whatever organizations they belong to."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from otc.identity.factors.services import sign_in_factors_reset
from otc.identity.models import User


class Command(BaseCommand):
    help = "Remove every second factor of a sign-in and end its sessions; audited, and told to the person by mail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the address they sign in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"].strip().lower()).first()
        if user is None:
            raise CommandError(f"nobody signs in as {options['email']}")
        with transaction.atomic():
            reset = sign_in_factors_reset(user.pk, now=timezone.now())
        if not reset.kinds:
            self.stdout.write(f"{user.email} has no second factor")
            return
        self.stdout.write(f"removed from {user.email}: {reset.words}; sessions ended: {reset.sessions}")
