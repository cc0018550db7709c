"""The main job on real input, seen from outside: crm_sales through the importer, read from the API and the pages."""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from forecasting.rollup.report import rollup_report
from otc.calendar.rules import Period, parse_period
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import organization_create, person_create
from pipeline.history.services import renew_statistics
from tests.api_client import Caller
from tests.conftest import House, user_for
from tests.pipeline.test_crm_sales import DATA, WON_BY_MANAGER, WON_BY_QUARTER, import_all

WON_MINOR = 10_005_534_00
OPEN_DEALS = 2_089

pytestmark = pytest.mark.skipif(
    not DATA.exists(), reason="../shared/data is absent: crm_sales can't be imported"
)


@pytest.fixture(scope="module")
def crm(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """crm_sales, imported once for this file, with an executive who looks at it; rolled back at the end."""
    with django_db_blocker.unblock(), transaction.atomic():
        organization = organization_create(slug="crm-seen", name="CRM Sales", currency="USD")
        with use(organization.id):
            eve = person_create(name="Eve Okafor", role="executive", user=user_for("eve-crm"))
        import_all(organization)
        with use(organization.id):
            renew_statistics()
        yield House(organization, {"eve": eve})
        transaction.set_rollback(True)


@pytest.fixture
def api(crm: House, db: None) -> Caller:
    return Caller(crm.eve)


@pytest.fixture
def browser(crm: House, db: None, signed_in: Callable[[Person], Client]) -> Client:
    return signed_in(crm.eve)


def answer(api: Caller, path: str) -> Any:
    response = api.get(path)
    assert response.status_code == 200, response.content
    return response.json()


def page(browser: Client, crm: House, path: str) -> Any:
    response = browser.get(crm.url(path))
    assert response.status_code == 200, response.content[:500]
    return response


def exact(minor: int) -> str:
    """How a page says an amount to the cent, in a title."""
    return f'title="{minor / 100:,.2f}\u00a0USD"'


def test_won_in_all_and_by_quarter_over_the_api(api: Caller) -> None:
    found = answer(api, "winloss?group_by=quarter")
    assert found["total"]["won_minor"] == WON_MINOR
    assert (found["total"]["won"], found["total"]["lost"]) == (4_238, 2_473)
    expected = {f"2017-Q{quarter}": won * 100 for quarter, won in WON_BY_QUARTER.items()}
    assert {group["key"]: group["won_minor"] for group in found["groups"]} == expected
    for period, won_minor in expected.items():
        grid = answer(api, f"forecast/rollup?period={period}")
        assert grid["total"]["amounts"]["closed"]["final_minor"] == won_minor
        assert answer(api, f"winloss?period={period}")["total"]["won_minor"] == won_minor
        assert answer(api, f"inspection?period={period}")["summary"]["now"]["won_minor"] == won_minor


def test_won_in_all_and_by_quarter_on_the_pages(crm: House, browser: Client) -> None:
    whole = page(browser, crm, "winloss/")
    assert whole.context["total"].closed.won_minor == WON_MINOR
    assert exact(WON_MINOR) in whole.content.decode()
    for quarter, won in WON_BY_QUARTER.items():
        for path in ("winloss/", "forecast/", "inspection/"):
            found = page(browser, crm, f"{path}?period=2017-Q{quarter}").content.decode()
            assert exact(won * 100) in found, (path, quarter)


def test_the_fourth_quarter_by_manager(crm: House, api: Caller, browser: Client) -> None:
    expected = {name: won * 100 for name, won in WON_BY_MANAGER.items()}
    grid = answer(api, "forecast/rollup?period=2017-Q4")
    tops = [row for row in grid["rows"] if row["depth"] == 0 and not row["is_unassigned"]]
    assert {row["name"]: row["amounts"]["closed"]["final_minor"] for row in tops} == expected
    by_manager = answer(api, "winloss?period=2017-Q4&group_by=manager")
    assert {group["name"]: group["won_minor"] for group in by_manager["groups"]} == expected
    shown = page(browser, crm, "forecast/?period=2017-Q4").content.decode()
    for name, won_minor in expected.items():
        assert name in shown
        assert exact(won_minor) in shown
    for row in tops:
        own = answer(api, f"winloss?period=2017-Q4&scope={row['person_id']}")
        assert own["total"]["won_minor"] == expected[row["name"]]


# The begin of a quarter, days in it and after it, and today.
LOOKED_AT = (
    date(2017, 2, 10),
    date(2017, 5, 15),
    date(2017, 7, 1),
    date(2017, 11, 30),
    date(2018, 1, 1),
    date(2026, 1, 1),
)


def summed_from_the_file(period: Period, *, day: date) -> tuple[Counter[str], Counter[str]]:
    """What was won in the quarter, and what was open of it, by agent and manager, as the day began: the file's rows
    added up. A deal that was closed later stood open with the day it closed on; the others have neither day nor amount.
    """
    with (DATA / "sales_teams.csv").open() as file:
        manager_of = {row["sales_agent"]: row["manager"] for row in csv.DictReader(file)}
    won: Counter[str] = Counter()
    still_open: Counter[str] = Counter()
    with (DATA / "sales_pipeline.csv").open() as file:
        for row in csv.DictReader(file):
            if row["deal_stage"] not in ("Won", "Lost"):
                continue
            closed, engaged = date.fromisoformat(row["close_date"]), date.fromisoformat(row["engage_date"])
            if not period.first <= closed < period.end or engaged > day:
                continue
            cents = 100 * int(row["close_value"])
            sums = still_open if closed >= day else won if row["deal_stage"] == "Won" else Counter()
            for person in (row["sales_agent"], manager_of[row["sales_agent"]]):
                sums[person] += cents
    return won, still_open


def test_every_quarter_by_manager_and_agent_as_of_past_days_is_what_the_file_adds_up_to(
    crm: House, db: None
) -> None:
    now, seen = datetime.now(UTC), 0
    for quarter in WON_BY_QUARTER:
        period = parse_period(f"2017-Q{quarter}")
        for day in LOOKED_AT:
            at = datetime.combine(day, time(), tzinfo=UTC)
            with use(crm.organization.id):
                asked: dict[str, Any] = {
                    "viewer": crm.eve,
                    "period": period,
                    "as_of": at,
                    "now": now,
                    "org_chart": "now",
                }
                report = rollup_report(crm.organization, **asked)
            won, still_open = summed_from_the_file(period, day=day)
            for row in report.rows:
                assert row.amounts["closed"].final == won[row.name], (period.key, day, row.name)
                assert row.amounts["open"].final == still_open[row.name], (period.key, day, row.name)
                seen += bool(won[row.name] or still_open[row.name])
            assert {row.name for row in report.rows} >= won.keys() | still_open.keys()
    assert seen > 600


def test_leaves_and_unassigned_sum_to_the_total(api: Caller) -> None:
    for period in ("2017", *(f"2017-Q{quarter}" for quarter in WON_BY_QUARTER)):
        grid = answer(api, f"forecast/rollup?period={period}")
        leaves = [row for row in grid["rows"] if not row["report_ids"] and not row["is_unassigned"]]
        managers = [row for row in grid["rows"] if row["report_ids"] and not row["is_unassigned"]]
        assert (len(leaves), len(managers)) == (35, 6)
        for column in grid["columns"]:
            total = (
                sum(row["amounts"][column]["rolled_up_minor"] for row in leaves)
                + sum(row["amounts"][column]["own_minor"] for row in managers)
                + grid["unassigned"]["amounts"][column]["rolled_up_minor"]
            )
            assert total == grid["total"]["amounts"][column]["final_minor"], (period, column)


def test_open_deals_are_visible_without_date_and_amount_over_the_api(api: Caller) -> None:
    found: list[dict[str, Any]] = []
    path: str | None = "opportunities?state=open&without=close_date&limit=200"
    while path:
        content = answer(api, path)
        found += content["results"]
        path = content["next"]
    assert len({deal["id"] for deal in found}) == len(found) == OPEN_DEALS
    assert {(deal["close_date"], deal["amount_minor"]) for deal in found} == {(None, None)}
    stages = [deal["stage_name"] for deal in found]
    assert (stages.count("Engaging"), stages.count("Prospecting")) == (1_589, 500)


def test_open_deals_are_visible_without_date_and_amount_on_the_list(crm: House, browser: Client) -> None:
    shown = page(browser, crm, "deals/")
    report = shown.context["report"]
    assert report.sums.count == OPEN_DEALS
    assert (report.tab_counts["no_close_date"], report.tab_counts["no_amount"]) == (OPEN_DEALS, OPEN_DEALS)
    assert {(row.close_date, row.amount_minor) for row in report.rows} == {(None, None)}
    text = shown.content.decode()
    assert "No close date" in text
    assert "No amount" in text
    assert f"{OPEN_DEALS:,}" in text
    rows = page(browser, crm, "deals/?format=csv").getvalue().decode().splitlines()
    assert len(rows) == 1 + OPEN_DEALS


def test_deals_without_a_date_stand_in_no_period(crm: House, api: Caller) -> None:
    grid = answer(api, "forecast/rollup?period=2017-Q4")
    assert grid["total"]["amounts"]["open"]["final_minor"] == 0
    assert answer(api, "inspection?period=2017-Q4")["count"] == 0


def test_what_was_won_on_the_first_day_of_a_quarter_was_won_in_it(api: Caller) -> None:
    fall = answer(api, "waterfall?period=2017-Q4&since=period")
    (won,) = (bucket for bucket in fall["buckets"] if bucket["name"] == "won")
    assert abs(won["amount_minor"]) == WON_BY_QUARTER[4] * 100
