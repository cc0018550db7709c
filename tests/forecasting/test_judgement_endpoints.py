"""Judgements over the API: for whom they work, to whom they are refused, and what the second of two is told."""

from typing import Any
from urllib.parse import urlencode

import pytest

from otc.calendar.rules import period_of
from otc.tenancy.context import use
from tests.api_client import Caller
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

HERE = period_of(day_in_house())
ADDRESS = "forecast/judgements"


@pytest.fixture
def deal(house):
    with use(house.organization.id, channel="ui"):
        return deal_with(
            owner_id=house.ana.id,
            amount_minor=100_00,
            category="commit",
            close_date=HERE.last,
            name="Kestrel",
        )


def place(person: Any, deal: Any) -> dict[str, Any]:
    return {
        "period": HERE.key,
        "person_id": str(person.id),
        "column": "commit",
        "opportunity_id": str(deal.id),
    }


def body(person: Any, deal: Any, **more: Any) -> dict[str, Any]:
    said = {"verdict": "out", "reason": "Legal is slow", "expected_step_id": None}
    return place(person, deal) | said | more


def refused(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, list(answer.json()["error"]["fields"])


def test_a_manager_judges_a_deal_and_the_grid_opens_it(house, deal):
    made = Caller(house.max).post(ADDRESS, body(house.ana, deal))
    assert made.status_code == 201
    said = made.json()
    assert [one["id"] for one in Caller(house.eve).get(ADDRESS).json()["results"]] == [said["id"]]
    assert Caller(house.ana).get(ADDRESS).json()["results"] == []
    (effect,) = Caller(house.max).get(f"forecast/rollup?period={HERE.key}").json()["effects"]
    assert (effect["effect_minor"], effect["author"]) == (-100_00, "Max Brandt")
    assert effect["deals"] == [
        {
            "step_id": said["id"],
            "opportunity_id": str(deal.id),
            "name": "Kestrel",
            "verdict": "out",
            "effect_minor": -100_00,
            "ended": "",
        }
    ]


def test_the_second_of_two_is_told_and_a_judgement_is_withdrawn(house, deal):
    caller = Caller(house.max)
    first = caller.post(ADDRESS, body(house.ana, deal)).json()
    second = caller.post(ADDRESS, body(house.ana, deal, verdict="amount", amount_minor=60_00))
    assert second.status_code == 409 and first["id"] in second.json()["error"]["message"]
    address = f"{ADDRESS}?{urlencode(place(house.ana, deal) | {'expected_step_id': first['id']})}"
    assert caller.delete(address).json()["verdict"] == "withdrawn"
    assert Caller(house.max).get(f"forecast/rollup?period={HERE.key}").json()["effects"] == []


def test_who_may_not_and_what_may_not_is_refused_by_its_field(house, elsewhere, deal):
    for who in (house.ana, house.jon, house.eve, elsewhere.zoe):
        assert refused(Caller(who).post(ADDRESS, body(house.ana, deal))) == (422, ["person_id"])
    caller = Caller(house.max)
    assert refused(caller.post(ADDRESS, body(house.jon, deal))) == (422, ["opportunity_id"])
    assert refused(caller.post(ADDRESS, body(house.ana, deal, column="closed"))) == (422, ["column"])
    assert refused(caller.post(ADDRESS, body(house.ana, deal, verdict="date"))) == (422, ["close_date"])
    assert refused(caller.post(ADDRESS, body(house.ana, deal, reason=""))) == (400, ["reason"])
    assert Caller(elsewhere.zoe).get(ADDRESS).json()["results"] == []
