"""Accounts with group and plan, duplicates side by side, leads and their sources: they fit, are readable, and work."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from otc.tenancy.context import use
from pipeline.accounts.services import account_create, contact_create
from pipeline.duplicates.models import DuplicatePair
from pipeline.duplicates.services import records_merge
from pipeline.leads.models import Lead
from pipeline.leads.services import Conversion, checklist_set, lead_convert, lead_create
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create
from pipeline.plans.services import Plan, Touch, account_plan_set
from tests.browser.looking import troubles_at_both_widths
from tests.conftest import House
from tests.days import day_in_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "Kestrel Rail und Anlagenbau Nordost Vermögensverwaltungsgesellschaft <b>mbH</b> שלום 🚆 "


def furnished(house: House) -> list[str]:
    """Something on each page; the pages' addresses."""
    now, day = timezone.now(), day_in_house()
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        top = account_create(name="Kestrel Holding")
        account = account_create(name=LONG * 2, industry="Rail", parent_id=top.id)
        double = account_create(name="Kestrel Rail AG", country="Sweden", external_id="K2")
        account_create(name="Kestrel Depot", parent_id=account.id)
        contact = contact_create(account.id, name="Helena Strand", title="CFO")
        opportunity_create(
            name="Signalling", owner_id=house.ana.id, account_id=account.id, amount_minor=1_00, now=now
        )
        touches = [Touch("Call about the depot", day - timedelta(days=2)), Touch("Visit", day)]
        account_plan_set(account.id, Plan("Two depots by June", [(contact.id, "decides")], touches), now=now)
        first, second = sorted((account.id, double.id))
        reasons = ["same name but for its legal form or spelling", "same domain: kestrel.example"]
        DuplicatePair(
            kind="account", first_id=first, second_id=second, score=94, reasons=reasons, found_at=now
        ).save()
        gone, kept = account_create(name="Corbel AG"), account_create(name="Corbel")
        records_merge("account", kept_id=kept.id, gone_id=gone.id, chosen={}, now=now)
        checklist_set([(None, "Has a budget", 3), (None, "Decides this year", 2)], now=now)
        lead = lead_create(
            now=now, company=LONG, contact_name="Ana", source="Fair", campaign="Rail", owner_id=house.ana.id
        )
        done = lead_create(now=now, company="Done", source="Web", owner_id=house.ana.id)
        lead_convert(done.id, conversion=Conversion(name="Done"), now=now)
    pair = f"duplicates/merge/?kind=account&keep={account.id}&gone={double.id}"
    return [
        *(
            "accounts/",
            f"accounts/{account.id}/",
            f"accounts/{account.id}/plan/",
            f"accounts/{account.id}/edit/",
        ),
        *("duplicates/", pair, "duplicates/merges/", "leads/", f"leads/{lead.id}/", f"leads/{done.id}/"),
        *("leads/new/", "leads/sources/", "leads/sources/?group_by=both", "leads/?state=returned", "today/"),
    ]


def test_the_pages_fit_and_are_readable_in_both_themes(house: House, sit: Any) -> None:
    paths = furnished(house)
    seat = sit("ana@example.org")
    troubles = []
    for path in paths:
        answer = seat.open(house.url(path))
        if answer.status != 200:
            troubles.append(f"{path}: {answer.status}")
        troubles += troubles_at_both_widths(seat, path, has_own_parts=False)
    assert troubles + seat.complaints == []


def test_two_accounts_become_one_and_two_again_by_the_toast(house: House, sit: Any) -> None:
    furnished(house)
    seat = sit("ana@example.org")
    seat.open(house.url("duplicates/"))
    seat.page.get_by_role("link", name="Compare").click()
    seat.page.get_by_role("button", name="Merge").click()
    seat.page.get_by_role("button", name="Undo").first.click()
    seat.page.get_by_text("are two again").wait_for()
    assert seat.complaints == []


def test_a_lead_becomes_a_deal_in_one_step(house: House, sit: Any) -> None:
    with use(house.organization.id, channel="ui"):
        lead = lead_create(now=timezone.now(), company="Kestrel", source="Fair", owner_id=house.ana.id)
    seat = sit("ana@example.org")
    seat.open(house.url(f"leads/{lead.id}/"))
    seat.page.get_by_label("Next step").fill("Call them")
    seat.page.get_by_role("button", name="Make it a deal").click()
    seat.page.get_by_text("is a deal now").wait_for()
    with use(house.organization.id):
        assert Opportunity.objects.get().source == "Fair" and Lead.objects.get().state == "converted"
    assert seat.complaints == []


def test_a_new_lead_is_typed_at_once(sit: Any, desk: Any) -> None:
    seat = sit("ana@example.org")
    seat.open(desk[0].url("leads/new/"))
    expect(seat.page.locator("main [name=name]")).to_be_focused()
