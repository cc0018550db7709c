"""A few letters lead to pages, doings, deals, accounts, contacts, people and terms, as far as one may see them."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.accounts.services import account_create, contact_create
from pipeline.leads.models import Lead
from pipeline.leads.services import lead_create, lead_edit
from pipeline.opportunities.services import opportunity_create


@pytest.fixture
def furnished(house: Any) -> Any:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account = account_create(name="Kestrel Rail")
        contact_create(account.id, name="Greta Kessler")
        for name, owner in (("Kestrel depots", house.ana), ("Kestrel yards", house.jon)):
            opportunity_create(name=name, owner_id=owner.id, account_id=account.id, now=timezone.now())
    return house


def found(house: Any, name: str, text: str) -> dict[str, list[str]]:
    client = Client()
    client.force_login(getattr(house, name).user)
    groups = client.get(house.url("find/"), {"q": text}).context["groups"]
    return {group.title: [hit.label for hit in group.hits] for group in groups}


def test_letters_lead_to_everything_that_bears_them(furnished: Any) -> None:
    groups = found(furnished, "max", "kes")
    assert sorted(groups["Deals"]) == ["Kestrel depots", "Kestrel yards"]
    assert groups["Accounts and contacts"] == ["Kestrel Rail", "Greta Kessler"]
    assert found(furnished, "max", "feld")["People"] == ["Jonas Feld"]
    assert found(furnished, "max", "win r")["Glossary"] == [
        "Win rate",
        "Win rate by amount",
        "Cohort win rate",
    ]


def test_words_that_many_bear_lead_to_the_largest_open_deals(furnished: Any, monkeypatch: Any) -> None:
    with use(furnished.organization.id, person_id=furnished.ana.id, channel="ui"):
        for number in range(9):
            opportunity_create(
                name=f"Kestrel {number}", owner_id=furnished.ana.id, amount_minor=number, now=timezone.now()
            )
    rare = found(furnished, "ana", "kes")["Deals"]
    monkeypatch.setattr("pipeline.search.queries.COMMON", 5)
    common = found(furnished, "ana", "kes")["Deals"]
    assert rare == common == [f"Kestrel {number}" for number in (8, 7, 6, 5, 4)]
    # Too few among the first ones: all are asked.
    monkeypatch.setattr("pipeline.find.report.LOOKED_THROUGH", 1)
    assert found(furnished, "ana", "kes")["Deals"] == common


def test_a_rep_finds_no_deal_of_another_rep(furnished: Any) -> None:
    assert found(furnished, "ana", "kes")["Deals"] == ["Kestrel depots"]


def test_nothing_of_another_organization_is_found(furnished: Any, elsewhere: Any) -> None:
    groups = found(elsewhere, "zoe", "kes")
    assert not groups.keys() & {"Deals", "Accounts and contacts", "People"}


def test_settings_are_offered_to_whom_they_open(furnished: Any) -> None:
    assert "API tokens" in found(furnished, "ops", "api")["Go to"]
    assert "People" not in found(furnished, "ana", "people").get("Go to", [])


def test_every_hit_leads_to_a_page(furnished: Any) -> None:
    client = Client()
    client.force_login(furnished.ops.user)
    for text in ("", "kes", "jonas", "new", "settings", "a"):
        for group in client.get(furnished.url("find/"), {"q": text}).context["groups"]:
            for hit in group.hits:
                assert client.get(hit.href, follow=True).status_code == 200, hit


@pytest.mark.parametrize(
    "text", ["%", "_", "\x00", "'; --", "<img onerror=x>", "x" * 5000, "\u202e", "ﬃ", "  "]
)
def test_whatever_is_typed_is_answered(furnished: Any, text: str) -> None:
    client = Client()
    client.force_login(furnished.ana.user)
    answer = client.get(furnished.url("find/"), {"q": text})
    assert answer.status_code == 200
    assert "<img onerror" not in answer.content.decode()


def test_the_palette_asks_for_a_fragment(furnished: Any) -> None:
    client = Client()
    client.force_login(furnished.ana.user)
    answer = client.get(furnished.url("find/"), {"q": "kes"}, headers={"HX-Request": "true"})
    assert b"<html" not in answer.content and b'role="option"' in answer.content


def test_a_lead_is_found_by_name_company_person_and_address(furnished: Any) -> None:
    with use(furnished.organization.id, person_id=furnished.ana.id, channel="ui"):
        for name, owner in (("Depot roofs", furnished.ana), ("Yard roofs", furnished.jon)):
            lead_create(
                name=name,
                company="Bahnhöfe AG",
                contact_name="Zoë Öztürk",
                email=f"z@{name.split()[0]}.example",
                owner_id=owner.id,
                now=timezone.now(),
            )
    for text in ("roofs", "bahnhofe", "zoe", "Öztürk zoë", "depot.example", "bahn roo"):
        assert found(furnished, "ana", text)["Leads"] == ["Depot roofs"], text
    assert found(furnished, "max", "roofs")["Leads"] == ["Yard roofs", "Depot roofs"]
    with use(furnished.organization.id, person_id=furnished.ana.id, channel="ui"):
        lead = Lead.objects.get(name="Depot roofs")
        lead_edit(lead.id, changes={"company": "Häfen AG"})
    assert found(furnished, "ana", "hafen")["Leads"] == ["Depot roofs"]
    assert "Leads" not in found(furnished, "ana", "bahn")
    assert "Leads" not in found(furnished, "ana", "yard") and "Leads" not in found(furnished, "ana", "oofs")
