"""Ctrl and K: find and go without the mouse."""

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_few_letters_and_enter_lead_to_a_deal(sit, desk):
    house, deal_id = desk
    seat = sit("ana@example.org")
    seat.open(house.url("inspection/"))
    seat.page.keyboard.press("Control+k")
    seat.page.locator("#palette [role=option]").first.wait_for()
    seat.page.keyboard.type("kes", delay=20)
    deal = seat.page.locator(f"#palette [role=option][aria-selected=true][href*='{deal_id}']")
    deal.wait_for()
    assert seat.page.locator("#palette input").get_attribute("aria-activedescendant") == deal.get_attribute(
        "id"
    )
    seat.page.keyboard.press("Enter")
    seat.page.wait_for_url(f"**/deals/{deal_id}/")
    assert seat.complaints == []


def test_a_press_before_the_page_is_ready_is_not_lost(sit, desk):
    house, _ = desk
    seat = sit("ana@example.org")
    seat.page.add_init_script(
        "const soon = window.setTimeout;"
        "window.setTimeout = (then, wait, ...rest) => soon(then, wait === undefined ? 1500 : wait, ...rest);"
    )
    seat.page.goto(seat.address + house.url("inspection/"))
    seat.page.keyboard.press("Control+k")
    seat.page.locator("#palette [role=option]").first.wait_for()
    assert seat.complaints == []


def test_arrows_choose_and_escape_leaves_the_page_as_it_was(sit, desk):
    house, _ = desk
    seat = sit("ana@example.org", width=390)
    seat.open(house.url("deals/"))
    seat.page.locator("summary[data-palette]").click()
    options = seat.page.locator("#palette [role=option]")
    options.first.wait_for()
    seat.page.keyboard.press("ArrowUp")
    assert options.last.get_attribute("aria-selected") == "true"
    seat.page.keyboard.type("kes")
    seat.page.keyboard.press("Escape")
    assert not seat.page.locator("#palette").is_visible()
    assert seat.complaints == []
