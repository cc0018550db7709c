"""Fit: points for what is met and a reason for each; scorecards as versions; what one would do, counted first."""

import csv
from collections.abc import Callable
from decimal import Decimal
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
from otc.undo.models import UndoStep
from pipeline.accounts.services import account_create
from pipeline.fit.models import Scorecard
from pipeline.fit.report import fit_preview, fit_report
from pipeline.fit.rules import (
    AT_LEAST,
    BETWEEN,
    IS_SET,
    ONE_OF,
    Criterion,
    FitRefused,
    Given,
    Offered,
    criterion_of,
    document_of,
    fit,
    is_met,
    read_criterion,
    values_text,
)
from pipeline.fit.services import scorecard_set
from pipeline.opportunities.models import Opportunity
from tests.api_client import Caller
from tests.conftest import House

SignedIn = Callable[[Person], Client]
numbers = st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False, places=2)
words = st.sampled_from(("Rail", "rail", "Ports", "Air", ""))
values = st.one_of(st.none(), numbers, words)
criteria = st.one_of(
    st.builds(lambda p, v: Criterion("c", "a", ONE_OF, p, tuple(v)), st.integers(1, 9), st.lists(words)),
    st.builds(lambda p, low: Criterion("c", "a", AT_LEAST, p, low=low), st.integers(1, 9), numbers),
    st.builds(
        lambda p, a, b: Criterion("c", "a", BETWEEN, p, low=min(a, b), high=max(a, b)),
        st.integers(1, 9),
        numbers,
        numbers,
    ),
    st.builds(lambda p: Criterion("c", "a", IS_SET, p), st.integers(1, 9)),
)


# Rules


@given(st.lists(criteria, max_size=8), values)
def test_points_are_those_of_the_criteria_that_are_met(asked: list[Criterion], value: Any) -> None:
    found = fit(asked, {"a": Given(value, "x")})
    assert 0 <= found.points <= found.of == sum(one.points for one in asked)
    assert found.points == sum(one.points for one in asked if is_met(one, value))
    assert [result.criterion for result in found.results] == asked


@given(st.lists(criteria, max_size=8), criteria, values)
def test_one_criterion_more_takes_no_points_away(asked: list[Criterion], more: Criterion, value: Any) -> None:
    given_values = {"a": Given(value)}
    assert fit([*asked, more], given_values).points >= fit(asked, given_values).points


@given(st.lists(criteria, max_size=8))
def test_nothing_given_meets_nothing(asked: list[Criterion]) -> None:
    assert fit(asked, {}).points == fit(asked, {"a": Given("")}).points == 0


@given(numbers, numbers, numbers)
def test_between_is_at_least_and_no_more(low: Decimal, high: Decimal, value: Decimal) -> None:
    between = Criterion("c", "a", BETWEEN, 1, low=low, high=high)
    at_least = Criterion("c", "a", AT_LEAST, 1, low=low)
    assert is_met(between, value) == (is_met(at_least, value) and value <= high)


@given(criteria)
def test_a_criterion_is_kept_as_it_is(criterion: Criterion) -> None:
    assert criterion_of(document_of(criterion)) == criterion


@given(st.integers(0, 100), st.integers(1, 100), st.integers(1, 98), st.integers(1, 98))
def test_bands_split_every_share_in_whole_numbers(points: int, of: int, fair: int, more: int) -> None:
    asked = [Criterion("c", "a", IS_SET, 1)] * min(points, of)
    left = [Criterion("c", "b", IS_SET, 1)] * (of - len(asked))
    good = min(100, fair + more)
    band = fit([*asked, *left], {"a": Given("x")}).band(fair_percent=fair, good_percent=good)
    share = 100 * len(asked)
    expected = "good" if share >= good * of else "fair" if share >= fair * of else "poor"
    assert band == expected


STAFF = Offered("account.field.staff", "Account: Staff", "number")
REGION = Offered(
    "account.field.region", "Account: Region", "choice", (("emea", "EMEA"), ("na", "N. America"))
)
INDUSTRY = Offered("account.industry", "Account: Industry", "text")


@pytest.mark.parametrize(
    ("offered", "rule", "typed", "text"),
    [
        (STAFF, AT_LEAST, "1 250.5", "1,250.5"),
        (STAFF, BETWEEN, "500 to 5,000", "500 to 5,000"),
        (STAFF, BETWEEN, "-5–10", "-5 to 10"),
        (REGION, ONE_OF, "emea; N. America", "EMEA, N. America"),
        (INDUSTRY, ONE_OF, " Rail ,Ports,Rail", "Rail, Ports"),
        (INDUSTRY, IS_SET, "whatever", ""),
    ],
)
def test_what_is_typed_reads_back(offered: Offered, rule: str, typed: str, text: str) -> None:
    read = read_criterion(field="f", name="", offered=offered, rule=rule, typed=typed, points="5")
    assert values_text(read, offered) == text
    again = read_criterion(field="f", name="", offered=offered, rule=rule, typed=text, points=5)
    assert again == read and read.name == offered.label


@pytest.mark.parametrize(
    ("offered", "rule", "typed", "points"),
    [
        (None, IS_SET, "", "1"),
        (STAFF, ONE_OF, "x", "1"),
        (INDUSTRY, AT_LEAST, "5", "1"),
        (STAFF, AT_LEAST, "many", "1"),
        (STAFF, AT_LEAST, "NaN", "1"),
        (STAFF, BETWEEN, "5", "1"),
        (STAFF, BETWEEN, "9 to 5", "1"),
        (REGION, ONE_OF, "Mars", "1"),
        (INDUSTRY, ONE_OF, " , ", "1"),
        (INDUSTRY, IS_SET, "", "0"),
        (INDUSTRY, IS_SET, "", "٣"),
        (INDUSTRY, IS_SET, "", "101"),
    ],
)
def test_what_can_not_be_asked_is_refused(offered: Any, rule: str, typed: str, points: str) -> None:
    with pytest.raises(FitRefused):
        read_criterion(field="f", name="", offered=offered, rule=rule, typed=typed, points=points)


# A house that looks for railways with staff


@pytest.fixture
def deals(house: House, make_deal: Callable[..., Any]) -> list[Opportunity]:
    """Three open deals: a railway in EMEA with 800 people, one with 20, and one without an account."""
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        field_create(object="account", label="Staff", kind="number")
        options = [Option("emea", "EMEA"), Option("na", "N. America")]
        field_create(object="account", label="Region", kind="choice", options=options)
        field_create(object="deal", label="Budget", kind="money", currency="EUR")
        big = account_create(name="Big Rail", industry="RAIL", fields={"staff": 800, "region": "emea"})
        small = account_create(name="Small Rail", industry="Rail", fields={"staff": 20})
        budget = {"budget": {"amount_minor": 50_000_00, "currency": "EUR"}}
        return [
            make_deal("Big", owner=house.ana, account_id=big.id, fields=budget),
            make_deal("Small", owner=house.ana, account_id=small.id),
            make_deal("Alone", owner=house.ana),
        ]


ASKED = [
    Criterion("Railway", "account.industry", ONE_OF, 4, ("Rail",)),
    Criterion("Size", "account.field.staff", BETWEEN, 3, low=Decimal(500), high=Decimal(5000)),
    Criterion("Region", "account.field.region", ONE_OF, 2, ("emea",)),
    Criterion("Budget", "deal.field.budget", AT_LEAST, 1, low=Decimal(50_000)),
]
BANDS = {"fair_percent": 40, "good_percent": 70}


def set_up(house: House, asked: list[Criterion]) -> Scorecard:
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        made, _ = scorecard_set(criteria=asked, now=timezone.now(), **BANDS)
        house.organization.refresh_from_db()
    return made


def points(house: House, deal: Opportunity) -> tuple[int, int, str]:
    with use(house.organization.id):
        found = Opportunity.objects.select_related("account").get(id=deal.id)
        report = fit_report(account=found.account, deal=found, organization=house.organization)
    assert report is not None
    return report.fit.points, report.fit.of, report.band


def test_a_deal_gets_points_for_account_and_fields(house: House, deals: list[Any]) -> None:
    set_up(house, ASKED)
    assert [points(house, deal) for deal in deals] == [(10, 10, "good"), (4, 10, "fair"), (0, 10, "poor")]


def test_the_preview_counts_what_the_deals_themselves_say(house: House, deals: list[Any]) -> None:
    set_up(house, ASKED)
    with use(house.organization.id):
        counts = fit_preview(ASKED, **BANDS).counts
        few = CaptureQueriesContext(connection)
        with few:
            fit_preview(ASKED, **BANDS)
    assert counts == {"good": 1, "fair": 1, "poor": 1}
    assert len(few) <= 4


def test_a_version_is_written_once(house: House, deals: list[Any]) -> None:
    first, same = set_up(house, ASKED), set_up(house, ASKED)
    assert first.id == same.id
    second = set_up(house, ASKED[:1])
    assert second.number == first.number + 1
    with use(house.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('pipeline_scorecard', 'UPDATE, DELETE')")
        assert cursor.fetchone() == (False,)


# Pages


def table(*rows: tuple[str, str, str, str, str], **more: str) -> dict[str, Any]:
    names = ("name", "attribute", "rule", "wanted", "points")
    return {
        **dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)),
        "fair_percent": "40",
        "good_percent": "70",
        **more,
    }


ROWS = (
    ("Railway", "account.industry", ONE_OF, "Rail, Ports", "7"),
    ("", "account.field.staff", AT_LEAST, "500", "3"),
    ("", "", ONE_OF, "", ""),
)


def test_an_administrator_counts_first_saves_and_takes_back(
    house: House, deals: list[Any], signed_in: SignedIn
) -> None:
    client, url = signed_in(house.ops), house.url("settings/fit/")
    tried = client.post(url, table(*ROWS, preview="1"))
    assert [count for _, _, count, _ in tried.context["preview"].bands] == [2, 0, 1]
    with use(house.organization.id):
        assert not Scorecard.objects.exists()
    client.post(url, table(*ROWS))
    page = signed_in(house.ana).get(house.url(f"deals/{deals[1].id}/")).content.decode()
    assert "Fit 7 of 10: good fit" in page and "Account: Staff is at least 500; here:" in page
    with use(house.organization.id):
        step = UndoStep.objects.order_by("-created_at", "-id")[0]
    client.post(house.url(f"undo/{step.id}/"))
    assert "Fit 7 of 10" not in signed_in(house.ana).get(house.url(f"deals/{deals[1].id}/")).content.decode()
    with use(house.organization.id):
        first = Scorecard.objects.get(number=1)
    assert "Railway" in client.get(f"{url}{first.id}/").content.decode()
    client.post(f"{url}{first.id}/")
    assert "7 of 10" in signed_in(house.ana).get(house.url(f"deals/{deals[1].id}/")).content.decode()


def test_a_row_that_can_not_be_is_named_and_kept(house: House, deals: list[Any], signed_in: SignedIn) -> None:
    rows = (ROWS[0], ("", "account.field.staff", AT_LEAST, "many", "3"))
    answer = signed_in(house.ops).post(house.url("settings/fit/"), table(*rows))
    text = answer.content.decode()
    assert answer.status_code == 422 and "Row 2: “many” is not a number" in text and 'value="many"' in text
    refused = signed_in(house.ops).post(house.url("settings/fit/"), table(*ROWS, fair_percent="80"))
    assert refused.status_code == 422


def test_a_field_that_is_retired_meets_nothing_and_breaks_nothing(
    house: House, deals: list[Any], signed_in: SignedIn
) -> None:
    set_up(house, [*ASKED, Criterion("Gone", "account.field.gone", IS_SET, 5)])
    page = signed_in(house.ana).get(house.url(f"deals/{deals[0].id}/")).content.decode()
    assert "Fit 10 of 15" in page
    assert signed_in(house.ops).get(house.url("settings/fit/")).status_code == 200


def test_the_api_sets_lists_and_measures(house: House, deals: list[Any]) -> None:
    admin, rep = Caller(house.ops), Caller(house.ana)
    assert rep.get("scorecard").status_code == 404
    assert rep.get(f"opportunities/{deals[0].id}/fit").json()["points"] is None
    asked = {"criteria": [{"attribute": "account.industry", "rule": "one_of", "wanted": "rail", "points": 5}]}
    assert rep.call("put", "scorecard", asked).status_code == 403
    assert admin.call("put", "scorecard", asked).json()["number"] == 1
    measured = rep.get(f"opportunities/{deals[0].id}/fit").json()
    assert (measured["points"], measured["of"], measured["band"]) == (5, 5, "good")
    assert measured["results"][0]["given"] == "RAIL"
    wrong = {"criteria": [{"attribute": "account.nothing", "rule": "is_set", "points": 5}]}
    refused = admin.call("put", "scorecard", wrong)
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (422, ["criteria.1"])
    assert [card["number"] for card in rep.get("scorecards").json()["results"]] == [1]


# The list and files


def test_the_list_shows_fit_where_it_is_asked_for(
    house: House, deals: list[Any], signed_in: SignedIn
) -> None:
    ana = signed_in(house.ana)
    address = house.url("deals/?columns=amount,fit")
    assert "fit</span>" not in ana.get(address).content.decode()
    set_up(house, ASKED)
    shown = ana.get(address)
    assert [row.fit.words for row in sorted(shown.context["report"].rows, key=lambda row: row.name)] == [
        "Poor fit",
        "Good fit",
        "Fair fit",
    ]
    assert 'title="4 of 10 points"' in shown.content.decode()
    with CaptureQueriesContext(connection) as usual:
        assert b"of 10 points" not in ana.get(house.url("deals/?columns=amount")).content
    with CaptureQueriesContext(connection) as with_fit:
        ana.get(address)
    assert len(with_fit) <= len(usual) + 2
    past = house.url("deals/?columns=amount,fit&as_of=2020-01-01")
    assert b"of 10 points" not in ana.get(past).content
    edited = ana.post(
        house.url(f"deals/{deals[1].id}/edit/amount/"),
        {"value": "5,000"},
        headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{address}"},
    )
    assert edited.status_code == 200 and "Fair fit" in edited.content.decode()


def test_files_have_fit(house: House, deals: list[Any], signed_in: SignedIn) -> None:
    set_up(house, ASKED)
    answer = signed_in(house.ana).get(house.url("deals/?format=csv"))
    lines = answer.getvalue().decode("utf-8-sig").splitlines()
    rows = {row["name"]: (row["fit"], row["fit_points"]) for row in csv.DictReader(lines)}
    assert rows == {"Big": ("good", "10"), "Small": ("fair", "4"), "Alone": ("poor", "0")}
