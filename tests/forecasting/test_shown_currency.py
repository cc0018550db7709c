"""Numbers in another currency: each deal by itself at the rates of its close date, so that sums stay sums."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from django.utils import timezone

from forecasting.quotas.models import Quota
from otc.calendar.rules import period_of
from otc.money.rules import DECIMALS, convert
from otc.money.services import rate_write
from otc.tenancy.context import use
from otc.tenancy.models import Person
from tests.api_client import bearer, secret_of
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

TODAY = day_in_house()
QUARTER = period_of(TODAY)
EARLY, LATE = QUARTER.first, TODAY
RATES = {"USD": ("0.92", "0.9"), "JPY": ("0.0061", "0.0059"), "KWD": ("3.01", "2.97")}


@pytest.fixture
def rated(house):
    """Deals in four currencies on two days that have other rates."""
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        for code, (first, second) in RATES.items():
            rate_write(code, valid_from=date(2020, 1, 1), rate=Decimal(first), now=timezone.now())
            if EARLY < LATE:
                rate_write(code, valid_from=LATE, rate=Decimal(second), now=timezone.now())
        for number, code in enumerate(("EUR", "USD", "JPY", "KWD")):
            for day in (EARLY, LATE):
                deal_with(
                    name=f"{code} {day}", owner_id=house.ana.id, category="commit", close_date=day, currency=code,
                    amount_minor=(12_345 + number) * 10 ** DECIMALS[code] + (1 if DECIMALS[code] else 0),
                )  # fmt: skip
        Quota(person=house.ana, period=QUARTER.key, amount_minor=1_000_00).save()
    return house


def rate_of(code, day):
    if code == "EUR":
        return Fraction(1)
    return Fraction(RATES[code][1 if day == LATE and EARLY < LATE else 0])


def expected(shown):
    total = 0
    for number, code in enumerate(("EUR", "USD", "JPY", "KWD")):
        amount = (12_345 + number) * 10 ** DECIMALS[code] + (1 if DECIMALS[code] else 0)
        for day in (EARLY, LATE):
            rate = rate_of(code, day) / rate_of(shown, day)
            total += convert(amount, from_currency=code, to_currency=shown, rate=rate)
    return total


@pytest.mark.parametrize("shown", ["EUR", "USD", "JPY", "KWD"])
def test_every_report_sums_the_same_parts(rated, client, shown):
    headers = bearer(secret_of(rated.eve))

    def ask(path):
        return client.get(f"/api/v1/{path}", {"currency": shown}, headers=headers).json()

    rollup, inspection, waterfall = ask("forecast/rollup"), ask("inspection"), ask("waterfall")
    assert {found["currency"] for found in (rollup, inspection, waterfall)} == {shown}
    assert rollup["total"]["amounts"]["open"]["rolled_up_minor"] == expected(shown)
    assert (
        inspection["total_minor"] == sum(d["corporate_minor"] for d in inspection["deals"]) == expected(shown)
    )
    assert waterfall["closing"]["amount_minor"] == expected(shown)
    moved = sum(bucket["amount_minor"] for bucket in waterfall["buckets"])
    assert waterfall["opening"]["amount_minor"] + moved == expected(shown)


def test_a_quota_counts_at_the_rate_of_the_last_day(rated, client):
    headers = bearer(secret_of(rated.eve))
    rows = client.get("/api/v1/forecast/rollup", {"currency": "USD"}, headers=headers).json()["rows"]
    quota = next(row["quota_minor"] for row in rows if row["name"] == "Ana Ruiz")
    assert quota == convert(1_000_00, from_currency="EUR", to_currency="USD", rate=1 / rate_of("USD", LATE))


def test_the_api_stays_with_the_organization_unless_it_is_asked(rated, client):
    with use(rated.organization.id):
        Person.objects.filter(id=rated.eve.id).update(shown_currency="USD")
    headers = bearer(secret_of(rated.eve))
    assert client.get("/api/v1/forecast/rollup", headers=headers).json()["currency"] == "EUR"
    refused = client.get("/api/v1/forecast/rollup", {"currency": "CHF"}, headers=headers)
    assert refused.status_code == 400 and "currency" in refused.json()["error"]["fields"]


@pytest.mark.parametrize(
    "page", ["deals/", "deals/board/", "inspection/", "flow/", "forecast/", "winloss/", "accounts/"]
)
def test_pages_show_the_persons_currency_and_say_so(rated, signed_in, page):
    with use(rated.organization.id):
        Person.objects.filter(id=rated.eve.id).update(shown_currency="JPY")
    text = signed_in(rated.eve).get(rated.url(page)).text
    assert "Shown in <b>JPY</b>" in text
    with use(rated.organization.id):
        Person.objects.filter(id=rated.eve.id).update(shown_currency="")
    assert "Shown in" not in signed_in(rated.eve).get(rated.url(page)).text


def test_the_deals_page_sums_the_parts_too(rated, signed_in):
    with use(rated.organization.id):
        Person.objects.filter(id=rated.eve.id).update(shown_currency="KWD")
    report = signed_in(rated.eve).get(rated.url("deals/?scope=everyone")).context["report"]
    assert report.sums.total_minor == expected("KWD") == sum(row.corporate_minor for row in report.rows)


def test_a_day_without_a_rate_of_the_shown_currency_stands_beside(house, client):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        rate_write("CHF", valid_from=date(TODAY.year + 3, 1, 1), rate=Decimal("1.05"), now=timezone.now())
        deal_with(name="Near", owner_id=house.ana.id, category="commit", close_date=TODAY, amount_minor=100)
    found = client.get(
        "/api/v1/forecast/rollup", {"currency": "CHF"}, headers=bearer(secret_of(house.eve))
    ).json()
    assert found["total"]["amounts"]["open"]["rolled_up_minor"] == 0
    assert found["unconvertible_sums"] == [{"currency": "EUR", "count": 1, "amount_minor": 100}]
