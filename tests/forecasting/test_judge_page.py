"""A cell's page lists the deals of a report, and the manager judges them there."""

import re

import pytest

from forecasting.judgements.models import DealJudgement
from otc.calendar.rules import period_of
from otc.tenancy.context import use
from tests.days import day_in_house
from tests.forecasting.lives import deal_with
from tests.guards.surface import looker

COLUMN = "commit"


@pytest.fixture
def deal(house):
    with use(house.organization.id, channel="ui"):
        return deal_with(
            name="Kestrel Rail",
            owner_id=house.ana.id,
            category="commit",
            amount_minor=30_000_000,
            close_date=period_of(day_in_house()).last,
        )


def cell(house, who, person):
    eyes = looker(house, who, {})
    return eyes.page(f"forecast/cell/{person.id}/?column={COLUMN}").content.decode()


def judge(house, who, person, deal, **typed):
    eyes = looker(house, who, {})
    url = house.url(f"forecast/cell/{person.id}/judge/?column={COLUMN}")
    said = {"deal": str(deal.id), "verdict": "out", "reason": "Legal is slow", "expected": "", "value": ""}
    return eyes.browser.post(url, said | typed, follow=True)


def test_a_manager_judges_on_the_page_takes_it_back_and_the_rep_sees_nothing(house, deal):
    assert "forecast/cell" in cell(house, "max", house.ana)
    said = judge(house, "max", house.ana, deal, verdict="amount", value="60k").content.decode()
    assert "In at my amount 60,000" in said and "Legal is slow" in said and "Undo" in said
    assert re.search(r"−240,000", said)
    as_ana = cell(house, "ana", house.ana)
    assert "Legal is slow" not in as_ana and "Judged deals" not in as_ana
    with use(house.organization.id, channel="ui"):
        step = DealJudgement.objects.get()
    again = judge(house, "max", house.ana, deal, verdict="withdrawn", expected=str(step.id)).content.decode()
    assert "−240,000" not in again


def test_what_cant_be_said_is_said_and_who_isnt_the_manager_finds_no_form(house, deal):
    assert "Say why" in judge(house, "max", house.ana, deal, reason=" ").content.decode()
    assert "judge/?" not in cell(house, "eve", house.ana)
    assert judge(house, "eve", house.ana, deal).status_code == 404
    with use(house.organization.id, channel="ui"):
        assert not DealJudgement.objects.exists()
