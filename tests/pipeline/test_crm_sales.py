"""The main job on real input: crm_sales comes in whole through the importer and shows the known figures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.db.models import Sum

from otc.imports.mapping import read_mapping
from otc.imports.report import ImportReport
from otc.imports.services import run_import
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER, Organization, Person, ReportingLine
from otc.tenancy.services import organization_create
from pipeline.accounts.models import Account
from pipeline.history.models import OpportunityVersion
from pipeline.imports.registry import KINDS
from pipeline.opportunities.models import Opportunity, Product
from pipeline.process.models import Stage
from tests.cluster import SHARED_DATA
from tests.pipeline.chain import check_chain

DATA = SHARED_DATA / "crm_sales"
MAPPINGS = Path(__file__).parents[2] / "benchmarks" / "mappings" / "crm_sales"
FILES = {
    "people": "sales_teams.csv",
    "accounts": "accounts.csv",
    "products": "products.csv",
    "opportunities": "sales_pipeline.csv",
}
WON_BY_QUARTER = {1: 1_134_672, 2: 3_086_111, 3: 2_982_255, 4: 2_802_496}
WON_BY_MANAGER = {
    "Melvin Marxen": 670_788,
    "Summer Sewald": 559_649,
    "Rocco Neubert": 513_705,
    "Celia Rouche": 430_212,
    "Dustin Brinkmann": 316_994,
    "Cara Losch": 311_148,
}

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="../shared/data is absent: crm_sales can't be imported"
)


@pytest.fixture
def crm(db: None) -> Iterator[tuple[Organization, dict[str, ImportReport]]]:
    """An organization with everything of crm_sales, and the four reports."""
    organization = organization_create(slug="crm-sales", name="CRM Sales", currency="USD")
    reports = import_all(organization)
    with use(organization.id):
        yield organization, reports


def import_all(organization: Organization) -> dict[str, ImportReport]:
    return {
        kind: run_import(
            organization,
            kind=KINDS[kind],
            path=DATA / file_name,
            mapping=read_mapping(MAPPINGS / f"{kind}.json"),
        )
        for kind, file_name in FILES.items()
    }


def test_crm_sales_comes_in_whole_and_shows_the_known_figures(
    crm: tuple[Organization, dict[str, ImportReport]],
) -> None:
    organization, reports = crm
    assert {kind: (r.created_count, r.refused_count) for kind, r in reports.items()} == {
        "people": (35, 0),
        "accounts": (85, 0),
        "products": (7, 0),
        "opportunities": (8800, 0),
    }
    check_counts()
    check_won()
    check_names()
    check_versions()
    again = import_all(organization)
    assert [report.unchanged_count for report in again.values()] == [35, 85, 7, 8800]


def check_counts() -> None:
    deals = Opportunity.objects
    assert deals.count() == 8_800
    assert deals.filter(outcome="won").count() == 4_238
    assert deals.filter(outcome="lost").count() == 2_473
    assert deals.filter(outcome__isnull=True, stage__name="Engaging").count() == 1_589
    assert deals.filter(outcome__isnull=True, stage__name="Prospecting").count() == 500
    still_open = deals.filter(outcome__isnull=True)
    assert still_open.filter(close_date__isnull=True, amount_minor__isnull=True).count() == 2_089
    assert set(still_open.values_list("category", flat=True)) == {"pipeline"}
    assert deals.filter(account__isnull=True).count() == 1_425


def check_won() -> None:
    won = Opportunity.objects.filter(outcome="won")
    assert won.aggregate(total=Sum("amount_minor"))["total"] == 10_005_534_00
    by_quarter = {
        quarter: won.filter(close_date__year=2017, close_date__quarter=quarter).aggregate(
            total=Sum("amount_minor")
        )["total"]
        for quarter in WON_BY_QUARTER
    }
    assert by_quarter == {quarter: total * 100 for quarter, total in WON_BY_QUARTER.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.name, sum(o.amount_minor) FROM pipeline_opportunity o "
            "JOIN otc_reportingline l ON l.person_id = o.owner_id AND l.valid_to = %s "
            "JOIN otc_person m ON m.id = l.manager_id WHERE o.outcome = 'won' "
            "AND o.close_date >= '2017-10-01' AND o.close_date < '2018-01-01' GROUP BY m.name",
            [FOREVER],
        )
        assert dict(cursor.fetchall()) == {name: total * 100 for name, total in WON_BY_MANAGER.items()}


def check_names() -> None:
    tops = ReportingLine.objects.filter(manager__isnull=True).values_list("person__name", flat=True)
    assert set(tops) == set(WON_BY_MANAGER)
    assert Person.objects.filter(role="rep").count() == 35
    assert set(Product.objects.values_list("name", flat=True)) >= {"GTX Pro"}
    assert not Product.objects.filter(name="GTXPro").exists()
    assert not Account.objects.filter(industry="technolgy").exists()
    assert Account.objects.filter(parent__name="Acme Corporation").count() == 4
    assert Opportunity.objects.filter(owner__isnull=True).count() == 0
    assert not Opportunity.objects.filter(name__contains="GTXPro").exists()
    assert Opportunity.objects.filter(name__endswith="GTX Pro").exists()
    stages = Stage.objects.filter(process__name="CRM sales").values_list("name", "position")
    assert list(stages) == [("Prospecting", 1), ("Engaging", 2)]
    assert not Opportunity.objects.exclude(process__name="CRM sales").exists()


def check_versions() -> None:
    """A closed deal has an open version and its closing one; an open deal one."""
    versions = OpportunityVersion.objects
    assert versions.count() == 8_800 + 4_238 + 2_473
    assert set(versions.values_list("provenance", flat=True)) == {"reconstructed"}
    won = Opportunity.objects.filter(outcome="won").first()
    opened, closed = check_chain(won.id)
    assert (opened.outcome, opened.valid_from) == (None, won.created_at)
    assert (closed.outcome, closed.category, closed.valid_from) == ("won", "closed", won.closed_at)
    assert closed.reason.name == "not given"
