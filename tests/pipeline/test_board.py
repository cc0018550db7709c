"""The board: every deal in its column's sum, moves that hold or spring back with the reason."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from otc.tenancy.context import use
from pipeline.opportunities.board import CARDS
from pipeline.opportunities.milestones import milestone_mark
from pipeline.opportunities.models import Opportunity, OpportunityMilestone
from pipeline.process.models import CloseReason, Milestone, Stage
from pipeline.risk.models import Risk
from tests.conftest import House
from tests.days import day_in_house

HTMX = {"HTTP_HX_REQUEST": "true"}
LATER = day_in_house() + timedelta(days=40)


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


def test_a_column_expects_each_amount_by_the_chance_of_its_present_close_date(house, make_deal, signed_in):
    """A chance of an earlier date says nothing any more, and a deal without one adds nothing."""
    chances = ((0.5, LATER), (0.25, LATER), (0.9, LATER + timedelta(days=1)), (None, LATER))
    with use(house.organization.id, channel="ui"):
        for p_won, close_date in chances:
            found = make_deal(owner=house.ana, amount_minor=100_00, close_date=LATER)
            Risk.objects.filter(opportunity=found).delete()
            Risk(
                opportunity=found,
                p_won=p_won,
                close_date=close_date,
                model="test",
                computed_at=timezone.now(),
            ).save()
    column = signed_in(house.ana).get(house.url("deals/board/")).context["report"].columns[0]
    assert (column.count, column.total_minor, column.expected_minor) == (4, 400_00, 75_00)


def test_first_cards_are_those_that_close_first_and_undated_ones_come_last(house, make_deal, signed_in):
    days = (None, LATER, LATER - timedelta(days=3), LATER + timedelta(days=3))
    with use(house.organization.id, channel="ui"):
        for day in days:
            make_deal(owner=house.ana, amount_minor=100_00, close_date=day)
    column = signed_in(house.ana).get(house.url("deals/board/")).context["report"].columns[0]
    assert [card.close_date for card in column.cards] == [days[2], days[1], days[3], None]


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
            outcome="won", category="closed", closed_at=timezone.now(), close_date=day_in_house()
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
    assert "Mark all" not in response.content.decode()
    assert stage_of(house, deal) == "Qualify"


def missing_before(house: House, deal: Opportunity, stage: str) -> list[Milestone]:
    """The required milestones of the stages that are left on the way."""
    with use(house.organization.id):
        end = Stage.objects.get(name=stage).position
        found = Milestone.objects.filter(is_required=True, stage__position__lt=end)
        return list(found.order_by("stage__position", "position"))


def pass_gate(
    client: Any, house: House, deal: Opportunity, stage: str, sent: dict[str, str], **headers: str
) -> Any:
    asked = {"stage": stage_id(house, stage), "next": house.url("deals/board/")} | sent
    return client.post(house.url(f"deals/{deal.id}/gate/"), asked, **headers)


@pytest.mark.parametrize("on_board", [True, False])
def test_each_missing_milestone_is_ticked_with_its_own_evidence_and_the_card_moves(
    house, deal, signed_in, on_board
):
    client = signed_in(house.ana)
    missing = missing_before(house, deal, "Validate")
    assert len(missing) > 1
    text = move(client, house, deal, "Validate", **HTMX).content.decode()
    assert all(text.count(f'name="milestone-{one.id}"') == 2 for one in missing), "met or waived, each"
    assert all(f'name="evidence-{one.id}"' in text for one in missing)
    sent = {f"milestone-{one.id}": "met" for one in missing}
    sent |= {f"milestone-{missing[1].id}": "waived", f"evidence-{missing[1].id}": "No champion here: <b>"}
    sent |= {f"evidence-{missing[0].id}": " https://docs.example.org/mail "}
    if on_board:
        answer = pass_gate(client, house, deal, "Validate", sent | {"in": "board"}, **HTMX)
        assert answer.status_code == 200
        assert "Validate, 1 deal" in answer.content.decode() and "Undo" in answer.content.decode()
    else:
        answer = pass_gate(client, house, deal, "Validate", sent)
        assert (answer.status_code, answer.url) == (302, house.url("deals/board/"))
    assert stage_of(house, deal) == "Validate"
    with use(house.organization.id):
        marks = {mark.milestone_id: mark for mark in OpportunityMilestone.objects.filter(opportunity=deal)}
    first, second = (marks[one.id] for one in missing[:2])
    assert (first.met_at is not None, first.note, first.url) == (True, "", "https://docs.example.org/mail")
    assert (second.waived_at is not None, second.note) == (True, "No champion here: <b>")
    assert {mark.marked_by_id for mark in marks.values()} == {house.ana.id}


@pytest.mark.parametrize(
    ("evidence", "says"), [("https://ana:secret@example.org/", "sign-in"), ("x" * 2001, "2,001")]
)
@pytest.mark.parametrize("where", [{}, {"in": "board"}])
def test_a_gate_that_lacks_one_tick_or_has_bad_evidence_marks_nothing(
    house, deal, signed_in, evidence, says, where
):
    client = signed_in(house.ana)
    missing = missing_before(house, deal, "Validate")
    headers = HTMX if where else {}
    typed = {f"evidence-{missing[0].id}": "Typed with care"} | where
    one = pass_gate(client, house, deal, "Validate", typed | {f"milestone-{missing[0].id}": "met"}, **headers)
    assert one.status_code == 422
    assert "Say whether it is met" in one.content.decode() and "Typed with care" in one.content.decode()
    sent = where | {f"milestone-{one.id}": "met" for one in missing} | {f"evidence-{missing[0].id}": evidence}
    bad = pass_gate(client, house, deal, "Validate", sent, **headers)
    assert bad.status_code == 422 and says in bad.content.decode() and evidence in bad.content.decode()
    assert stage_of(house, deal) == "Qualify"
    with use(house.organization.id):
        assert not OpportunityMilestone.objects.filter(opportunity=deal).exists()


@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_card_dropped_at_its_end_is_asked_why_over_the_board_and_then_leaves(house, deal, signed_in, end):
    client = signed_in(house.ana)
    asked = client.post(house.url(f"deals/{deal.id}/move/?q=Kestrel"), {"stage": end}, **HTMX)
    text = asked.content.decode()
    assert asked.status_code == 422 and "data-closing" in text
    assert 'close/?q=Kestrel"' in text and f'name="outcome" value="{end}"' in text
    with use(house.organization.id):
        reason = next(one for one in CloseReason.objects.all() if end in one.outcomes)
    close = house.url(f"deals/{deal.id}/close/?q=Kestrel")
    refused = client.post(close, {"outcome": end, "in": "board"}, **HTMX)
    assert refused.status_code == 422 and "data-closing" in refused.content.decode()
    closed = client.post(close, {"outcome": end, "reason": str(reason.id), "in": "board"}, **HTMX)
    text = closed.content.decode()
    assert closed.status_code == 200 and "Undo" in text and "Qualify, 0 deals" in text
    assert f"Won in {closed.context['period'].label}, {'1 deal' if end == 'won' else '0 deals'}" in text
    again = client.post(close, {"outcome": end, "reason": str(reason.id), "in": "board"}, **HTMX)
    assert again.status_code == 422 and "already closed" in again.content.decode()


def test_without_script_a_card_at_its_end_leads_to_the_closing_page_and_back(house, deal, signed_in):
    client = signed_in(house.ana)
    answer = move(client, house, deal, "won")
    assert answer.status_code == 302 and f"deals/{deal.id}/close/?outcome=won&next=" in answer.url
    page = client.get(answer.url).content.decode()
    assert f'name="next" value="{house.url("deals/board/")}"' in page and "data-closing" not in page
    with use(house.organization.id):
        reason = CloseReason.objects.get(name="Best fit")
    sent = {"outcome": "won", "reason": str(reason.id), "next": house.url("deals/board/")}
    closed = client.post(house.url(f"deals/{deal.id}/close/"), sent)
    assert (closed.status_code, closed.url) == (302, house.url("deals/board/"))


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
