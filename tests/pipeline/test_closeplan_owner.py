"""The seller's side of a close plan: shared, chosen, read, put back, told of."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from otc.notices.models import Notice
from otc.question import ask
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from pipeline.accounts.services import contact_create
from pipeline.activities.models import Activity
from pipeline.closeplan.rules import PlanRefused
from pipeline.closeplan.services import plan_set, seller_comment
from pipeline.health.queries import contacts
from pipeline.opportunities.deal import deal_report
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import (
    opportunity_create,
)
from tests.api_client import Caller
from tests.pipeline.shared_plan import HOSTILE, Share, SignIn


def test_what_either_side_does_in_the_plan_is_an_activity_and_the_owner_is_told(share: Share) -> None:
    with share.inside():
        lena = contact_create(share.deal.account_id, name="Lena Vogt").id
    share.tick(share.theirs)
    share.say("We wait\nfor legal")
    with share.inside():
        seller_comment(share.deal.id, text="Take your time", milestone_id=None, now=timezone.now())
        found = Activity.objects.filter(opportunity=share.deal, kind="close_plan").order_by("at")
        assert list(found.values_list("direction", "subject", "contact_id", "person_id")) == [
            ("in", "Lena Vogt ticked “Budget approved”", lena, None),
            ("in", "Lena Vogt: We wait for legal", lena, None),
            ("out", "Take your time", None, share.house.ana.id),
        ]
        assert contacts([share.deal.id], now=timezone.now())[share.deal.id].last_at == found.last().at
        notices = Notice.objects.filter(kind="close_plan", person=share.house.ana).order_by("created_at")
        texts = list(notices.values_list("text", flat=True))
    assert len(texts) == 2 and "Lena Vogt via close plan: We wait for legal" in texts[1]
    assert len(share.told()) == 3, "each once in the timeline"
    house = share.house
    with share.inside():
        tenant = Tenant(house.organization, house.ana, timezone.now())
        asked = ask(tenant, {})
        only = deal_report(asked, share.deal.id, since=timezone.now(), tab="contacts")
        assert only is not None and len(only.timeline.entries) == 3, "among the contacts too"


def test_an_owner_shares_reads_and_puts_a_tick_back(share: Share, signed_in: SignIn) -> None:
    client = signed_in(share.house.ana)
    home = share.house.url(f"deals/{share.deal.id}/close-plan/")
    made = client.post(f"{home}links/", {"recipient": HOSTILE[:40], "expires": "+2w"})
    link = re.search(r"http://testserver(/plan/[^\"]+/)", made.content.decode())
    assert link is not None and Client().get(link[1]).status_code == 200
    assert link[1] not in client.get(home).content.decode(), "shown once"
    for recipient, expires in (
        ("", "+2w"),
        ("Lena", "soon"),
        ("Lena", "-3d"),
        ("Lena", "+3y"),
        ("x" * 201, "+2w"),
    ):
        assert client.post(f"{home}links/", {"recipient": recipient, "expires": expires}).status_code == 422
    share.tick(share.theirs)
    page = client.get(home).content.decode()
    undo = re.search(r'action="([^"]*/events/[^"]*/undo/)"', page)
    assert undo is not None
    assert client.post(undo[1]).status_code == 302 and share.theirs.id not in share.marks()
    assert client.post(undo[1], follow=True).status_code == 200
    assert share.theirs.id not in share.marks(), "what changed since is not undone"
    client.post(f"{home}comments/", {"text": "Thank you", "about": ""})
    assert "Thank you" in share.get().content.decode()
    client.post(f"{home}choose/", {"title": "Together", "people": str(share.house.max.id)})
    assert "Together" in share.get().content.decode() and "Max Brandt" in share.get().content.decode()


def test_who_may_not_see_the_deal_or_edit_has_no_way_in(share: Share, signed_in: SignIn) -> None:
    path = share.house.url(f"deals/{share.deal.id}/close-plan/")
    assert signed_in(share.house.ria).get(path).status_code == 200
    assert signed_in(share.house.ria).post(f"{path}links/", {"recipient": "x"}).status_code == 403
    with share.inside():
        other = opportunity_create(name="Jon's", owner_id=share.house.jon.id, now=timezone.now()).opportunity
    hidden = share.house.url(f"deals/{other.id}/close-plan/")
    assert signed_in(share.house.ana).get(hidden).status_code == 404


def test_the_api_chooses_makes_lists_and_revokes(share: Share) -> None:
    caller = Caller(share.house.ana)
    path = f"opportunities/{share.deal.id}/close-plan"
    chosen = {"title": "Ours", "person_ids": [str(share.house.ana.id)], "milestone_ids": [str(share.ours.id)]}
    assert [step["name"] for step in caller.call("put", path, chosen).json()["steps"]].count(
        "Penetration test"
    ) == 1
    wrong = caller.call("put", path, chosen | {"milestone_ids": [str(share.theirs.id)]})
    assert wrong.status_code == 422 and "milestones" in wrong.json()["error"]["fields"]
    ends = (timezone.now() + timedelta(days=3)).isoformat()
    made = caller.post(f"{path}/links", {"recipient": "Omar", "expires_at": ends})
    assert made.status_code == 201
    address = made.json()["url"].partition("/plan/")[2]
    assert Client().get(f"/plan/{address}").status_code == 200
    listed = caller.get(f"{path}/links").json()
    assert {row["recipient"] for row in listed} == {"Omar", "Lena Vogt"} and "url" not in listed[0]
    assert caller.delete(f"{path}/links/{made.json()['id']}").status_code == 204
    assert Client().get(f"/plan/{address}").status_code == 410
    late = (timezone.now() + timedelta(days=400)).isoformat()
    assert caller.post(f"{path}/links", {"recipient": "Omar", "expires_at": late}).status_code == 422


def test_a_plan_shows_nobody_who_left_and_no_strangers_are_chosen(share: Share) -> None:
    with share.inside():
        plan_set(share.deal.id, title="T", person_ids=[share.house.max.id], milestone_ids=[])
        Person.objects.filter(id=share.house.max.id).update(left_on=datetime(2021, 1, 1, tzinfo=UTC).date())
        with pytest.raises(PlanRefused):
            plan_set(share.deal.id, title="T", person_ids=[uuid4()], milestone_ids=[])
        assert Opportunity.objects.get(id=share.deal.id).name not in share.get().content.decode()
    assert "Max Brandt" not in share.get().content.decode()
