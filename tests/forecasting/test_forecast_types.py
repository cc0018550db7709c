"""Several forecasts beside each other: each by its own filter, whose change leaves the past as it was."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from forecasting.rollup.report import rollup_report
from forecasting.types.models import ForecastType
from forecasting.types.services import (
    forecast_type_change,
    forecast_type_create,
    forecast_type_retire,
)
from otc.calendar.rules import period_of, previous
from otc.tenancy.context import use
from pipeline.opportunities.rules import Refused
from tests.api_client import Caller
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

HERE = period_of(day_in_house())


def now() -> datetime:
    return datetime.now(UTC)


def make(house: House, name: str = "Renewals", **conditions: list[str]) -> ForecastType:
    return forecast_type_create(
        house.organization,
        author=house.ops,
        name=name,
        conditions=conditions or {"kind": ["Renewal"]},
        now=now(),
    )


def deals(owner: Any, day: Any) -> None:
    for kind, amount_minor in (("Renewal", 1), ("renewal", 10), ("New business", 100), ("", 1000)):
        deal_with(owner_id=owner.id, amount_minor=amount_minor, category="commit", close_date=day, kind=kind)


def commit(house: House, type_: ForecastType | None, **asked: Any) -> int:
    given = {"viewer": house.eve, "period": HERE, "as_of": now(), "now": now(), **asked}
    report = rollup_report(house.organization, type_id=type_.id if type_ else None, **given)
    return report.total.amounts["commit"].final


def test_types_and_the_rest_of_the_deals_make_the_forecast_of_all(inside):
    deals(inside.ana, HERE.last)
    renewals, new = make(inside), make(inside, "New", kind=["New business"])
    assert (commit(inside, renewals), commit(inside, new), commit(inside, None)) == (11, 100, 1111)


def test_a_changed_filter_holds_from_then_on_and_a_period_that_is_over_keeps_its_own(inside):
    over = previous(HERE)
    deals(inside.ana, HERE.last)
    deals(inside.ana, over.last)
    type_ = forecast_type_create(
        inside.organization,
        author=inside.ops,
        name="Renewals",
        conditions={"kind": ["Renewal"]},
        now=datetime(2020, 1, 1, tzinfo=UTC),
    )
    before = now()
    forecast_type_change(
        inside.organization, type_=type_, author=inside.ops, conditions={"kind": ["New business"]}, now=now()
    )
    assert commit(inside, type_) == 100
    assert commit(inside, type_, as_of=before) == 11
    assert commit(inside, type_, period=over) == 11


def test_an_adjustment_counts_in_the_forecast_of_its_type_only(inside):
    from forecasting.adjustments.rules import Cell
    from forecasting.adjustments.services import adjustment_set

    deals(inside.ana, HERE.last)
    renewals = make(inside)
    adjustment_set(
        inside.organization,
        author=inside.max,
        cell=Cell(HERE, inside.ana.id, "commit", renewals.id),
        kind="delta",
        amount_minor=5,
        reason="They always renew",
        expected_step_id=None,
        now=now(),
        today=day_in_house(),
    )
    assert (commit(inside, renewals), commit(inside, None)) == (16, 1111)


@pytest.mark.parametrize(
    "conditions",
    [{}, {"kind": []}, {"amount": ["1"]}, {"stage_id": ["x"]}, {"kind": ["x"] * 201}, {"field.nope": ["x"]}],
)
def test_what_is_no_filter_is_refused(inside, conditions):
    with pytest.raises(Refused) as refusal:
        forecast_type_create(
            inside.organization, author=inside.ops, name="X", conditions=conditions, now=now()
        )
    assert refusal.value.field == "conditions"


def test_a_name_is_there_once_and_a_retired_type_is_read_but_not_offered(inside):
    type_ = make(inside)
    with pytest.raises(Refused, match="already"):
        make(inside)
    forecast_type_retire(type_, now=now() + timedelta(seconds=1))
    assert commit(inside, type_) == 0


def test_the_api_makes_previews_changes_and_reads_types(house, elsewhere):
    with use(house.organization.id):
        deals(house.ana, HERE.last)
    ops = Caller(house.ops)
    body = {"name": "Renewals", "conditions": {"kind": ["Renewal"]}}
    made = ops.post("forecast/types", body)
    assert (made.status_code, made.json()["slug"]) == (201, "renewals")
    address = f"forecast/types/{made.json()['id']}"
    other = {"conditions": {"kind": ["New business"]}}
    shown = ops.post(f"{address}/preview", other).json()
    assert (shown["before"]["commit"], shown["after"]["commit"], shown["deals_after"]) == (11, 100, 1)
    eve = Caller(house.eve)
    found = eve.get(f"forecast/rollup?type=renewals&period={HERE.key}").json()
    assert (found["type"], found["total"]["amounts"]["commit"]["final_minor"]) == ("renewals", 11)
    assert ops.patch(address, other).json()["conditions"] == other["conditions"]
    assert eve.get("forecast/rollup?type=nope").status_code == 400
    assert eve.post("forecast/types", body).status_code == 403
    assert Caller(elsewhere.zoe).patch(address, other).status_code == 404
    assert Caller(elsewhere.zoe).get("forecast/types").json()["results"] == []
