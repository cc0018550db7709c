"""What can't be asked of a report is answered alike by its page and its endpoint: 404 or 400, naming the field."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import House
from tests.guards.deal_surfaces import SURFACES
from tests.guards.report_house import build_report_house
from tests.guards.routes import endpoint_routes, page_routes
from tests.guards.surface import Surface, looker
from tests.nightly import IS_NIGHTLY

REFUSED: list[tuple[str, dict[str, str], int]] = [
    ("max", {"scope": "eve"}, 404),
    ("ana", {"scope": "unassigned"}, 404),
    ("eve", {"scope": "nobody"}, 404),
    ("eve", {"period": "2026-Q5"}, 400),
    ("eve", {"as_of": "2999-01-01"}, 400),
    ("eve", {"as_of": "yesterday"}, 400),
    ("eve", {"org_chart": "tomorrow"}, 400),
    ("eve", {"knowledge": "some"}, 400),
]


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """Built once for this file and rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_report_house(deals=2)
        transaction.set_rollback(True)


def asked_of(surfaces: list[Surface], *, turn: int) -> list[Surface]:
    """Every third report, each time others than before, so that each hears some of all; all of them at night."""
    return surfaces if IS_NIGHTLY else surfaces[turn % 3 :: 3]


def test_what_can_not_be_asked_is_answered_alike(db: None, lived: House) -> None:
    house = lived
    pages = {
        route.name: route.url({"slug": house.organization.slug}) for route in page_routes() if not route.parts
    }
    endpoints = {route.name: route.url({}) for route in endpoint_routes() if not route.parts}
    for turn, (name, parameters, status) in enumerate(REFUSED):
        eyes = looker(house, name, parameters)
        for surface in asked_of(SURFACES, turn=turn):
            page = eyes.browser.get(pages[surface.page], eyes.parameters)
            answer = eyes.caller.client.get(endpoints[surface.endpoint], eyes.parameters)
            assert (page.status_code, answer.status_code) == (status, status), (surface.page, parameters)
            fields = answer.json()["error"]["fields"]
            assert list(fields) == ([next(iter(parameters))] if status == 400 else [])


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("waterfall?mode=paths", "mode"),
        ("waterfall?group_by=colour", "group_by"),
        ("waterfall?bucket=colour", "bucket"),
        ("waterfall?bucket=won&key=red", "key"),
        ("flow?by=person", "by"),
        ("flow?start=group:none", "end"),
        ("flow?start=group:red&end=group:none", "start"),
        ("waterfall?from=2026-01-01&since=period", "from"),
        ("waterfall?to=2026-01-01&as_of=2026-01-01", "to"),
        ("waterfall?to=soon", "to"),
        ("waterfall?from=soon", "from"),
        ("waterfall?from=2026-06-01&to=2026-05-01", "from"),
        ("waterfall?since=soon", "since"),
        ("forecast/rollup?currency=NOK", "currency"),
        ("forecast/rollup?since=monday", "since"),
        ("inspection?tab=best", "tab"),
        ("inspection?sort=colour", "sort"),
        ("inspection?page=-1", "page"),
        ("winloss?group_by=colour", "group_by"),
        ("winloss?group=person", "group"),
    ],
)
def test_a_parameter_that_can_not_be_meant_is_named(db: None, lived: House, path: str, field: str) -> None:
    eyes = looker(lived, "eve", {})
    answer = eyes.caller.get(path)
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["error"]["fields"]) == [field]
