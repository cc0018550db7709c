"""Names that nobody expects, through every door: shown as text, or refused in words; nothing is lost, nothing runs."""

import json
from typing import Any

import pytest
from django.test import Client

from otc.tenancy.context import use
from pipeline.accounts.models import Account, Contact
from pipeline.accounts.services import account_create
from pipeline.opportunities.models import Competitor, Opportunity
from pipeline.process.models import CloseReason, Process
from pipeline.process.versions import document_of
from pipeline.search.queries import words_of
from tests.api_client import NEXT_STEP, Caller
from tests.conftest import House
from tests.pipeline.loading import Load, load, refusals

__all__ = ["load"]

NAMES = {
    "markup": "<script>alert(1)</script>",
    "attribute": '" autofocus onfocus=alert(1) x="',
    "emoji": "👩🏽‍🚀 Raumfahrt 🏭",
    "right to left": "شركة النور · שלום",
    "template": "{{ 7|add:7 }} {% now 'Y' %}",
    "astral": "𝕂𝕖𝕤𝕥𝕣𝕖𝕝",
}
LONG = "Ä" * 10_000
NAMED = pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())


def shown(html: str, name: str) -> None:
    """The name stands there as text, and nowhere as anything else."""
    escaped = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    escaped = escaped.replace("'", "&#x27;")
    assert escaped in html
    assert "<script>alert" not in html and '" autofocus onfocus' not in html


@NAMED
def test_a_deal_an_account_and_a_contact_by_the_pages(house: House, signed_in: Any, name: str) -> None:
    ana: Client = signed_in(house.ana)
    assert ana.post(house.url("accounts/new/"), {"name": name}).status_code == 302
    with use(house.organization.id):
        account = Account.objects.get()
    assert (
        ana.post(
            house.url(f"accounts/{account.id}/contacts/"), {"contact-name": name, "name": name}
        ).status_code
        == 302
    )
    typed = {"name": name, "account": name, "currency": "EUR", "owner": str(house.ana.id)}
    typed |= {"next_step": name, "next_step_on": "+1w"}
    answer = ana.post(house.url("deals/new/"), typed)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    with use(house.organization.id):
        deal = Opportunity.objects.get()
        assert (deal.name, Account.objects.get().name, Contact.objects.get().name) == (name, name, name)
    for path in ("deals/", "deals/board/", f"deals/{deal.id}/", f"accounts/{account.id}/", "today/"):
        shown(ana.get(house.url(path)).content.decode(), name)
    shown(ana.get(house.url("find/"), {"q": words_of(name)[0]}).content.decode(), name)


@NAMED
def test_a_deal_an_account_and_a_contact_by_the_api(house: House, signed_in: Any, name: str) -> None:
    caller = Caller(house.ana)
    account = caller.post("accounts", {"name": name})
    assert account.status_code == 201, account.content
    contact = caller.post("contacts", {"account_id": account.json()["id"], "name": name})
    wanted = {"name": name, "account_id": account.json()["id"], "owner_id": str(house.ana.id), **NEXT_STEP}
    deal = caller.post("opportunities", wanted)
    assert (contact.status_code, deal.status_code) == (201, 201), (contact.content, deal.content)
    again = caller.get(f"opportunities/{deal.json()['id']}").json()
    assert (again["name"], json.loads(contact.content)["name"]) == (name, name)
    shown(signed_in(house.ana).get(house.url(f"deals/{deal.json()['id']}/")).content.decode(), name)


@NAMED
def test_a_deal_and_an_account_by_a_file(load: Load, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    report = load("opportunities", f"external_id,name,account\nD1,{quoted},{quoted}\n", creates_missing=True)
    assert refusals(report) == []
    deal = Opportunity.objects.select_related("account").get()
    assert (deal.name, deal.account.name) == (name, name)


@NAMED
def test_a_stage_a_milestone_a_reason_and_a_view(house: House, signed_in: Any, name: str) -> None:
    ops: Client = signed_in(house.ops)
    with use(house.organization.id):
        process = Process.objects.get(is_default=True)
        document = document_of(process)
    document["stages"][1]["name"] = name
    document["stages"][1]["milestones"][0]["name"] = name
    change = {"document": json.dumps(document), "base": "1"}
    assert ops.post(house.url(f"settings/process/{process.id}/change/"), change).status_code == 302
    typed = {"name": name, "outcomes": ["lost"], "feeds": "product", "position": "5"}
    assert ops.post(house.url("settings/process/reasons/new/"), typed).status_code == 302
    page = ops.get(house.url("settings/process/")).content.decode()
    shown(page, name)
    with use(house.organization.id):
        assert CloseReason.objects.get(name=name)
    shown(ops.get(house.url(f"settings/process/{process.id}/versions/")).content.decode(), name)
    ana: Client = signed_in(house.ana)
    saved = ana.post(house.url("deals/views/"), {"name": name, "query": "group=stage", "shared": "nobody"})
    assert saved.status_code == 302
    shown(ana.get(house.url("deals/views/")).content.decode(), name)
    shown(ana.get(house.url("deals/board/")).content.decode(), name)


def test_ten_thousand_characters_are_refused_by_the_pages_and_stay_typed(
    house: House, signed_in: Any, make_deal: Any
) -> None:
    with use(house.organization.id, channel="ui"):
        deal, account = make_deal("Kestrel", owner=house.ana), account_create(name="Northwind")
    ana, ops = signed_in(house.ana), signed_in(house.ops)
    doors = (
        (ana, "accounts/new/", {"name": LONG}),
        (ana, f"accounts/{account.id}/contacts/", {"contact-name": LONG, "name": LONG}),
        (ana, "deals/new/", {"name": LONG, "owner": str(house.ana.id), "currency": "EUR"}),
        (ana, f"deals/{deal.id}/edit/name/", {"value": LONG}),
        (ana, f"deals/{deal.id}/edit/next/", {"value": LONG}),
        (ana, f"deals/{deal.id}/next-step/", {"next_step": LONG, "day": "+1w"}),
        (ops, "settings/process/reasons/new/", {"name": LONG, "outcomes": ["lost"], "feeds": "product"}),
    )
    for client, path, typed in doors:
        answer = client.post(house.url(path), typed)
        assert answer.status_code == 422, path
        assert LONG in answer.content.decode(), path
    with use(house.organization.id):
        assert Opportunity.objects.get().name == "Kestrel" and Account.objects.get().name == "Northwind"
        assert not Contact.objects.exists() and not CloseReason.objects.filter(name__startswith="ÄÄ").exists()


def test_ten_thousand_characters_are_refused_by_the_api_naming_the_field(
    house: House, make_deal: Any
) -> None:
    with use(house.organization.id, channel="ui"):
        deal, account = make_deal("Kestrel", owner=house.ana), account_create(name="Northwind")
    caller = Caller(house.ana)
    answers = [
        caller.post("accounts", {"name": LONG}),
        caller.patch(f"accounts/{account.id}", {"name": LONG}),
        caller.post("contacts", {"account_id": str(account.id), "name": LONG}),
        caller.post("opportunities", {"name": LONG, "owner_id": str(house.ana.id), **NEXT_STEP}),
        caller.patch(f"opportunities/{deal.id}", {"name": LONG}),
        caller.patch(f"opportunities/{deal.id}", {"next_step": LONG}),
    ]
    for number, answer in enumerate(answers):
        assert answer.status_code in (400, 422), number
        assert "characters" in answer.content.decode() and len(answer.content) < 2_000, (
            number,
            answer.content,
        )
    with use(house.organization.id):
        assert Opportunity.objects.get().name == "Kestrel" and Account.objects.get().name == "Northwind"


def test_ten_thousand_characters_in_a_file_are_refused_row_by_row(load: Load) -> None:
    report = load(
        "opportunities",
        f"external_id,name,account\nD1,{LONG},Northwind\nD2,Fine,{LONG}\nD3,Fine too,Northwind\n",
        creates_missing=True,
    )
    told = refusals(report)
    assert [(line, column) for line, column, _ in told] == [(2, "name"), (3, "account")]
    assert all("characters" in reason and len(reason) < 300 for _, _, reason in told)
    assert list(Opportunity.objects.values_list("external_id", flat=True)) == ["D3"]
    assert not Competitor.objects.exists()
