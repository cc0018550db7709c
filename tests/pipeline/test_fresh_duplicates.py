"""A new account, contact or deal is compared at once, and its page says what it looks like."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_create, contact_create
from pipeline.duplicates.models import DuplicatePair
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_delete
from tests.api_client import NEXT_STEP, Caller


@pytest.fixture
def client(house: Any) -> Client:
    client = Client()
    client.force_login(house.ana.user)
    return client


def page_of(client: Client, posted: Any) -> str:
    assert posted.status_code == 302, posted.content.decode()[:3000]
    return str(client.get(posted.headers["Location"]).content.decode())


def pairs(house: Any) -> list[tuple[str, int]]:
    with use(house.organization.id):
        return list(DuplicatePair.objects.values_list("kind", "score"))


def test_a_new_account_says_what_it_looks_like(house: Any, client: Client) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        before = account_create(name="Müller Söhne GmbH", country="Germany")
        account_create(name="Northwind")
    posted = client.post(house.url("accounts/new/"), {"name": "Muller Sohne", "country": "Germany"})
    shown = page_of(client, posted)
    with use(house.organization.id):
        made = Account.objects.get(name="Muller Sohne")
    assert "Looks like Müller Söhne GmbH" in shown
    assert f"keep={made.id}&amp;gone={before.id}" in shown
    assert [kind for kind, _ in pairs(house)] == ["account"]
    merge = client.get(house.url(f"duplicates/merge/?kind=account&keep={made.id}&gone={before.id}"))
    assert merge.status_code == 200


def test_an_account_like_no_other_says_nothing(house: Any, client: Client) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account_create(name="Kestrel Rail")
    shown = page_of(client, client.post(house.url("accounts/new/"), {"name": "Kestrel Harbour Pilots"}))
    assert "Looks like" not in shown and pairs(house) == []


def test_a_new_contact_and_a_new_deal_say_what_they_look_like(house: Any, client: Client) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account = account_create(name="Kestrel Rail")
        contact_create(account.id, name="Helena Strand", email="h@kestrel.example")
    form = {"name": "Helena Strandt", "email": "H@kestrel.example"}
    shown = page_of(client, client.post(house.url(f"accounts/{account.id}/contacts/"), form))
    assert "may be the same as" in shown
    form = {"name": "Roof depot", "account": "Kestrel Rail", "amount": "10,000", "currency": "EUR"}
    form |= {"owner": str(house.ana.id), "next_step": "Call", "next_step_on": "+1w"}
    first = client.post(house.url("deals/new/"), form)
    assert "Looks like" not in page_of(client, first)
    shown = page_of(client, client.post(house.url("deals/new/"), form | {"name": "Roof depots"}))
    assert "Looks like Roof depot<" in shown
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        opportunity_delete(Opportunity.objects.get(name="Roof depot").id, now=timezone.now())
        made = Opportunity.objects.get(name="Roof depots")
    assert "Looks like" not in client.get(house.url(f"deals/{made.id}/")).content.decode()


@pytest.mark.django_db(transaction=True)
def test_what_the_api_makes_is_compared_too(house: Any) -> None:
    caller = Caller(house.ana)
    for name in ("Kestrel Rail", "Kestrel Rail AG"):
        assert caller.post("accounts", {"name": name}).status_code == 201
    with use(house.organization.id):
        account_id = str(Account.objects.get(name="Kestrel Rail").id)
    for _ in range(2):
        person = {"account_id": account_id, "name": "Helena Strand"}
        assert caller.post("contacts", person).status_code == 201
        deal = {
            "name": "Depot",
            "account_id": account_id,
            "amount_minor": 100,
            "close_date": str(date(2027, 1, 4)),
            **NEXT_STEP,
        }
        assert caller.post("opportunities", deal).status_code == 201
    assert sorted(kind for kind, _ in pairs(house)) == ["account", "contact", "opportunity"]
    with use(house.organization.id):
        assert Contact.objects.count() == 2
