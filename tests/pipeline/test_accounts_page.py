"""Accounts: found by name, summed over visible deals, with their people."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from otc.tenancy.context import use
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_create, contact_create
from tests.days import day_in_house

LATER = day_in_house() + timedelta(days=40)


def names(response):
    return [row.name for row in response.context["report"].rows]


def make(house, *found):
    with use(house.organization.id, channel="ui"):
        return [account_create(name=name) for name in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ["Corbel Dairy", "Kestrel Rail"]),
        ("KES", ["Kestrel Rail"]),
        ("dai", ["Corbel Dairy"]),
        ("ail", []),
    ],
)
def test_an_account_is_found_by_the_start_of_a_word(house, signed_in, words, expected):
    make(house, "Kestrel Rail", "Corbel Dairy")
    assert names(signed_in(house.ana).get(house.url("accounts/"), {"q": words})) == expected


def test_sums_are_of_the_deals_one_may_see(house, make_deal, signed_in):
    (account,) = make(house, "Kestrel Rail")
    with use(house.organization.id, channel="ui"):
        make_deal(owner=house.ana, amount_minor=10_00, account_id=account.id)
        make_deal(owner=house.jon, amount_minor=5_00, account_id=account.id)
    seen = {
        who: signed_in(getattr(house, who)).get(house.url("accounts/")).context["report"].rows[0].open_minor
        for who in ("ana", "max")
    }
    assert seen == {"ana": 10_00, "max": 15_00}


def test_the_page_shows_people_and_only_visible_deals(house, make_deal, signed_in):
    (account,) = make(house, "Kestrel Rail")
    with use(house.organization.id, channel="ui"):
        contact_create(account.id, name="Helena Strand", title="CFO", email="h@kestrel.example")
        make_deal("Mine", owner=house.ana, account_id=account.id)
        make_deal("Jon's", owner=house.jon, account_id=account.id)
    page = signed_in(house.ana).get(house.url(f"accounts/{account.id}/"))
    assert [deal.name for deal in page.context["report"].deals] == ["Mine"]
    assert "Helena Strand" in page.content.decode()


def test_an_account_is_added_and_changed(house, signed_in):
    client = signed_in(house.ana)
    client.post(house.url("accounts/new/"), {"name": "Kestrel Rail", "industry": "Rail"})
    with use(house.organization.id):
        account = Account.objects.get()
    client.post(house.url(f"accounts/{account.id}/edit/"), {"name": "Kestrel Rail AG", "country": "Sweden"})
    with use(house.organization.id):
        account = Account.objects.get()
    assert (account.name, account.name_folded, account.country) == (
        "Kestrel Rail AG",
        "kestrel rail ag",
        "Sweden",
    )


def test_a_contact_is_added(house, signed_in):
    (account,) = make(house, "Kestrel Rail")
    signed_in(house.ana).post(house.url(f"accounts/{account.id}/contacts/"), {"name": "Mats Ekdahl"})
    with use(house.organization.id):
        assert Contact.objects.get().account_id == account.id


def test_a_refused_contact_keeps_what_was_typed(house, signed_in):
    (account,) = make(house, "Kestrel Rail")
    sent = {"name": "Mats Ekdahl", "email": "nowhere"}
    response = signed_in(house.ana).post(house.url(f"accounts/{account.id}/contacts/"), sent)
    assert response.status_code == 422
    assert "Mats Ekdahl" in response.content.decode()
    with use(house.organization.id):
        assert not Contact.objects.exists()


@pytest.mark.parametrize("path", ["new/", "{id}/edit/"])
def test_an_account_needs_a_name(house, signed_in, path):
    (account,) = make(house, "Kestrel Rail")
    url = house.url("accounts/" + path.format(id=account.id))
    assert signed_in(house.ana).post(url, {"name": " "}).status_code == 422


def test_pages_show_every_account_once(house, signed_in):
    make(house, *(f"Account {number:03}" for number in range(55)))
    client = signed_in(house.ana)
    first = client.get(house.url("accounts/"))
    second = client.get(first.context["next_href"])
    assert names(first) + names(second) == [f"Account {number:03}" for number in range(55)]


def test_the_number_of_queries_does_not_grow_with_the_accounts(house, make_deal, signed_in):
    make(house, "Kestrel Rail")
    client = signed_in(house.ana)
    with CaptureQueriesContext(connection) as few:
        client.get(house.url("accounts/"))
    for account in make(house, *(f"Account {number}" for number in range(20))):
        with use(house.organization.id, channel="ui"):
            make_deal(owner=house.ana, amount_minor=1, close_date=LATER, account_id=account.id)
    with CaptureQueriesContext(connection) as more:
        client.get(house.url("accounts/"))
    assert len(few) == len(more)


@pytest.mark.parametrize("path", ["", "new/", "{id}/", "{id}/edit/", "{id}/contacts/"])
def test_another_organization_is_not_found(house, elsewhere, signed_in, path):
    (account,) = make(house, "Kestrel Rail")
    zoe = signed_in(elsewhere.zoe)
    assert zoe.get(house.url("accounts/" + path.format(id=account.id))).status_code == 404
    own = f"/o/{elsewhere.organization.slug}/accounts/{account.id}/"
    assert zoe.get(own).status_code == 404
    assert zoe.post(own + "edit/", {"name": "Taken"}).status_code == 404
