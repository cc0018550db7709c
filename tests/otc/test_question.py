"""What an address asks, and how it is told that it can't be meant."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from otc.question import BadQuestion, ask, since_instant
from otc.tenancy.lines import UnknownScope
from otc.tenancy.middleware import Tenant

# Friday; Berlin is an hour ahead of UTC.
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture
def tenant(inside):
    return Tenant(inside.organization, inside.max, NOW)


def test_nothing_asked_means_now_and_the_running_quarter(tenant):
    question = ask(tenant, {})
    assert (question.as_of, question.is_past, question.period.key) == (NOW, False, "2026-Q4")


def test_a_past_day_means_its_end_in_the_organizations_zone(tenant):
    question = ask(tenant, {"as_of": "2026-11-02"})
    assert question.as_of == datetime(2026, 11, 2, 23, tzinfo=UTC) - timedelta(microseconds=1)
    assert question.is_past
    assert question.day == date(2026, 11, 2)
    assert question.known == question.as_of


def test_the_past_as_known_today(tenant):
    assert ask(tenant, {"as_of": "2026-11-02", "knowledge": "now"}).known == NOW


def test_what_is_known_today_may_be_asked_of_today_too(tenant):
    """Of today there is nothing else to know; of the day that it is compared with there is."""
    assert ask(tenant, {"knowledge": "now"}).frame["knowledge"] == "now"
    assert ask(tenant, {}).frame["knowledge"] == "then"


def test_an_instant_in_another_zone(tenant):
    question = ask(tenant, {"as_of": "2026-11-02T18:00:00+02:00"})
    assert question.as_of == datetime(2026, 11, 2, 16, tzinfo=UTC)


def test_today_is_now(tenant):
    assert not ask(tenant, {"as_of": "2026-11-20"}).is_past


@pytest.mark.parametrize(
    ("parameter", "text"),
    [
        ("as_of", "yesterday"),
        ("as_of", "2026-02-31"),
        ("as_of", "2999-01-01"),
        ("as_of", "0001-01-01"),
        ("as_of", "9999-12-31"),
        ("as_of", "20261102"),  # a day's first moment, where a day means its end
        ("as_of", "2026-W44"),
        ("as_of", "２０２６-11-02"),
        ("currency", "\x00"),
        ("currency", "US\u0130"),
        ("period", "2026-Q5"),
        ("period", "0000-Q1"),
        ("org_chart", "sideways"),
        ("knowledge", "none"),
    ],
)
def test_what_can_not_be_meant_is_said(tenant, parameter, text):
    with pytest.raises(BadQuestion) as refusal:
        ask(tenant, {parameter: text})
    assert refusal.value.parameter == parameter


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31", "x", "20261102", "2026-W44-1"])
def test_a_since_that_can_not_be_meant_is_said(tenant, text):
    with pytest.raises(BadQuestion):
        since_instant(ask(tenant, {}), text, last_visit=None)


def test_a_strangers_scope_is_not_found(tenant, inside):
    with pytest.raises(UnknownScope):
        ask(tenant, {"scope": str(inside.eve.id)})


def test_on_a_monday_the_week_that_ended_is_looked_at(tenant):
    monday = datetime(2026, 11, 23, 9, tzinfo=UTC)
    question = ask(replace(tenant, now=monday), {})
    assert since_instant(question, "monday", last_visit=None)[1] == datetime(2026, 11, 15, 23, tzinfo=UTC)
    assert question.since_monday == "since last Monday"
    assert ask(tenant, {}).since_monday == "since Monday"


@pytest.mark.parametrize(
    ("asked", "instant"),
    [
        ("", datetime(2026, 11, 15, 23, tzinfo=UTC)),
        ("period", datetime(2026, 9, 30, 22, tzinfo=UTC)),
        ("2026-11-03", datetime(2026, 11, 2, 23, tzinfo=UTC)),
        ("visit", NOW - timedelta(days=1)),
        ("2030-01-01", NOW),
    ],
)
def test_since_begins_with_a_day_of_the_organization(tenant, asked, instant):
    question = ask(tenant, {})
    assert since_instant(question, asked, last_visit=NOW - timedelta(days=1))[1] == instant
