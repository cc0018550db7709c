"""Three numbers in one form, a week late or on time, a reminder once, and two who call at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from forecasting.calls.models import Call, CallColumn, CallReminder, ReminderKind
from forecasting.calls.queries import latest_calls
from forecasting.calls.reminders import (
    called_period,
    calls_remind,
    deadline_remind,
    reminder_instants,
)
from forecasting.calls.report import calls_report
from forecasting.calls.services import call_submit, calls_submit
from forecasting.locks.models import LockedRow
from forecasting.locks.queries import is_locked
from forecasting.locks.services import period_lock
from forecasting.rhythm.models import Rhythm
from forecasting.rhythm.queries import beat_now
from forecasting.rhythm.rules import WEEK, Beat, Punctuality, punctuality
from forecasting.types.models import ForecastType
from otc.calendar.rules import parse_period, period_of, previous
from otc.notices.models import Notice
from otc.question import ask
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from pipeline.opportunities.rules import Refused
from tests.days import day_in_house
from tests.forecasting.lives import deal_with

BERLIN = ZoneInfo("Europe/Berlin")
Q4 = parse_period("2026-Q4")
# A Friday in the middle of the quarter, at noon in Berlin.
DUE = datetime(2026, 11, 6, 11, tzinfo=UTC)
HERE = period_of(day_in_house())


def say(house, amount_minor, at, *, by="ana", column=CallColumn.COMMIT):
    return call_submit(
        house.organization,
        author=house.people[by],
        period=Q4,
        amount_minor=amount_minor,
        column=column,
        now=at,
        today=at.date(),
    )


def report(house, at, *, by="eve", **asked):
    tenant = Tenant(house.organization, house.people[by], datetime.now(UTC), [house.organization])
    return calls_report(ask(tenant, {"period": "2026-Q4", "as_of": at.isoformat(), **asked}))


def row_of(found, person):
    return next(row for row in found.rows if row.person.id == person.id)


@pytest.mark.parametrize(
    ("hours", "now", "state"),
    [
        ([-1], 0, Punctuality.ON_TIME),
        ([0], 0, Punctuality.ON_TIME),
        ([-24 * 7 - 1], 1, Punctuality.MISSING),
        ([1], 2, Punctuality.LATE),
        ([24 * 7 + 1], 24 * 8, Punctuality.MISSING),
        ([], -1, Punctuality.AHEAD),
        ([], 1, Punctuality.MISSING),
    ],
)
def test_a_call_is_on_time_for_a_week_before_and_late_for_a_week_after(hours, now, state):
    given = [DUE + timedelta(hours=hour) for hour in hours]
    assert punctuality(DUE, given, now=DUE + timedelta(hours=now)).state is state


def test_deadlines_keep_their_hour_when_clocks_change():
    before = Beat().call_due(date(2026, 10, 19), zone=BERLIN)
    after = Beat().call_due(date(2026, 10, 26), zone=BERLIN)
    assert (before.astimezone(BERLIN).hour, after.astimezone(BERLIN).hour) == (12, 12)
    assert after - before == WEEK + timedelta(hours=1)


def test_each_week_shows_what_stood_at_its_deadline_and_who_was_late(inside):
    say(inside, 500, DUE - timedelta(hours=2))
    say(inside, 700, DUE + WEEK + timedelta(hours=3))
    found = report(inside, DUE + WEEK + timedelta(hours=1))
    weeks = {week.due: week for week in row_of(found, inside.ana).weeks}
    assert (weeks[DUE].amount_minor, weeks[DUE].said.state) == (500, Punctuality.ON_TIME)
    assert (weeks[DUE + WEEK].amount_minor, weeks[DUE + WEEK].said.state) == (500, Punctuality.MISSING)
    later = {
        week.due: week for week in row_of(report(inside, DUE + WEEK + timedelta(hours=4)), inside.ana).weeks
    }
    assert (later[DUE + WEEK].amount_minor, later[DUE + WEEK].said.state) == (700, Punctuality.LATE)
    assert row_of(found, inside.ana).weeks[0].said.state is Punctuality.MISSING


def test_a_managers_call_stands_beside_the_sum_of_the_reports(inside):
    say(inside, 300, DUE - timedelta(hours=3))
    say(inside, 200, DUE - timedelta(hours=3), by="ana", column=CallColumn.BEST_CASE)
    say(inside, 50, DUE - timedelta(hours=2), by="jon")
    say(inside, 400, DUE - timedelta(hours=1), by="max")
    row = row_of(report(inside, DUE), inside.max)
    assert (row.call_minor, row.team_minor, row.above_team_minor) == (400, 350, 50)
    assert {one.person.name for one in report(inside, DUE, by="max").rows} == {
        "Max Brandt",
        "Ana Ruiz",
        "Jonas Feld",
    }


def test_who_left_is_not_asked_and_keeps_what_was_said(inside):
    say(inside, 300, DUE - timedelta(hours=3))
    inside.ana.left_on = DUE.date() + timedelta(days=1)
    inside.ana.save(update_fields=["left_on"])
    found = report(inside, DUE + WEEK + timedelta(hours=1))
    row = row_of(found, inside.ana)
    assert (row.is_asked, row.state, row.call_minor) == (False, "", 300)
    assert inside.ana.id not in {one.person.id for one in (*found.asked, *found.missing)}
    assert inside.max.id in {one.person.id for one in found.missing}


def test_three_columns_at_once_or_none(inside):
    given = {"author": inside.ana, "period": Q4, "now": DUE, "today": DUE.date(), "note": "Kestrel signs"}
    with pytest.raises(Refused, match="can’t be less"):
        calls_submit(
            inside.organization, amounts={"commit_cumulative": 5, "best_case_cumulative": 4}, **given
        )
    with pytest.raises(Refused, match="at least one"):
        calls_submit(inside.organization, amounts={}, **given)
    assert not Call.objects.exists()
    made = calls_submit(
        inside.organization,
        amounts={"best_case_cumulative": 9, "commit_cumulative": 5, "most_likely_cumulative": 5},
        **given,
    )
    assert [(call.column, call.amount_minor, call.note) for call in made] == [
        ("commit_cumulative", 5, "Kestrel signs"),
        ("most_likely_cumulative", 5, "Kestrel signs"),
        ("best_case_cumulative", 9, "Kestrel signs"),
    ]


def test_the_form_is_filled_from_the_grid_and_from_last_time(house, signed_in):
    with use(house.organization.id, channel="ui"):
        deal_with(owner_id=house.ana.id, amount_minor=100_00, category="commit", close_date=HERE.last)
        deal_with(owner_id=house.ana.id, amount_minor=30_00, category="best_case", close_date=HERE.last)
    client = signed_in(house.ana)
    page = client.get(house.url("forecast/calls/"))
    assert [field["value"] for field in page.context["form_fields"]] == ["100", "100", "130"]
    sent = {"period": HERE.key, "amount": "90", "most_likely": "95", "best_case": "120", "note": "Sure"}
    sent["next"] = house.url("forecast/calls/")
    answer = client.post(house.url("forecast/call/"), sent, follow=True)
    assert "You called commit 90 EUR, most likely 95 EUR, best case 120 EUR" in answer.content.decode()
    assert answer.redirect_chain[0][0] == house.url("forecast/calls/")
    filled = client.get(house.url("forecast/calls/"), {"fill": "last"})
    assert [field["value"] for field in filled.context["form_fields"]] == ["90", "95", "120"]
    rows = client.get(house.url("forecast/calls/"), {"format": "csv"}).content.decode().splitlines()
    assert len(rows) == 4 and "Sure" in rows[1]


def test_one_alone_reads_of_oneself(house, signed_in):
    text = signed_in(house.ana).get(house.url("forecast/calls/")).content.decode()
    assert "<h1>You have not called for" in text


def test_a_locked_or_past_period_has_no_form_and_refuses(house, signed_in):
    client = signed_in(house.ana)
    assert (
        "call-form"
        not in client.get(house.url("forecast/calls/"), {"period": previous(HERE).key}).content.decode()
    )
    with use(house.organization.id, channel="ui"):
        period_lock(house.organization, period=HERE, author=house.eve)
    assert "call-form" not in client.get(house.url("forecast/calls/")).content.decode()
    answer = client.post(house.url("forecast/call/"), {"period": HERE.key, "amount": "9"}, follow=True)
    assert "is locked since" in answer.content.decode()


def ask_ana(house, now):
    return calls_remind([house.ana.id], author=house.max, organization=house.organization, period=Q4, now=now)


def test_a_manager_reminds_once_a_day(inside):
    assert ask_ana(inside, DUE) == [inside.ana.id]
    assert ask_ana(inside, DUE + timedelta(hours=1)) == []
    assert ask_ana(inside, DUE + timedelta(days=1)) == [inside.ana.id]
    assert {notice.text for notice in Notice.objects.all()} == {"Max Brandt asks for your call of Q4 2026"}
    assert Notice.objects.count() == 2


def test_before_and_after_a_deadline_those_who_have_not_called_are_told_once(inside):
    say(inside, 500, DUE - timedelta(hours=30))
    given = {"due_on": DUE.date(), "now": DUE - timedelta(hours=24)}
    told = deadline_remind(inside.organization, kind=ReminderKind.BEFORE, **given)
    assert set(told) == {inside.eve.id, inside.max.id, inside.jon.id}
    assert deadline_remind(inside.organization, kind=ReminderKind.BEFORE, **given) == []
    say(inside, 900, DUE - timedelta(hours=1), by="max")
    after = {"due_on": DUE.date(), "now": DUE + timedelta(minutes=5)}
    assert set(deadline_remind(inside.organization, kind=ReminderKind.AFTER, **after)) == {
        inside.eve.id,
        inside.jon.id,
    }
    assert CallReminder.objects.count() == 5


def test_nobody_is_reminded_of_a_locked_period_nor_of_a_day_that_is_no_deadline(inside):
    day = {"due_on": DUE.date() - timedelta(days=1), "now": DUE}
    assert deadline_remind(inside.organization, kind=ReminderKind.AFTER, **day) == []
    period = called_period(inside.organization, day=DUE.date(), beat=beat_now())
    period_lock(inside.organization, period=period)
    assert deadline_remind(inside.organization, kind=ReminderKind.AFTER, due_on=DUE.date(), now=DUE) == []


def test_the_organizations_own_rhythm_decides(inside):
    Rhythm(**(asdict(Beat()) | {"reminds": False})).save()
    assert deadline_remind(inside.organization, kind=ReminderKind.AFTER, due_on=DUE.date(), now=DUE) == []
    beat = Beat(call_weekday=0, call_hour=9)
    (_, due_on, before), (_, _, after) = reminder_instants(date(2026, 11, 20), beat=beat, zone=BERLIN)
    assert (due_on, before, after) == (
        date(2026, 11, 23),
        datetime(2026, 11, 22, 8, tzinfo=UTC),
        datetime(2026, 11, 23, 8, 5, tzinfo=UTC),
    )


def test_by_page_one_reminds_those_whom_one_sees(house, signed_in):
    sent = {"period": HERE.key, "person": [str(house.ana.id), str(house.eve.id)]}
    answer = signed_in(house.max).post(house.url("forecast/calls/remind/"), sent, follow=True)
    assert "1 person reminded" in answer.content.decode()
    again = signed_in(house.eve).post(house.url("forecast/calls/remind/"), sent, follow=True)
    assert "reminded today already" in again.content.decode()
    nobody = signed_in(house.ana).post(house.url("forecast/calls/remind/"), sent, follow=True)
    assert "Nobody to remind" in nobody.content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_calls_at_once_both_are_kept_and_the_later_counts(house):
    start, now = Barrier(2), datetime.now(UTC)

    def submit(amount_minor):
        try:
            start.wait(10)
            with use(house.organization.id, person_id=house.ana.id, channel="ui"):
                call_submit(
                    house.organization,
                    author=house.ana,
                    period=HERE,
                    amount_minor=amount_minor,
                    now=now,
                    today=now.date(),
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(submit, (100, 200)))
    with use(house.organization.id):
        kept = list(Call.objects.order_by("submitted_at"))
        assert {call.amount_minor for call in kept} == {100, 200}
        counted = latest_calls(HERE.key, as_of=datetime.now(UTC))[house.ana.id]
        assert counted.amount_minor == kept[-1].amount_minor


def test_the_rhythm_is_changed_in_the_settings_and_put_back(house, signed_in):
    client, path = signed_in(house.ops), house.url("settings/rhythm/")
    sent = {"call_kind": "month", "call_weekday": 2, "call_hour": 9, "reminds": "on", "lock_grace_days": 5}
    sent |= {"mail_weekday": 1, "mail_hour": 6}
    answer = client.post(path, sent, follow=True)
    assert "Calls are due Wednesdays at 9:00, periods lock 5 days after their last" in answer.content.decode()
    with use(house.organization.id):
        assert beat_now() == Beat("month", 2, 9, True, 5, False, False, 1, 6)
    (message,) = list(answer.context["messages"])
    client.post(message.extra_tags.split()[-1])
    with use(house.organization.id):
        assert beat_now() == Beat()
    assert client.post(path, {**sent, "lock_grace_days": 99}).status_code == 422
    assert signed_in(house.eve).get(path).status_code == 403


def test_each_type_has_calls_and_locks_of_its_own(inside):
    renewal = ForecastType(name="Renewal", slug="renewal", position=1)
    renewal.save()
    now = datetime.now(UTC)
    given = {"author": inside.ana, "period": HERE, "now": now, "today": day_in_house()}
    call_submit(inside.organization, amount_minor=500, **given)
    call_submit(inside.organization, amount_minor=90, type_id=renewal.id, **given)
    at = datetime.now(UTC)
    assert latest_calls(HERE.key, as_of=at)[inside.ana.id].amount_minor == 500
    assert latest_calls(HERE.key, as_of=at, type_id=renewal.id)[inside.ana.id].amount_minor == 90
    period_lock(inside.organization, period=HERE, author=inside.eve, type_id=renewal.id)
    assert is_locked(HERE.key, type_id=renewal.id) and not is_locked(HERE.key)
    call_submit(inside.organization, amount_minor=600, **given)
    with pytest.raises(Refused, match="is locked since"):
        call_submit(inside.organization, amount_minor=91, type_id=renewal.id, **given)
    with pytest.raises(Refused, match="no such type"):
        call_submit(inside.organization, amount_minor=91, type_id=inside.ana.id, **given)
    whole = period_lock(inside.organization, period=HERE, author=inside.eve)
    assert set(LockedRow.objects.filter(lock=whole).values_list("type_id", flat=True)) == {None, renewal.id}
    assert is_locked(HERE.key)


@pytest.mark.parametrize(
    ("typed", "marked", "said"),
    [
        ({"amount": "100", "most_likely": "90"}, "most_likely", "holds commit, so it can’t be less"),
        ({"amount": "-5"}, "amount", "be below zero"),
        ({"amount": "100", "best_case": "lots"}, "best_case", "lots"),
    ],
)
def test_a_refused_call_stands_again_with_its_wrong_field_marked(house, signed_in, typed, marked, said):
    browser = signed_in(house.ana)
    page = browser.post(house.url("forecast/call/"), typed, follow=True).content.decode()
    fields = {
        name: page.split(f'id="call-{name}"')[1].split('class="small muted"')[0]
        for name in ("amount", "most_likely", "best_case")
    }
    assert [name for name, text in fields.items() if 'aria-invalid="true"' in text] == [marked]
    assert [name for name, text in fields.items() if "autofocus" in text] == [marked]
    assert said in fields[marked]
    assert all(f'value="{text}"' in fields[name] for name, text in typed.items())
