"""What can't be done to a forecast, on the page and over the API: a clear answer, and nothing typed is lost.

Beside these: two calls at once (test_calls_page), the second of two who adjust (test_grid_cell), judged deals
(test_judge_page).
"""

from typing import Any

import pytest
from django.utils import timezone

from forecasting.adjustments.models import AdjustmentStep
from forecasting.calls.models import Call
from forecasting.judgements.models import DealJudgement
from forecasting.locks.services import period_lock
from forecasting.quotas.models import Quota
from forecasting.rollup.report import rollup_report
from otc.calendar.rules import period_of
from otc.tenancy.context import use
from tests.api_client import Caller
from tests.days import day_in_house
from tests.forecasting.lives import change, deal_with
from tests.guards.surface import looker

HERE = period_of(day_in_house())
TYPED = {"amount": "-40", "reason": "Legal is slow", "expires": "eoq", "expected": "", "base": "100000"}


@pytest.fixture
def deal(house: Any) -> Any:
    with use(house.organization.id, channel="ui"):
        return deal_with(
            name="Kestrel Rail",
            owner_id=house.ana.id,
            category="commit",
            amount_minor=100_000_00,
            close_date=HERE.last,
        )


def by_page(house: Any, who: str, *, column: str = "commit", **typed: Any) -> Any:
    url = house.url(f"forecast/cell/{house.ana.id}/adjust/?column={column}&view=single")
    return looker(house, who, {}).browser.post(url, TYPED | typed)


def by_api(house: Any, who: str, *, column: str = "commit", **more: Any) -> Any:
    said = {"kind": "delta", "amount_minor": -40_000_00, "reason": "Legal is slow", "expected_step_id": None}
    place = {"period": HERE.key, "person_id": str(house.ana.id), "column": column}
    return Caller(house.people[who]).post("forecast/adjustments", place | said | more)


def refused_everywhere(house: Any, who: str, *, why: str, field: str, column: str = "commit") -> None:
    page, api = by_page(house, who, column=column), by_api(house, who, column=column)
    text = page.content.decode()
    assert page.status_code == 422 and why in text
    for name in ("amount", "reason", "expires"):
        assert f'value="{TYPED[name]}"' in text
    error = api.json()["error"]
    assert (api.status_code, list(error["fields"])) == (422, [field])
    assert why in str(error["fields"])
    with use(house.organization.id, channel="ui"):
        assert not AdjustmentStep.objects.exists()


def test_somebody_who_is_no_direct_report(house, deal):
    refused_everywhere(house, "eve", why="not your direct report", field="person_id")


def test_a_locked_period(house, deal):
    with use(house.organization.id, channel="ui"):
        period_lock(house.organization, period=HERE)
    refused_everywhere(house, "max", why="is locked since", field="period")
    judged = looker(house, "max", {}).browser.post(
        house.url(f"forecast/cell/{house.ana.id}/judge/?column=commit"),
        {"deal": str(deal.id), "verdict": "out", "reason": "Legal is slow", "expected": "", "value": ""},
    )
    assert judged.status_code == 422
    assert "is locked since" in judged.content.decode() and "“Legal is slow”" in judged.content.decode()
    typed = {"period": HERE.key, "amount": "660k", "column": "best_case_cumulative", "note": "Two are late"}
    called = looker(house, "max", {}).browser.post(house.url("forecast/call/"), typed, follow=True)
    assert "is locked since" in called.content.decode()
    assert "You typed: 660k, Two are late" in called.content.decode()
    call = Caller(house.max).post("calls", {"period": HERE.key, "amount_minor": 660_000_00})
    assert (call.status_code, list(call.json()["error"]["fields"])) == (422, ["period"])
    with use(house.organization.id, channel="ui"):
        assert not Call.objects.exists() and not DealJudgement.objects.exists()


@pytest.mark.parametrize("column", ["pipeline", "closed"])
def test_pipeline_and_closed(house, deal, column):
    refused_everywhere(house, "max", why="can’t be adjusted", field="column", column=column)


def test_a_deal_that_is_re_owned_between_reading_and_adjusting(house, deal):
    with use(house.organization.id, channel="ui"):
        change(deal, owner_id=house.jon.id)
    assert by_page(house, "max", amount="=60", base="10000000").status_code == 302
    with use(house.organization.id, channel="ui"):
        asked = {"viewer": house.max, "period": HERE, "as_of": timezone.now(), "now": timezone.now()}
        (effect,) = rollup_report(house.organization, **asked).effects
    assert (effect.is_stale, effect.below_minor, effect.effect_minor) == (True, 0, 60_000_00)
    page = looker(house, "max", {}).browser.get(house.url("forecast/?view=single")).content.decode()
    assert "Ana Ruiz: adjustment is stale" in page


def test_a_call_that_is_not_understood(house):
    typed = {"period": HERE.key, "amount": "lots", "best_case": "2m", "note": "Two are late"}
    page = looker(house, "max", {}).browser.post(house.url("forecast/call/"), typed, follow=True)
    text = page.content.decode()
    assert any("lots" in str(message) for message in page.context["messages"])
    fields = [(field["name"], field["value"]) for field in page.context["form_fields"]]
    assert fields == [("amount", "lots"), ("most_likely", ""), ("best_case", "2m")]
    assert 'name="note" value="Two are late"' in text
    api = Caller(house.max).post("calls", {"period": HERE.key, "amount_minor": -1})
    assert api.status_code in (400, 422) and list(api.json()["error"]["fields"]) == ["amount_minor"]
    with use(house.organization.id, channel="ui"):
        assert not Call.objects.exists()


def test_a_circle_in_the_lines(house):
    page = looker(house, "ops", {}).browser.post(
        house.url(f"settings/people/{house.max.id}/line/"),
        {"manager": str(house.ana.id), "since": "today"},
    )
    text = page.content.decode()
    assert page.status_code == 422 and "report to somebody who reports to Max Brandt" in text
    assert f'value="{house.ana.id}" selected' in text and 'value="today"' in text


def test_a_quota_in_an_unknown_currency(house):
    block = "Ana Ruiz;2026-Q4;100;XXX"
    page = looker(house, "ops", {}).browser.post(
        house.url("forecast/quotas/paste/"), {"block": block, "year": "2026", "act": "write"}
    )
    assert page.status_code == 422
    assert "not in “XXX”" in page.content.decode() and block in page.content.decode()
    row = {"person_id": str(house.ana.id), "period": "2026-Q4", "amount_minor": 100, "currency": "XXX"}
    api = Caller(house.ops).post("/api/v1/quotas", {"quotas": [row]})
    assert (api.status_code, api.json()["faults"][0]["field"]) == (422, "currency")
    with use(house.organization.id, channel="ui"):
        assert not Quota.objects.exists()
