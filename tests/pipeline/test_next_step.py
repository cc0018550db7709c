"""An open deal's next step is replaced, not taken away: page, cell, API, import."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from otc.tenancy.context import use
from pipeline.activities.models import Activity
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.next_step import next_step_finish
from pipeline.opportunities.rules import Refused, check_keeps_next_step, check_next_step
from pipeline.opportunities.services import opportunity_close, opportunity_create, opportunity_edit
from pipeline.process.models import CloseReason
from tests.api_client import Caller

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def today():
    return datetime.now(ZoneInfo("Europe/Berlin")).date()


@pytest.fixture
def deal(house):
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        return opportunity_create(
            name="Kestrel Rail",
            owner_id=house.ana.id,
            next_step="Send site list",
            next_step_on=today(),
            now=datetime.now(UTC),
        ).opportunity


def stands(house, deal):
    with use(house.organization.id):
        found = Opportunity.objects.get(id=deal.id)
        logged = list(Activity.objects.filter(opportunity=deal).values_list("kind", "subject"))
    return found.next_step, found.next_step_on, logged


def finish(house, deal, text="Send the offer", day=None):
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        return next_step_finish(
            deal.id, next_step=text, next_step_on=day, now=datetime.now(UTC), today=today()
        )


def test_finishing_a_step_logs_it_and_sets_the_next(house, deal):
    finish(house, deal, day=today() + 7 * DAY)
    assert stands(house, deal) == (
        "Send the offer",
        today() + 7 * DAY,
        [("note", "Done: Send site list")],
    )


@pytest.mark.parametrize(
    ("text", "days", "field"),
    [
        ("  ", 7, "next_step"),
        ("Send the offer", None, "next_step_on"),
        ("Send the offer", -1, "next_step_on"),
        ("Send site list", 0, "next_step"),
    ],
)
def test_what_follows_has_words_and_a_day_ahead_else_nothing_is_written(house, deal, text, days, field):
    with pytest.raises(Refused) as refusal:
        finish(house, deal, text, None if days is None else today() + days * DAY)
    assert refusal.value.field == field
    assert stands(house, deal) == ("Send site list", today(), [])


def test_a_closed_deal_needs_no_next_step(house, deal):
    with use(house.organization.id, person_id=house.ana.id, channel="ui"):
        reason = CloseReason.objects.get(name="Price").id
        opportunity_close(deal.id, outcome="lost", reason_id=reason, now=datetime.now(UTC), today=today())
        opportunity_edit(deal.id, changes={"next_step": "", "next_step_on": None})
    with pytest.raises(Refused):
        finish(house, deal, day=today())


@pytest.mark.parametrize("changes", [{"next_step": " "}, {"next_step_on": None}])
def test_neither_words_nor_day_are_taken_away_but_by_an_import(house, deal, changes):
    for channel in ("ui", "api"):
        with use(house.organization.id, channel=channel), pytest.raises(Refused) as refusal:
            opportunity_edit(deal.id, changes=changes)
        assert refusal.value.field == next(iter(changes))
    with use(house.organization.id, channel="import"):
        opportunity_edit(deal.id, changes=changes)


def test_a_deal_that_never_had_a_step_may_be_edited(house):
    check_keeps_next_step({"next_step": ""}, next_step="", next_step_on=None, is_open=True)
    check_keeps_next_step({"name": "x"}, next_step="Call", next_step_on=today(), is_open=True)
    check_next_step("Call", today(), today=today())


def test_the_page_asks_for_the_next_and_undo_brings_the_old_one_back(house, deal, signed_in):
    client = signed_in(house.ana)
    url = house.url(f"deals/{deal.id}/next-step/")
    assert "“Send site list” is done. What comes next?" in client.get(url).content.decode()
    refused = client.post(url, {"next_step": "Send the offer", "day": "someday"})
    assert refused.status_code == 422
    assert 'value="Send the offer"' in refused.content.decode()
    answer = client.post(url, {"next_step": "Send the offer", "day": "+2w"}, follow=True)
    said = answer.content.decode()
    assert "next step Send the offer" in said
    assert stands(house, deal)[:2] == ("Send the offer", today() + 14 * DAY)
    undo = re.search(r'action="(/o/[^/"]*/undo/[^"]*)"', said)
    assert undo is not None
    client.post(undo[1])
    assert stands(house, deal) == ("Send site list", today(), []), "and nothing is told as done"


def test_the_cell_of_a_next_step_offers_done_next_and_answers_the_row(house, deal, signed_in):
    client = signed_in(house.ana)
    htmx = {"HX-Request": "true"}
    editor = client.get(house.url(f"deals/{deal.id}/edit/next/"), headers=htmx).content.decode()
    assert f"deals/{deal.id}/next-step/" in editor
    form = client.get(house.url(f"deals/{deal.id}/next-step/"), headers=htmx).content.decode()
    assert "<html" not in form and 'name="day"' in form
    saved = client.post(
        house.url(f"deals/{deal.id}/next-step/"), {"next_step": "Send the offer", "day": "fri"}, headers=htmx
    ).content.decode()
    assert f'id="deal-{deal.id}"' in saved and "Send the offer" in saved
    emptied = client.post(house.url(f"deals/{deal.id}/edit/next/"), {"value": " "}, headers=htmx)
    assert emptied.status_code == 422
    assert "always has one next step" in emptied.content.decode()


def test_the_api_finishes_a_step_and_refuses_to_empty_it(house, deal):
    caller = Caller(house.ana)
    url = f"opportunities/{deal.id}"
    done = caller.post(f"{url}/next-step", {"next_step": "Send the offer", "next_step_on": str(today())})
    assert (done.status_code, done.json()["next_step"]) == (200, "Send the offer")
    assert caller.post(f"{url}/next-step", {"next_step": "Wait"}).status_code == 400
    assert caller.patch(url, {"next_step": ""}).status_code == 422
    assert stands(house, deal)[2] == [("note", "Done: Send site list")]


def test_a_stranger_finishes_nothing(house, elsewhere, deal, signed_in):
    url = f"deals/{deal.id}/next-step/"
    assert signed_in(elsewhere.zoe).post(elsewhere.url(url), {"next_step": "x"}).status_code == 404
    assert signed_in(house.ria).post(house.url(url), {"next_step": "x"}).status_code == 403
    assert Caller(elsewhere.zoe).post(f"opportunities/{deal.id}/next-step", {}).status_code == 404
