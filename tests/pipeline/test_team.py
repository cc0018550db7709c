"""Deal team and splits: who may be on them, what they open, and what is kept of them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from otc.tenancy.context import use
from otc.tenancy.models import FOREVER, Organization, Person
from otc.tenancy.services import person_create
from otc.undo.models import UndoStep
from pipeline.opportunities.services import opportunity_create
from pipeline.team.models import DealTeamMember, Split
from pipeline.team.rules import Share, TeamRefused, check_shares, read_share
from pipeline.team.services import splits_set, team_member_add, team_member_remove, team_member_restore
from tests.api_client import Caller
from tests.conftest import House, user_for

SignedIn = Callable[[Person], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def lea(house: House) -> Person:
    """A sales engineer outside of Max's team, who owns nothing."""
    with use(house.organization.id):
        return person_create(name="Lea Moser", role="rep", manager=house.eve, user=user_for("lea"))


@pytest.fixture
def deal(house: House) -> Any:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        return opportunity_create(
            name="Kestrel Rail", owner_id=house.ana.id, amount_minor=100_00, now=timezone.now()
        ).opportunity


def test_a_seat_on_the_team_opens_the_deal_and_its_end_closes_it(
    house: House, lea: Person, deal: Any, signed_in: SignedIn
) -> None:
    page = house.url(f"deals/{deal.id}/")
    ana, guest = signed_in(house.ana), signed_in(lea)
    assert guest.get(page).status_code == 404
    ana.post(f"{page}team/", {"person": str(lea.id), "part": "Sales engineer"})
    shown = guest.get(page).content.decode()
    assert "Lea Moser" in shown and "joined the team as Sales engineer" in shown
    assert "Kestrel Rail" in guest.get(house.url("deals/?scope=everyone")).content.decode()
    with use(house.organization.id):
        member = DealTeamMember.objects.get()
    ana.post(f"{page}team/{member.id}/remove/")
    assert guest.get(page).status_code == 404
    assert "Lea Moser left the team" in ana.get(page).content.decode()
    ana.post(f"{page}team/{member.id}/restore/")
    assert guest.get(page).status_code == 200


def test_under_visibility_by_line_alone_a_seat_opens_nothing(
    house: House, lea: Person, deal: Any, signed_in: SignedIn
) -> None:
    with use(house.organization.id):
        team_member_add(deal.id, person_id=lea.id, part="Sales engineer", now=timezone.now())
        Organization.objects.update(visibility="line")
    assert signed_in(lea).get(house.url(f"deals/{deal.id}/")).status_code == 404


def test_a_share_of_the_deal_opens_it_and_counts_no_money(house: House, lea: Person, deal: Any) -> None:
    caller = Caller(lea)
    assert caller.get(f"opportunities/{deal.id}").status_code == 404
    shares = [
        {"person_id": str(house.ana.id), "share_bp": 7500},
        {"person_id": str(lea.id), "share_bp": 2500},
    ]
    answer = Caller(house.max).call("put", f"opportunities/{deal.id}/splits", {"splits": shares})
    assert [split["share_bp"] for split in answer.json()["results"]] == [7500, 2500]
    assert caller.get(f"opportunities/{deal.id}").status_code == 200
    total = caller.get("forecast/rollup").json()["total"]["amounts"]["open"]
    assert total["final_minor"] == 0


def test_the_api_adds_and_removes_and_refuses_with_words(house: House, lea: Person, deal: Any) -> None:
    caller, path = Caller(house.ana), f"opportunities/{deal.id}/team"
    added = caller.post(path, {"person_id": str(lea.id), "part": " Sales  engineer "})
    assert (added.status_code, added.json()["part"]) == (201, "Sales engineer")
    for person, field in ((house.ana, "person"), (house.bot, "person")):
        refused = caller.post(path, {"person_id": str(person.id), "part": "Sponsor"})
        assert refused.status_code == 422 and list(refused.json()["error"]["fields"]) == [field]
    assert [row["person_name"] for row in caller.get(path).json()["results"]] == ["Lea Moser"]
    assert caller.delete(f"{path}/{added.json()['id']}").status_code == 204
    assert caller.get(path).json()["results"] == []


def test_a_rep_may_not_split_a_deal_and_a_manager_may(house: House, deal: Any) -> None:
    shares = {"splits": [{"person_id": str(house.jon.id), "share_bp": 10_000}]}
    assert Caller(house.ana).call("put", f"opportunities/{deal.id}/splits", shares).status_code == 403
    assert Caller(house.max).call("put", f"opportunities/{deal.id}/splits", shares).status_code == 200


def test_a_new_part_ends_the_old_one_and_both_stay_known(inside: House, make_deal: Any) -> None:
    deal = make_deal(owner=inside.ana)
    first = team_member_add(deal.id, person_id=inside.jon.id, part="Legal", now=timezone.now())
    again = team_member_add(deal.id, person_id=inside.jon.id, part="Legal", now=timezone.now())
    other = team_member_add(deal.id, person_id=inside.jon.id, part="Sponsor", now=timezone.now())
    assert first.id == again.id != other.id
    assert DealTeamMember.objects.filter(valid_to=FOREVER).count() == 1
    with pytest.raises(TeamRefused, match="already"):
        team_member_restore(deal.id, first.id)


def test_nobody_reaches_a_member_through_another_deal(inside: House, make_deal: Any) -> None:
    deal, other = make_deal(owner=inside.ana), make_deal("Other", owner=inside.ana)
    member = team_member_add(deal.id, person_id=inside.jon.id, part="Legal", now=timezone.now())
    with pytest.raises(DealTeamMember.DoesNotExist):
        team_member_remove(other.id, member.id, now=timezone.now())


@pytest.mark.parametrize(
    ("shares", "words"),
    [
        ([("ana", "revenue", 9_999)], "sum to 100 %"),
        ([("ana", "revenue", 5_000), ("ana", "revenue", 5_000)], "two revenue shares"),
        ([("ana", "revenue", 0)], "0.01 to 100"),
        ([("ana", "credit", 10_000)], "revenue or overlay"),
    ],
)
def test_shares_that_can_not_be_are_refused(house: House, shares: Any, words: str) -> None:
    with pytest.raises(TeamRefused, match=words):
        check_shares([Share(house.people[name].id, kind, share_bp) for name, kind, share_bp in shares])


def test_overlay_is_beside_the_whole(inside: House, make_deal: Any) -> None:
    deal = make_deal(owner=inside.ana)
    shares = [Share(inside.ana.id, "revenue", 10_000), Share(inside.jon.id, "overlay", 3_000)]
    splits_set(deal.id, shares=shares, now=timezone.now())
    splits_set(deal.id, shares=shares[:1], now=timezone.now())
    assert Split.objects.filter(valid_to=FOREVER).count() == 1
    assert Split.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_revenue_that_is_not_whole(house: House, deal: Any) -> None:
    """Past the service, at commit, whatever organization is in context by then."""
    with (
        pytest.raises(IntegrityError, match="sum to 4000"),
        transaction.atomic(),
        use(house.organization.id),
    ):
        Split(
            opportunity=deal, person=house.ana, kind="revenue", share_bp=4_000, valid_from=timezone.now()
        ).save()
    with use(house.organization.id):
        assert not Split.objects.exists()


# Splits on the page


def split_rows(*rows: tuple[str, str, str]) -> dict[str, list[str]]:
    return dict(zip(("person", "kind", "share"), map(list, zip(*rows, strict=True)), strict=True))


def test_a_manager_splits_a_deal_on_its_page_and_takes_it_back(
    house: House, deal: Any, signed_in: SignedIn
) -> None:
    client, page = signed_in(house.max), house.url(f"deals/{deal.id}/")
    form = client.get(f"{page}splits/")
    assert form.context["rows"][0] == {"person": str(house.ana.id), "kind": "revenue", "share": "100"}
    ana, jon = str(house.ana.id), str(house.jon.id)
    asked = split_rows((ana, "revenue", "66.67"), (jon, "revenue", "30"), ("", "revenue", ""))
    refused = client.post(f"{page}splits/", asked)
    assert refused.status_code == 422 and "these to 96.67 %" in refused.content.decode()
    assert refused.context["rows"][1]["share"] == "30"
    asked = split_rows((ana, "revenue", "66.67"), (jon, "revenue", "33,33 %"), (jon, "overlay", "80"))
    shown = client.post(f"{page}splits/", asked, follow=True).content.decode()
    assert "66.67 %" in shown and "overlay" in shown and "/undo/" in shown
    with use(house.organization.id):
        step = UndoStep.objects.order_by("-created_at", "-id")[0]
    client.post(house.url(f"undo/{step.id}/"))
    with use(house.organization.id):
        assert not Split.objects.filter(valid_to=FOREVER).exists()


def test_a_rep_sees_the_split_and_may_not_change_it(house: House, deal: Any, signed_in: SignedIn) -> None:
    page = house.url(f"deals/{deal.id}/")
    client = signed_in(house.ana)
    assert "/splits/" not in client.get(page).content.decode()
    assert client.get(f"{page}splits/").status_code == client.post(f"{page}splits/").status_code == 403


@given(st.integers(1, 10_000))
def test_a_share_reads_back_as_it_is_written(share_bp: int) -> None:
    assert read_share(f"{share_bp / 100:g} %") == share_bp


@pytest.mark.parametrize("typed", ["", "x", "-5", "1.234", "1e2", "٣"])
def test_what_is_no_share_is_refused(typed: str) -> None:
    with pytest.raises(TeamRefused):
        read_share(typed)
