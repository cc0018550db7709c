"""The seller's side of a close plan: shared, chosen, read, put back, told of."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from otc.notices.models import Notice
from otc.question import ask
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person
from otc.tenancy.services import person_create
from pipeline.accounts.services import contact_create
from pipeline.activities.models import Activity
from pipeline.closeplan.queries import plan_of
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


def test_colleagues_are_added_by_name_not_picked_from_a_list_of_all(share: Share, signed_in: SignIn) -> None:
    house, client = share.house, signed_in(share.house.ana)
    home = house.url(f"deals/{share.deal.id}/close-plan/")
    with share.inside():
        twins = [
            person_create(name=name, role="rep", since=timezone.now(), is_top=True)
            for name in ("Petra Vale", "Petra Lund", *(f"Colleague {number:03}" for number in range(300)))
        ][:2]
    page = client.get(home).content.decode()
    assert page.count('name="people"') == 1 and "Colleague 007" not in page, "who is shown, nobody else"

    def choose(add: str, *people: Person) -> Any:
        sent = {"title": "Together", "add": add, "people": [str(one.id) for one in people]}
        return client.post(f"{home}choose/", sent)

    assert choose("max, colleague 007", house.ana).status_code == 302
    with share.inside():
        plan = plan_of(share.deal.id)
        assert plan is not None
        shown = Person.objects.filter(id__in=plan.person_ids).values_list("name", flat=True)
        assert set(shown) == {"Ana Ruiz", "Max Brandt", "Colleague 007"}
    several = choose("Petra, Max Brandt", house.ana)
    text = several.content.decode()
    assert several.status_code == 422 and "tick them, or type the whole name" in text
    assert all(f'value="{twin.id}"' in text for twin in twins) and 'value="Petra, Max Brandt"' in text
    assert choose("", house.ana, twins[1]).status_code == 302
    nobody = choose("Zoe Lindt", house.ana)
    assert nobody.status_code == 422 and "Nobody here is called “Zoe Lindt”" in nobody.content.decode()
    assert choose("", Person(id=uuid4())).status_code == 422
    # One after the other may be taken off, down to nobody.
    assert choose("").status_code == 302
    with share.inside():
        plan = plan_of(share.deal.id)
        assert plan is not None and plan.person_ids == []


def test_the_search_for_colleagues_offers_a_few_who_use_the_pages(share: Share, signed_in: SignIn) -> None:
    client = signed_in(share.house.ana)
    people = share.house.url(f"deals/{share.deal.id}/close-plan/people/")
    with share.inside():
        for number in range(30):
            person_create(name=f"Colleague {number:03}", role="rep", since=timezone.now(), is_top=True)

    def offered(typed: str) -> list[str]:
        return re.findall(r'data-name="([^"]+)"', client.get(people, {"q": typed}).content.decode())

    assert offered("bra") == offered("MAX b") == ["Max Brandt"], "by any word of the name"
    assert offered("colleague") == [f"Colleague {number:03}" for number in range(8)]
    assert offered("colleague 02") != offered("colleague 020") == ["Colleague 020"]
    assert offered("") == offered("\x00") == offered("Bridge") == offered("%") == []
    assert signed_in(share.house.ria).get(people, {"q": "max"}).status_code == 403
