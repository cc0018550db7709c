"""Each point of the history is what the grid said then, on the page, in the file and over the API."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from forecasting.calls.services import call_submit
from forecasting.history.report import MOST_POINTS, history_report, instants
from forecasting.rollup.report import rollup_report
from otc.calendar.rules import period_of
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from tests.api_client import Caller
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
from tests.guards.report_house import days_ago
from tests.pipeline.past_deals import past_deal

HERE = period_of(day_in_house())


def question(house, *, by="eve", **asked):
    tenant = Tenant(house.organization, house.people[by], timezone.now(), [house.organization])
    return ask(tenant, asked)


def lived(house):
    """A commit of 100 fifteen days ago, of 70 since five days; and a call."""
    past_deal(
        house,
        (days_ago(15), {"name": "Kestrel", "owner_id": house.ana.id, "amount_minor": 100_00, "category": "commit"}
         | {"close_date": HERE.last}),
        (days_ago(5), {"amount_minor": 70_00}),
    )  # fmt: skip
    with use(house.organization.id, channel="ui"):
        now = datetime.now(UTC)
        call_submit(
            house.organization,
            author=house.eve,
            period=HERE,
            amount_minor=90_00,
            now=now,
            today=day_in_house(),
        )


def test_every_point_is_the_rollup_as_of_then(house):
    lived(house)
    with use(house.organization.id):
        asked = question(house, period=HERE.key)
        found = history_report(asked, step="day")
        for point in found.points:
            grid = rollup_report(asked.organization, period=HERE, **(asked.frame | {"as_of": point.as_of}))
            assert point.amounts == grid.total.amounts
        last = found.points[-1]
        assert (last.amounts["commit"].final, last.calls) == (70_00, {"commit_cumulative": 90_00})
        assert found.person_id == house.eve.id and found.points[0].calls == {}


@pytest.mark.parametrize("step", ["week", "day"])
@pytest.mark.parametrize("key", ["2026-Q3", "2025", "2026-10"])
def test_points_are_few_in_order_and_end_where_one_asks(inside, key, step):
    asked = (
        question(inside, period=key, as_of="2026-09-15") if key != "2026-10" else question(inside, period=key)
    )
    found = instants(asked, step=step)
    assert found == sorted(set(found)) and 2 <= len(found) <= MOST_POINTS + 1
    assert found[-1] <= asked.as_of
    if key == "2026-Q3":
        assert found[-1] == asked.as_of


def test_before_a_period_begins_there_is_one_point(inside):
    later = period_of(HERE.end + timedelta(days=200))
    assert len(instants(question(inside, period=later.key), step="week")) == 1


def test_page_file_and_api_say_the_same(house, signed_in):
    lived(house)
    path = house.url("forecast/history/")
    page = signed_in(house.eve).get(path, {"period": HERE.key}).content.decode()
    assert f"Commit of {HERE.label} went from" in page and "70" in page
    said = Caller(house.eve).get(f"forecast/history?period={HERE.key}").json()
    rows = signed_in(house.eve).get(path, {"format": "csv"}).content.decode().splitlines()
    head = rows[0].lstrip("\ufeff").split(",")
    last = dict(zip(head, rows[-1].split(","), strict=True))
    amounts = said["points"][-1]["amounts"]["commit_cumulative"]
    assert str(amounts["final_minor"]) == last["commit_cumulative_final_minor"] == "7000"
    assert said["points"][-1]["calls"] == {"commit_cumulative": 90_00}
    assert len(said["points"]) == len(rows) - 1


def test_a_manager_sees_the_history_of_the_branch(house):
    lived(house)
    with use(house.organization.id, channel="ui"):
        change(
            deal_with(owner_id=house.eve.id, amount_minor=5, category="commit", close_date=HERE.last),
            amount_minor=9,
        )
    said = Caller(house.max).get(f"forecast/history?period={HERE.key}&step=day").json()
    assert said["points"][-1]["amounts"]["commit"]["final_minor"] == 70_00
    assert Caller(house.max).get(f"forecast/history?scope={house.eve.id}").status_code == 404
    assert Caller(house.max).get("forecast/history?step=hour").status_code == 400
