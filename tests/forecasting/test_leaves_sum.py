"""Leaves and unassigned sum to the total: random reporting lines and deals, in the database, by every column.

The expected sums are counted here from the deals themselves, by a second implementation of DEFINITIONS 5.
"""

from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from forecasting.rollup.report import RollupReport, rollup_report
from otc.calendar.rules import parse_period
from otc.money.models import Rate
from otc.money.rules import convert
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person
from otc.tenancy.services import line_set, organization_create, person_create
from pipeline.opportunities.models import Opportunity
from pipeline.team.rules import WHOLE_BP, Share
from pipeline.team.services import splits_set
from tests.forecasting.lives import deal_with, random_state

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
Q4 = parse_period("2026-Q4")
RATES = {"EUR": Decimal(1), "USD": Decimal("0.9137"), "JPY": Decimal("0.0061")}
OPEN = {None, "pipeline", "best_case", "most_likely", "commit"}
CATEGORIES_OF: dict[str, set[Any]] = {
    "closed": {"closed"},
    "commit": {"commit"},
    "most_likely": {"most_likely"},
    "best_case": {"best_case"},
    "pipeline": {"pipeline"},
    "no_category": {None},
    "omitted": {"omitted"},
    "commit_cumulative": {"commit", "closed"},
    "most_likely_cumulative": {"most_likely", "commit", "closed"},
    "best_case_cumulative": {"best_case", "most_likely", "commit", "closed"},
    "open": OPEN,
}


def now() -> datetime:
    return datetime.now(UTC)


def random_company(random: Random) -> tuple[Organization, list[Person | None]]:
    """People in lines of any shape: deep, flat, several tops, some without a line, some below such people."""
    organization = organization_create(slug=f"rand-{random.randrange(10**9)}", name="Rand", currency="EUR")
    people: list[Person] = []
    with use(organization.id):
        for currency in ("USD", "JPY"):
            Rate(
                currency=currency, valid_from=date(2020, 1, 1), known_from=LONG_AGO, rate=RATES[currency]
            ).save()
        for index in range(random.randrange(1, 14)):
            person = person_create(name=f"P{index:02}", role="rep")
            kind = random.choice(["top", "line", "line", "line", "line", "none"])
            if kind == "top" or not people:
                line_set(person, manager_id=None, since=LONG_AGO)
            elif kind == "line":
                line_set(person, manager_id=random.choice(people).id, since=LONG_AGO)
            people.append(person)
        executive = person_create(name="Sees all", role="executive")
    return organization, [*people, executive, None]


def counts_in(deal: Opportunity) -> bool:
    """Whether the deal is open or won and closes in the quarter."""
    return (
        deal.deleted_at is None
        and deal.outcome in (None, "won")
        and deal.close_date is not None
        and date(2026, 10, 1) <= deal.close_date <= date(2026, 12, 31)
    )


def part_minor(deal: Opportunity, total_minor: int, *, owner_id: Any) -> int:
    """What a person has of a deal's corporate amount, by largest remainder, counted here once more: units that are left
    over go to the largest remainder, of equal ones to the larger share, then to the lower id.
    """
    if deal.split_people is None or deal.split_shares is None:
        return total_minor if owner_id == deal.owner_id else 0
    shares = sorted(
        zip(deal.split_people, deal.split_shares, strict=True), key=lambda one: (-one[1], str(one[0]))
    )
    exact = {person: total_minor * share / Decimal(WHOLE_BP) for person, share in shares}
    floors = {person: int(amount) for person, amount in exact.items()}
    spare = total_minor - sum(floors.values())
    for person in sorted(floors, key=lambda person: Decimal(floors[person]) - exact[person])[:spare]:
        floors[person] += 1
    return floors.get(owner_id, 0)


def expected_minor(deals: list[Opportunity], *, column: str, owner_id: Any = ...) -> int:
    """The column's sum over the deals that count, of one owner or (owner_id left out) of all."""
    total = 0
    for deal in deals:
        category: Any = "closed" if deal.outcome == "won" else deal.category
        if counts_in(deal) and category in CATEGORIES_OF[column] and deal.amount_minor is not None:
            rate = RATES[deal.currency]
            minor = convert(deal.amount_minor, from_currency=deal.currency, to_currency="EUR", rate=rate)
            total += minor if owner_id is ... else part_minor(deal, minor, owner_id=owner_id)
    return total


def split_at_random(random: Random, deal: Opportunity, *, people: list[Person]) -> None:
    """Split the deal between up to four people, its owner among them or not."""
    chosen = random.sample(people, random.randrange(1, min(4, len(people)) + 1))
    cuts = sorted(random.sample(range(1, WHOLE_BP), len(chosen) - 1))
    shares = [
        Share(person.id, "revenue", after - before)
        for person, before, after in zip(chosen, [0, *cuts], [*cuts, WHOLE_BP], strict=True)
    ]
    splits_set(deal.id, shares=shares, now=now())


def broken_sums(report: RollupReport, deals: list[Opportunity]) -> list[str]:
    """Every column and line of the grid that doesn't add up; empty when all do."""
    found = []
    by_id = {row.person_id: row for row in report.rows}
    nobody_of = {column: expected_minor(deals, column=column, owner_id=None) for column in CATEGORIES_OF}
    for column in CATEGORIES_OF:
        owned = [row.amounts[column] for row in report.rows]
        total, unassigned = report.total.amounts[column], report.unassigned.amounts[column]
        led = [row for row in report.rows if not row.is_unassigned]
        sums = {
            "total": (total.final, expected_minor(deals, column=column)),
            "every own amount and nobody's": (sum(a.own for a in owned) + nobody_of[column], total.rolled_up),
            "leaves, managers' own and unassigned": (
                sum(row.amounts[column].rolled_up for row in led if not row.reports)
                + sum(row.amounts[column].own for row in led if row.reports)
                + unassigned.rolled_up,
                total.rolled_up,
            ),
            "unassigned": (
                unassigned.rolled_up,
                nobody_of[column] + sum(r.amounts[column].own for r in report.rows if r.is_unassigned),
            ),
        }
        for row in report.rows:
            below = sum(by_id[report_id].amounts[column].rolled_up for report_id in row.reports)
            sums[f"{row.name} with reports"] = (
                row.amounts[column].rolled_up,
                row.amounts[column].own + below,
            )
            own = expected_minor(deals, column=column, owner_id=row.person_id)
            sums[f"{row.name} own"] = (row.amounts[column].own, own)
        found += [f"{column}: {name}: {a} is not {b}" for name, (a, b) in sums.items() if a != b]
    return found


@pytest.mark.parametrize("seed", range(12))
def test_leaves_and_unassigned_sum_to_the_total_in_every_column(db: None, seed: int) -> None:
    random = Random(seed)
    organization, owners = random_company(random)
    with use(organization.id):
        people = [person for person in owners if person]
        for _ in range(random.randrange(60)):
            deal = deal_with(**random_state(random, owners=owners, currencies=list(RATES)))
            if seed % 3 and random.random() < 0.4:
                split_at_random(random, deal, people=people)
        viewer, at = owners[-2], now()
        assert viewer is not None
        report = rollup_report(organization, viewer=viewer, period=Q4, as_of=at, now=at)
        deals = list(Opportunity.objects.all())
    assert broken_sums(report, deals) == []
    assert report.total.deal_count == sum(counts_in(deal) for deal in deals)
    # Negative control: a deal that the report can't have seen breaks the sums.
    deals.append(
        Opportunity(
            owner_id=None, category="commit", amount_minor=1, currency="EUR", close_date=date(2026, 11, 1)
        )
    )
    assert {problem.split(":")[0] for problem in broken_sums(report, deals)} == {
        *("commit", "commit_cumulative", "most_likely_cumulative", "best_case_cumulative", "open")
    }
