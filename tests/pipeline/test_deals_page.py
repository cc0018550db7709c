"""The list of deals: whose, which, in what order, summed over what, edited how."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.money.models import Rate
from otc.tenancy.context import use
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.process.models import Stage
from tests.conftest import House
from tests.days import day_in_house

HTMX = {"HTTP_HX_REQUEST": "true"}
LATER = day_in_house() + timedelta(days=40)


@pytest.fixture
def deal(house: House, make_deal: Callable[..., Any]) -> Opportunity:
    """Ana's deal of 386,000 EUR that closes in forty days."""
    with use(house.organization.id, channel="ui"):
        found: Opportunity = make_deal(owner=house.ana, amount_minor=386_000_00, close_date=LATER)
    return found


def edit_url(house: House, deal: Opportunity, field: str) -> str:
    return house.url(f"deals/{deal.id}/edit/{field}/")


def stored(house: House, deal: Opportunity) -> Opportunity:
    with use(house.organization.id):
        found: Opportunity = Opportunity.objects.select_related("stage").get(id=deal.id)
    return found


def names(response: Any) -> list[str]:
    return [row.name for row in response.context["report"].rows]


def many(house: House, make_deal: Callable[..., Any], count: int, **fields: Any) -> None:
    with use(house.organization.id, channel="ui"):
        for number in range(count):
            make_deal(f"Deal {number:03}", owner=house.ana, close_date=LATER, **fields)


def test_a_rep_starts_with_their_own_deals(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        make_deal("Mine", owner=house.ana)
        make_deal("Jon's", owner=house.jon)
    assert names(signed_in(house.ana).get(house.url("deals/"))) == ["Mine"]


@pytest.mark.parametrize(
    ("who", "expected"), [("max", {"Ana's", "Jon's"}), ("eve", {"Ana's", "Jon's", "Free"})]
)
def test_a_manager_starts_with_the_branch_and_an_executive_with_everyone(
    house, make_deal, signed_in, who, expected
):
    with use(house.organization.id, channel="ui"):
        make_deal("Ana's", owner=house.ana)
        make_deal("Jon's", owner=house.jon)
        make_deal("Free")
    assert set(names(signed_in(getattr(house, who)).get(house.url("deals/")))) == expected


def test_another_organization_is_not_found(house, elsewhere, signed_in):
    assert signed_in(elsewhere.zoe).get(house.url("deals/")).status_code == 404


def test_a_colleague_outside_the_branch_is_not_found_as_scope(house, signed_in):
    assert signed_in(house.ana).get(house.url(f"deals/?scope={house.jon.id}")).status_code == 404


def test_closed_deals_are_listed_only_when_asked_for(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        make_deal("Open", owner=house.ana)
        lost = make_deal("Lost", owner=house.ana)
        Opportunity.objects.filter(id=lost.id).update(
            outcome="lost", closed_at=timezone.now(), category="omitted"
        )
    client = signed_in(house.ana)
    assert names(client.get(house.url("deals/"))) == ["Open"]
    assert names(client.get(house.url("deals/?state=lost"))) == ["Lost"]
    assert set(names(client.get(house.url("deals/?state=any")))) == {"Open", "Lost"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=kestrel", ["Kestrel Rail"]),
        ("q=RAIL", ["Kestrel Rail"]),
        ("tab=no_amount", ["Sorrel"]),
        ("tab=no_close_date", ["Sorrel"]),
        ("tab=overdue", ["Ostrava"]),
        ("category=commit", ["Kestrel Rail"]),
        ("period=2020-Q1", ["Ostrava"]),
    ],
)
def test_each_parameter_narrows_the_list(house, make_deal, signed_in, query, expected):
    with use(house.organization.id, channel="ui"):
        make_deal("Kestrel Rail", owner=house.ana, amount_minor=1, close_date=LATER, category="commit")
        make_deal("Sorrel", owner=house.ana)
        make_deal("Ostrava", owner=house.ana, amount_minor=1, close_date=date(2020, 2, 3))
    assert names(signed_in(house.ana).get(house.url(f"deals/?{query}"))) == expected


@pytest.mark.parametrize(
    "query", ["tab=nonsense", "state=x", "category=x", "stage_id=x", "period=2026-Q9", "sort=x", "after=x"]
)
def test_a_parameter_that_cannot_be_meant_is_said(house, signed_in, query):
    assert signed_in(house.ana).get(house.url(f"deals/?{query}")).status_code == 400


def test_deals_without_a_close_date_come_last_either_way(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        make_deal("None", owner=house.ana)
        make_deal("Late", owner=house.ana, close_date=LATER)
        make_deal("Soon", owner=house.ana, close_date=LATER - timedelta(days=9))
    client = signed_in(house.ana)
    assert names(client.get(house.url("deals/?sort=close"))) == ["Soon", "Late", "None"]
    assert names(client.get(house.url("deals/?sort=-close"))) == ["Late", "Soon", "None"]


def test_pages_show_every_deal_once_and_sums_count_them_all(house, make_deal, signed_in):
    many(house, make_deal, 53, amount_minor=100_00)
    client = signed_in(house.ana)
    for sort in ("close", "-amount", "deal", "stage", "category", "health", "-slip", "next", "owner"):
        first = client.get(house.url(f"deals/?sort={sort}"))
        second = client.get(first.context["next_href"])
        assert len(names(first)) == 50, sort
        assert sorted(names(first) + names(second)) == [f"Deal {number:03}" for number in range(53)], sort
        assert first.context["report"].sums.count == 53, sort
        assert second.context["report"].sums.total_minor == 53 * 100_00, sort


def test_changed_deals_are_those_with_a_version_since_that_day(house, deal, signed_in):
    client, tomorrow = signed_in(house.ana), day_in_house() + timedelta(days=1)
    assert names(client.get(house.url("deals/?tab=changed&since=2020-01-01"))) == ["Kestrel Rail"]
    assert names(client.get(house.url(f"deals/?tab=changed&since={tomorrow}"))) == []


def test_the_counts_of_the_tabs_do_not_depend_on_the_tab(house, make_deal, signed_in):
    many(house, make_deal, 2)
    many(house, make_deal, 1, amount_minor=5)
    client = signed_in(house.ana)
    assert (
        client.get(house.url("deals/")).context["report"].tab_counts
        == client.get(house.url("deals/?tab=no_amount")).context["report"].tab_counts
    )


def test_sums_are_in_corporate_currency_at_the_dated_rate(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        Rate(
            currency="GBP",
            valid_from=date(2020, 1, 1),
            rate="1.5",
            known_from=timezone.now() - timedelta(days=900),
        ).save()
        make_deal(owner=house.ana, amount_minor=100_00, currency="GBP", close_date=LATER)
        make_deal(owner=house.ana, amount_minor=10_00, close_date=LATER)
    assert signed_in(house.ana).get(house.url("deals/")).context["report"].sums.total_minor == 160_00


def test_a_deal_that_lost_its_rate_stands_beside_the_sum(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        make_deal(owner=house.ana, amount_minor=10_00)
        other = make_deal(owner=house.ana, amount_minor=100_00)
        Opportunity.objects.filter(id=other.id).update(currency="GBP")
    sums = signed_in(house.ana).get(house.url("deals/")).context["report"].sums
    assert (sums.total_minor, sums.unconvertible, sums.count) == (10_00, 1, 2)


def test_the_number_of_queries_does_not_grow_with_the_rows(house, make_deal, signed_in):
    many(house, make_deal, 1)
    client = signed_in(house.ana)
    with CaptureQueriesContext(connection) as few:
        client.get(house.url("deals/"))
    many(house, make_deal, 30)
    with CaptureQueriesContext(connection) as more:
        client.get(house.url("deals/"))
    assert len(few) == len(more)
    # Savepoints and the return to the outer context belong to the test's transaction.
    own = [
        one["sql"]
        for one in more
        if "SAVEPOINT" not in one["sql"] and "'00000000-0000" not in one["sql"][:90]
    ]
    assert len(own) <= 10


def test_the_past_shows_deals_as_they_were_and_offers_no_edit(house, deal, signed_in):
    with use(house.organization.id, channel="ui"):
        Opportunity.objects.filter(id=deal.id).update(amount_minor=1)
        was = OpportunityVersion.objects.filter(opportunity=deal).earliest("valid_from").valid_from
    page = signed_in(house.ana).get(house.url("deals/"), {"as_of": was.isoformat()})
    assert page.context["report"].rows[0].amount_minor == 386_000_00
    assert b"edit/amount" not in page.content


def test_csv_holds_every_match_and_no_formula(house, make_deal, signed_in):
    many(house, make_deal, 55)
    with use(house.organization.id, channel="ui"):
        make_deal('=HYPERLINK("x")', owner=house.ana, close_date=LATER)
    response = signed_in(house.ana).get(house.url("deals/?format=csv"))
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert len(rows) == 56
    assert '\'=HYPERLINK("x")' in {row["name"] for row in rows}


def test_csv_and_page_show_the_same_numbers(house, deal, signed_in):
    client = signed_in(house.ana)
    response = client.get(house.url("deals/?format=csv"))
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))
    assert [row["corporate_amount"] for row in rows] == ["386000.00"]
    assert client.get(house.url("deals/")).context["report"].sums.total_minor == 386_000_00


@pytest.mark.parametrize(
    ("field", "typed", "column", "value"),
    [
        ("amount", "400k", "amount_minor", 400_000_00),
        ("amount", "", "amount_minor", None),
        ("close", "2027-03-31", "close_date", date(2027, 3, 31)),
        ("close", "+2w", "close_date", LATER + timedelta(days=14)),
        ("category", "commit", "category", "commit"),
        ("next", "Call  Mats", "next_step", "Call Mats"),
        ("next-on", "2027-01-04", "next_step_on", date(2027, 1, 4)),
        ("name", "Kestrel Rail II", "name", "Kestrel Rail II"),
    ],
)
def test_a_cell_is_saved_and_answers_its_row_with_undo(house, deal, signed_in, field, typed, column, value):
    response = signed_in(house.ana).post(edit_url(house, deal, field), {"value": typed}, **HTMX)
    assert response.status_code == 200
    assert f'id="deal-{deal.id}"' in response.content.decode()
    assert "Undo" in response.content.decode()
    assert getattr(stored(house, deal), column) == value


@pytest.mark.parametrize(
    ("field", "typed"),
    [("close", "31 feb"), ("amount", "lots"), ("amount", "-5"), ("category", "closed"), ("name", " ")],
)
def test_a_refused_value_is_kept_with_its_reason(house, deal, signed_in, field, typed):
    response = signed_in(house.ana).post(edit_url(house, deal, field), {"value": typed}, **HTMX)
    assert response.status_code == 422
    assert stored(house, deal).amount_minor == 386_000_00
    if field in ("close", "amount"):
        assert f'value="{typed}"' in response.content.decode()
        assert 'aria-invalid="true"' in response.content.decode()


def test_a_stage_is_gated_in_the_list_too(house, deal, signed_in):
    with use(house.organization.id):
        sign = Stage.objects.get(name="Sign")
    response = signed_in(house.ana).post(edit_url(house, deal, "stage"), {"value": str(sign.id)}, **HTMX)
    assert response.status_code == 422
    assert "meet or waive" in response.content.decode()


def test_an_edit_without_script_goes_back_where_it_came_from(house, deal, signed_in):
    client, back = signed_in(house.ana), house.url("deals/?sort=deal")
    response = client.post(edit_url(house, deal, "next"), {"value": "Call", "next": back})
    assert (response.status_code, response.url) == (302, back)
    away = client.post(
        edit_url(house, deal, "next"), {"value": "Write", "next": "https://elsewhere.example/"}
    )
    assert away.url == house.url(f"deals/{deal.id}/")


def test_the_editor_works_as_a_page_of_its_own(house, deal, signed_in):
    page = signed_in(house.ana).get(edit_url(house, deal, "close"))
    assert page.status_code == 200
    assert b"<form" in page.content
    assert b"Save" in page.content


def test_saving_what_stands_there_writes_no_version(house, deal, signed_in):
    signed_in(house.ana).post(edit_url(house, deal, "amount"), {"value": "386k"}, **HTMX)
    with use(house.organization.id):
        assert OpportunityVersion.objects.filter(opportunity=deal).count() == 1


def test_undo_puts_the_value_back(house, deal, signed_in):
    client: Client = signed_in(house.ana)
    client.post(edit_url(house, deal, "amount"), {"value": "1"}, **HTMX)
    with use(house.organization.id):
        before = OpportunityVersion.objects.filter(opportunity=deal).earliest("valid_from")
    client.post(house.url(f"deals/{deal.id}/undo/{before.id}/"))
    assert stored(house, deal).amount_minor == 386_000_00


def test_a_version_says_who_edited_and_from_where(house, deal, signed_in):
    signed_in(house.ana).post(edit_url(house, deal, "amount"), {"value": "1"}, **HTMX)
    with use(house.organization.id):
        latest = OpportunityVersion.objects.filter(opportunity=deal).latest("valid_from")
    assert (latest.actor_id, latest.channel, latest.provenance) == (house.ana.id, "ui", "live")


@pytest.mark.parametrize("path", ["edit/amount/", "undo/00000000-0000-7000-8000-000000000000/", "", "close/"])
def test_deals_of_others_are_not_found(house, make_deal, elsewhere, signed_in, path):
    with use(house.organization.id, channel="ui"):
        theirs = make_deal("Jon's", owner=house.jon)
    url = house.url(f"deals/{theirs.id}/{path}")
    assert signed_in(house.ana).post(url, {"value": "1"}).status_code == 404
    assert signed_in(elsewhere.zoe).post(url, {"value": "1"}).status_code == 404


def test_an_unknown_field_is_not_found(house, deal, signed_in):
    assert signed_in(house.ana).get(edit_url(house, deal, "outcome")).status_code == 404


def test_a_new_deal_adds_its_account(house, signed_in):
    response = signed_in(house.ana).post(
        house.url("deals/new/"),
        {
            "name": "Depot",
            "account": "Kestrel Rail",
            "amount": "50k",
            "currency": "eur",
            "owner": str(house.ana.id),
            "next_step": "Ask for the layout",
            "next_step_on": "+1w",
        },
        # As a browser says it: one came from the form, and goes on to the deal.
        headers={"referer": "http://testserver" + house.url("deals/new/")},
    )
    assert response.status_code == 302
    with use(house.organization.id):
        made = Opportunity.objects.select_related("account", "stage").get(name="Depot")
        assert (made.account.name, made.amount_minor, made.stage.name) == (
            "Kestrel Rail",
            50_000_00,
            "Qualify",
        )
        assert (made.next_step, made.next_step_on is not None) == ("Ask for the layout", True)
        assert response["Location"] == house.url(f"deals/{made.id}/")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("amount", "much"),
        ("currency", "XXQ"),
        ("close_date", "31 feb"),
        ("name", ""),
        ("currency", "GBP"),
        ("next_step", " "),
        ("next_step_on", ""),
        ("next_step_on", "yesterday"),
    ],
)
def test_a_refused_new_deal_keeps_what_was_typed(house, signed_in, field, typed):
    first = {"next_step": "Ask for the layout", "next_step_on": "+1w"}
    sent = {"name": "Depot", "amount": "50", "currency": "EUR"} | first | {field: typed}
    response = signed_in(house.ana).post(house.url("deals/new/"), sent)
    assert response.status_code == 422
    with use(house.organization.id):
        assert not Opportunity.objects.exists()


def test_two_weeks_on_count_from_today_once_the_day_has_passed(house, make_deal, signed_in):
    """As on Today: pushed by two weeks, a deal that is late by three would still be late."""
    with use(house.organization.id, channel="ui"):
        deal = make_deal("Late", owner=house.ana, close_date=day_in_house() - timedelta(days=21))
    signed_in(house.ana).post(edit_url(house, deal, "close"), {"value": "+2w"}, **HTMX)
    assert stored(house, deal).close_date == day_in_house() + timedelta(days=14)
