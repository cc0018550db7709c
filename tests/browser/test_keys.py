"""What hands do: edit in place and undo by keyboard, a refused edit and move, signing in, asking for the keys."""

import pytest

from otc.identity.models import User
from otc.tenancy.context import use
from pipeline.opportunities.models import Opportunity
from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def stored(house, deal_id) -> Opportunity:
    with use(house.organization.id):
        return Opportunity.objects.select_related("stage").get(id=deal_id)


def amount_editor(seat, house):
    seat.open(house.url("deals/"))
    seat.page.locator("tbody a.cell-value[href*='/amount/']").first.click()
    return seat.page.locator("[data-cell-input]")


def test_an_amount_is_edited_in_place_and_undone_by_a_key(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    field = amount_editor(seat, house)
    field.fill("2.5k")
    field.press("Enter")
    seat.page.locator("#toasts [data-toast]").wait_for(timeout=PATIENCE)
    assert stored(house, deal_id).amount_minor == 2_500_00
    with seat.page.expect_response(lambda answer: "/undo/" in answer.url):
        seat.page.keyboard.press("z")
    seat.page.wait_for_load_state("load")
    assert stored(house, deal_id).amount_minor == 100_00


def test_a_refused_amount_stays_as_typed(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    field = amount_editor(seat, house)
    field.fill("lots")
    field.press("Enter")
    seat.page.locator("[data-cell-input][aria-invalid=true]").wait_for(timeout=PATIENCE)
    assert seat.page.locator("[data-cell-input]").input_value() == "lots"
    assert stored(house, deal_id).amount_minor == 100_00


def test_escape_leaves_a_cell_as_it_was(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    amount_editor(seat, house).press("Escape")
    assert seat.page.locator("[data-cell-input]").count() == 0
    assert stored(house, deal_id).amount_minor == 100_00


def test_a_move_past_a_required_milestone_springs_back(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/board/"))
    card = seat.page.locator("[data-card]").first
    card.focus()
    with seat.page.expect_response(lambda answer: "/move/" in answer.url) as answer:
        card.press("Shift+ArrowRight")
    assert answer.value.status == 422
    seat.page.get_by_text("Problem confirmed by the buyer").first.wait_for(timeout=PATIENCE)
    assert stored(house, deal_id).stage.name == "Qualify"


def test_a_closing_asks_for_outcome_and_reason(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal_id}/close/"))
    assert seat.page.locator("[name=outcome]").count()
    assert seat.page.locator("[name=reason]").count()


def test_the_past_can_be_seen_and_not_edited(sit, desk):
    house, _ = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/?as_of=2026-01-01"))
    assert "Nothing can be changed" in seat.page.locator(".banner").inner_text()
    assert seat.page.locator("a.cell-value").count() == 0


def test_a_question_mark_shows_the_keys_and_g_goes(sit, desk):
    house, _ = desk
    seat = sit("ana@example.org")
    seat.open(house.url("deals/"))
    seat.page.keyboard.press("?")
    seat.page.locator("dialog[open]").wait_for(timeout=PATIENCE)
    seat.page.keyboard.press("Escape")
    seat.page.keyboard.press("g")
    seat.page.keyboard.press("f")
    seat.page.wait_for_url("**/forecast/**", timeout=PATIENCE)
    assert seat.complaints == []


def test_signing_in_by_hand(sit, desk):
    house, _ = desk
    user = User.objects.get(email="max@example.org")
    user.set_password("a long enough passphrase")
    user.save()
    seat = sit(None)
    seat.open(house.url("deals/"))
    seat.page.fill("[name=login]", "max@example.org")
    seat.page.fill("[name=password]", "wrong")
    seat.page.press("[name=password]", "Enter")
    seat.page.locator(".error, .errorlist, [role=alert]").first.wait_for(timeout=PATIENCE)
    seat.page.fill("[name=password]", "a long enough passphrase")
    seat.page.press("[name=password]", "Enter")
    seat.page.wait_for_url("**/o/halden/deals/", timeout=PATIENCE)
