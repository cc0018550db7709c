"""Accounts, contacts, stages, milestones, reasons, activities and people over the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.accounts.models import Account
from pipeline.accounts.services import account_create, contact_create
from pipeline.process.models import Milestone
from tests.api_client import Caller
from tests.conftest import House

Make = Callable[..., Any]

pytestmark = pytest.mark.django_db


def rows(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def test_an_account_is_created_edited_and_found(house: House) -> None:
    caller = Caller(house.ana)
    made = caller.post("accounts", {"name": "Kestrel Rail", "external_id": "A-1", "industry": "Rail"})
    assert made.status_code == 201
    url = made["Location"].removeprefix("http://testserver")
    assert caller.get(url).json() == made.json()
    assert caller.patch(url, {"country": "DE"}).json()["country"] == "DE"
    for query in ("q=kestrel", "external_id=A-1", "sort=-name"):
        assert [row["name"] for row in rows(caller.get(f"accounts?{query}"))] == ["Kestrel Rail"]
    assert rows(caller.get("accounts?external_id=A-2")) == []


def test_an_external_id_belongs_to_one_account(house: House) -> None:
    caller = Caller(house.ana)
    caller.post("accounts", {"name": "Kestrel", "external_id": "A-1"})
    other = caller.post("accounts", {"name": "Alder", "external_id": "A-2"}).json()
    twice = caller.post("accounts", {"name": "Birch", "external_id": "A-1"})
    stolen = caller.patch(f"accounts/{other['id']}", {"external_id": "A-1"})
    kept = caller.patch(f"accounts/{other['id']}", {"external_id": "A-2"})
    assert [answer.status_code for answer in (twice, stolen, kept)] == [422, 422, 200]
    assert set(twice.json()["error"]["fields"]) == {"external_id"}


def test_an_account_can_not_be_its_own_parent(house: House) -> None:
    caller = Caller(house.ana)
    account = caller.post("accounts", {"name": "Kestrel"}).json()
    answer = caller.patch(f"accounts/{account['id']}", {"parent_id": account["id"]})
    assert answer.status_code == 422 and "parent" in answer.json()["error"]["fields"]


def test_a_contact_lives_at_an_account(house: House) -> None:
    caller = Caller(house.ana)
    account = caller.post("accounts", {"name": "Kestrel"}).json()
    made = caller.post("contacts", {"name": "Lena Vogt", "account_id": account["id"], "email": "l@k.example"})
    assert made.status_code == 201
    url = f"contacts/{made.json()['id']}"
    assert caller.patch(url, {"title": "CFO"}).json()["title"] == "CFO"
    assert len(rows(caller.get(f"contacts?account_id={account['id']}"))) == 1
    assert rows(caller.get(f"contacts?account_id={uuid4()}")) == []
    assert caller.patch(url, {"email": "nowhere"}).status_code == 422
    assert caller.delete(url).status_code == 204
    assert caller.get(url).status_code == 404


def test_foreign_accounts_and_contacts_are_not_found(house: House, elsewhere: House) -> None:
    with use(elsewhere.organization.id):
        account = account_create(name="Prairie")
        contact = contact_create(account.id, name="Zed")
    caller = Caller(house.ops)
    answers = [
        caller.get(f"{kind}/{row_id}")
        for kind, row_id in (("accounts", account.id), ("contacts", contact.id), ("accounts", uuid4()))
    ]
    answers.append(caller.patch(f"accounts/{account.id}", {"name": "Mine"}))
    answers.append(caller.delete(f"contacts/{contact.id}"))
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert caller.post("contacts", {"name": "x", "account_id": str(account.id)}).status_code == 422
    with use(elsewhere.organization.id):
        assert Account.objects.get().name == "Prairie"


def test_stages_milestones_and_reasons_are_the_organizations(house: House, elsewhere: House) -> None:
    caller = Caller(house.bot)
    stages = rows(caller.get("stages"))
    assert [stage["name"] for stage in stages][:2] == ["Qualify", "Discover"] and len(stages) == 6
    milestones = rows(caller.get(f"milestones?stage_id={stages[0]['id']}"))
    assert milestones[0]["name"] == "Problem confirmed by the buyer"
    assert all(milestone["stage_id"] == stages[0]["id"] for milestone in milestones)
    reasons = rows(caller.get("reasons"))
    assert "Price" in {reason["name"] for reason in reasons}
    assert rows(caller.get("products")) == rows(caller.get("competitors")) == []


def test_a_deals_milestones_are_marked_and_opened_again(house: House, make_deal: Make) -> None:
    with use(house.organization.id):
        deal = make_deal(owner=house.ana)
        milestone = Milestone.objects.get(name="Champion named")
    caller, url = Caller(house.ana), f"opportunities/{deal.id}/milestones"
    listed = caller.get(url).json()
    assert len(listed) == 16 and {entry["state"] for entry in listed} == {"open"}
    waived = caller.post(f"{url}/{milestone.id}", {"state": "waived"}).json()
    assert (waived["state"], waived["marked_by_id"]) == ("waived", str(house.ana.id))
    assert caller.post(f"{url}/{milestone.id}", {"state": "open"}).json()["marked_at"] is None
    assert caller.post(f"{url}/{milestone.id}", {"state": "done"}).status_code == 400
    assert caller.post(f"{url}/{uuid4()}", {"state": "met"}).status_code == 404


def test_activities_are_logged_around_visible_deals_only(house: House, make_deal: Make) -> None:
    with use(house.organization.id):
        mine, theirs = make_deal("Kestrel", owner=house.ana), make_deal("Northwind", owner=house.jon)
    caller = Caller(house.ana)
    made = caller.post("activities", {"opportunity_id": str(mine.id), "kind": "call", "direction": "out"})
    assert made.status_code == 201 and made.json()["person_id"] == str(house.ana.id)
    refused = caller.post("activities", {"opportunity_id": str(theirs.id), "kind": "call"})
    missing = caller.post("activities", {"opportunity_id": str(uuid4()), "kind": "call"})
    assert refused.status_code == missing.status_code == 422 and refused.content == missing.content
    boss = Caller(house.max)
    boss.post("activities", {"opportunity_id": str(theirs.id), "kind": "note", "subject": "Look here"})
    assert len(rows(caller.get("activities"))) == 1 and len(rows(boss.get("activities"))) == 2
    assert rows(boss.get(f"activities?opportunity_id={theirs.id}"))[0]["subject"] == "Look here"
    assert rows(boss.get("activities?kind=meeting")) == []
    assert (
        rows(boss.get(f"activities?at_before={(timezone.now() - timedelta(days=1)).isoformat()[:19]}Z")) == []
    )


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"kind": "dance"}, 400, "kind"),
        ({"at": "2199-01-01T00:00:00Z"}, 422, "at"),
        ({"at": "2026-01-01"}, 400, "at"),
        ({"person_id": str(uuid4())}, 422, "person"),
        ({"kind": "note", "subject": " "}, 422, "subject"),
    ],
)
def test_an_activity_that_can_not_be_is_refused(
    house: House, make_deal: Make, change: dict[str, Any], status: int, field: str
) -> None:
    with use(house.organization.id):
        deal = make_deal(owner=house.ana)
    body = {"opportunity_id": str(deal.id), "kind": "call"} | change
    answer = Caller(house.ana).post("activities", body)
    assert answer.status_code == status and set(answer.json()["error"]["fields"]) == {field}


def test_people_are_listed_with_todays_manager(house: House, elsewhere: House) -> None:
    caller = Caller(house.bot)
    by_name = {row["name"]: row for row in rows(caller.get("people"))}
    assert by_name["Ana Ruiz"]["manager_id"] == str(house.max.id)
    assert by_name["Eve Okafor"]["is_top"] and not by_name["Bridge"]["is_top"]
    assert "Zoe Lindt" not in by_name
    assert [row["name"] for row in rows(caller.get("people?role=manager"))] == ["Max Brandt"]
    assert len(rows(caller.get("people?is_here=true"))) == len(by_name)
    assert rows(caller.get("people?is_here=false")) == []
