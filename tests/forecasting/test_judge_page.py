"""A cell's page lists the deals of a report, and the manager judges them there."""

import re

import pytest

from forecasting.judgements.models import DealJudgement
from otc.calendar.rules import period_of
from otc.tenancy.context import use
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
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
    return eyes.browser.get(house.url(f"forecast/cell/{person.id}/?column={COLUMN}")).content.decode()


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
    in_place = looker(house, "max", {}).browser.get(
        house.url(f"forecast/cell/{house.ana.id}/adjust/?column={COLUMN}"), headers={"hx-request": "true"}
    )
    assert "1 judged deal counts beside it" in in_place.content.decode()
    with use(house.organization.id, channel="ui"):
        step = DealJudgement.objects.get()
    again = judge(house, "max", house.ana, deal, verdict="withdrawn", expected=str(step.id)).content.decode()
    assert "−240,000" not in again


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"reason": " "}, "Say why"),
        ({"verdict": "amount", "value": "a lot"}, "not an amount"),
        ({"verdict": "date", "value": "someday"}, "someday"),
        ({"verdict": "amount", "value": ""}, "amount"),
    ],
)
def test_a_refused_judgement_comes_back_as_it_was_typed(house, deal, typed, why):
    answer = judge(house, "max", house.ana, deal, **typed)
    text = answer.content.decode()
    assert answer.status_code == 422 and why in text
    form = text.partition("<details open>")[2].partition("</details>")[0]
    given = {"verdict": "out", "value": "", "reason": "Legal is slow"} | typed
    assert f'value="{given["verdict"]}" selected' in form
    assert f'name="value" value="{given["value"]}"' in form
    assert f'name="reason" value="{given["reason"]}"' in form
    with use(house.organization.id, channel="ui"):
        assert not DealJudgement.objects.exists()


def test_the_second_of_two_sees_the_first_and_writes_over_it(house, deal):
    judge(house, "max", house.ana, deal, reason="First")
    second = judge(house, "max", house.ana, deal, verdict="amount", value="60k", reason="Second")
    text = second.content.decode()
    assert second.status_code == 409
    assert "Max Brandt judged it" in text and "“First”" in text and 'value="Second"' in text
    form = text.partition("<details open>")[2]
    expected = form.partition('name="expected" value="')[2].partition('"')[0]
    again = judge(
        house, "max", house.ana, deal, verdict="amount", value="60k", reason="Second", expected=expected
    )
    assert "In at my amount 60,000" in again.content.decode()
    changing = cell(house, "max", house.ana)
    assert 'name="value" value="60000"' in changing and 'name="reason" value="Second"' in changing


def test_what_was_typed_of_a_deal_that_is_somebody_elses_by_now_is_shown(house, deal):
    with use(house.organization.id, channel="ui"):
        change(deal, owner_id=house.jon.id)
    answer = judge(house, "max", house.ana, deal, verdict="amount", value="60k")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "has no such deal" in text and "In at my amount 60k, “Legal is slow”" in text


def test_who_isnt_the_manager_finds_no_form_and_is_told(house, deal):
    assert "judge/?" not in cell(house, "eve", house.ana)
    answer = judge(house, "eve", house.ana, deal)
    assert answer.status_code == 422 and "not your direct report" in answer.content.decode()
    with use(house.organization.id, channel="ui"):
        assert not DealJudgement.objects.exists()
