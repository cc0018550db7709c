"""Adjustments over the API: for whom they work, to whom they are refused, and what the second of two is told."""

from typing import Any
from urllib.parse import urlencode

from otc.calendar.rules import period_of
from tests.api_client import Caller
from tests.days import day_in_house

HERE = period_of(day_in_house()).key
ADDRESS = "forecast/adjustments"


def body(person: Any, **more: Any) -> dict[str, Any]:
    said = {"kind": "delta", "amount_minor": 10_00, "reason": "A hunch", "expected_step_id": None}
    return {"period": HERE, "person_id": str(person.id), "column": "commit"} | said | more


def refused(answer: Any) -> tuple[int, list[str]]:
    return answer.status_code, list(answer.json()["error"]["fields"])


def test_a_manager_adjusts_a_report_and_the_report_does_not_read_it(house):
    made = Caller(house.max).post(ADDRESS, body(house.ana, expires_on=day_in_house().isoformat()))
    assert made.status_code == 201
    said = made.json()
    assert (said["is_own"], said["author_id"], said["base_minor"]) == (False, str(house.max.id), 0)
    assert [one["id"] for one in Caller(house.eve).get(ADDRESS).json()["results"]] == [said["id"]]
    assert Caller(house.ana).get(ADDRESS).json()["results"] == []
    grid = Caller(house.max).get(f"forecast/rollup?period={HERE}").json()
    assert grid["total"]["amounts"]["commit"]["final_minor"] == 10_00
    (effect,) = grid["effects"]
    assert (effect["step_id"], effect["effect_minor"], effect["author"]) == (said["id"], 10_00, "Max Brandt")


def test_the_second_of_two_is_told_of_the_first_and_nothing_is_lost(house):
    first = Caller(house.max).post(ADDRESS, body(house.ana)).json()
    second = Caller(house.max).post(ADDRESS, body(house.ana, amount_minor=20_00))
    assert second.status_code == 409
    assert first["id"] in second.json()["error"]["message"]
    again = Caller(house.max).post(ADDRESS, body(house.ana, amount_minor=20_00, expected_step_id=first["id"]))
    assert again.status_code == 201


def test_who_may_not_and_what_may_not_is_refused_by_its_field(house, elsewhere):
    assert refused(Caller(house.jon).post(ADDRESS, body(house.ana))) == (422, ["person_id"])
    assert refused(Caller(house.ops).post(ADDRESS, body(house.ana))) == (422, ["person_id"])
    assert refused(Caller(elsewhere.zoe).post(ADDRESS, body(house.ana))) == (422, ["person_id"])
    assert refused(Caller(house.ana).post(ADDRESS, body(house.ana, column="closed"))) == (422, ["column"])
    assert refused(Caller(house.ana).post(ADDRESS, body(house.ana, column="x"))) == (422, ["column"])
    assert refused(Caller(house.ana).post(ADDRESS, body(house.ana, kind="twice"))) == (400, ["kind"])
    assert refused(Caller(house.ana).post(ADDRESS, body(house.ana, reason=""))) == (400, ["reason"])
    assert Caller(elsewhere.zoe).get(ADDRESS).json()["results"] == []


def test_an_adjustment_is_kept_and_withdrawn(house):
    ana = Caller(house.ana)
    first = ana.post(ADDRESS, body(house.ana)).json()
    cell = {"period": HERE, "person_id": str(house.ana.id), "column": "commit"}
    kept = ana.post(f"{ADDRESS}/kept", cell | {"expected_step_id": first["id"]})
    assert (kept.status_code, kept.json()["amount_minor"]) == (201, 10_00)
    gone = ana.delete(f"{ADDRESS}?{urlencode(cell | {'expected_step_id': kept.json()['id']})}")
    assert (gone.status_code, gone.json()["kind"]) == (200, "withdrawn")
    assert len(ana.get(ADDRESS).json()["results"]) == 3
    grid = ana.get(f"forecast/rollup?period={HERE}").json()
    assert grid["total"]["amounts"]["commit"]["final_minor"] == 0
