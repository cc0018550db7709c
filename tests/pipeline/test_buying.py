"""Who plays which part in a deal: dated, never rewritten, seen on the page and over the API as of any day."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from otc.jobs.models import Job
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER
from pipeline.accounts.models import Contact
from pipeline.accounts.services import account_create, contact_create
from pipeline.buying.models import BuyingRole
from pipeline.buying.rules import is_single_threaded, missing_parts
from pipeline.buying.services import (
    buying_role_add,
    buying_role_change,
    buying_role_remove,
    buying_role_undo,
)
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from tests.api_client import Caller
from tests.conftest import House

NOW = timezone.now() - timedelta(minutes=30)


def after(minutes: int) -> Any:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def deal(house: House, make_deal: Callable[..., Any]) -> Opportunity:
    """Ana's deal at Kestrel Rail, where Mats and Runa work."""
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        account = account_create(name="Kestrel Rail")
        for name in ("Mats Ekdahl", "Runa Dahl"):
            contact_create(account.id, name=name)
        found: Opportunity = make_deal("Kestrel Rail: Depots", owner=house.ana, account_id=account.id)
    return found


@pytest.fixture
def at_home(house: House, deal: Opportunity) -> Any:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        yield


def contact(name: str) -> Contact:
    found: Contact = Contact.objects.get(name__startswith=name)
    return found


def add(deal: Opportunity, name: str = "Mats", role: str = "champion", *, at: Any = NOW) -> BuyingRole:
    made = buying_role_add(deal.id, contact_id=contact(name).id, role=role, now=at).made
    assert made is not None
    return made


def standing(deal: Opportunity) -> list[tuple[str, str]]:
    found = BuyingRole.objects.filter(opportunity=deal, valid_to=FOREVER).order_by("valid_from", "id")
    return [(role.contact.name.split()[0], role.role) for role in found]


def test_a_team_without_a_decision_maker_says_what_it_lacks():
    assert missing_parts(["champion", "champion", "user", "blocker"]) == (
        "economic_buyer",
        "decision_maker",
        "influencer",
    )


def test_one_person_with_two_parts_is_one_thread():
    assert is_single_threaded(["mats", "mats"])
    assert not is_single_threaded(["mats", "runa"])


def test_a_change_ends_what_stood_and_begins_anew(deal, at_home):
    first = add(deal)
    buying_role_change(deal.id, first.id, changes={"stance": "opponent"}, now=after(5))
    intervals = [
        (role.stance, role.valid_from, role.valid_to) for role in BuyingRole.objects.order_by("valid_from")
    ]
    assert intervals == [("unknown", NOW, after(5)), ("opponent", after(5), FOREVER)]


def test_a_change_that_changes_nothing_writes_nothing(deal, at_home):
    first = add(deal)
    buying_role_change(deal.id, first.id, changes={"role": "champion"}, now=after(5))
    assert BuyingRole.objects.get().valid_to == FOREVER


def test_who_is_removed_stays_in_the_past(deal, at_home):
    buying_role_remove(deal.id, add(deal).id, now=after(5))
    assert standing(deal) == []
    assert BuyingRole.objects.get().valid_to == after(5)


def test_a_removal_at_the_very_instant_leaves_no_empty_interval(deal, at_home):
    buying_role_remove(deal.id, add(deal).id, now=NOW)
    assert BuyingRole.objects.get().valid_to > NOW


def test_the_same_part_twice_and_people_from_elsewhere_are_refused(deal, at_home):
    add(deal)
    with pytest.raises(Refused, match="already"):
        add(deal)
    stranger = contact_create(account_create(name="Elsewhere").id, name="Zed")
    with pytest.raises(Refused, match="no such contact"):
        buying_role_add(deal.id, contact_id=stranger.id, role="user", now=NOW)
    with pytest.raises(Refused, match="Choose one of"):
        add(deal, "Runa", "godfather")


def test_somebody_at_the_parent_company_may_decide(deal, at_home):
    parent = account_create(name="Kestrel Group")
    deal.account.parent = parent
    deal.account.save()
    boss = contact_create(parent.id, name="Ines")
    buying_role_add(deal.id, contact_id=boss.id, role="decision_maker", now=NOW)
    assert standing(deal) == [("Ines", "decision_maker")]


def test_every_write_is_taken_back_whole(deal, at_home):
    first = add(deal)
    changed = buying_role_change(deal.id, first.id, changes={"role": "blocker"}, now=after(1))
    buying_role_undo(deal.id, made_id=changed.made.id, ended_id=first.id, now=after(2))
    assert standing(deal) == [("Mats", "champion")]
    buying_role_remove(deal.id, first.id, now=after(3))
    buying_role_undo(deal.id, made_id=None, ended_id=first.id, now=after(4))
    assert standing(deal) == [("Mats", "champion")]
    buying_role_undo(deal.id, made_id=first.id, ended_id=None, now=after(5))
    assert standing(deal) == []


def test_what_was_changed_since_or_long_ago_is_not_taken_back(deal, at_home):
    first = add(deal)
    buying_role_remove(deal.id, first.id, now=after(1))
    add(deal, at=after(2))
    with pytest.raises(Refused, match="changed the buying team since"):
        buying_role_undo(deal.id, made_id=None, ended_id=first.id, now=after(3))
    old = add(deal, "Runa", "user", at=NOW - timedelta(days=2))
    with pytest.raises(Refused):
        buying_role_undo(deal.id, made_id=old.id, ended_id=None, now=after(3))


def test_a_part_brings_the_deal_s_health_up_to_date(deal, at_home):
    Job.objects.all().delete()
    add(deal)
    assert Job.objects.filter(kind="deal_health", subject=deal.id).exists()


def test_the_page_lists_adds_changes_removes_and_undoes(house, deal, signed_in):
    client = signed_in(house.ana)
    page = house.url(f"deals/{deal.id}/")
    with use(house.organization.id):
        mats = contact("Mats")
    fields = {"influence": "high", "stance": "supporter"}
    client.post(f"{page}buying/", {"contact": mats.id, "role": "decision_maker", **fields})
    shown = client.get(page).content.decode()
    assert "Buying team: 1 of 5 parts" in shown
    assert "for us" in shown and "decision maker missing" not in shown
    with use(house.organization.id):
        role = BuyingRole.objects.get()
    answer = client.post(f"{page}buying/{role.id}/", {"role": "user", **fields}, follow=True)
    assert "decision maker missing" in answer.content.decode()
    with use(house.organization.id):
        changed = BuyingRole.objects.get(valid_to=FOREVER)
    answer = client.post(f"{page}buying/{changed.id}/", {"remove": "1"}, follow=True)
    assert "Buying team: 0 of 5 parts" in answer.content.decode()
    (message,) = answer.context["messages"]
    client.post(message.extra_tags)
    assert "Buying team: 1 of 5 parts" in client.get(page).content.decode()


def test_a_refused_part_says_why_on_the_page(house, deal, signed_in):
    client = signed_in(house.ana)
    page = house.url(f"deals/{deal.id}/")
    answer = client.post(f"{page}buying/", {"contact": "", "role": "user"}, follow=True)
    assert "Choose who" in answer.content.decode()


def test_the_page_of_a_past_day_shows_the_team_of_then(house, deal, signed_in):
    with use(house.organization.id, person_id=house.ana.id):
        made = add(deal, role="decision_maker", at=timezone.now() - timedelta(seconds=50))
        moment = timezone.now()
        buying_role_remove(deal.id, made.id, now=moment + timedelta(microseconds=1))
    client = signed_in(house.ana)
    then = client.get(house.url(f"deals/{deal.id}/"), {"as_of": moment.isoformat()}).content.decode()
    assert "Buying team: 1 of 5 parts" in then and "Add to the team" not in then
    assert "Buying team: 0 of 5 parts" in client.get(house.url(f"deals/{deal.id}/")).content.decode()


def test_the_api_adds_changes_removes_and_looks_back(house, deal):
    caller = Caller(house.ana)
    address = f"opportunities/{deal.id}/buying-roles"
    with use(house.organization.id):
        runa = contact("Runa")
    made = caller.post(address, {"contact_id": str(runa.id), "role": "economic_buyer"})
    assert made.status_code == 201
    assert (made.json()["stance"], made.json()["valid_to"]) == ("unknown", None)
    changed = caller.patch(f"{address}/{made.json()['id']}", {"stance": "supporter"}).json()
    assert changed["id"] != made.json()["id"]
    assert [role["stance"] for role in caller.get(address).json()] == ["supporter"]
    then = caller.get(f"{address}?as_of={made.json()['valid_from']}".replace("+", "%2B")).json()
    assert [role["stance"] for role in then] == ["unknown"]
    assert caller.delete(f"{address}/{changed['id']}").status_code == 204
    assert caller.get(address).json() == []
    assert caller.delete(f"{address}/{changed['id']}").status_code == 404


def test_zoe_finds_no_buying_team_and_jon_no_deal_of_ana(house, elsewhere, deal):
    for person in (elsewhere.zoe, house.jon):
        caller = Caller(person)
        assert caller.get(f"opportunities/{deal.id}/buying-roles").status_code == 404
        refused = caller.post(
            f"opportunities/{deal.id}/buying-roles", {"contact_id": str(deal.id), "role": "user"}
        )
        assert refused.status_code == 404
