"""The settings page of currencies, the person's own currency, and rates over the API."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from otc.money.models import Rate
from otc.money.queries import rate_on
from otc.money.services import rate_withdraw, rate_write
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER, Person
from tests.api_client import bearer, secret_of
from tests.days import day_in_house

JANUARY = date(2026, 1, 1)
TYPED = {"currency": "usd", "valid_from": "2026-01-01", "rate": "0.92"}


def add(house, rate="0.92", *, currency="USD", day=JANUARY):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        return rate_write(currency, valid_from=day, rate=Decimal(rate), now=timezone.now(), is_confirmed=True)


def present(house, currency="USD", day=JANUARY):
    with use(house.organization.id):
        return rate_on(currency, day)


def test_a_rate_is_added_and_undone(house, signed_in):
    client = signed_in(house.ops)
    answer = client.post(house.url("settings/currencies/add/"), TYPED, follow=True)
    assert answer.status_code == 200 and "0.92" in answer.text and present(house) == Decimal("0.92")
    (said,) = answer.context["messages"]
    client.post(said.extra_tags)
    assert present(house) is None


def test_a_correction_shows_what_was_known_before(house, signed_in):
    add(house)
    client = signed_in(house.ops)
    client.post(house.url("settings/currencies/add/"), TYPED | {"rate": "0.93"})
    page = client.get(house.url("settings/currencies/of/USD/")).text
    assert "0.93" in page and "<s>0.92</s>" in page


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"rate": "0"}, "above 0"),
        ({"rate": "1,08"}, "leave out commas"),
        ({"rate": "0.00000000001"}, "at most 10 decimals"),
        ({"currency": "EUR"}, "one EUR is always 1"),
        ({"currency": "XXQ"}, "not a currency code"),
        ({"valid_from": "soon"}, "is not a date"),
    ],
)
def test_what_can_not_be_is_said_beside_the_field(house, signed_in, typed, sentence):
    answer = signed_in(house.ops).post(house.url("settings/currencies/add/"), TYPED | typed)
    assert answer.status_code == 422 and sentence in answer.text
    with use(house.organization.id):
        assert not Rate.objects.exists()


def test_an_unlikely_rate_asks_to_be_confirmed(house, signed_in):
    add(house)
    client, typed = signed_in(house.ops), TYPED | {"valid_from": "2026-02-01", "rate": "92"}
    answer = client.post(house.url("settings/currencies/add/"), typed)
    assert answer.status_code == 422 and "100 times off" in answer.text and 'type="checkbox"' in answer.text
    assert client.post(house.url("settings/currencies/add/"), typed | {"is_right": "on"}).status_code == 302
    assert present(house, day=date(2026, 2, 1)) == 92


def test_withdrawing_shows_the_deals_that_lose_their_rate(house, signed_in, make_deal):
    written = add(house)
    with use(house.organization.id, channel="ui"):
        make_deal(
            "Fjord", owner=house.ana, amount_minor=12_000_00, currency="USD", close_date=date(2026, 3, 1)
        )
        make_deal("Eiger", owner=house.ana, amount_minor=500, currency="EUR")
    client = signed_in(house.ops)
    assert "Every amount can be counted in EUR" in client.get(house.url("settings/currencies/")).text
    client.post(house.url(f"settings/currencies/rates/{written.rate.id}/withdraw/"))
    page = client.get(house.url("settings/currencies/"))
    (missing,) = page.context["report"].missing
    assert (missing.currency, missing.count, missing.amount_minor) == ("USD", 1, 12_000_00)
    assert "tab=no_rate" in page.text
    listed = client.get(house.url("deals/?tab=no_rate&state=any&scope=everyone"))
    assert [row.name for row in listed.context["report"].rows] == ["Fjord"]


@pytest.mark.parametrize("path", ["settings/currencies/add/", "settings/calendar/change/"])
def test_only_administrators_write(house, signed_in, path):
    for person in (house.ana, house.max, house.eve):
        assert signed_in(person).post(house.url(path), TYPED).status_code == 403


def test_a_currency_that_is_none_is_not_found(house, signed_in):
    client = signed_in(house.ops)
    assert client.get(house.url("settings/currencies/of/XXQ/")).status_code == 404
    assert client.get(house.url("settings/currencies/of/EUR/")).status_code == 404


def test_rates_over_the_api(house, client):
    add(house, "0.91")
    headers = bearer(secret_of(house.ops))
    body = {"currency": "USD", "valid_from": "2026-01-01", "rate": "0.9200000001"}
    made = client.post("/api/v1/rates", body, content_type="application/json", headers=headers)
    assert (made.status_code, made.json()["rate"]) == (201, "0.9200000001")
    (row,) = client.get("/api/v1/rates?currency=USD", headers=headers).json()["results"]
    assert row["id"] == made.json()["id"] and row["known_to"] is None
    assert client.delete(f"/api/v1/rates/{row['id']}", headers=headers).status_code == 204
    assert client.delete(f"/api/v1/rates/{row['id']}", headers=headers).status_code == 422
    assert client.get("/api/v1/rates", headers=headers).json()["results"] == []


def test_the_api_refuses_what_the_page_refuses(house, client):
    add(house)
    headers = bearer(secret_of(house.ops))
    body = {"currency": "USD", "valid_from": "2026-02-01", "rate": "92"}
    post = {"content_type": "application/json", "headers": headers}
    unlikely = client.post("/api/v1/rates", body, **post)
    assert unlikely.status_code == 422 and "slipped" in unlikely.json()["error"]["message"]
    assert client.post("/api/v1/rates", body | {"is_confirmed": True}, **post).status_code == 201
    assert client.post("/api/v1/rates", body | {"currency": "EUR"}, **post).status_code == 422
    assert client.post("/api/v1/rates", body | {"rate": "-1"}, **post).status_code == 422
    rep = bearer(secret_of(house.ana))
    assert client.get("/api/v1/rates", headers=rep).status_code == 200
    refused = client.post("/api/v1/rates", body, content_type="application/json", headers=rep)
    assert refused.status_code == 403


def test_a_person_chooses_the_currency_they_see(house, signed_in):
    add(house)
    client = signed_in(house.ana)
    answer = client.post(house.url("shown-currency/"), {"currency": "USD", "next": house.url("deals/")})
    assert answer.url == house.url("deals/")
    with use(house.organization.id):
        assert Person.objects.get(id=house.ana.id).shown_currency == "USD"
    client.post(house.url("shown-currency/"), {"currency": "", "next": "https://elsewhere.example/"})
    with use(house.organization.id):
        assert Person.objects.get(id=house.ana.id).shown_currency == ""
    client.post(house.url("shown-currency/"), {"currency": "NOK"})
    with use(house.organization.id):
        assert Person.objects.get(id=house.ana.id).shown_currency == ""


def test_a_withdrawn_rate_is_put_back_from_its_page(house, signed_in):
    written = add(house)
    with use(house.organization.id, channel="ui"):
        rate_withdraw(written.rate.id, now=timezone.now())
    client = signed_in(house.ops)
    assert "Put back" in client.get(house.url("settings/currencies/of/USD/")).text
    client.post(house.url(f"settings/currencies/rates/{written.rate.id}/undo/"))
    with use(house.organization.id):
        assert Rate.objects.filter(known_to=FOREVER).count() == 1


def test_many_rates_come_in_pages(house, signed_in):
    with use(house.organization.id):
        days = [date(2020, 1, 1) + timedelta(days=n) for n in range(130)]
        Rate.objects.bulk_create(Rate(currency="USD", valid_from=day, rate="0.9") for day in days)
    client, url, seen = signed_in(house.ops), house.url("settings/currencies/of/USD/"), []
    while url:
        page = client.get(url)
        seen += [row.rate.valid_from for row in page.context["report"].rows]
        before = page.context["report"].next_before
        url = house.url(f"settings/currencies/of/USD/?before={before}") if before else ""
    assert seen == days[::-1]
    assert client.get(house.url("settings/currencies/of/USD/?before=soon")).status_code == 404


def test_the_page_of_a_currency_answers_with_what_holds_today(house, signed_in):
    add(house, "0.92")
    ahead = day_in_house() + timedelta(days=400)
    add(house, "0.95", day=ahead)
    client, address = signed_in(house.ops), house.url("settings/currencies/of/USD/")
    for query in ("", f"?before={ahead.isoformat()}"):
        said = client.get(address + query).content.decode()
        assert "One USD is 0.92 EUR since" in said and ", 0.95 from" in said
