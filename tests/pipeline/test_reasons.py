"""Closing reasons are added, renamed and retired in the settings; each of that is taken back by Undo."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from otc.tenancy.context import use
from otc.undo.models import UndoStep
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.opportunities.services import opportunity_close
from pipeline.process.models import CloseReason
from pipeline.reasons.services import Unfit, reason_retire
from tests.api_client import bearer, secret_of

PRICE = {"name": "Price", "outcomes": ["lost", "no_decision"], "feeds": "messaging", "position": "1"}


def reason(house: Any, name: str) -> CloseReason | None:
    with use(house.organization.id):
        return CloseReason.objects.filter(name=name).first()


def post(house: Any, client: Client, path: str, **typed: Any) -> Any:
    return client.post(house.url(f"settings/process/reasons/{path}"), typed)


def undone(house: Any, client: Client) -> str:
    with use(house.organization.id):
        step = UndoStep.objects.order_by("-created_at").first()
    answer = client.post(house.url(f"undo/{step.id}/"), follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


def closed(house: Any, deal: Any, found: CloseReason) -> None:
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        now = timezone.now()
        opportunity_close(deal.id, outcome="lost", reason_id=found.id, now=now, today=now.date())


@pytest.fixture
def ops(house: Any, signed_in: Any) -> Client:
    return signed_in(house.ops)


def test_a_reason_is_added_and_undo_takes_it_away(house: Any, ops: Client) -> None:
    typed = {"name": "Went quiet", "outcomes": ["no_decision"], "feeds": "training", "position": "3"}
    assert post(house, ops, "new/", **typed).status_code == 302
    added = reason(house, "Went quiet")
    assert added and (added.outcomes, added.feeds, added.position) == (["no_decision"], "training", 3)
    assert "Went quiet is gone again" in undone(house, ops)
    assert reason(house, "Went quiet") is None


def test_an_added_reason_that_a_deal_was_closed_for_stays(house: Any, ops: Client, make_deal: Any) -> None:
    with use(house.organization.id, channel="ui"):
        deal = make_deal(owner=house.ana)
    post(house, ops, "new/", name="Went quiet", outcomes=["lost"], feeds="training", position="3")
    added = reason(house, "Went quiet")
    assert added
    closed(house, deal, added)
    assert "retire it instead" in undone(house, ops)
    assert reason(house, "Went quiet")


def test_a_renamed_reason_is_what_its_deals_bear_until_it_is_undone(
    house: Any, ops: Client, make_deal: Any
) -> None:
    with use(house.organization.id, channel="ui"):
        deal = make_deal(owner=house.ana)
    price = reason(house, "Price")
    assert price
    closed(house, deal, price)
    assert post(house, ops, f"{price.id}/", **PRICE | {"name": "Too dear"}).status_code == 302
    with use(house.organization.id):
        assert Opportunity.objects.select_related("reason").get(id=deal.id).reason.name == "Too dear"
    assert "Price is as it was before" in undone(house, ops)
    assert reason(house, "Price") and not reason(house, "Too dear")


def test_undo_keeps_what_another_changed_since(house: Any, ops: Client) -> None:
    price = reason(house, "Price")
    assert price
    post(house, ops, f"{price.id}/", **PRICE | {"name": "Too dear"})
    with use(house.organization.id):
        CloseReason.objects.filter(id=price.id).update(feeds="product")
    assert "Somebody changed this reason since" in undone(house, ops)
    assert reason(house, "Too dear")


def test_a_retired_reason_is_offered_and_taken_nowhere(
    house: Any, ops: Client, signed_in: Any, make_deal: Any
) -> None:
    price = reason(house, "Price")
    assert price
    with use(house.organization.id, channel="ui"):
        deal = make_deal(owner=house.ana)
    post(house, ops, f"{price.id}/use/", retired="1")
    ana = signed_in(house.ana)
    assert b"Price</" not in ana.get(house.url(f"deals/{deal.id}/close/?outcome=lost")).content
    assert str(price.id).encode() not in ana.get(house.url("today/")).content
    with pytest.raises(Refused, match="no longer used"):
        closed(house, deal, price)
    listed = Client(headers=bearer(secret_of(house.ana))).get("/api/v1/reasons")
    assert "Product gap" in listed.content.decode() and "Price" not in listed.content.decode()
    assert "Price is as it was before" in undone(house, ops)
    closed(house, deal, price)


def test_a_retired_reason_is_offered_again(house: Any, ops: Client) -> None:
    price = reason(house, "Price")
    assert price
    post(house, ops, f"{price.id}/use/", retired="1")
    assert b"Offer it again" in ops.get(house.url(f"settings/process/reasons/{price.id}/")).content
    post(house, ops, f"{price.id}/use/")
    again = reason(house, "Price")
    assert again and again.retired_at is None


def test_the_last_reason_of_an_outcome_stays(house: Any) -> None:
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        won = [one for one in CloseReason.objects.all() if "won" in one.outcomes]
        for one in won[1:]:
            reason_retire(one.id, now=timezone.now())
        with pytest.raises(Unfit, match="last reason for won deals"):
            reason_retire(won[0].id, now=timezone.now())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " \u200b"}, "A reason needs a name"),
        ({"name": "PRODUCT  gap"}, "There is a reason PRODUCT"),
        ({"outcomes": []}, "Say for which outcomes"),
        ({"feeds": "nobody"}, "Select a valid choice"),
        ({"position": "-1"}, "greater than or equal to 0"),
        ({"name": "x" * 201}, "at most 200 characters"),
    ],
)
def test_what_can_not_be_is_refused_with_what_to_do(
    house: Any, ops: Client, typed: dict[str, Any], said: str
) -> None:
    price = reason(house, "Price")
    assert price
    answer = post(house, ops, f"{price.id}/", **PRICE | typed)
    assert answer.status_code == 422 and said in answer.content.decode()
    kept = reason(house, "Price")
    assert kept and kept.outcomes == price.outcomes


def test_who_may_not_manage_the_process_changes_no_reason(house: Any, elsewhere: Any, signed_in: Any) -> None:
    price = reason(house, "Price")
    assert price
    assert post(house, signed_in(house.ana), f"{price.id}/", **PRICE).status_code == 403
    theirs = signed_in(elsewhere.zoe).post(elsewhere.url(f"settings/process/reasons/{price.id}/"), PRICE)
    assert theirs.status_code in (403, 404)
