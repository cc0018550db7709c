"""Fit as a filter: the database counts the same points as the rules, on the page, the board and over the API."""

from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from otc.fields.rules import Option
from otc.fields.services import field_create
from otc.tenancy.context import use
from otc.tenancy.models import Person
from pipeline.accounts.models import Account
from pipeline.accounts.services import account_create
from pipeline.fit.matching import POINTS, measure_now
from pipeline.fit.report import fits_of
from pipeline.fit.rules import (
    AT_LEAST,
    BETWEEN,
    IS_SET,
    ONE_OF,
    Criterion,
    FitAsked,
    band_of,
    fit_words,
    runs_of,
)
from pipeline.fit.services import scorecard_set
from pipeline.opportunities.models import Opportunity
from tests.api_client import Caller
from tests.conftest import House

SignedIn = Callable[[Person], Client]
BANDS = {"fair_percent": 40, "good_percent": 70}
ASKED = (
    Criterion("Railway", "account.industry", ONE_OF, 4, ("Rail", "straße  und schiene", "İzmir")),
    Criterion("Country", "account.country", IS_SET, 8),
    Criterion("Staff", "account.field.staff", BETWEEN, 16, low=Decimal("19.5"), high=Decimal(800)),
    Criterion("Region", "account.field.region", ONE_OF, 32, ("emea",)),
    Criterion("Motto", "account.field.motto", ONE_OF, 64, ("On Time",)),
    Criterion("Founded", "account.field.founded", IS_SET, 1),
    Criterion("Budget", "deal.field.budget", AT_LEAST, 2, low=Decimal("50000.01")),
    Criterion("Source", "deal.source", ONE_OF, 5, ("fair",)),
    Criterion("Gone", "account.field.gone", IS_SET, 3),
    Criterion("Never", "account.field.staff", ONE_OF, 7, ("800",)),
)
# What an import may have left, beside what the services write.
ACCOUNTS: tuple[dict[str, Any], ...] = (
    {
        "industry": "RAIL",
        "country": "CH",
        "attributes": {"staff": 800, "region": "emea", "motto": "ON  time"},
    },
    {"industry": " rail ", "attributes": {"staff": 800.000001, "region": "Europe", "founded": "1901-02-30"}},
    {"industry": "STRASSE\u00a0und\tSchiene", "attributes": {"staff": "20", "founded": "1901-02-03"}},
    {"industry": "i̇zmir", "country": " ", "attributes": {"staff": "20 people", "motto": "On\u2003Time "}},
    {"industry": "", "attributes": {"staff": True, "region": 7, "motto": ["On Time"], "founded": 1901}},
    {"industry": "Railway", "attributes": {"staff": 19.5, "region": "na"}},
)
BUDGETS: tuple[dict[str, Any], ...] = (
    {"budget": {"amount_minor": 50_000_01, "currency": "EUR"}},
    {"budget": {"amount_minor": 50_000_00, "currency": "EUR"}},
    {"budget": {"amount_minor": 90_000_00, "currency": "USD"}},
    {"budget": "50000.01"},
    {"budget": None},
    {},
)


@pytest.fixture
def deals(house: House, make_deal: Callable[..., Any]) -> list[Opportunity]:
    """A deal of every account above, with a budget and a source, and one without an account."""
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        field_create(object="account", label="Staff", kind="number", decimals=6)
        options = [Option("emea", "EMEA", aliases=("Europe",)), Option("na", "N. America")]
        field_create(object="account", label="Region", kind="choice", options=options)
        field_create(object="account", label="Motto", kind="text")
        field_create(object="account", label="Founded", kind="date")
        field_create(object="deal", label="Budget", kind="money", currency="EUR")
        made = [make_deal("Alone", owner=house.ana)]
        for number, columns in enumerate(ACCOUNTS):
            account = account_create(name=f"Account {number}")
            Account.objects.filter(id=account.id).update(**columns)
            deal = make_deal(f"Deal {number}", owner=house.ana, account_id=account.id)
            source = ("Fair", "", "web")[number % 3]
            Opportunity.objects.filter(id=deal.id).update(attributes=BUDGETS[number], source=source)
            made.append(deal)
    return made


def set_up(house: House, asked: Any = ASKED) -> None:
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        scorecard_set(criteria=asked, now=timezone.now(), **BANDS)
        house.organization.refresh_from_db()


def test_the_database_counts_the_same_points(house: House, deals: list[Any]) -> None:
    set_up(house)
    with use(house.organization.id):
        measure = measure_now()
        assert measure is not None
        counted = dict(measure.beside(Opportunity.objects.all()).values_list("id", POINTS))
        bands = dict(measure.beside(Opportunity.objects.all()).values_list("id", "fit_band"))
        told = fits_of([deal.id for deal in deals], organization=house.organization)
    assert counted == {deal_id: one.points for deal_id, one in told.items()}
    assert bands == {deal_id: one.band for deal_id, one in told.items()}
    assert len(set(counted.values())) >= 6


asked_for = st.builds(
    FitAsked,
    st.lists(st.sampled_from(("good", "fair", "poor")), unique=True).map(tuple),
    st.none() | st.integers(0, 100),
    st.none() | st.integers(0, 100),
)


@given(asked_for, st.integers(1, 60))
def test_runs_are_the_points_that_are_asked_for(asked: FitAsked, of: int) -> None:
    runs = runs_of(asked, of=of, **BANDS)
    held = {points for low, high in runs for points in range(low, high + 1)}
    assert held == {
        points
        for points in range(of + 1)
        if (not asked.bands or band_of(points, of, **BANDS) in asked.bands)
        and (asked.low is None or points / of >= asked.low / 100 - 1e-9)
        and (asked.high is None or points / of <= asked.high / 100 + 1e-9)
    }
    assert all(one[1] + 1 < other[0] for one, other in pairwise(runs))


def test_the_chip_says_what_is_asked_for() -> None:
    assert fit_words(FitAsked(("good", "fair"))) == "Good fit or fair fit"
    assert fit_words(FitAsked((), 50, None)) == "Fit 50 % or more"
    assert fit_words(FitAsked(("poor",), 10, 20)) == "Poor fit, fit 10 to 20 %"


# Pages

SIMPLE = (
    Criterion("Railway", "account.industry", ONE_OF, 7, ("Rail",)),
    Criterion("Country", "account.country", IS_SET, 3),
)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("fit=good", ["Deal 0", "Deal 1"]),
        ("fit=good,poor", ["Alone", "Deal 0", "Deal 1", "Deal 2", "Deal 3", "Deal 4", "Deal 5"]),
        ("fit=fair", []),
        ("fit_from=30&fit_to=70", ["Deal 1", "Deal 3"]),
        ("fit_from=100", ["Deal 0"]),
        ("fit_to=0", ["Alone", "Deal 2", "Deal 4", "Deal 5"]),
        ("fit=poor&fit_from=30", ["Deal 3"]),
    ],
)
def test_the_list_narrows_by_fit(
    house: House, deals: list[Any], signed_in: SignedIn, asked: str, names: list[str]
) -> None:
    set_up(house, SIMPLE)
    page = signed_in(house.ana).get(house.url(f"deals/?sort=deal&{asked}"))
    report = page.context["report"]
    assert [row.name for row in report.rows] == names and report.sums.count == len(names)
    assert page.context["chips"][0].label.lower().startswith(("good fit", "fair fit", "poor fit", "fit "))
    assert page.context["chips"][0].href.endswith("?sort=deal")


def test_the_list_is_sorted_by_fit(house: House, deals: list[Any], signed_in: SignedIn) -> None:
    set_up(house, SIMPLE)
    client = signed_in(house.ana)
    rows = client.get(house.url("deals/?columns=fit&sort=-fit")).context["report"].rows
    assert [row.fit.points for row in rows] == [10, 7, 3, 0, 0, 0, 0]
    assert len(client.get(house.url("deals/?sort=fit&as_of=2020-01-01")).context["report"].rows) == 0


def test_the_board_narrows_by_fit_and_says_so(house: House, deals: list[Any], signed_in: SignedIn) -> None:
    set_up(house, SIMPLE)
    page = signed_in(house.ana).get(house.url("deals/board/?fit=good"))
    assert page.context["report"].count == 2 and "Good fit" in [one.label for one in page.context["chips"]]


@pytest.mark.parametrize(
    "asked", ["fit=best", "fit_from=half", "fit_to=101", "fit_from=-1", "fit=good&as_of=2020-01-01"]
)
def test_what_can_not_be_meant_is_refused(
    house: House, deals: list[Any], signed_in: SignedIn, asked: str
) -> None:
    assert signed_in(house.ana).get(house.url(f"deals/?{asked}")).status_code == 400
    assert Caller(house.ana).get(f"opportunities?{asked}").status_code == 400


def test_without_a_scorecard_no_deal_fits(house: House, deals: list[Any], signed_in: SignedIn) -> None:
    page = signed_in(house.ana).get(house.url("deals/?fit=poor"))
    assert page.status_code == 200 and page.context["report"].sums.count == 0
    listed = Caller(house.ana).get("opportunities?include=fit").json()["results"]
    assert {(row["fit_points"], row["fit_of"], row["fit_band"]) for row in listed} == {(None, None, None)}


# The API


def test_the_api_lists_and_narrows_by_fit(house: House, deals: list[Any]) -> None:
    set_up(house, SIMPLE)
    rep = Caller(house.ana)
    with CaptureQueriesContext(connection) as usual:
        plain = rep.get("opportunities?limit=3").json()["results"]
    assert not any(name.startswith("fit") for name in plain[0] if name != "fields")
    with CaptureQueriesContext(connection) as few:
        listed = rep.get("opportunities?include=fit&limit=2").json()
    with CaptureQueriesContext(connection) as many:
        rep.get("opportunities?include=fit&limit=7&fit_to=100")
    assert len(few) <= len(usual) + 2 and len(many) <= len(few) + 1
    seen = listed["results"]
    while listed["next"]:
        listed = rep.get(listed["next"].split("/api/v1/")[1]).json()
        seen += listed["results"]
    told = {row["name"]: (row["fit_points"], row["fit_of"], row["fit_band"]) for row in seen}
    assert told["Deal 0"] == (10, 10, "good") and told["Alone"] == (0, 10, "poor")
    for name, (points, _, band) in told.items():
        deal = next(one for one in deals if one.name == name)
        alone = rep.get(f"opportunities/{deal.id}/fit").json()
        assert (alone["points"], alone["band"]) == (points, band)
    good = rep.get("opportunities?fit=good").json()["results"]
    assert sorted(row["name"] for row in good) == ["Deal 0", "Deal 1"]
    assert rep.get("opportunities?include=fit&as_of=2020-01-01").status_code == 400
    assert rep.get("opportunities?include=health").status_code == 400
