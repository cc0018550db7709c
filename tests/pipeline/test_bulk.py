"""Many deals are changed by the rules of one, all or none, and put back together."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from otc.tenancy.context import use
from otc.tenancy.models import Person
from otc.tenancy.services import line_set
from pipeline.opportunities.bulk import SomeRefused, deals_edit
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_close, opportunity_edit
from pipeline.process.models import CloseReason, Milestone, Stage
from tests.conftest import House

SignedIn = Callable[[Person], Client]
Make = Callable[..., Opportunity]

pytestmark = pytest.mark.django_db
DAYS = (date(2027, 1, 10), date(2027, 2, 20), None)


@pytest.fixture
def deals(house: House, make_deal: Make) -> list[Opportunity]:
    with use(house.organization.id):
        return [
            make_deal(f"Deal {n}", owner=house.ana, close_date=day, amount_minor=(n + 1) * 100_00)
            for n, day in enumerate(DAYS)
        ]


def now_of(house: House, deals: list[Opportunity]) -> list[Opportunity]:
    with use(house.organization.id):
        found = Opportunity.objects.in_bulk([deal.id for deal in deals])
        return [found[deal.id] for deal in deals]


def post(client: Client, house: House, deals: list[Opportunity] | list[UUID], **posted: str) -> Any:
    ids = [getattr(deal, "id", deal) for deal in deals]
    return client.post(house.url("deals/bulk/"), {"deal": ids, **posted}, follow=True)


def messages_of(page: Any) -> list[Any]:
    return list(page.context["messages"])


def test_two_weeks_more_count_from_each_deals_own_day(house, deals, signed_in):
    page = post(signed_in(house.ana), house, deals[:2], field="close", value="+2w")
    assert [deal.close_date for deal in now_of(house, deals)] == [
        DAYS[0] + timedelta(14),
        DAYS[1] + timedelta(14),
        None,
    ]
    assert str(messages_of(page)[0]) == "2 deals: close date changed"


@pytest.mark.parametrize(
    ("field", "value", "column", "expected"),
    [
        ("category", "commit", "category", "commit"),
        ("next", "Call the CFO", "next_step", "Call the CFO"),
        ("next-on", "2027-01-04", "next_step_on", date(2027, 1, 4)),
    ],
)
def test_one_value_is_set_on_all(house, deals, signed_in, field, value, column, expected):
    post(signed_in(house.ana), house, deals, field=field, value=value)
    assert {getattr(deal, column) for deal in now_of(house, deals)} == {expected}


def test_owners_change_and_come_back_together(house, deals, signed_in):
    client = signed_in(house.max)
    page = post(client, house, deals, field="owner", value=str(house.jon.id))
    assert {deal.owner_id for deal in now_of(house, deals)} == {house.jon.id}
    back = client.post(messages_of(page)[0].extra_tags, follow=True)
    assert "3 deals are as before" in str(messages_of(back)[0])
    assert {deal.owner_id for deal in now_of(house, deals)} == {house.ana.id}
    again = client.post(messages_of(page)[0].extra_tags, follow=True)
    assert "undone already" in str(messages_of(again)[0])


def test_what_somebody_changed_since_stays_and_is_named(house, deals, signed_in):
    client = signed_in(house.ana)
    page = post(client, house, deals, field="category", value="commit")
    with use(house.organization.id, person_id=house.max.id):
        opportunity_edit(deals[1].id, changes={"category": "best_case"})
    back = client.post(messages_of(page)[0].extra_tags, follow=True)
    assert "2 of 3 deals are as before" in str(messages_of(back)[0])
    assert "Deal 1" in str(messages_of(back)[0])
    assert [deal.category for deal in now_of(house, deals)] == ["pipeline", "best_case", "pipeline"]


def test_one_refused_deal_keeps_all_as_they_are_until_the_others_are_asked_for(house, deals, signed_in):
    """A required milestone of the first stage is met on two of three."""
    with use(house.organization.id):
        first, second = Stage.objects.order_by("position")[:2]
        for deal in deals[:2]:
            for milestone in Milestone.objects.filter(stage=first):
                milestone_mark(deal.id, milestone_id=milestone.id, state="met", now=deal.created_at)
    client = signed_in(house.ana)
    page = post(client, house, deals, field="stage", value=str(second.id))
    assert page.status_code == 422
    text = page.content.decode()
    assert "Nothing was changed" in text and "Deal 2" in text and "Change the other 2" in text
    assert {deal.stage_id for deal in now_of(house, deals)} == {first.id}
    post(client, house, deals, field="stage", value=str(second.id), rest="1")
    assert [deal.stage_id for deal in now_of(house, deals)] == [second.id, second.id, first.id]


def test_a_refusal_leaves_nothing_behind_inside_a_longer_transaction(house, deals):
    def odd_ones(deal: Opportunity) -> dict[str, Any]:
        if deal.name == "Deal 2":
            raise Refused("category", "not this one")
        return {"category": "commit"}

    with use(house.organization.id, person_id=house.ana.id):
        with pytest.raises(SomeRefused) as refusal:
            deals_edit(deals, changes=odd_ones, said="x", skips_refused=False)
        assert set(Opportunity.objects.values_list("category", flat=True)) == {"pipeline"}
    assert [one.name for one in refusal.value.refused] == ["Deal 2"] and refusal.value.others == 2


def test_a_closed_deal_among_them_is_refused_by_its_own_rule(house, deals, signed_in):
    with use(house.organization.id):
        reason = CloseReason.objects.first()
        now = deals[0].created_at
        opportunity_close(deals[0].id, outcome="lost", reason_id=reason.id, now=now, today=now.date())
    page = post(signed_in(house.ana), house, deals, field="category", value="commit")
    assert page.status_code == 422 and "Deal 0" in page.content.decode()
    assert {deal.category for deal in now_of(house, deals)[1:]} == {"pipeline"}


def test_where_nothing_is_left_to_change_it_is_refused_again(house, deals, signed_in):
    posted = {"field": "stage", "value": str(uuid4()), "rest": "1"}
    page = post(signed_in(house.ana), house, deals, **posted)
    assert page.status_code == 422 and "3 of 3 deals can’t be" in page.content.decode()


def test_deleted_together_they_come_back_together(house, deals, signed_in):
    client = signed_in(house.ana)
    page = post(client, house, deals, field="delete")
    assert all(deal.deleted_at for deal in now_of(house, deals))
    client.post(messages_of(page)[0].extra_tags)
    assert not any(deal.deleted_at for deal in now_of(house, deals))


def test_all_that_match_means_what_the_list_shows(house, deals, signed_in):
    client = signed_in(house.ana)
    form = client.get(house.url("deals/bulk/"), {"all": "1", "query": "q=deal+1", "field": "close"})
    assert [deal.name for deal in form.context["deals"]] == ["Deal 1"]


def test_a_deal_out_of_sight_is_none(house, deals, signed_in, make_deal):
    with use(house.organization.id):
        others = make_deal("Not Ana’s", owner=house.jon)
    page = post(signed_in(house.ana), house, [others.id, uuid4()], field="next", value="Mine now")
    assert page.status_code == 422
    assert now_of(house, [others])[0].next_step == ""


def test_who_gave_deals_away_takes_that_back(house, deals, signed_in):
    client = signed_in(house.ana)
    page = post(client, house, deals, field="owner", value=str(house.jon.id))
    client.post(messages_of(page)[0].extra_tags)
    assert {deal.owner_id for deal in now_of(house, deals)} == {house.ana.id}


def test_who_left_the_branch_since_puts_nothing_back(house, deals, signed_in):
    client = signed_in(house.max)
    page = post(client, house, deals, field="category", value="commit")
    with use(house.organization.id):
        line_set(house.ana, manager_id=house.eve.id, since=timezone.now())
    back = client.post(messages_of(page)[0].extra_tags, follow=True)
    assert "out of your sight" in str(messages_of(back)[0])
    assert {deal.category for deal in now_of(house, deals)} == {"commit"}


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_one_deal_given_away_comes_back_and_a_strangers_looks_missing(house, deals, signed_in, headers):
    client = signed_in(house.ana)
    edit = house.url(f"deals/{deals[0].id}/edit/owner/?in=deal")
    answer = client.post(edit, {"value": str(house.jon.id)}, headers=headers)
    assert (answer.get("HX-Redirect") or answer["Location"]) == house.url("deals/")
    told = messages_of(client.get(house.url("deals/")))[0]
    assert "no longer in your sight" in str(told)
    client.post(told.extra_tags)
    assert now_of(house, deals)[0].owner_id == house.ana.id
    with use(house.organization.id):
        line_set(house.ana, manager_id=house.eve.id, since=timezone.now())
    strangers = [house.url(f"deals/{deal}/undo/{uuid4()}/") for deal in (deals[1].id, uuid4())]
    assert [signed_in(house.max).post(url).status_code for url in strangers] == [404, 404]


@pytest.mark.parametrize(
    "posted",
    [
        {"field": "close", "value": "someday"},
        {"field": "close", "value": ""},
        {"field": "owner", "value": "nobody"},
        {"field": "amount", "value": "12"},
        {"field": "field-none", "value": "12"},
        {"field": "", "value": "12"},
    ],
)
def test_what_can_not_be_meant_changes_nothing(house, deals, signed_in, posted):
    before = [deal.__dict__.copy() for deal in now_of(house, deals)]
    page = post(signed_in(house.ana), house, deals, **posted)
    assert page.status_code == 422
    for deal, was in zip(now_of(house, deals), before, strict=True):
        assert deal.close_date == was["close_date"] and deal.owner_id == was["owner_id"]


def test_a_day_is_cleared_only_on_request(house, deals, signed_in):
    post(signed_in(house.ana), house, deals, field="close", clear="1")
    assert {deal.close_date for deal in now_of(house, deals)} == {None}


def test_too_many_and_none_are_refused(house, signed_in):
    client = signed_in(house.ana)
    many = post(client, house, [uuid4() for _ in range(501)], field="next", value="x")
    none = client.get(house.url("deals/bulk/"), {"field": "next"})
    assert "At most 500" in many.content.decode() and "Pick the deals first" in none.content.decode()


def test_the_past_is_not_changed(house, deals, signed_in):
    asked = {"all": "1", "query": "as_of=2026-01-01", "field": "next"}
    form = signed_in(house.ana).get(house.url("deals/bulk/"), asked)
    assert "deals" not in form.context and "past can’t be changed" in form.content.decode()


def test_whoever_edits_nothing_gets_no_boxes_and_no_form(house, deals, signed_in):
    client = signed_in(house.ria)
    assert "data-pick" not in client.get(house.url("deals/")).content.decode()
    assert post(client, house, deals, field="next", value="x").status_code == 403
