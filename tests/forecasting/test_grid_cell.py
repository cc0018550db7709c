"""A cell of the forecast: it explains its five amounts and is adjusted, on its page and in the grid."""

import re

import pytest

from forecasting.adjustments.models import AdjustmentStep
from otc.calendar.rules import period_of
from otc.tenancy.context import use
from tests.days import day_in_house
from tests.forecasting.lives import deal_with
from tests.guards.surface import looker, text_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def filled(house):
    """Ana commits to 300 and Jon to 100; both report to Max, who reports to Eve."""
    day = period_of(day_in_house()).last
    with use(house.organization.id, channel="ui"):
        for owner, amount in ((house.ana, 30_000_000), (house.jon, 10_000_000)):
            deal_with(
                name=f"Deal of {owner.name}",
                owner_id=owner.id,
                category="commit",
                amount_minor=amount,
                close_date=day,
            )
    return house


def hidden(text):
    return dict(re.findall(r'name="(expected|base)" value="([^"]*)"', text))


def adjust_url(house, person, query=""):
    return house.url(f"forecast/cell/{person.id}/adjust/{query}")


def adjust(house, who, person, *, fields=None, query="", **typed):
    """Open the editor as `who` and send it, as htmx does; `fields` are those that were read before."""
    eyes = looker(house, who, {})
    url = adjust_url(house, person, query)
    read = fields or hidden(eyes.browser.get(url, headers=HTMX).content.decode())
    return eyes.browser.post(url, {**read, **typed}, headers=HTMX)


def row_of(answer, person):
    return next(row for row in text_of(answer).rows if row.row_id == f"person-{person.id}")


def test_a_manager_adjusts_in_the_grid_and_sees_every_sum_move(filled):
    answer = adjust(filled, "max", filled.ana, amount="-40", reason="Legal is slow")
    assert answer.status_code == 200
    ana, maximum = row_of(answer, filled.ana), row_of(answer, filled.max)
    assert [cell.text for cell in ana.cells[3:6]] == [
        "300 up +300",
        f"−40you, {day_in_house():%a}",
        "260 up +260",
    ]
    assert [cell.text for cell in maximum.cells[3:6]] == ["400 up +400", "−401 below", "360 up +360"]
    assert "Undo" in answer.content.decode()


def test_an_amount_replaces_and_the_reps_own_page_shows_their_own_number(filled):
    adjust(filled, "max", filled.ana, amount="=250", reason="Careful")
    as_max = looker(filled, "max", {}).page(f"forecast/cell/{filled.ana.id}/").content.decode()
    as_ana = looker(filled, "ana", {}).page(f"forecast/cell/{filled.ana.id}/").content.decode()
    assert "250,000" in as_max and "Careful" in as_max
    assert "250,000" not in as_ana and "Careful" not in as_ana


def test_the_cells_page_explains_five_amounts_and_lists_effects_history_and_deals(filled):
    adjust(filled, "max", filled.ana, amount="-40", reason="Legal is slow")
    adjust(filled, "max", filled.max, amount="+15k", reason="Upside")
    text = looker(filled, "eve", {}).page(f"forecast/cell/{filled.max.id}/").content.decode()
    rows = {row.cells[0].text: row.cells[-1].text for row in read(text) if len(row.cells) == 3}
    assert rows["1 Own"] == "0"
    assert rows["2 Reported"] == "400,000"
    assert rows["3 With the reports’ adjustments"] == "360,000"
    assert rows["4 Seen by Max Brandt"] == "375,000"
    assert rows["5 Final"] == "375,000"
    assert "Legal is slow" in text and "Upside" in text


def read(text):
    from tests.guards.page_numbers import read_page

    return read_page(text).rows


def test_it_works_without_script_on_the_cells_page(filled):
    eyes = looker(filled, "max", {})
    page = eyes.page(f"forecast/cell/{filled.ana.id}/")
    assert eyes.browser.get(adjust_url(filled, filled.ana)).status_code == 302
    posted = {**hidden(page.content.decode()), "amount": "-40", "reason": "Legal", "expires": "eoq"}
    answer = eyes.browser.post(adjust_url(filled, filled.ana), posted, follow=True)
    assert answer.redirect_chain
    assert "adjusted by −40" in answer.content.decode()
    with use(filled.organization.id):
        assert AdjustmentStep.objects.get().expires_on == period_of(day_in_house()).last


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"amount": "some", "reason": "x"}, "not an amount"),
        ({"amount": "-40", "reason": " "}, "Say why"),
        ({"amount": "-40", "reason": "x", "expires": "someday"}, "someday"),
        ({"amount": "-4000", "reason": "x"}, "below zero"),
        ({"amount": "=-4", "reason": "x"}, "zero or more"),
    ],
)
def test_bad_input_gives_back_what_was_typed_and_says_why(filled, typed, why):
    answer = adjust(filled, "max", filled.ana, **typed)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert why in text
    assert f'value="{typed["amount"]}"' in text
    with use(filled.organization.id):
        assert not AdjustmentStep.objects.exists()


def test_the_second_of_two_sees_the_first_and_decides(filled):
    eyes = looker(filled, "max", {})
    read_first = hidden(eyes.browser.get(adjust_url(filled, filled.ana), headers=HTMX).content.decode())
    adjust(filled, "max", filled.ana, amount="-40", reason="First")
    second = adjust(filled, "max", filled.ana, fields=read_first, amount="-60", reason="Second")
    text = second.content.decode()
    assert second.status_code == 409
    assert "First" in text and 'value="-60"' in text and "Take theirs" in text
    theirs = adjust(filled, "max", filled.ana, fields=hidden(text), act="theirs")
    assert row_of(theirs, filled.ana).cells[4].text.startswith("−40")
    over = adjust(filled, "max", filled.ana, fields=hidden(text), amount="-60", reason="Second")
    assert row_of(over, filled.ana).cells[4].text.startswith("−60")


def test_a_stale_adjustment_is_kept_or_withdrawn_from_beside_the_grid(filled):
    adjust(filled, "max", filled.ana, amount="=250", reason="Careful")
    with use(filled.organization.id, channel="ui"):
        deal_with(
            name="New",
            owner_id=filled.ana.id,
            category="commit",
            amount_minor=5_000_000,
            close_date=period_of(day_in_house()).last,
        )
    text = looker(filled, "max", {}).page("forecast/").content.decode()
    assert "1 stale adjustment" in text
    assert "Ana Ruiz: adjustment is stale" in text
    step = re.search(r'name="expected" value="([^"]+)"', text)[1]
    answer = adjust(filled, "max", filled.ana, fields={"expected": step}, act="keep")
    assert row_of(answer, filled.ana).cells[4].text.startswith("−100")
    assert "stale" not in row_of(answer, filled.ana).cells[4].text


@pytest.mark.parametrize(("who", "whose"), [("eve", "ana"), ("ana", "jon"), ("ria", "ana")])
def test_nobody_adjusts_but_the_manager_and_oneself(filled, who, whose):
    eyes = looker(filled, who, {})
    url = adjust_url(filled, getattr(filled, whose))
    assert eyes.browser.get(url, headers=HTMX).status_code in (403, 404)
    answer = eyes.browser.post(url, {"amount": "-1", "reason": "x"}, headers=HTMX)
    assert answer.status_code in (403, 404, 422)
    with use(filled.organization.id):
        assert not AdjustmentStep.objects.exists()


@pytest.mark.parametrize("query", ["?column=closed", "?column=open", "?period=2019-Q1", "?as_of=2026-01-01"])
def test_closed_columns_and_past_periods_offer_no_editor(filled, query):
    eyes = looker(filled, "max", {})
    assert eyes.browser.get(adjust_url(filled, filled.ana, query), headers=HTMX).status_code == 404
    page = eyes.browser.get(filled.url(f"forecast/cell/{filled.ana.id}/{query}")).content.decode()
    assert 'name="amount"' not in page
    answer = eyes.browser.post(adjust_url(filled, filled.ana, query), {"amount": "-1", "reason": "x"})
    assert answer.status_code in (400, 422)


def test_a_stranger_finds_no_cell(filled):
    assert (
        looker(filled, "ana", {}).browser.get(filled.url(f"forecast/cell/{filled.max.id}/")).status_code
        == 404
    )
