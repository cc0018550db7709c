"""`manage.py seed_demo`: fill an organization with a simulated company of 24 months up to today."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from postmortem.demo.desk import SharedLink
from postmortem.demo.services import NotEmpty, Seeded, demo_first_run, demo_seed
from postmortem.demo.sign_ins import SignIn

DEFAULT_SEED = 1
MANY = 20_000


def moment(today: date | None) -> datetime:
    """Now, or the noon of another day, which is the same day in every zone that the demo knows."""
    return timezone.now() if today is None else datetime.combine(today, time(12), UTC)


def positive(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise ValueError(text)
    return number


class Command(BaseCommand):
    help = "Fill an empty organization with a simulated company. The same seed gives the same deals on the same day."

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--org", metavar="SLUG", help="the organization; made where it doesn't exist")
        what.add_argument(
            "--first-run",
            action="store_true",
            help="Halden Systems and two small organizations, only where there is no organization yet",
        )
        parser.add_argument(
            "--deals",
            type=positive,
            metavar="N",
            help="1 to 1,000,000; default: as the organization's plan says",
        )
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, metavar="S")
        parser.add_argument(
            "--today",
            type=date.fromisoformat,
            metavar="YYYY-MM-DD",
            help="the morning on which the simulation ends; default: this morning",
        )
        parser.add_argument(
            "--processes",
            type=int,
            choices=range(9),
            metavar="N",
            help="others that live the deals, 0 to 8; default: 1 from 20,000 deals on. The data are the same",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now, seed = moment(options["today"]), options["seed"]
        if options["first_run"]:
            if options["deals"] is not None:
                raise CommandError("--deals goes with --org; a first run has its own sizes")
            seeded = demo_first_run(seed=seed, now=now, progress=self.say)
        else:
            try:
                seeded = [self.fill(options["org"], now=now, seed=seed, options=options)]
            except NotEmpty as refusal:
                raise CommandError(str(refusal)) from None
        self.show([sign_in for organization in seeded for sign_in in organization.sign_ins])
        self.show_link(next((organization.link for organization in seeded if organization.link), None))

    def fill(self, slug: str, *, now: datetime, seed: int, options: dict[str, Any]) -> Seeded:
        deals, processes = options["deals"], options["processes"]
        if processes is None:
            processes = 1 if (deals or 0) >= MANY else 0
        return demo_seed(slug, deals=deals, seed=seed, now=now, processes=processes, progress=self.say)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def show(self, sign_ins: list[SignIn]) -> None:
        """The only time that these passwords are seen."""
        if not sign_ins:
            return
        self.stdout.write("\nSign-ins, shown this once:")
        wide = max(len(sign_in.email) for sign_in in sign_ins)
        for sign_in in sign_ins:
            self.stdout.write(
                f"  {sign_in.email:<{wide}}  {sign_in.password}  {sign_in.role} at {sign_in.organization}"
            )

    def show_link(self, link: SharedLink | None) -> None:
        """As with the passwords: only its hash is kept."""
        if link is not None:
            self.stdout.write(
                f"\nWhat a buyer sees without a sign-in (the close plan of {link.account}): /plan/{link.token}/\n"
            )
