"""A changed calendar: previewed, refused where the past would move, shared out, audited, undone."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting.quotas.models import Quota
from otc.audit.models import AuditEntry
from otc.calendar.holders import shares_of
from otc.calendar.models import FiscalCalendar
from otc.calendar.queries import calendar_of
from otc.calendar.rules import CALENDAR_YEARS, CalendarRefused, month_years, parse_period, period_of
from otc.calendar.services import WordNeeded, calendar_change, calendar_undo
from otc.calendar.shapes import Ending, MonthShape, Pattern, WeekShape
from otc.tenancy.context import use
from otc.tenancy.models import FOREVER
from tests.api_client import bearer, secret_of

NOW, TODAY = datetime(2026, 11, 22, 9, tzinfo=UTC), date(2026, 11, 22)
WEEKS = WeekShape(Pattern.W454, 12, 5, Ending.NEAREST)
CHOSEN = {
    "basis": "months",
    "month": "2",
    "named_by": "end",
    "pattern": "4-4-5",
    "ending": "last",
    "weekday": "5",
    "from_year": "2027",
}


def change(house, shape, *, year=2027, is_meant=False, now=NOW):
    return calendar_change(
        house.organization, shape=shape, from_year=year, is_meant=is_meant, now=now, today=TODAY
    )


def test_a_change_ahead_needs_no_word_and_leaves_the_past(inside):
    change(inside, MonthShape(2))
    calendar = calendar_of(inside.organization)
    assert period_of(TODAY, calendar=calendar).key == "2026-Q4"
    assert period_of(date(2027, 2, 1), calendar=calendar).key == "2028-Q1"
    assert AuditEntry.objects.get(action="calendar.changed").detail["first_day"] == "2027-01-01"


def test_the_calendar_of_then_is_what_was_known_then(inside):
    change(inside, WEEKS)
    before = calendar_of(inside.organization, known=datetime(2026, 11, 22, 8, tzinfo=UTC))
    assert before == CALENDAR_YEARS != calendar_of(inside.organization, known=NOW)


def test_a_first_calendar_for_all_years_was_never_otherwise(inside):
    change(inside, MonthShape(2), year=1900, is_meant=True)
    assert calendar_of(inside.organization, known=datetime(2020, 1, 1, tzinfo=UTC)) == month_years(2)


def test_a_year_with_closed_periods_is_refused_unless_it_is_meant(inside):
    with pytest.raises(WordNeeded, match="ended already"):
        change(inside, WEEKS, year=2026)
    assert not FiscalCalendar.objects.exists()
    change(inside, WEEKS, year=2026, is_meant=True)
    assert calendar_of(inside.organization).shape_of(2026) == WEEKS


def test_undo_is_refused_where_a_shared_out_quota_was_changed_since(inside):
    Quota(person=inside.ana, period="2027-Q1", amount_minor=90_00).save()
    row = change(inside, MonthShape(2), is_meant=True).row
    shared = Quota.objects.filter(valid_to=FOREVER).order_by("period")[0]
    now = timezone.now()
    Quota.objects.filter(id=shared.id).update(valid_to=now)
    Quota(person=inside.ana, period=shared.period, amount_minor=5, valid_from=now).save()
    with pytest.raises(CalendarRefused, match="Quotas were changed"):
        calendar_undo(inside.organization, row.id, now=NOW.replace(hour=10))


def test_quotas_are_shared_out_by_days_and_undo_brings_them_back(inside):
    for quarter, amount in (("2026-Q4", 50), ("2027-Q1", 90_00), ("2027-Q2", 1)):
        Quota(person=inside.ana, period=quarter, amount_minor=amount).save()
    before = sorted(Quota.objects.values_list("period", "amount_minor"))
    with pytest.raises(WordNeeded, match="2 quotas"):
        change(inside, MonthShape(2))
    row = change(inside, MonthShape(2), is_meant=True).row
    after = dict(Quota.objects.filter(valid_to=FOREVER).values_list("period", "amount_minor"))
    # The first quarter of 2027 has 31 days in the short year and 59 in the first quarter of the next.
    assert (after["2026-Q4"], after["2027-Q4"]) == (50, 31_00)
    assert sum(after.values()) == sum(amount for _, amount in before)
    calendar_undo(inside.organization, row.id, now=NOW.replace(hour=10))
    assert sorted(Quota.objects.values_list("period", "amount_minor")) == before
    assert calendar_of(inside.organization) == CALENDAR_YEARS
    shared, restored = AuditEntry.objects.filter(action__startswith="quota.").order_by("id")
    assert (shared.action, restored.action) == ("quota.shared_out", "quota.restored")
    assert shared.detail["before"] == restored.detail["after"] == ["2027-Q1", "2027-Q2"]


def test_changing_a_year_again_ends_what_was_known(inside):
    first = change(inside, MonthShape(2)).row
    second = change(inside, WEEKS, now=NOW.replace(hour=10)).row
    assert FiscalCalendar.objects.get(id=first.id).known_to == second.known_from
    with pytest.raises(CalendarRefused, match="changed again since"):
        calendar_undo(inside.organization, first.id, now=NOW.replace(hour=11))
    calendar_undo(inside.organization, second.id, now=NOW.replace(hour=11))
    assert calendar_of(inside.organization).shape_of(2027) == MonthShape(2)
    assert FiscalCalendar.objects.filter(known_to=FOREVER).count() == 1


def test_the_same_calendar_again_is_refused(inside):
    with pytest.raises(CalendarRefused, match="already"):
        change(inside, MonthShape(1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1990, 2090), st.integers(1, 12), st.integers(1, 4))
def test_shares_of_a_period_are_all_its_days(year, month, quarter):
    after = CALENDAR_YEARS.changed(WEEKS, from_year=year)
    after = after.changed(MonthShape(month), from_year=year + 3)
    for key in (f"{year}-Q{quarter}", f"{year + 3}-Q{quarter}", f"{year}", f"{year}-{month:02}"):
        found = shares_of(key, before=CALENDAR_YEARS, after=after)
        assert sum(days for _, days in found) == parse_period(key).days


def test_the_page_previews_changes_and_undoes(house, signed_in):
    client, url = signed_in(house.ops), house.url("settings/calendar/")
    assert "Twelve months from January" in client.get(url).text
    preview = client.get(url, CHOSEN).text
    assert "Periods would change from 1" in preview and "Change the calendar" in preview
    assert "csrfmiddlewaretoken=" not in preview
    done = client.post(house.url("settings/calendar/change/"), CHOSEN, follow=True)
    (said,) = done.context["messages"]
    assert "The calendar is changed." in done.text
    assert "as it was" in client.post(said.extra_tags, follow=True).text


def test_the_page_says_what_hangs_on_the_periods(house, signed_in):
    client = signed_in(house.ops)
    chosen = CHOSEN | {"basis": "weeks", "month": "12", "from_year": "1900"}
    assert "ended already" in client.get(house.url("settings/calendar/"), chosen).text
    refused = client.post(house.url("settings/calendar/change/"), chosen)
    assert refused.status_code == 422 and "say that it is meant" in refused.text


@pytest.mark.parametrize(
    "wrong", [{"month": "13"}, {"basis": "moons"}, {"from_year": "1066"}, {"weekday": "9"}]
)
def test_what_is_no_calendar_is_refused(house, signed_in, wrong):
    answer = signed_in(house.ops).get(house.url("settings/calendar/"), CHOSEN | wrong)
    assert answer.status_code == 422


def test_periods_of_weeks_reach_the_api_and_the_bar(house, signed_in, client):
    with use(house.organization.id, person_id=house.ops.id, channel="ui"):
        change(house, WEEKS, year=1900, is_meant=True)
    found = client.get("/api/v1/forecast/rollup?period=2026-P03", headers=bearer(secret_of(house.ops)))
    assert found.json()["period"]["key"] == "2026-P03"
    page = signed_in(house.ops).get(house.url("forecast/"), {"period": "2026-P03"})
    assert page.status_code == 200 and "P03 2026" in page.text
