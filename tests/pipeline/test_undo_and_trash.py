"""What was done can be put back, once, by whoever did it, unless somebody changed it since; deleted deals return."""

from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone

from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.undo.models import UndoStep
from otc.undo.services import UNDO_DAYS, undo_forget
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_create, account_edit, contact_create
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create, opportunity_delete


def at(house: Any, name: str) -> Client:
    client = Client()
    client.force_login(getattr(house, name).user)
    return client


def make(house: Any) -> tuple[Account, Contact]:
    with use(house.organization.id):
        account = account_create(name="Kestrel Rail", industry="Transport")
        return account, contact_create(account.id, name="Greta Kessler", title="CFO")


def undo_address_on(page: Any) -> str:
    [message] = [one for one in page.context["messages"] if one.extra_tags]
    return str(message.extra_tags)


def edit_account(house: Any, client: Client, account: Account, **changes: str) -> str:
    posted = {"name": account.name, "industry": account.industry, "country": "", **changes}
    page = client.post(house.url(f"accounts/{account.id}/edit/"), posted, follow=True)
    assert page.status_code == 200
    return undo_address_on(page)


def stored_account(house: Any, account: Account) -> Account:
    with use(house.organization.id):
        return Account.objects.get(id=account.id)


def test_an_edited_account_is_put_back(house: Any) -> None:
    account, _ = make(house)
    client = at(house, "ana")
    address = edit_account(house, client, account, name="Kestrel Railways", industry="")
    assert stored_account(house, account).name == "Kestrel Railways"
    said = client.post(address, follow=True).content.decode()
    assert "Kestrel Rail is as it was before" in said
    found = stored_account(house, account)
    assert (found.name, found.name_folded, found.industry) == ("Kestrel Rail", "kestrel rail", "Transport")


def test_an_edited_contact_is_put_back(house: Any) -> None:
    account, contact = make(house)
    client = at(house, "ana")
    posted = {"name": "Greta Kessler-Voss", "title": "", "email": "g@example.org", "phone": ""}
    page = client.post(house.url(f"accounts/{account.id}/contacts/{contact.id}/"), posted, follow=True)
    client.post(undo_address_on(page))
    with use(house.organization.id):
        found = Contact.objects.get(id=contact.id)
    assert (found.name, found.title, found.email) == ("Greta Kessler", "CFO", "")


def test_what_somebody_else_edited_since_is_not_overwritten(house: Any) -> None:
    account, _ = make(house)
    client = at(house, "ana")
    address = edit_account(house, client, account, industry="Rail")
    with use(house.organization.id, person_id=house.max.id):
        account_edit(account.id, changes={"country": "DE"})
    assert "Somebody edited Kestrel Rail since" in client.post(address, follow=True).content.decode()
    assert stored_account(house, account).industry == "Rail"


def test_undo_happens_once_and_only_for_whoever_did_it(house: Any, elsewhere: Any) -> None:
    account, _ = make(house)
    client = at(house, "ana")
    address = edit_account(house, client, account, industry="Rail")
    assert at(house, "max").post(address).status_code == 404
    assert at(elsewhere, "zoe").post(address).status_code == 404
    assert stored_account(house, account).industry == "Rail"
    client.post(address)
    assert "undone already" in client.post(address, follow=True).content.decode()


def test_a_role_that_lost_the_right_can_not_undo(house: Any) -> None:
    account, _ = make(house)
    client = at(house, "ana")
    address = edit_account(house, client, account, industry="Rail")
    with use(house.organization.id):
        Person.objects.filter(id=house.ana.id).update(role="operations")
    assert "no longer allows" in client.post(address, follow=True).content.decode()
    assert stored_account(house, account).industry == "Rail"


def test_an_edit_that_changes_nothing_offers_no_undo(house: Any) -> None:
    account, _ = make(house)
    posted = {"name": account.name, "industry": account.industry, "country": ""}
    page = at(house, "ana").post(house.url(f"accounts/{account.id}/edit/"), posted, follow=True)
    assert [one.extra_tags for one in page.context["messages"]] == [""]


def test_old_steps_are_forgotten_and_young_ones_stay(house: Any) -> None:
    account, _ = make(house)
    edit_account(house, at(house, "ana"), account, industry="Rail")
    with use(house.organization.id):
        now = timezone.now()
        assert undo_forget(now=now + timedelta(days=UNDO_DAYS - 1)) == 0
        assert undo_forget(now=now + timedelta(days=UNDO_DAYS + 1)) == 1
        assert not UndoStep.objects.exists()


def deleted_deal(house: Any, name: str = "Kestrel depots", owner: str = "ana") -> Opportunity:
    with use(house.organization.id, person_id=getattr(house, owner).id, channel="ui"):
        deal = opportunity_create(
            name=name, owner_id=getattr(house, owner).id, amount_minor=100_00, now=timezone.now()
        ).opportunity
        opportunity_delete(deal.id, now=timezone.now())
    return deal


def test_the_trash_says_who_deleted_what_and_gives_it_back(house: Any) -> None:
    deal = deleted_deal(house)
    client = at(house, "ana")
    [row] = client.get(house.url("trash/")).context["report"].rows
    assert (row.name, row.deleted_by, row.amount_minor) == ("Kestrel depots", "Ana Ruiz", 100_00)
    there = row.deleted_at.astimezone(ZoneInfo(house.organization.timezone))
    assert f"{there:%H:%M}" in client.get(house.url("trash/")).content.decode()
    page = client.post(house.url(f"deals/{deal.id}/restore/"), follow=True)
    assert "Kestrel depots is back" in page.content.decode()
    assert client.get(house.url("trash/")).context["report"].rows == ()
    with use(house.organization.id):
        assert Opportunity.objects.get(id=deal.id).deleted_at is None
        assert OpportunityVersion.objects.filter(opportunity_id=deal.id).count() == 3


def test_the_trash_holds_what_one_might_see(house: Any, elsewhere: Any) -> None:
    deal = deleted_deal(house, owner="jon")
    address = house.url(f"deals/{deal.id}/restore/")
    assert at(house, "ana").get(house.url("trash/")).context["report"].rows == ()
    assert at(house, "ana").post(address).status_code == 404
    assert at(elsewhere, "zoe").post(address).status_code == 404
    assert at(elsewhere, "zoe").get(elsewhere.url("trash/")).context["report"].rows == ()
    assert [row.name for row in at(house, "max").get(house.url("trash/")).context["report"].rows] == [
        deal.name
    ]


def test_a_deal_that_is_not_in_the_trash_is_not_restored(house: Any) -> None:
    deal = deleted_deal(house)
    client = at(house, "ana")
    client.post(house.url(f"deals/{deal.id}/restore/"))
    again = client.post(house.url(f"deals/{deal.id}/restore/"), follow=True)
    assert "not in the trash any more" in again.content.decode()
    assert client.post(house.url(f"deals/{uuid4()}/restore/")).status_code == 404


@pytest.mark.parametrize("number", ["-1", "x", "99999999999999999999", "٣", "3", ""])
def test_whatever_page_is_asked_for_is_answered(house: Any, number: str) -> None:
    assert at(house, "ana").get(house.url("trash/"), {"page": number}).status_code == 200
