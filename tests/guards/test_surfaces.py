"""Page = API = CSV = report, to the minor unit, for every report, over people, scopes, periods and days."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from forecasting.rollup.rules import Amounts
from otc.api.schema import schema_text
from tests.conftest import House
from tests.guards.deal_surfaces import SURFACES
from tests.guards.report_house import build_report_house
from tests.guards.routes import Route, endpoint_routes, page_routes
from tests.guards.surface import Surface, looker, unlike
from tests.nightly import IS_NIGHTLY

# Past and present in turn, so that any few neighbours have both.
FRAMES: list[tuple[str, dict[str, str]]] = [
    ("eve", {}),
    ("eve", {"as_of": "40"}),
    ("eve", {"period": "previous"}),
    ("eve", {"as_of": "40", "org_chart": "now", "scope": "max"}),
    ("eve", {"period": "year"}),
    ("max", {"scope": "ana", "as_of": "100", "period": "year"}),
    ("eve", {"period": "month"}),
    ("ana", {"as_of": "10"}),
    ("eve", {"scope": "unassigned"}),
    ("eve", {"as_of": "40", "knowledge": "now", "period": "year"}),
    ("eve", {"scope": "max", "period": "year"}),
    ("ops", {"scope": "unassigned", "as_of": "20", "period": "year"}),
    ("max", {}),
    ("kim", {"period": "year"}),
]
# Each report looks through the first frame and this many of the others; together they look through all.
OTHERS_PER_SURFACE = 3
each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.page)


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    """The house with a past, built once for this file and rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_report_house()
        transaction.set_rollback(True)


def frames_of(turn: int) -> list[tuple[str, dict[str, str]]]:
    """Frames for the surface with this number. OTC_NIGHTLY=1 looks at every report through every frame."""
    if IS_NIGHTLY:
        return FRAMES
    first, *others = FRAMES
    begin = turn * OTHERS_PER_SURFACE
    return [first, *(others[(begin + step) % len(others)] for step in range(OTHERS_PER_SURFACE))]


def test_every_frame_is_looked_through_and_each_report_in_the_past_too() -> None:
    taken = [frames_of(turn) for turn in range(len(SURFACES))]
    seen = [frame for frames in taken for frame in frames]
    assert [frame for frame in FRAMES if seen.count(frame) < 2] == []
    assert all(any("as_of" in parameters for _, parameters in frames) for frames in taken)


@each_surface
def test_page_csv_and_api_show_the_reports_numbers(db: None, lived: House, surface: Surface) -> None:
    problems = []
    for name, parameters in frames_of(SURFACES.index(surface)):
        found = surface.differences(looker(lived, name, parameters))
        problems += [f"{name} {parameters}: {problem}" for problem in found]
    assert problems == []


def api_url(surface: Surface) -> str:
    return next(route for route in endpoint_routes() if route.name == surface.endpoint).url({})


def test_the_reports_agree_with_each_other(db: None, lived: House) -> None:
    for name, parameters in FRAMES if IS_NIGHTLY else [*FRAMES[0:8:2], *FRAMES[1::4]]:
        eyes = looker(lived, name, parameters)
        columns = eyes.api("forecast/rollup")["total"]["amounts"]
        inspected, fallen = eyes.api("inspection"), eyes.api("waterfall")
        won = eyes.api("winloss")["total"]["won_minor"]
        assert columns["closed"]["rolled_up_minor"] == won == inspected["summary"]["now"]["won_minor"]
        open_minor = columns["open"]["rolled_up_minor"]
        landed = eyes.api("landing")
        assert landed["won_minor"] == won
        if landed["stages"]:  # a period that is over has none
            assert sum(stage["amount_minor"] for stage in landed["stages"]) == open_minor
        assert open_minor == inspected["total_minor"] == inspected["summary"]["now"]["open_minor"]
        # A deal that lacks a rate at the earlier end stands at neither end of a waterfall.
        if not fallen["unconvertible"]:
            assert open_minor == fallen["closing"]["amount_minor"]


# Is every report in the table?


# Pages that give CSV and no number of a report.
NO_REPORTS = {"audit": "entries of the log"}
# Reports outside the frame of scope and period, with where their surfaces are compared.
ELSEWHERE = {
    "lead_sources": "a cohort of leads; tests/pipeline/test_leads.py",
    "health": "every open deal, whatever the period; tests/pipeline/test_health_report.py",
    "integrity": "every open deal, whatever the period; tests/forecasting/test_integrity.py",
    "forecast_cell": "one cell of the forecast; tests/forecasting/test_grid_cell.py",
    "forecast_adjust": "its editor; the same",
    "forecast_judge": "a POST; tests/forecasting/test_judge_page.py",
    "forecast_calls": "what people said; tests/forecasting/test_calls_page.py",
    "forecast_history": "the rollup at several instants; tests/forecasting/test_forecast_history.py",
    "quotas": "what is asked of whom; tests/forecasting/test_quotas.py",
    "quota_story": "the same, over time",
    "line_preview": "what a change would do; tests/forecasting/test_previews.py",
    "leaving_preview": "the same",
    "lines_preview": "the same",
    "team": "each row a branch; tests/forecasting/test_one_to_one.py",
    "inspection_flow": "the waterfall's chart as a part of the inspection; tests/forecasting/test_as_of.py",
}


ENDPOINTS_ELSEWHERE = {
    "/api/v1/forecast/history": "as the page",
    "/api/v1/pay/attainment": "no page gives it as CSV; tests/forecasting/test_pay.py",
    "/api/v1/team": "as the page",
    "/api/v1/team/{person_id}": "one person's sheet; tests/forecasting/test_one_to_one.py",
}


def report_pages(house: House) -> list[Route]:
    """Pages that give CSV: every list and report does."""
    eyes = looker(house, "ops", {})
    found = []
    for route in page_routes():
        if route.parts:
            continue
        answer = eyes.browser.get(route.url({"slug": house.organization.slug}), {"format": "csv"})
        is_csv = answer.headers.get("Content-Type", "").startswith("text/csv")
        if is_csv and route.name not in NO_REPORTS | ELSEWHERE:
            found.append(route)
    return found


def report_endpoints() -> set[str]:
    """Paths of the schema whose GET takes a scope and a period: they sum or list deals."""
    paths = json.loads(schema_text())["paths"]
    return {
        path
        for path, operations in paths.items()
        if {"scope", "period"}
        <= {parameter["name"] for parameter in operations.get("get", {}).get("parameters", [])}
    } - set(ENDPOINTS_ELSEWHERE)


def missing_from(surfaces: list[Surface], *, pages: list[Route], endpoints: set[str]) -> set[str]:
    known_pages = {surface.page for surface in surfaces}
    known_endpoints = {api_url(surface) for surface in surfaces}
    return {route.name for route in pages if route.name not in known_pages} | (endpoints - known_endpoints)


def test_every_report_is_in_the_table(db: None, lived: House, unread: None) -> None:
    pages, endpoints = report_pages(lived), report_endpoints()
    assert missing_from(SURFACES, pages=pages, endpoints=endpoints) == set()
    assert {route.name for route in pages} == {surface.page for surface in SURFACES}
    # Negative control: a report that nobody put into the table is found, as a page and as an endpoint.
    for surface in SURFACES:
        others = [other for other in SURFACES if other is not surface]
        missing = missing_from(others, pages=pages, endpoints=endpoints)
        assert missing == {surface.page, api_url(surface)}


# Addresses that only take what was typed and lead back to a page.
POSTED_TO = {"forecast_call"}


OWN_TESTS = (
    "forecasting.alerts",
    "forecasting.calls",
    "forecasting.history",
    "forecasting.locks",
    "forecasting.onetoone",
    "forecasting.pay",
    "forecasting.preview",
    "forecasting.quotas",
    "forecasting.rhythm",
    "forecasting.types",
)


def test_every_page_of_forecasting_and_post_mortem_is_in_the_table() -> None:
    rooms = ("forecasting", "postmortem")
    # Alerts are rules and what they told of; a sheet of one person, locks and calls are compared in tests of their own.
    modules = {route.name: route.view.__module__ for route in page_routes()}
    names = {name for name, module in modules.items() if module.startswith(rooms)}
    names -= {name for name, module in modules.items() if module.startswith(OWN_TESTS)}
    assert names - POSTED_TO - set(ELSEWHERE) <= {surface.page for surface in SURFACES}


# Would the guard notice?


def test_another_number_on_one_surface_is_noticed(
    db: None, lived: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecast = next(surface for surface in SURFACES if surface.page == "forecast")
    eyes = looker(lived, "eve", {})
    assert forecast.differences(eyes) == []

    def one_more(amounts: Amounts) -> dict[str, int]:
        return {"final_minor": amounts.final + 1}

    with monkeypatch.context() as patch:
        patch.setattr("forecasting.rollup.api.amounts_item", one_more)
        assert {problem.split(":")[0] for problem in forecast.differences(eyes)} == {"forecast api"}
    with monkeypatch.context() as patch:
        patch.setattr("forecasting.grid.export.finals", lambda row: [1] * 11)
        assert {problem.split(":")[0] for problem in forecast.differences(eyes)} == {"forecast csv"}
    with monkeypatch.context() as patch:
        patch.setattr("otc.ui.format.money_exact", lambda minor, currency: "7.00\u00a0EUR")
        assert {problem.split(":")[0] for problem in forecast.differences(eyes)} == {"forecast page"}


@each_surface
def test_the_house_has_something_to_show_on_every_surface(db: None, lived: House, surface: Surface) -> None:
    """Surfaces that agree because they are empty prove nothing."""
    eyes = looker(lived, "eve", {"period": "year"})
    for found in (surface.on_page(eyes), surface.in_csv(eyes), surface.over_api(eyes)):
        assert sum(1 for value in found.values() if value) > 4
        key = next(iter(found))
        assert unlike(found, {**found, key: "tampered"}) != []
        assert unlike(found, {name: value for name, value in found.items() if name != key}) != []
