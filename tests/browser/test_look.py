"""How pages look beyond fitting: even rows, nothing cut, paper, a phone's forecast, the past."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from otc.tenancy.context import use
from pipeline.health.services import health_refresh
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.services import opportunity_create

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEIGHTS = (
    "[...document.querySelectorAll('tbody[data-rows] tr')].map(row => row.getBoundingClientRect().height)"
)
# A number that is cut says another number.
CUT = """[...document.querySelectorAll('td.num, th.num')]
  .filter(cell => getComputedStyle(cell).overflowX !== 'visible' && cell.scrollWidth > cell.clientWidth)
  .map(cell => cell.innerText)"""
SHOWN = """selector => [...document.querySelectorAll(selector)]
  .filter(element => getComputedStyle(element).display !== 'none').length"""


def today():
    return datetime.now(ZoneInfo("Europe/Berlin")).date()


@pytest.fixture
def shelf(desk):
    """Six deals of this quarter with long names, foreign money and scores."""
    house, deal_id = desk
    now = datetime.now(UTC)
    with use(house.organization.id):
        for number in range(5):
            opportunity_create(
                name=f"Mizuno Ridge Foods Logistics: energy metering, {number} sites",
                owner_id=house.jon.id if number else None,
                amount_minor=12_345_678_00,
                close_date=today() + timedelta(days=number),
                now=now,
            )
        health_refresh(list(Opportunity.objects.values_list("id", flat=True)), now=now)
    return house, deal_id


def test_rows_are_even_and_no_number_is_cut(sit, shelf):
    house, _ = shelf
    seat = sit("eve@example.org")
    for path, least, most in (("deals/", 32, 32), ("inspection/", 32, 35), ("forecast/", 36, 36)):
        seat.open(house.url(path))
        heights = seat.page.evaluate(HEIGHTS)
        assert heights, path
        assert {path: [h for h in heights if not least <= round(h) <= most]} == {path: []}
        assert {path: seat.page.evaluate(CUT)} == {path: []}


def test_on_paper_there_is_no_chrome_and_the_theme_is_light(sit, shelf):
    house, _ = shelf
    seat = sit("eve@example.org", theme="dark")
    seat.open(house.url("forecast/"))
    seat.page.emulate_media(media="print", color_scheme="dark")
    assert seat.page.evaluate(SHOWN, ".sidebar, .tabbar, .foot-keys, .button, kbd, dialog") == 0
    colours = seat.page.evaluate(
        "['.sheet', '.answer h1'].map(s => getComputedStyle(document.querySelector(s)))"
        ".map(style => [style.backgroundColor, style.color])"
    )
    assert colours[0][0] in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")
    assert colours[1][1] == "rgb(27, 26, 24)"
    # Whose numbers, of which period and as of when stand on the sheet.
    said = seat.page.locator(".bar").inner_text()
    assert "Everyone" in said
    assert str(datetime.now(UTC).year) in said
    assert "As of" in said


def test_a_phones_forecast_shows_one_column_of_choice(sit, shelf):
    house, _ = shelf
    seat = sit("eve@example.org", width=390)
    seat.open(house.url("forecast/"))
    assert seat.page.evaluate(SHOWN, "thead .pick-2") == 1
    assert seat.page.evaluate(SHOWN, "thead .pick-5") == 0
    seat.page.get_by_label("Open pipeline").check(force=True)
    assert seat.page.evaluate(SHOWN, "thead .pick-2") == 0
    assert seat.page.evaluate(SHOWN, "thead .pick-5") == 1


def test_no_page_of_the_past_offers_an_edit(sit, shelf):
    house, deal_id = shelf
    seat = sit("ana@example.org")
    yesterday = (today() - timedelta(days=1)).isoformat()
    for path in (
        "deals/",
        "deals/board/",
        "inspection/",
        "forecast/",
        "flow/",
        "flow/matrix/",
        f"deals/{deal_id}/",
    ):
        seat.open(f"{house.url(path)}?as_of={yesterday}")
        if "deals/" not in path or path in ("deals/", "deals/board/"):
            assert "Nothing can be changed" in seat.page.locator(".banner").inner_text(), path
        assert seat.page.locator("[data-cell], [data-move-url], form[method=post]:visible").count() == 0, path


# What a row is called stands in its first cell; at the left edge of the phone, and wide enough to be read.
UNREADABLE = """[...document.querySelectorAll('tbody th[scope=row], dl.facts dd')].filter(cell => {
  const box = cell.getBoundingClientRect();
  return box.width < 90 || box.left < 0 || box.left > innerWidth - 90;
}).map(cell => cell.innerText)"""


def test_a_phones_settings_keep_their_words_and_show_the_current_tab(sit, shelf):
    house, _ = shelf
    seat = sit("ops@example.org", width=390)
    for path in ("", "roles/", "process/", "audit/"):
        seat.open(house.url(f"settings/{path}"))
        assert {path: seat.page.evaluate(UNREADABLE)} == {path: []}
        current = seat.page.locator(".tabs-list [aria-current]").bounding_box()
        assert current["x"] >= 0 and current["x"] + current["width"] <= 390, path


def test_a_long_name_stays_on_the_page(sit, shelf):
    house, _ = shelf
    with use(house.organization.id):
        opportunity_create(name="W" * 290, owner_id=house.ana.id, now=datetime.now(UTC))
        deal = Opportunity.objects.get(name__startswith="WWW")
    seat = sit("ana@example.org")
    seat.open(house.url(f"deals/{deal.id}/"))
    cut = "e => e.scrollWidth > e.clientWidth"
    assert not seat.page.locator(".answer h1").evaluate(cut)
    assert not seat.page.locator("#main").evaluate(cut)
