"""Open an organization: its facts, its default process, and an administrator with a random password."""

import secrets
from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email, validate_slug
from django.db import IntegrityError, transaction
from django.forms import ValidationError
from django.utils.module_loading import import_string

from otc.identity.models import User
from otc.money.rules import UnknownCurrency, decimals_of
from otc.tenancy.context import use
from otc.tenancy.models import Role
from otc.tenancy.services import organization_create, person_create

# What the packages above lay into a new organization; by name, since this one may not import them.
FURNISHINGS = ("pipeline.process.services.process_install",)


class Command(BaseCommand):
    help = "Create an organization with an administrator; prints the password of a new sign-in once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--slug", required=True, help="its address, /o/SLUG/")
        parser.add_argument("--name", required=True)
        parser.add_argument("--currency", default="USD", help="of every total, as ISO 4217 has it")
        parser.add_argument("--timezone", default="UTC", help="of every day, like Europe/Berlin")
        parser.add_argument("--fiscal-year-start-month", type=int, choices=range(1, 13), default=1)
        parser.add_argument("--admin", required=True, metavar="EMAIL", help="the first administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        self.check_facts(options)
        email = options["admin"].strip().lower()
        try:
            with transaction.atomic():
                password = self.create(options, email)
        except IntegrityError as problem:
            raise CommandError(f"there is an organization at /o/{options['slug']}/ already") from problem
        self.stdout.write(f"{options['name']} is at /o/{options['slug']}/")
        if password is None:
            self.stdout.write(f"{email} signs in with the password they have")
        else:
            self.stdout.write(f"{email} signs in with {password}  (shown once)")

    def check_facts(self, options: dict[str, Any]) -> None:
        try:
            validate_slug(options["slug"])
            validate_email(options["admin"])
            decimals_of(options["currency"])
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        except UnknownCurrency as problem:
            raise CommandError(str(problem)) from problem
        if options["timezone"] not in available_timezones():
            raise CommandError(f"“{options['timezone']}” is not a time zone like Europe/Berlin")

    def create(self, options: dict[str, Any], email: str) -> str | None:
        """Everything or nothing; the password of a new sign-in, None where the person has one."""
        organization = organization_create(
            slug=options["slug"],
            name=options["name"],
            currency=options["currency"],
            timezone_name=options["timezone"],
            fiscal_year_start_month=options["fiscal_year_start_month"],
        )
        password = None
        user = User.objects.filter(email=email).first()
        if user is None:
            password = secrets.token_urlsafe(18)
            user = User.objects.create_user(email=email, password=password)
        with use(organization.id):
            for furnishing in FURNISHINGS:
                import_string(furnishing)()
            name = user.name or email.partition("@")[0]
            person_create(name=name, role=Role.ADMINISTRATOR, is_top=True, user=user, email=email)
        return password
