"""`manage.py demo_truth`: what will really become of the demo's open deals, as CSV; stored nowhere."""

import csv
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from otc.demo.truth import Chances, truths
from postmortem.demo.origin import UnknownOrigin, company_behind

FUTURES = 400
HEAD = ("external_id", "stage", "close_date", "p_won", "p_lost", "p_slip")
HEAD_PERIOD = ("p_won_period", "p_lost_period", "p_open_period")


class Command(BaseCommand):
    help = (
        "The true chances of a demo organization's open deals on a morning, from the simulation's own rates."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--org", metavar="SLUG", required=True)
        parser.add_argument(
            "--at", type=date.fromisoformat, metavar="YYYY-MM-DD", help="the morning; default: this one"
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="the seed it was filled with")
        parser.add_argument("--futures", type=int, default=FUTURES, metavar="N", help=f"default: {FUTURES}")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            company = company_behind(options["org"], seed=options["seed"])
            at = options["at"] or min(timezone.now().date(), company.workdays.dates[company.workdays.today])
            found = truths(company, at=at, futures=options["futures"])
            table = csv.writer(self.stdout, lineterminator="\n")
            table.writerow((*HEAD, *HEAD_PERIOD))
            for truth in found:
                row = (truth.external_id, truth.stage + 1, truth.close_date)
                table.writerow((*row, *shares(truth.by_close_date), *shares(truth.by_period_end)))
        except (UnknownOrigin, ValueError) as problem:
            raise CommandError(str(problem)) from None


def shares(chances: Chances | None) -> tuple[str, str, str]:
    """Three decimals of each; empty where there is no such date."""
    if chances is None:
        return "", "", ""
    return f"{chances.p_won:.3f}", f"{chances.p_lost:.3f}", f"{chances.p_open:.3f}"
