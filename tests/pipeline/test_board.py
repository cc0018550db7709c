"""The board: every deal in its column's sum, moves that hold or spring back with the reason."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.opportunities.board import CARDS
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.process.models import Milestone, Stage
from tests.conftest import House

HTMX = {"HTTP_HX_REQUEST": "true"}
LATER = timezone.now().date() + timedelta(days=40)


@pytest.fixture
def deal(house: House, make_deal: Callable[..., Any]) -> Opportunity:
    with use(house.organization.id, channel="ui"):
        found: Opportunity = make_deal(owner=house.ana, amount_minor=100_00, close_date=LATER)
    return found


def stage_id(house: House, name: str) -> str:
    with use(house.organization.id):
        return str(Stage.objects.get(name=name).id)


def stage_of(house: House, deal: Opportunity) -> str:
    with use(house.organization.id):
        return str(Opportunity.objects.select_related("stage").get(id=deal.id).stage.name)


def mark(house: House, deal: Opportunity, stage: str) -> None:
    with use(house.organization.id):
        for milestone in Milestone.objects.filter(stage__name=stage, is_required=True):
            milestone_mark(deal.id, milestone_id=milestone.id, state="met", now=timezone.now())


def move(client: Any, house: House, deal: Opportunity, stage: str, **headers: str) -> Any:
    to = stage if stage == "won" else stage_id(house, stage)
    return client.post(house.url(f"deals/{deal.id}/move/"), {"stage": to}, **headers)


def test_columns_sum_all_deals_and_show_a_few(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        for _ in range(CARDS + 3):
            make_deal(owner=house.ana, amount_minor=100_00, close_date=LATER)
    page = signed_in(house.ana).get(house.url("deals/board/"))
    column = page.context["report"].columns[0]
    assert (column.name, column.count, column.total_minor) == ("Qualify", CARDS + 3, (CARDS + 3) * 100_00)
    assert (len(column.cards), column.more) == (CARDS, 3)
    assert b"3 more" in page.content


def test_every_open_deal_stands_in_a_column_also_without_a_stage(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        make_deal(owner=house.ana, amount_minor=1_00)
        Opportunity.objects.filter(id=make_deal(owner=house.ana, amount_minor=2_00).id).update(stage=None)
    client = signed_in(house.ana)
    report = client.get(house.url("deals/board/")).context["report"]
    assert report.columns[0].name == "No stage"
    assert report.total_minor == client.get(house.url("deals/")).context["report"].sums.total_minor == 3_00


def test_won_deals_of_the_period_have_their_column(house, deal, signed_in):
    with use(house.organization.id, channel="ui"):
        Opportunity.objects.filter(id=deal.id).update(
            outcome="won", category="closed", closed_at=timezone.now(), close_date=timezone.now().date()
        )
    won = signed_in(house.ana).get(house.url("deals/board/")).context["report"].won
    assert (won.count, won.total_minor, len(won.cards)) == (1, 100_00, 1)


def test_a_move_answers_all_columns_and_undo(house, deal, signed_in):
    mark(house, deal, "Qualify")
    response = move(signed_in(house.ana), house, deal, "Discover", **HTMX)
    text = response.content.decode()
    assert response.status_code == 200
    assert text.count('class="board-column"') == 6
    assert "hx-swap-oob" in text
    assert "Undo" in text
    assert "Discover, 1 deal" in text
    assert stage_of(house, deal) == "Discover"


def test_a_refused_move_says_what_is_missing_and_changes_nothing(house, deal, signed_in):
    response = move(signed_in(house.ana), house, deal, "Discover", **HTMX)
    assert response.status_code == 422
    assert "Problem confirmed by the buyer" in response.content.decode()
    assert "Mark met" in response.content.decode()
    assert stage_of(house, deal) == "Qualify"


@pytest.mark.parametrize(("state", "column"), [("met", "met_at"), ("waived", "waived_at")])
def test_the_buttons_of_a_refusal_cure_it_and_move_the_card(house, deal, signed_in, state, column):
    with use(house.organization.id):
        missing = Milestone.objects.get(name="Problem confirmed by the buyer")
    asked = {"state": state, "stage": stage_id(house, "Discover"), "milestone": missing.id}
    query = f"?{urlencode(asked | {'next': house.url('deals/board/')})}"
    response = signed_in(house.ana).post(house.url(f"deals/{deal.id}/milestones/{query}"))
    assert (response.status_code, response.url) == (302, house.url("deals/board/"))
    assert stage_of(house, deal) == "Discover"
    with use(house.organization.id):
        assert OpportunityMilestone.objects.filter(opportunity=deal, **{f"{column}__isnull": False}).exists()


def test_a_cure_that_is_not_enough_marks_nothing(house, deal, signed_in):
    with use(house.organization.id):
        one = Milestone.objects.get(name="Problem confirmed by the buyer")
    query = f"?state=met&stage={stage_id(house, 'Sign')}&milestone={one.id}"
    signed_in(house.ana).post(house.url(f"deals/{deal.id}/milestones/{query}"))
    assert stage_of(house, deal) == "Qualify"
    with use(house.organization.id):
        assert not OpportunityMilestone.objects.filter(opportunity=deal).exists()


def test_a_card_is_not_dropped_into_won_without_a_reason(house, deal, signed_in):
    response = move(signed_in(house.ana), house, deal, "won", **HTMX)
    assert response.status_code == 422
    assert "close/?outcome=won" in response.content.decode()


def test_a_move_without_script_goes_back_to_the_board(house, deal, signed_in):
    mark(house, deal, "Qualify")
    response = move(signed_in(house.ana), house, deal, "Discover")
    assert (response.status_code, response.url) == (302, house.url("deals/board/"))
    assert stage_of(house, deal) == "Discover"


def test_a_closed_deal_is_not_moved(house, deal, signed_in):
    with use(house.organization.id, channel="ui"):
        Opportunity.objects.filter(id=deal.id).update(
            outcome="lost", category="omitted", closed_at=timezone.now()
        )
    response = move(signed_in(house.ana), house, deal, "Discover", **HTMX)
    assert response.status_code == 422
    assert "reopen it first" in response.content.decode()


def test_the_past_board_has_no_cards_to_move(house, deal, signed_in):
    page = signed_in(house.ana).get(house.url("deals/board/"), {"as_of": timezone.now().isoformat()})
    assert page.status_code == 200
    assert b"data-move-url" not in page.content


def test_the_number_of_queries_does_not_grow_with_the_cards(house, deal, make_deal, signed_in):
    client = signed_in(house.ana)
    with CaptureQueriesContext(connection) as few:
        client.get(house.url("deals/board/"))
    with use(house.organization.id, channel="ui"):
        for _ in range(20):
            make_deal(owner=house.ana, amount_minor=100_00, close_date=LATER)
    with CaptureQueriesContext(connection) as more:
        client.get(house.url("deals/board/"))
    assert len(few) == len(more)


def test_the_board_of_another_organization_is_not_found(house, deal, elsewhere, signed_in):
    zoe = signed_in(elsewhere.zoe)
    assert zoe.get(house.url("deals/board/")).status_code == 404
    assert move(zoe, house, deal, "Discover").status_code == 404


def test_a_deal_of_a_colleague_is_not_moved(house, make_deal, signed_in):
    with use(house.organization.id, channel="ui"):
        theirs = make_deal("Jon's", owner=house.jon)
    assert move(signed_in(house.ana), house, theirs, "Discover", **HTMX).status_code == 404
