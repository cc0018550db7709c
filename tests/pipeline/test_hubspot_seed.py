"""HubSpot's tables come in whole: owners, companies, deals, and a stage history whose deals the export lacks."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from otc.imports.mapping import parse_mapping
from otc.imports.presets import presets_for
from otc.imports.report import ImportReport
from otc.imports.services import run_import
from otc.tenancy.context import use
from otc.tenancy.models import Organization, Person
from otc.tenancy.services import organization_create
from pipeline.accounts.models import Account
from pipeline.history.models import OpportunityVersion
from pipeline.imports.registry import KINDS, PRESETS
from pipeline.opportunities.models import Opportunity
from tests.cluster import SHARED_DATA
from tests.pipeline.chain import check_chain
from tests.pipeline.exports import bring, fitting
from tests.pipeline.loading import NOW

DATA = SHARED_DATA / "hubspot_seed"
FILES = ("owner_data", "company_data", "deal_data", "deal_stage_data", "deal_property_history_data")

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="../shared/data is absent: hubspot_seed can't be imported"
)


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)


@pytest.fixture
def imported(db: None) -> Iterator[tuple[Organization, dict[str, ImportReport]]]:
    organization = organization_create(slug="hub", name="Hub", currency="USD")
    reports = {name: bring(organization, DATA / f"{name}.csv") for name in FILES}
    with use(organization.id):
        yield organization, reports


def test_every_row_comes_in_or_is_left_out_and_counted(
    imported: tuple[Organization, dict[str, ImportReport]],
) -> None:
    organization, reports = imported
    for name in FILES[:4]:
        report = reports[name]
        assert (report.created_count, report.refused_count) == (len(rows(name)), 0), name
    # The seed's property names are hashed, so none of them is one that a deal's history holds.
    history = reports["deal_property_history_data"]
    assert (history.read_count, history.left_out_count) == (0, len(rows("deal_property_history_data")))
    again = [bring(organization, DATA / f"{name}.csv") for name in FILES[:4]]
    assert [report.unchanged_count for report in again] == [len(rows(name)) for name in FILES[:4]]


def test_deals_bear_name_owner_and_creation(imported: tuple[Organization, dict[str, ImportReport]]) -> None:
    assert Person.objects.count() == len(rows("owner_data"))
    assert Account.objects.count() == len(rows("company_data"))
    for row in rows("deal_data"):
        deal = Opportunity.objects.select_related("owner").get(external_id=row["deal_id"])
        owner = deal.owner.external_id if deal.owner else ""
        assert (deal.name, owner) == (row["property_dealname"] or row["deal_id"], row["owner_id"])
        assert deal.created_at == moment(row["property_createdate"])
        assert [version.valid_from for version in check_chain(deal.id)] == [deal.created_at]


def test_the_stage_history_makes_its_deals_and_any_past_day_shows_them(
    imported: tuple[Organization, dict[str, ImportReport]],
) -> None:
    history = rows("deal_stage_data")
    for row in history:
        deal = Opportunity.objects.select_related("stage").get(external_id=row["deal_id"])
        chain = check_chain(deal.id)
        assert [(v.stage.name, v.valid_from, v.provenance) for v in chain] == [
            (row["value"], moment(row["date_entered"]), "imported")
        ]
    at = datetime(2021, 1, 9, 8, tzinfo=UTC)
    expected = Counter(row["value"] for row in history if moment(row["date_entered"]) <= at)
    then = OpportunityVersion.objects.filter(valid_from__lte=at, valid_to__gt=at, stage__isnull=False)
    assert Counter(then.values_list("stage__name", flat=True)) == expected
    assert Opportunity.objects.count() == len(rows("deal_data")) + len({row["deal_id"] for row in history})


def test_a_property_history_with_plain_names_is_a_deals_life(db: None, tmp_path: Path) -> None:
    organization = organization_create(slug="hub", name="Hub", currency="USD")
    path = tmp_path / "deal_property_history.csv"
    path.write_text(
        "deal_id,timestamp,_fivetran_synced,source,name,source_id,value\n"
        "7,2024-01-02 09:00:00.000,x,CRM_UI,dealstage,1,Appointment Scheduled\n"
        "7,2024-01-02 09:00:00.000,x,CRM_UI,amount,1,1200.50\n"
        "7,2024-01-09 10:00:00.000,x,CRM_UI,dealname,1,Renamed\n"
        "7,2024-02-01 10:00:00.000,x,CRM_UI,closedate,1,1709251200000\n"
        "7,2024-02-20 10:00:00.000,x,CRM_UI,dealstage,1,closedwon\n"
    )
    report = bring(organization, path)
    assert (report.read_count, report.left_out_count, report.refused_count) == (4, 1, 0)
    with use(organization.id):
        deal = Opportunity.objects.get(external_id="7")
        chain = check_chain(deal.id)
        assert (deal.outcome, deal.closed_at) == ("won", datetime(2024, 2, 20, 10, tzinfo=UTC))
        assert [(v.outcome, v.amount_minor, str(v.close_date)) for v in chain][-2:] == [
            (None, 1200_50, "2024-03-01"),
            ("won", 1200_50, "2024-03-01"),
        ]


def test_columns_that_say_when_a_stage_was_entered_become_history(db: None, tmp_path: Path) -> None:
    organization = organization_create(slug="hub", name="Hub", currency="USD")
    path = tmp_path / "deals.csv"
    path.write_text(
        'Record ID,Deal Name,Deal Stage,Amount,Close Date,Create Date,"Date entered ""Contract Sent (Sales)""",'
        '"Date entered ""Closed Won (Sales)"""\n'
        "1,Kestrel,Closed Won,500,2024-03-02 10:00,2024-01-01 08:00,2024-01-05 08:00,2024-03-02 10:00\n"
        "2,Heron,Contract Sent,700,2024-05-02 10:00,2024-01-01 08:00,2024-01-06 08:00,\n"
    )
    assert bring(organization, path).created_count == 2
    _, header = fitting(path)
    second = presets_for(PRESETS, header=header)[1]
    mapping = parse_mapping(second.mapping(header))
    report = run_import(organization, kind=KINDS[second.kind], path=path, mapping=mapping, now=NOW)
    assert (second.kind, report.read_count, report.refused_count) == ("history", 3, 0)
    with use(organization.id):
        won = check_chain(Opportunity.objects.get(external_id="1").id)
        assert [(v.stage and v.stage.name, v.outcome, v.valid_from.day) for v in won] == [
            ("Contract Sent", None, 5),
            (None, "won", 2),
        ]
