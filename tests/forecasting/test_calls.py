"""A call is submitted, never changed, and the latest counts: service, database, API and forecast page."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from forecasting.calls.models import Call
from forecasting.calls.queries import latest_calls
from forecasting.calls.services import call_submit
from otc.calendar.rules import following, period_of, previous
from otc.tenancy.context import use
from pipeline.opportunities.rules import Refused
from tests.api_client import Caller
from tests.conftest import House
from tests.days import day_in_house

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
QUARTER = period_of(NOW.date())
HERE = period_of(day_in_house())


def submit(house: House, amount_minor: int, *, by: str = "ana", **more: Any) -> Call:
    given: dict[str, Any] = {"period": QUARTER, "now": NOW, "today": NOW.date(), **more}
    return call_submit(house.organization, author=house.people[by], amount_minor=amount_minor, **given)


def test_the_latest_call_counts_and_earlier_ones_stay(inside):
    submit(inside, 500_00)
    submit(inside, 700_00, now=NOW + timedelta(days=7))
    assert latest_calls(QUARTER.key, as_of=NOW + timedelta(days=8))[inside.ana.id].amount_minor == 700_00
    assert latest_calls(QUARTER.key, as_of=NOW + timedelta(days=1))[inside.ana.id].amount_minor == 500_00
    assert latest_calls(QUARTER.key, as_of=NOW - timedelta(days=1)) == {}


def test_of_two_calls_of_one_instant_the_second_counts(inside):
    submit(inside, 500_00)
    submit(inside, 700_00)
    assert latest_calls(QUARTER.key, as_of=NOW + timedelta(1))[inside.ana.id].amount_minor == 700_00


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"period": previous(QUARTER)}, "period"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"column": "pipeline"}, "column"),
    ],
)
def test_what_is_over_negative_or_unknown_is_refused(inside, more, field):
    with pytest.raises(Refused) as refusal:
        submit(inside, **{"amount_minor": 1, **more})
    assert refusal.value.field == field


def test_nobody_but_administrators_and_integrations_calls_for_others(inside):
    with pytest.raises(Refused, match="their own"):
        submit(inside, 1, by="max", person_id=inside.ana.id)
    call = submit(inside, 1, by="bot", person_id=inside.ana.id)
    assert (call.person_id, call.submitted_by_id) == (inside.ana.id, inside.bot.id)


@pytest.mark.parametrize(
    "statement", ["UPDATE forecasting_call SET amount_minor = 1", "DELETE FROM forecasting_call"]
)
def test_the_database_refuses_to_change_or_delete_a_call(inside, statement):
    submit(inside, 500_00)
    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_api_submits_and_lists_what_one_may_see(house):
    made = Caller(house.ana).post(
        "calls", {"period": HERE.key, "amount_minor": 900_00, "note": "Kestrel signs"}
    )
    assert made.status_code == 201
    assert made.json() | {"id": "", "submitted_at": ""} == {
        "id": "",
        "person_id": str(house.ana.id),
        "period": HERE.key,
        "type_id": None,
        "column": "commit_cumulative",
        "amount_minor": 900_00,
        "currency": "EUR",
        "note": "Kestrel signs",
        "submitted_at": "",
        "submitted_by_id": str(house.ana.id),
    }
    assert [call["id"] for call in Caller(house.max).get("calls").json()["results"]] == [made.json()["id"]]
    assert Caller(house.jon).get("calls").json()["results"] == []


def test_a_refused_call_names_its_field(house):
    over = previous(previous(HERE)).key
    refused = Caller(house.ana).post("calls", {"period": over, "amount_minor": 1})
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (422, ["period"])
    assert Caller(house.ana).post("calls", {"period": "soon", "amount_minor": 1}).status_code == 400


def test_zoe_sees_no_call_and_calls_for_nobody_here(house, elsewhere):
    Caller(house.ana).post("calls", {"period": HERE.key, "amount_minor": 1})
    zoe = Caller(elsewhere.zoe)
    assert zoe.get("calls").json()["results"] == []
    body = {"period": HERE.key, "amount_minor": 1, "person_id": str(house.ana.id)}
    assert zoe.post("calls", body).status_code == 422


def test_the_page_takes_a_call_and_shows_it_beside_its_person(house, signed_in):
    client = signed_in(house.ana)
    home = house.url("forecast/")
    assert "Call the quarter" in client.get(home).content.decode()
    answer = client.post(f"{home}call/", {"period": HERE.key, "amount": "1.2m", "note": "Sure"}, follow=True)
    assert "You called 1,200,000 EUR" in answer.content.decode()
    assert {key: said.amount_minor for key, said in answer.context["grid"].calls.items()} == {
        house.ana.id: 1_200_000_00
    }
    assert "1,200" in answer.content.decode()


def test_an_amount_that_is_not_understood_is_said_and_nothing_is_submitted(house, signed_in):
    answer = signed_in(house.ana).post(
        house.url("forecast/call/"), {"period": HERE.key, "amount": "lots"}, follow=True
    )
    assert any("lots" in str(message) for message in answer.context["messages"])
    with use(house.organization.id):
        assert not Call.objects.exists()


def test_a_past_day_and_a_past_period_offer_no_call(house, signed_in):
    client = signed_in(house.ana)
    for asked in ({"period": previous(HERE).key}, {"as_of": "2026-01-05"}):
        assert "Call the quarter" not in client.get(house.url("forecast/"), asked).content.decode()
    assert (
        "Call the quarter"
        in client.get(house.url("forecast/"), {"period": following(HERE).key}).content.decode()
    )
