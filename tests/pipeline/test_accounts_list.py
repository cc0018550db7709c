"""The list of accounts: sorted by what it shows, narrowed by the address; the same filters over the API."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.fields.rules import Option
from otc.fields.services import field_create
from otc.tenancy.context import use
from pipeline.accounts.services import account_create, contact_create
from pipeline.activities.services import activity_log
from pipeline.opportunities.services import opportunity_close
from pipeline.process.models import CloseReason
from tests.api_client import Caller

NOW = timezone.now()


def names(response):
    return [row.name for row in response.context["report"].rows]


@pytest.fixture
def accounts(house, make_deal):
    """Corbel: an open deal of 5 by ana; Kestrel: two open of 1 by jon; Mistral: one won of 9; Noria: nothing."""
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        field_create(
            object="account", label="Tier", kind="choice", options=[Option("a", "A"), Option("b", "B")]
        )
        corbel = account_create(name="Corbel Dairy", industry="food", country="Sweden", fields={"tier": "a"})
        kestrel = account_create(name="Kestrel Rail", industry="Rail", country="Austria")
        mistral = account_create(
            name="Mistral Wind", industry="Energy", country="Sweden", fields={"tier": "b"}
        )
        account_create(name="Noria Water")
        contact_create(kestrel.id, name="Helena Strand")
        deal = make_deal("Cheese", owner=house.ana, amount_minor=5_00, account_id=corbel.id)
        activity_log(deal.id, kind="call", at=NOW - timedelta(days=3), now=NOW, subject="Called")
        for name in ("Signals", "Switches"):
            other = make_deal(name, owner=house.jon, amount_minor=1_00, account_id=kestrel.id)
        activity_log(other.id, kind="call", at=NOW - timedelta(days=1), now=NOW, subject="Called")
        won = make_deal("Blades", owner=house.ana, amount_minor=9_00, account_id=mistral.id)
        reason = CloseReason.objects.get(name="Price")
        opportunity_close(won.id, outcome="won", reason_id=reason.id, now=NOW, today=NOW.date())


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", "CKMN"),
        ("-name", "NMKC"),
        ("-open", "CK"),
        ("-deals", "KC"),
        ("-won", "M"),
        ("-wins", "M"),
        ("-people", "K"),
        ("-activity", "KC"),
        ("activity", "CK"),
        ("industry", "MCKN"),
        ("-country", "..KN"),
    ],
)
def test_the_list_is_sorted_by_what_it_shows(house, accounts, signed_in, sort, expected):
    found = "".join(name[0] for name in names(signed_in(house.max).get(house.url(f"accounts/?sort={sort}"))))
    assert len(found) == 4
    assert all(told in (shown, ".") for told, shown in zip(expected, found, strict=False))


def test_sums_that_sort_are_of_the_deals_one_may_see(house, accounts, signed_in):
    assert names(signed_in(house.max).get(house.url("accounts/?sort=-deals")))[0] == "Kestrel Rail"
    assert names(signed_in(house.ana).get(house.url("accounts/?sort=-deals")))[0] == "Corbel Dairy"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("deals=open", "CK"),
        ("deals=no_open", "MN"),
        ("deals=won", "M"),
        ("deals=none", "N"),
        ("owner={ana}", "CM"),
        ("owner={ana}&deals=open", "C"),
        ("owner={ana}&deals=no_open", "M"),
        ("owner={jon}&deals=won", ""),
        ("industry=Rail", "K"),
        ("country=Sweden&deals=open", "C"),
        ("field.tier=a", "C"),
        ("field.tier=a&field.tier=b", "CM"),
        ("field.tier.set=no", "KN"),
        ("q=no", "N"),
        ("q=corbel&deals=won", ""),
    ],
)
def test_the_address_narrows_the_list(house, accounts, signed_in, asked, expected):
    asked = asked.format(ana=house.ana.id, jon=house.jon.id)
    page = signed_in(house.max).get(house.url(f"accounts/?{asked}"))
    assert "".join(name[0] for name in names(page)) == expected
    assert page.context["report"].count == len(expected) and page.context["chips"]
    for chip in page.context["chips"]:
        assert len(signed_in(house.max).get(chip.href).context["chips"]) < len(page.context["chips"])


def test_only_what_one_may_see_counts_as_a_deal(house, accounts, signed_in):
    assert names(signed_in(house.ana).get(house.url("accounts/?deals=open"))) == ["Corbel Dairy"]
    assert names(signed_in(house.ana).get(house.url(f"accounts/?owner={house.jon.id}"))) == []


@pytest.mark.parametrize(
    "asked", ["deals=some", "owner=me", "sort=size", "field.gone=1", "sort=-open&after=x"]
)
def test_what_can_not_be_meant_is_said(house, accounts, signed_in, asked):
    assert signed_in(house.max).get(house.url(f"accounts/?{asked}")).status_code == 400


@pytest.mark.parametrize("sort", ["-open", "open", "-activity", "-people", "industry"])
def test_pages_of_any_order_show_every_account_once(house, make_deal, signed_in, sort):
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        for number in range(55):
            account = account_create(name=f"Account {number:03}", industry=("Rail", "")[number % 2])
            if number % 5 == 0:
                make_deal(owner=house.ana, amount_minor=number // 10, account_id=account.id)
    client = signed_in(house.ana)
    first = client.get(house.url(f"accounts/?sort={sort}"))
    second = client.get(first.context["next_href"])
    shown = names(first) + names(second)
    assert len(names(first)) == 50 and sorted(shown) == [f"Account {number:03}" for number in range(55)]
    if "open" in sort:
        sums = [row.open_minor for page in (first, second) for row in page.context["report"].rows]
        assert sums == sorted(sums, reverse=sort.startswith("-"))


@pytest.mark.parametrize("asked", ["sort=-open", "sort=-activity&deals=open", "owner={ana}&sort=industry"])
def test_the_number_of_queries_stays(house, accounts, make_deal, signed_in, asked):
    client, url = signed_in(house.max), house.url(f"accounts/?{asked.format(ana=house.ana.id)}")
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        for number in range(12):
            account = account_create(name=f"Account {number:03}")
            make_deal(owner=house.ana, amount_minor=1, account_id=account.id)
    with CaptureQueriesContext(connection) as more:
        client.get(url)
    assert len(few) == len(more)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("deals=no_open", "MN"),
        ("industry=Rail", "K"),
        ("owner_id={ana}", "CM"),
        ("country=Sweden&q=dairy", "C"),
    ],
)
def test_the_api_takes_the_same_filters(house, accounts, asked, expected):
    found = Caller(house.max).get(f"accounts?sort=name&{asked.format(ana=house.ana.id)}").json()["results"]
    assert "".join(row["name"][0] for row in found) == expected
