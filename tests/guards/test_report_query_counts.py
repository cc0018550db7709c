"""A report's queries don't grow with its rows: the same number for 3 deals and 60, for 3 people and 12."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.calendar.rules import period_of
from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import person_create
from tests.conftest import House
from tests.days import day_in_house
from tests.forecasting.lives import deal_with
from tests.guards.routes import endpoint_routes, page_routes
from tests.guards.surface import Looker, looker
from tests.nightly import IS_NIGHTLY

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PAGES = [
    "inspection",
    "flow",
    "flow_matrix",
    "trends",
    "funnel",
    "forecast",
    "landing",
    "winloss",
    "health",
    "integrity",
]
ENDPOINTS = [
    "api-inspection",
    "api-waterfall",
    "api-flow",
    "api-trends",
    "api-funnel",
    "api-forecast-rollup",
    "api-landing",
    "api-winloss",
    "api-health",
    "api-integrity",
]
MORE = {"api-waterfall": {"group_by": "stage"}}
# Each page's whole request, sign-in and tenant included. A ceiling, so that a change is a decision.
AT_MOST = 38


def add_deals(house: House, count: int) -> None:
    """Deals of everybody in the present quarter: open in every category, won, lost, and without a decision."""
    random, owners = Random(count), [*people_in_line(house), None]
    day = period_of(day_in_house()).last
    with use(house.organization.id, channel="ui"):
        for number in range(count):
            outcome = [None, None, "won", "lost", "no_decision"][number % 5]
            deal_with(
                name=f"Deal {number}",
                owner_id=getattr(owners[number % len(owners)], "id", None),
                category="closed" if outcome == "won" else random.choice(["commit", "pipeline", None]),
                outcome=outcome,
                closed_at=timezone.now() if outcome else None,
                amount_minor=random.randrange(10**7),
                close_date=day,
            )


def add_people(house: House, count: int) -> None:
    with use(house.organization.id):
        for number in range(count):
            house.people[f"new{number}"] = person_create(
                name=f"New {number}", role="rep", manager=house.max, since=LONG_AGO
            )


def people_in_line(house: House) -> list[Person]:
    return [person for name, person in house.people.items() if name not in ("ops", "bot")]


def addresses(house: House) -> dict[str, str]:
    pages = {
        route.name: route.url({"slug": house.organization.slug}) for route in page_routes() if not route.parts
    }
    endpoints = {route.name: route.url({}) for route in endpoint_routes() if not route.parts}
    return {name: (pages | endpoints)[name] for name in (*PAGES, *ENDPOINTS)}


def query_count(eyes: Looker, name: str, url: str) -> int:
    """Queries of a request, the second one: the first fills caches and notes the visit."""
    client: Any = eyes.caller.client if name in ENDPOINTS else eyes.browser
    for _ in range(2):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert client.get(url, MORE.get(name, {})).status_code == 200
    return len(captured)


def counts(house: House, *, names: Collection[str] = (*PAGES, *ENDPOINTS)) -> dict[str, int]:
    eyes = looker(house, "eve", {})
    return {name: query_count(eyes, name, url) for name, url in addresses(house).items() if name in names}


def unequal(before: dict[str, int], after: dict[str, int]) -> dict[str, tuple[int, int]]:
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def test_queries_are_constant_in_deals_and_in_people(house: House) -> None:
    add_deals(house, 3)
    before = counts(house)
    assert {name: count for name, count in before.items() if count > AT_MOST} == {}
    add_deals(house, 42)
    # Each alone at night: what grows with either is seen when both have.
    if IS_NIGHTLY:
        assert unequal(before, counts(house)) == {}
    add_people(house, 9)
    add_deals(house, 15)
    assert unequal(before, counts(house)) == {}


def test_a_query_per_row_is_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a report that asks once per person."""
    from forecasting.rollup import api

    whole: Callable[[Any], Any] = api.row_item

    def row_item(row: Any) -> Any:
        Person.objects.filter(id=row.person_id).first()
        return whole(row)

    monkeypatch.setattr(api, "row_item", row_item)
    add_deals(house, 3)
    names = ("forecast", "api-forecast-rollup")
    before = counts(house, names=names)
    add_people(house, 9)
    found = unequal(before, counts(house, names=names))
    assert found == {
        "api-forecast-rollup": (before["api-forecast-rollup"], before["api-forecast-rollup"] + 9)
    }
