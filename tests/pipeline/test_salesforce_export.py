"""A Salesforce export comes in whole, with its history; what is expected is worked out here from the CSV alone."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.management import call_command

from otc.imports.report import ImportReport
from otc.tenancy.context import use
from otc.tenancy.models import Organization
from otc.tenancy.services import organization_create
from pipeline.accounts.models import Account, Contact
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from tests.cluster import SHARED_DATA
from tests.pipeline.chain import check_chain
from tests.pipeline.exports import bring

DATA = SHARED_DATA / "salesforce_export"
FILES = ("Account", "Contact", "Opportunity", "OpportunityHistory")
CLOSED = {"Closed Won": "won", "Closed Lost": "lost"}
State = tuple[str | None, str | None, float | None, str]

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="../shared/data is absent: salesforce_export can't be imported"
)


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%m/%d/%y %I:%M %p").replace(tzinfo=UTC)


def state_of(row: dict[str, str]) -> State:
    """Stage (none of a closed deal), outcome, amount, close date."""
    stage = row["StageName"]
    amount = float(row["Amount"]) if row["Amount"] else None
    day = datetime.strptime(row["CloseDate"], "%m/%d/%y").replace(tzinfo=UTC).date().isoformat()
    return (None if stage in CLOSED else stage, CLOSED.get(stage), amount, day)


def expected_lives() -> dict[str, list[State]]:
    """Per deal the states it went through: its history's, then what it is now where that differs."""
    lives: dict[str, list[State]] = {}
    for row in sorted(rows("OpportunityHistory"), key=lambda row: moment(row["CreatedDate"])):
        life = lives.setdefault(row["OpportunityId"], [])
        if not life or life[-1] != state_of(row):
            life.append(state_of(row))
    for row in rows("Opportunity"):
        life = lives.setdefault(row["Id"], [])
        if not life or life[-1] != state_of(row):
            life.append(state_of(row))
    return lives


def shown(version: Any) -> State:
    stage = version.stage.name if version.stage else None
    amount = version.amount_minor / 100 if version.amount_minor is not None else None
    return (stage, version.outcome, amount, version.close_date.isoformat())


@pytest.fixture
def imported(db: None) -> Iterator[tuple[Organization, dict[str, ImportReport]]]:
    organization = organization_create(slug="force", name="Force", currency="USD")
    reports = {name: bring(organization, DATA / f"{name}.csv") for name in FILES}
    with use(organization.id):
        yield organization, reports


def test_every_row_comes_in_once(imported: tuple[Organization, dict[str, ImportReport]]) -> None:
    organization, reports = imported
    counted = {name: (r.created_count, r.refused_count, r.left_out_count) for name, r in reports.items()}
    assert counted == {name: (len(rows(name)), 0, 0) for name in FILES}
    assert (Account.objects.count(), Contact.objects.count()) == (len(rows("Account")), len(rows("Contact")))
    again = [bring(organization, DATA / f"{name}.csv") for name in FILES]
    assert [report.unchanged_count for report in again] == [len(rows(name)) for name in FILES]


def test_deals_bear_outcome_money_source_and_account_and_nobody_owns_them(
    imported: tuple[Organization, dict[str, ImportReport]],
) -> None:
    accounts = {row["Id"]: row["Name"] for row in rows("Account")}
    for row in rows("Opportunity"):
        deal = Opportunity.objects.select_related("account").get(external_id=row["Id"])
        assert shown(deal) == state_of(row)
        assert (deal.account.name, deal.source) == (accounts[row["AccountId"]], row["LeadSource"])
        assert deal.owner_id is None
        closed = row["IsClosed"] == "TRUE"
        assert deal.closed_at == (moment(row["LastModifiedDate"]) if closed else None)
    outcomes = Counter(Opportunity.objects.values_list("outcome", flat=True))
    assert outcomes == Counter(CLOSED.get(row["StageName"]) for row in rows("Opportunity"))


def test_the_versions_are_those_of_the_history_and_end_in_the_present(
    imported: tuple[Organization, dict[str, ImportReport]],
) -> None:
    lives = expected_lives()
    for external_id, life in lives.items():
        chain = check_chain(Opportunity.objects.get(external_id=external_id).id)
        assert [shown(version) for version in chain] == life, external_id
    assert OpportunityVersion.objects.count() == sum(map(len, lives.values()))


@pytest.mark.parametrize(
    "day", ["02/24/26 02:18 AM", "02/24/26 12:00 PM", "03/01/26 12:00 PM", "03/07/26 11:59 PM"]
)
def test_any_past_day_shows_what_the_history_says_of_it(
    imported: tuple[Organization, dict[str, ImportReport]], day: str
) -> None:
    at = moment(day)
    expected: dict[str, State] = {}
    for row in sorted(rows("OpportunityHistory"), key=lambda row: moment(row["CreatedDate"])):
        if moment(row["CreatedDate"]) <= at:
            expected[row["OpportunityId"]] = state_of(row)
    versions = OpportunityVersion.objects.filter(
        valid_from__lte=at, valid_to__gt=at, known_from__lte=at, known_to__gt=at
    ).select_related("stage", "opportunity")
    assert {version.opportunity.external_id: shown(version) for version in versions} == expected


def test_the_command_finds_the_preset_by_itself(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    organization = organization_create(slug="force", name="Force", currency="USD")
    for name in FILES:
        call_command("import_csv", DATA / f"{name}.csv", "--org", "force", "--preset")
    said = capsys.readouterr().out
    assert f"OpportunityHistory.csv (history): {len(rows('OpportunityHistory'))} rows read; imported" in said
    with use(organization.id):
        assert Opportunity.objects.count() == len(rows("Opportunity"))
