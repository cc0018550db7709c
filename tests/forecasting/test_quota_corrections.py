"""A mistyped quota is corrected on its own days; seasons spread a year; ramps are written over the API."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forecasting.quotas.models import Quota
from forecasting.quotas.queries import quotas_of
from forecasting.quotas.rules import Season, season_weights
from forecasting.quotas.services import QuotasRefused, QuotaWish, put_quotas_back, quotas_set
from otc.audit.models import AuditEntry
from otc.calendar.rules import CALENDAR_YEARS, parse_period
from otc.tenancy.context import use
from otc.undo.models import UndoStep
from tests.api_client import Caller

Q4 = parse_period("2026-Q4")


def set_to(house, amount_minor, *, now=None, **more):
    wishes = [QuotaWish(house.ana.id, "2026-Q4", amount_minor)]
    now = now or timezone.now()
    return quotas_set(house.organization, wishes, author=house.ops, calendar=CALENDAR_YEARS, now=now, **more)


def asked(house, *, known=None, at=None):
    found = quotas_of(Q4, own="EUR", currency="EUR", known=known or timezone.now(), at=at)
    return found.get(house.ana.id)


@pytest.mark.django_db
def test_a_correction_holds_from_the_quota_s_own_start_and_the_wrong_one_is_what_was_known_then(house):
    days = [timezone.now() - timedelta(days=days) for days in (40, 30, 20, 10)]
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        set_to(house, 100, now=days[0])
        set_to(house, 1500, now=days[1])
        set_to(house, 150, now=days[2], is_correction=True)
        assert asked(house) == 150
        # On the day after the change 1500 was known; today we know that it was 150, and 100 before it.
        assert asked(house, known=days[1] + timedelta(days=1)) == 1500
        assert asked(house, at=days[1] + timedelta(days=1)) == 150
        assert asked(house, at=days[0] + timedelta(days=1)) == 100
        step = UndoStep.objects.order_by("-created_at")[0]
        assert put_quotas_back(step.payload) == "The quotas are as they were"
        assert asked(house) == asked(house, at=days[1]) == 1500
        assert asked(house, known=days[3]) == 150
        with pytest.raises(QuotasRefused, match="needs an amount"):
            set_to(house, None, is_correction=True)
        # What was there before is never touched: the first, the wrong one, its correction, and the one put back.
        assert Quota.objects.count() == 4
        assert AuditEntry.objects.filter(action="quota.corrected").count() == 2
    found = Caller(house.ops).get("/api/v1/quotas?period=2026-Q4").json()["results"]
    assert [one["amount_minor"] for one in found] == [1500]


@pytest.mark.django_db
def test_page_and_api_correct_and_the_story_tells_it(house, signed_in):
    browser = signed_in(house.ops)
    page, cell = f"/o/{house.organization.slug}/forecast/quotas/", f"{house.ana.id}:2026-Q4"
    browser.post(f"{page}save/", {"year": "2026", f"was:{cell}": "", f"q:{cell}": "7800k"})
    form = {"year": "2026", f"was:{cell}": "7,800,000", f"q:{cell}": "780k", "how": "correct"}
    assert "1 quota corrected" in browser.post(f"{page}save/", form, follow=True).content.decode()
    assert "corrected" in browser.get(f"{page}{house.ana.id}/2026-Q4/").content.decode()
    rows = [{"person_id": str(house.ana.id), "period": "2026-Q4", "amount_minor": 5}]
    caller = Caller(house.ops)
    answer = caller.post("/api/v1/quotas", {"quotas": rows, "is_correction": True})
    assert answer.json()["changed"] == 1
    rows[0]["amount_minor"] = None
    assert caller.post("/api/v1/quotas", {"quotas": rows, "is_correction": True}).status_code == 422
    with use(house.organization.id):
        assert asked(house) == 5
        assert len(set(Quota.objects.values_list("valid_from", flat=True))) == 1


def test_a_quarter_weighs_as_its_months_and_a_month_as_its_third():
    months = Season("month", (1, 1, 2, *([1] * 9)))
    assert season_weights(months, kind="quarter") == [4, 3, 3, 3]
    assert (
        season_weights(Season("quarter", (1, 2, 3, 4)), kind="month") == [1] * 3 + [2] * 3 + [3] * 3 + [4] * 3
    )
    assert season_weights(None, kind="quarter") == [1] * 4


@pytest.mark.django_db
def test_a_year_is_shared_out_by_the_kept_season_unless_other_weights_are_typed(house, signed_in):
    browser = signed_in(house.ops)
    page = f"/o/{house.organization.slug}/forecast/quotas/"
    browser.post(f"{page}season/", {"weights": "10 20 30 40", "year": "2026"})
    assert 'value="10 20 30 40"' in browser.get(f"{page}?year=2026").content.decode()

    def amounts():
        with use(house.organization.id):
            found = Quota.objects.filter(valid_to__year=9999).order_by("period")
            return list(found.values_list("amount_minor", flat=True))

    browser.post(f"{page}{house.ana.id}/year/", {"year": "2026", "amount": "1000"})
    assert amounts() == [100_00, 200_00, 300_00, 400_00]
    browser.post(f"{page}{house.ana.id}/year/", {"year": "2026", "amount": "1000", "weights": "1 1 1 1"})
    assert amounts() == [250_00] * 4
    browser.post(f"{page}{house.ana.id}/year/", {"year": "2027", "amount": "1200", "by": "month"})
    assert amounts()[4:] == [40_00] * 3 + [80_00] * 3 + [120_00] * 3 + [160_00] * 3
    refused = browser.post(f"{page}season/", {"weights": "1 2 3"}, follow=True).content.decode()
    assert "four are of the quarters" in refused
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        step = UndoStep.objects.get(kind="quota_season")
    undone = browser.post(f"/o/{house.organization.slug}/undo/{step.id}/", follow=True)
    assert "A year is spread as it was" in undone.content.decode()
    assert 'value="10 20 30 40"' not in browser.get(f"{page}?year=2026").content.decode()
    caller = Caller(house.ops)
    season = {"kind": "quarter", "weights": [1, 2, 3, 4]}
    assert caller.call("put", "/api/v1/quotas/season", season).json() == season
    assert caller.get("/api/v1/quotas/season").json() == season
    assert caller.get("/api/v1/quotas/season?at=2020-01-01T00:00Z").json()["weights"] == []
    for wrong in ([0, 0, 0, 0], [1, 2], [10**30] * 4, ["NaN"] * 4, [-1, 1, 1, 1]):
        assert (
            400 <= caller.call("put", "/api/v1/quotas/season", season | {"weights": wrong}).status_code < 500
        )
    assert Caller(house.max).call("put", "/api/v1/quotas/season", season).status_code == 403


@pytest.mark.django_db
def test_ramps_are_written_over_the_api_all_or_none(house, elsewhere):
    caller = Caller(house.ops)
    good = {"person_id": str(house.ana.id), "starts_on": "2026-11-01", "shares": [25, 50]}
    for wrong in (
        {"person_id": str(elsewhere.zoe.id), "starts_on": "2026-11-01", "shares": [25]},
        {"email": "nobody@example.org", "starts_on": "2026-11-01", "shares": [25]},
        {"person_id": str(house.jon.id), "shares": [25]},
        {"person_id": str(house.jon.id), "starts_on": "2026-11-01", "shares": [2500]},
        {"person_id": str(house.jon.id), "starts_on": "99999-11-01", "shares": [25]},
        {"starts_on": "2026-11-01", "shares": [25]},
        good,
    ):
        assert 400 <= caller.post("/api/v1/quotas/ramps", {"ramps": [good, wrong]}).status_code < 500
    assert caller.get("/api/v1/quotas/ramps").json() == {"results": []}
    assert caller.post("/api/v1/quotas/ramps", {"ramps": [good]}).json()["changed"] == 1
    assert caller.post("/api/v1/quotas/ramps", {"ramps": [good]}).json()["kept"] == 1
    assert Caller(house.max).get("/api/v1/quotas/ramps").json()["results"] == [good]
    assert Caller(elsewhere.zoe).get("/api/v1/quotas/ramps").json()["results"] == []
    assert caller.get("/api/v1/quotas/ramps?at=2020-01-01T00:00Z").json()["results"] == []
    assert Caller(house.max).post("/api/v1/quotas/ramps", {"ramps": [good]}).status_code == 403
    off = {"person_id": str(house.ana.id), "shares": []}
    assert caller.post("/api/v1/quotas/ramps", {"ramps": [off]}).json()["changed"] == 1
    assert caller.get("/api/v1/quotas/ramps").json() == {"results": []}
