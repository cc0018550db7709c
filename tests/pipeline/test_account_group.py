"""Groups of companies with the sums of their deals; plans whose touches come due; accounts that must stay."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.accounts.models import Account
from pipeline.accounts.services import account_create, contact_create
from pipeline.duplicates.services import records_merge
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_delete
from pipeline.plans.models import AccountPlan, PlannedTouch, PlanPerson
from pipeline.plans.services import Plan, Touch, account_plan_set
from tests.api_client import Caller
from tests.days import day_in_house


def undo_of(page: Any) -> str:
    [message] = [one for one in page.context["messages"] if one.extra_tags]
    return str(message.extra_tags)


def test_a_group_sums_the_deals_below_it_that_one_may_see(house: Any, signed_in: Any, make_deal: Any) -> None:
    with use(house.organization.id, channel="ui"):
        top = account_create(name="Kestrel Holding")
        rail = account_create(name="Kestrel Rail", parent_id=top.id)
        depot = account_create(name="Kestrel Depot", parent_id=rail.id)
        for account, owner, amount in ((top, "ana", 1_00), (rail, "jon", 20_00), (depot, "ana", 300_00)):
            make_deal(owner=house.people[owner], account_id=account.id, amount_minor=amount)
    groups = {
        who: signed_in(getattr(house, who)).get(house.url(f"accounts/{top.id}/")).context["group"]
        for who in ("ana", "max")
    }
    assert {who: group.total.open_minor for who, group in groups.items()} == {"ana": 301_00, "max": 321_00}
    assert [(one.name, one.depth) for one in groups["max"].members] == [
        ("Kestrel Rail", 1),
        ("Kestrel Depot", 2),
    ]
    answer = Caller(house.max).get(f"/api/v1/accounts/{depot.id}/group").json()
    assert [one["name"] for one in answer["above"]] == ["Kestrel Holding", "Kestrel Rail"]
    assert answer["total"]["open_minor"] == 300_00


def test_the_parent_is_named_and_a_circle_is_refused(house: Any, signed_in: Any) -> None:
    with use(house.organization.id, channel="ui"):
        top, low = account_create(name="Top"), account_create(name="Low")
    client = signed_in(house.ana)
    client.post(house.url(f"accounts/{low.id}/edit/"), {"name": "Low", "parent": "top"})
    with use(house.organization.id):
        assert Account.objects.get(id=low.id).parent_id == top.id
    page = client.post(house.url(f"accounts/{top.id}/edit/"), {"name": "Top", "parent": "Low"})
    assert page.status_code == 422 and "a circle has no top" in page.content.decode()
    page = client.post(house.url(f"accounts/{top.id}/edit/"), {"name": "Top", "parent": "Nobody"})
    assert "There is no account" in page.content.decode()


def planned(house: Any) -> tuple[Account, PlannedTouch]:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account = account_create(name="Kestrel Rail")
        contact = contact_create(account.id, name="Helena Strand")
        day = day_in_house()
        touches = [Touch("Call about the depot", day), Touch("Visit", day + timedelta(days=9))]
        account_plan_set(
            account.id, Plan("Two depots", [(contact.id, "decides")], touches), now=timezone.now()
        )
        return account, PlannedTouch.objects.get(text="Call about the depot")


def test_a_plan_is_written_on_its_page_and_taken_back_whole(house: Any, signed_in: Any) -> None:
    account, touch = planned(house)
    client = signed_in(house.ana)
    shown = client.get(house.url(f"accounts/{account.id}/plan/")).context
    assert shown["goals"] == "Two depots" and shown["contacts"][0]["is_chosen"]
    typed = {"goals": "Three", "touch": ["", ""], "text": ["Write", ""], "on": ["+1w", ""], "owner": ["", ""]}
    page = client.post(house.url(f"accounts/{account.id}/plan/"), typed, follow=True)
    with use(house.organization.id):
        assert AccountPlan.objects.get().goals == "Three"
        assert [one.text for one in PlannedTouch.objects.all()] == ["Write"]
        assert PlanPerson.objects.count() == 0
    client.post(undo_of(page))
    with use(house.organization.id):
        assert AccountPlan.objects.get().goals == "Two depots"
        assert PlannedTouch.objects.filter(id=touch.id, owner_id=house.ana.id).exists()
        assert PlanPerson.objects.get().why == "decides"


def test_a_day_that_is_none_keeps_what_was_typed(house: Any, signed_in: Any) -> None:
    account, _ = planned(house)
    typed = {
        "goals": "Three",
        "touch": ["", ""],
        "text": ["Call", "Write"],
        "on": ["fri", "someday"],
        "owner": ["", ""],
        "done": ["1"],
    }
    page = signed_in(house.ana).post(house.url(f"accounts/{account.id}/plan/"), typed)
    assert page.status_code == 422 and "Touch 2 needs its day" in page.content.decode()
    first, second = page.context["rows"]
    assert "error" not in first and "someday" in second["error"] and second["done"] == "yes"


def test_a_ticked_line_is_done_and_goals_keep_their_lines(house: Any, signed_in: Any) -> None:
    account, touch = planned(house)
    client, url = signed_in(house.ana), house.url(f"accounts/{account.id}/plan/")
    rows = client.get(url).context["rows"]
    typed = {name: [row[name] for row in rows] for name in ("touch", "text", "on", "owner")}
    client.post(url, {**typed, "goals": "Two depots\r\nby June", "done": ["1"]})
    with use(house.organization.id):
        done = PlannedTouch.objects.filter(done_at__isnull=False)
        assert [one.text for one in done] == ["Visit"] and PlannedTouch.objects.filter(id=touch.id).exists()
        assert AccountPlan.objects.get().goals == "Two depots\nby June"


def test_a_due_touch_is_in_its_owners_today_until_it_is_done(house: Any, signed_in: Any) -> None:
    _, touch = planned(house)
    client = signed_in(house.ana)
    assert [one.text for one in client.get(house.url("today/")).context["touches"]] == [
        "Call about the depot"
    ]
    page = client.post(house.url(f"touches/{touch.id}/done/"), follow=True)
    assert client.get(house.url("today/")).context["touches"] == []
    client.post(undo_of(page))
    assert len(client.get(house.url("today/")).context["touches"]) == 1


def test_plans_move_when_accounts_merge(inside: Any) -> None:
    kept, gone = account_create(name="Kestrel"), account_create(name="Kestrel AG")
    account_plan_set(gone.id, Plan("Grow", [], [Touch("Call", day_in_house())]), now=timezone.now())
    records_merge("account", kept_id=kept.id, gone_id=gone.id, chosen={}, now=timezone.now())
    assert AccountPlan.objects.get().account_id == PlannedTouch.objects.get().account_id == kept.id


def test_the_api_writes_a_plan_and_refuses_strangers(house: Any) -> None:
    account, touch = planned(house)
    caller = Caller(house.ana)
    address = f"/api/v1/accounts/{account.id}/plan"
    found = caller.get(address).json()
    assert [one["text"] for one in found["touches"]] == ["Call about the depot", "Visit"]
    body = {
        "goals": "Api",
        "touches": [{"id": str(touch.id), "text": "Call", "on": "2030-01-01", "is_done": True}],
    }
    done = caller.call("put", address, body).json()
    assert done["goals"] == "Api" and done["touches"][0]["done_at"]


@pytest.mark.parametrize("state", ["open", "deleted"])
def test_an_account_with_deals_is_not_deleted_and_says_what_to_do(
    house: Any, signed_in: Any, make_deal: Any, state: str
) -> None:
    with use(house.organization.id, channel="ui"):
        account = account_create(name="Kestrel Rail")
        deal = make_deal(account_id=account.id, owner=house.ana)
        if state == "deleted":
            opportunity_delete(deal.id, now=timezone.now())
    client = signed_in(house.ana)
    page = client.post(house.url(f"accounts/{account.id}/delete/"), follow=True).content.decode()
    assert ("1 open deal: give it another account first" if state == "open" else "merge it into") in page
    assert Caller(house.ana).delete(f"/api/v1/accounts/{account.id}").status_code == 422
    with use(house.organization.id):
        assert Opportunity.objects.get().account_id == account.id


def test_an_account_that_nothing_needs_goes_and_comes_back(house: Any, signed_in: Any) -> None:
    with use(house.organization.id, channel="ui"):
        account = account_create(name="Kestrel Rail", external_id="K1", country="Sweden")
        before = Account.objects.values().get(id=account.id)
    client = signed_in(house.ana)
    page = client.post(house.url(f"accounts/{account.id}/delete/"), follow=True)
    with use(house.organization.id):
        assert not Account.everything.filter(id=account.id).exists()
    client.post(undo_of(page))
    with use(house.organization.id):
        assert Account.objects.values().get(id=account.id) == before
