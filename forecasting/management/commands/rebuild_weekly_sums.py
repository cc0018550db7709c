"""`manage.py rebuild_weekly_sums SLUG`: make the sums of all past weeks anew, for one organization."""

from contextlib import AbstractContextManager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from forecasting.trends.services import sums_forget, sums_refresh
from otc.tenancy.context import through_doorway, use


class Command(BaseCommand):
    help = "Sum every past week of an organization anew. Pages stay exact meanwhile, only slower."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["organization"]
        rows = through_doorway("doorway", "jobs", "SELECT id FROM otc_organization WHERE slug = %s", [slug])
        if not rows:
            raise CommandError(f"there is no organization {slug}")

        def step() -> AbstractContextManager[Any]:
            return use(rows[0][0], channel="task")

        with step():
            sums_forget()
        self.stdout.write(f"{sums_refresh(step, now=timezone.now()):,} samples summed")
