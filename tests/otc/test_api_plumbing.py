"""The API's plumbing: who gets in, how it says no, how lists page."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from otc.api.pages import Sort, keyset_page
from otc.identity.models import ApiToken
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.opportunities.models import Opportunity
from tests.api_client import NEXT_STEP, Caller, bearer, secret_of
from tests.conftest import House
from tests.days import day_in_house

pytestmark = pytest.mark.django_db


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_without_a_token_the_answer_is_401_and_says_what_to_send(house: House) -> None:
    answer = Client().get("/api/v1/opportunities")
    assert refusal(answer) == (401, "not_authenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "Authorization: Bearer" in answer.json()["error"]["message"]


def test_a_signed_in_browser_is_not_let_in_without_a_token(
    house: House, signed_in: Callable[[Person], Client]
) -> None:
    assert signed_in(house.ana).get("/api/v1/opportunities").status_code == 401


@pytest.mark.parametrize("secret", ["otc_nonsense", "", "x" * 5000, "\u00e9"])
def test_an_unknown_token_is_401(house: House, secret: str) -> None:
    answer = Client(headers=bearer(secret)).get("/api/v1/opportunities")
    assert refusal(answer) == (401, "not_authenticated")


@pytest.mark.parametrize("column", ["expires_at", "revoked_at"])
def test_an_expired_or_revoked_token_is_401_from_that_instant(house: House, column: str) -> None:
    secret = secret_of(house.ana)
    client = Client(headers=bearer(secret))
    assert client.get("/api/v1/opportunities").status_code == 200
    with use(house.organization.id):
        ApiToken.objects.update(**{column: timezone.now()})
    assert client.get("/api/v1/opportunities").status_code == 401


def test_a_token_of_somebody_who_left_is_401(house: House) -> None:
    caller = Caller(house.ana)
    with use(house.organization.id):
        Person.objects.filter(id=house.ana.id).update(left_on=day_in_house() - timedelta(days=1))
    assert refusal(caller.get("opportunities")) == (401, "not_authenticated")


def test_a_token_that_may_only_read_can_not_write(house: House) -> None:
    caller = Caller(house.ana, scopes=["read"])
    assert caller.get("opportunities").status_code == 200
    assert refusal(caller.post("opportunities", {"name": "Kestrel"})) == (403, "forbidden")


def test_every_refusal_has_one_shape(house: House) -> None:
    caller = Caller(house.ana)
    answers = [
        caller.get("opportunities?colour=red"),
        caller.get("nowhere"),
        caller.call("put", "opportunities", {}),
        caller.post("opportunities", {"name": ""}),
        caller.post("opportunities", {"name": "x", "account_id": str(house.ana.id), **NEXT_STEP}),
    ]
    assert [refusal(answer) for answer in answers] == [
        (400, "invalid"),
        (404, "not_found"),
        (405, "method_not_allowed"),
        (400, "invalid"),
        (422, "refused"),
    ]
    for answer in answers:
        assert set(answer.json()["error"]) == {"code", "message", "fields"}
    assert answers[0].json()["error"]["fields"].keys() == {"colour"}
    assert answers[4].json()["error"]["fields"] == {"account": ["There is no such account"]}


def test_a_body_that_is_not_json_is_refused_in_words(house: House) -> None:
    caller = Caller(house.ana)
    broken = caller.client.post("/api/v1/opportunities", data="{", content_type="application/json")
    assert refusal(broken) == (400, "bad_request")
    form = caller.client.post("/api/v1/opportunities", data={"name": "x"})
    assert refusal(form) == (415, "unsupported_media_type")
    listed = caller.post("opportunities", [1])
    assert refusal(listed) == (400, "invalid")


def test_a_parameter_given_twice_is_refused(house: House) -> None:
    answer = Caller(house.ana).get("opportunities?limit=1&limit=2")
    assert answer.json()["error"]["fields"] == {"limit": ["Given more than once."]}


def test_a_fault_of_ours_is_a_500_without_detail(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Caller(house.ana)
    caller.client.raise_request_exception = False

    def burst(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("pipeline.opportunities.api.written_page", burst)
    answer = caller.get("opportunities")
    assert refusal(answer) == (500, "server_error")
    assert b"hunter2" not in answer.content


def test_too_many_requests_wait(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("otc.api.auth.TokenThrottle.rate", "2/min", raising=False)
    caller = Caller(house.ana)
    answers = [caller.get("stages") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert Caller(house.ana).get("stages").status_code == 200


def test_the_schema_is_public_and_names_the_bearer_scheme(db: None) -> None:
    schema = Client().get("/api/v1/schema").json()
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    operation = schema["paths"]["/api/v1/opportunities"]["get"]
    assert {"state", "as_of", "scope", "period", "cursor"} <= {p["name"] for p in operation["parameters"]}
    assert {"200", "400", "401", "403", "404", "429"} <= set(operation["responses"])


@pytest.mark.django_db(transaction=True)
def test_the_first_use_of_a_day_is_remembered(house: House) -> None:
    Caller(house.ana).get("stages")
    with use(house.organization.id):
        assert (
            ApiToken.objects.get().last_used_on == timezone.now().astimezone(ZoneInfo("Europe/Berlin")).date()
        )


SORTS = {
    "close_date": Sort("close_date", date, is_nullable=True),
    "amount_minor": Sort("amount_minor", int, is_nullable=True),
    "created_at": Sort("created_at", datetime),
}


@pytest.mark.parametrize("sort", [name for column in SORTS for name in (column, f"-{column}")])
def test_pages_hold_every_row_once_in_order_with_empty_ones_last(
    inside: House, make_deal: Callable[..., Any], sort: str
) -> None:
    days = [
        None,
        date(2026, 11, 2),
        date(2026, 11, 2),
        date(2026, 12, 1),
        None,
        date(2025, 1, 1),
        date(2026, 11, 2),
    ]
    for number, day in enumerate(days):
        make_deal(f"Deal {number}", close_date=day, amount_minor=None if number % 3 == 0 else number // 2)
    rows = Opportunity.objects.values("id", *SORTS)
    seen: list[Any] = []
    cursor = None
    while True:
        page = keyset_page(rows, parameters={"sort": sort, "limit": 2, "cursor": cursor}, sorts=SORTS)
        seen += page.rows
        cursor = page.next_cursor
        if cursor is None:
            break
    column, backward = sort.removeprefix("-"), sort.startswith("-")
    values = [row[column] for row in seen]
    present = [value for value in values if value is not None]
    assert len({row["id"] for row in seen}) == len(seen) == len(days)
    assert present == sorted(present, reverse=backward)
    assert values[: len(present)] == present


def test_a_next_address_leads_on_with_the_same_filters(house: House, make_deal: Callable[..., Any]) -> None:
    with use(house.organization.id):
        for number in range(5):
            make_deal(f"Deal {number}", owner=house.ana)
        make_deal("Else", owner=house.ana)
    caller = Caller(house.ana)
    first = caller.get("opportunities?q=deal&limit=3").json()
    second = caller.get(first["next"]).json()
    assert len(first["results"]) == 3 and len(second["results"]) == 2 and second["next"] is None


@pytest.mark.parametrize("cursor", ["x", "WyJpZCJd", "bnVsbA", "W10", "8J-YgA", "e30"])
def test_a_forged_cursor_is_refused(house: House, cursor: str) -> None:
    answer = Caller(house.ana).get(f"opportunities?cursor={cursor}")
    assert answer.status_code == 400 and "cursor" in answer.json()["error"]["fields"]
