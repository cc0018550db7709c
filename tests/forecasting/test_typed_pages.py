"""A forecast type on the forecast's pages: kept from page to page, in every file, and in what is adjusted."""

import html
import re

import pytest

from forecasting.adjustments.models import AdjustmentStep
from otc.calendar.rules import period_of
from otc.tenancy.context import use
from tests.days import day_in_house
from tests.forecasting.lives import deal_with
from tests.forecasting.test_forecast_types import make
from tests.forecasting.test_grid_cell import HTMX, adjust, adjust_url, hidden
from tests.guards.surface import looker


@pytest.fixture
def typed(house):
    """Ana commits to 300 k: 200 of a renewal, 100 of new business."""
    day = period_of(day_in_house()).last
    with use(house.organization.id, channel="ui"):
        for kind, amount in (("Renewal", 20_000_000), ("New business", 10_000_000)):
            deal_with(
                name=f"Deal of {kind}",
                owner_id=house.ana.id,
                category="commit",
                amount_minor=amount,
                close_date=day,
                kind=kind,
            )
        make(house)
    return house


def page(house, path, **asked):
    answer = looker(house, "max", {}).browser.get(house.url(path), asked)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode() if "text" in answer["Content-Type"] else answer.content


def test_every_page_keeps_the_type_and_says_it(typed):
    for path in ("forecast/", f"forecast/cell/{typed.ana.id}/", "forecast/history/", "forecast/calls/"):
        text = html.unescape(page(typed, path, type="renewals"))
        assert "Renewals" in text, path
        assert re.search(r'href="[^"]*/forecast/[^"]*type=renewals', text), path


def test_without_types_no_page_offers_one(house):
    assert "All deals</" not in page(house, "forecast/")


@pytest.mark.parametrize(
    "path", ["forecast/", "forecast/calls/", "forecast/history/", "forecast/cell/{ana}/", "deals/"]
)
def test_an_unknown_type_is_said_in_words(typed, path):
    asked = {"forecast_type" if path == "deals/" else "type": "upsell"}
    answer = looker(typed, "max", {}).browser.get(typed.url(path.format(ana=typed.ana.id)), asked)
    assert answer.status_code == 400
    assert "renewals" in answer.content.decode()


def test_the_grid_its_files_and_its_deals_are_of_the_type(typed):
    rows = page(typed, "forecast/", type="renewals", format="csv").splitlines()
    total = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
    assert total["commit_minor"] == "20000000"
    everything = page(typed, "forecast/", format="csv").splitlines()
    assert (
        dict(zip(everything[0].split(","), everything[-1].split(","), strict=True))["commit_minor"]
        == "30000000"
    )
    opened = page(typed, "forecast/", type="renewals", deals=str(typed.ana.id))
    assert "Deal of Renewal" in opened and "Deal of New business" not in opened
    cell = page(typed, f"forecast/cell/{typed.ana.id}/", type="renewals")
    assert "Deal of Renewal" in cell and "Deal of New business" not in cell


def test_what_is_adjusted_is_of_the_type_and_moves_only_it(typed):
    answer = adjust(typed, "max", typed.ana, query="?type=renewals", amount="-40", reason="Legal is slow")
    assert answer.status_code == 200
    with use(typed.organization.id, channel="ui"):
        step = AdjustmentStep.objects.select_related("type").get()
    assert (step.type.slug, step.base_minor) == ("renewals", 20_000_000)
    everything = page(typed, f"forecast/cell/{typed.ana.id}/")
    assert "Legal is slow" not in everything
    assert "Legal is slow" in page(typed, f"forecast/cell/{typed.ana.id}/", type="renewals")
    again = adjust_url(typed, typed.ana, "?type=renewals")
    form = looker(typed, "max", {}).browser.get(again, headers=HTMX).content.decode()
    assert hidden(form)["expected"] == str(step.id)


@pytest.mark.parametrize("when", [{}, {"as_of": "now"}])
def test_the_number_opens_just_the_deals_of_the_type(typed, when):
    grid = html.unescape(page(typed, "forecast/", type="renewals", **when))
    found = re.search(r'href="([^"]*/deals/\?[^"]*column=commit_cumulative&forecast_type=renewals)"', grid)
    assert found
    listed = looker(typed, "max", {}).browser.get(found[1]).content.decode()
    assert "Deal of Renewal" in listed and "Deal of New business" not in listed
