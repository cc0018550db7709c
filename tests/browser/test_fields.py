"""A custom field in a browser: made by an administrator, set in place by a rep, filtered, grouped, seen as it was."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from otc.tenancy.context import use
from pipeline.opportunities.services import opportunity_edit
from tests.browser.conftest import Seat
from tests.days import day_in_house

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_choice_is_made_set_in_place_filtered_grouped_and_seen_as_it_was(
    desk, sit: Callable[..., Seat]
) -> None:
    house, deal_id = desk
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        opportunity_edit(deal_id, changes={"close_date": day_in_house()})
    seat = sit("ops@example.org")
    seat.open(house.url("settings/fields/"))
    seat.page.get_by_label("Label").fill("Region")
    seat.page.get_by_label("Kind").select_option("choice")
    seat.page.get_by_label("Choices").fill("EMEA\nAsia & Pacific")
    seat.page.get_by_role("button", name="Create").click()
    expect(seat.page.locator("h1")).to_have_text("Region")

    rep = sit("ana@example.org")
    rep.open(house.url("deals/?columns=amount,close,field.region"))
    for label in ("EMEA", "Asia & Pacific"):
        rep.page.locator(f"#deal-{deal_id} td").nth(3).locator("a").click()
        editor = rep.page.locator(f"#deal-{deal_id} select")
        editor.select_option(label=label)
        editor.press("Enter")
        expect(rep.page.locator(f"#deal-{deal_id} td").nth(3)).to_have_text(label)
        # The cell shows it at once; the toast says that it is written.
        expect(rep.page.locator("#toasts")).to_contain_text(label)
        if label == "EMEA":
            moment = timezone.now().isoformat()
    rep.open(house.url("deals/?field.region=emea"))
    expect(rep.page.get_by_text("No deal matches")).to_be_visible()
    rep.open(house.url("deals/?field.region=asia_pacific"))
    expect(rep.page.locator(f"#deal-{deal_id}")).to_be_visible()
    expect(rep.page.get_by_role("link", name="Region: Asia & Pacific")).to_be_visible()

    rep.open(house.url("inspection/?group=field.region"))
    expect(rep.page.locator("tr.group").first).to_contain_text("Asia & Pacific")
    rep.open(house.url(f"inspection/?group=field.region&as_of={quote(moment)}"))
    expect(rep.page.locator("tr.group").first).to_contain_text("EMEA")
    rep.open(house.url(f"deals/{deal_id}/?as_of={quote(moment)}"))
    expect(rep.page.locator(".field-facts")).to_contain_text("EMEA")
    rep.open(house.url(f"deals/{deal_id}/"))
    expect(rep.page.locator(".timeline")).to_contain_text("Region EMEA to Asia & Pacific")
    assert seat.complaints == rep.complaints == []
